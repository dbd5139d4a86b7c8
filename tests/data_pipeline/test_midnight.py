"""Hour-ending files whose midnight has the date of the day that it ends."""

from pathlib import Path

import pandas as pd
import pytest

from data_pipeline.errors import DataError
from data_pipeline.load import load_series
from data_pipeline.source import DataSource

HOURS = 24 * 25


def _source(place: Path, lines: list[str]) -> DataSource:
    path = place / "meter.csv"
    path.write_text("\n".join(["Date,Usage", *lines]) + "\n", encoding="utf-8")
    return DataSource.model_validate({"path": path, "unit": "kW", "features": ()})


def _ends(midnight: str) -> list[str]:
    lines = []
    for at, end in enumerate(pd.date_range("2021-05-03 01:00", periods=HOURS, freq="h")):
        before = end - pd.Timedelta(days=1) if end.hour == 0 else end
        clock = midnight if end.hour == 0 else f"{end:%H:%M}"
        lines.append(f"{before:%Y-%m-%d} {clock},{30 + at % 37}.5")
    return lines


def test_d17_midnight_with_the_date_of_the_day_it_ends_is_not_moved_by_a_day(
    tmp_path: Path,
) -> None:
    with pytest.raises(DataError, match=r"25 times of 00:00 .*first in line 25.*as 24:00"):
        load_series(_source(tmp_path, _ends("00:00")))


def test_d17_midnight_as_24_is_read_as_an_end(tmp_path: Path) -> None:
    series, _ = load_series(_source(tmp_path, _ends("24:00")))
    assert len(series.target) == HOURS and str(series.local[0]) == "2021-05-03 00:00:00"


def test_d11_a_few_rows_out_of_order_are_sorted_as_before(tmp_path: Path) -> None:
    lines = [
        f"{time:%Y-%m-%d %H:%M},{30 + at % 37}.5"
        for at, time in enumerate(pd.date_range("2021-05-03", periods=HOURS, freq="h"))
    ]
    lines.insert(24, lines.pop(0))
    series, report = load_series(_source(tmp_path, lines))
    assert len(series.target) == HOURS and "sorted by time" in str(report)
