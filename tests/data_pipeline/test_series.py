"""A series is gapless, frozen, and known by its fingerprint."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_pipeline.load import load_series
from data_pipeline.series import HourlySeries
from data_pipeline.source import DataSource
from tests.data_pipeline.files import hours, rows, series, text, write


def test_fingerprint_is_that_of_the_data_not_of_the_file(tmp_path: Path) -> None:
    lines = rows(hours(48))
    one = write(tmp_path, text(lines))
    other = write(
        tmp_path,
        text([line.replace(",", ";") for line in reversed(lines)], "Date;Temperature;Usage"),
        "other.csv",
    )
    loaded = [load_series(DataSource(path=path))[0] for path in (one, other)]
    assert loaded[0].fingerprint == loaded[1].fingerprint
    assert len(loaded[0].fingerprint) == 64
    assert loaded[0].name == "load.csv"


def test_fingerprint_follows_every_part() -> None:
    whole = series(48)
    later = whole.index + pd.Timedelta(hours=1)
    target = whole.target.copy()
    target[7] = np.nextafter(target[7], 1e9)
    others = [
        dataclasses.replace(whole, target=target),
        dataclasses.replace(whole, unit="kW"),
        dataclasses.replace(whole, target_name="Load"),
        dataclasses.replace(whole, covariate_names=("wind",)),
        dataclasses.replace(whole, index=later, local=later),
        dataclasses.replace(whole, local=later),
        dataclasses.replace(whole, index=whole.index.tz_localize("UTC")),
        whole.before(47),
    ]
    assert len({whole.fingerprint, *(other.fingerprint for other in others)}) == 9
    renamed = dataclasses.replace(whole, name="other", index=whole.index.as_unit("ns"))
    assert renamed.fingerprint == whole.fingerprint


def test_before() -> None:
    whole = series(48)
    part = whole.before(10)
    assert len(part) == 10
    np.testing.assert_array_equal(part.target, whole.target[:10])
    for row in (0, 49):
        with pytest.raises(ValueError, match=r"row must be 1\.\.48"):
            whole.before(row)


def test_a_series_is_frozen_and_leaves_its_input_writable() -> None:
    target = np.zeros(48)
    whole = dataclasses.replace(series(48), target=target)
    with pytest.raises(ValueError, match="read-only"):
        whole.target[0] = 1.0
    target[0] = 0.0


def test_a_wrong_series_is_refused_at_birth() -> None:
    whole = series(48)
    gap = whole.index.delete(5)
    short = whole.before(47)

    def refused(message: str, base: HourlySeries, **parts: object) -> None:
        with pytest.raises(ValueError, match=message):
            dataclasses.replace(base, **parts)  # type: ignore[arg-type]

    refused("exactly hourly", short, index=gap)
    refused("one length", whole, local=gap)
    refused("covariates must be", whole, covariate_names=("a", "b"))
    refused("naive or UTC", whole, index=whole.index.tz_localize("Europe/Berlin"))
    refused("finite", whole, target=np.full(48, np.nan))
    refused("at least one row", whole, index=whole.index[:0])
