"""Readings of a register: which hour a difference belongs to, and registers that roll over; D18."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_pipeline.errors import DataError
from data_pipeline.load import load_series
from data_pipeline.rules import rules_of_before
from data_pipeline.source import DataSource

HOURS = 24 * 14
USED = np.round(5 - 2 * np.cos(np.arange(HOURS) / 24 * 2 * np.pi) + np.arange(HOURS) % 7 / 10, 1)
BEGIN = pd.Timestamp("2021-05-03")


def _source(folder: Path, readings: np.ndarray, **options: object) -> DataSource:
    path = folder / "meter.csv"
    times = pd.date_range(BEGIN, periods=len(readings), freq="h")
    lines = [f"{t:%Y-%m-%d %H:%M},{r:.1f}" for t, r in zip(times, readings, strict=True)]
    path.write_text("\n".join(["Date,Reading", *lines]) + "\n", encoding="utf-8")
    plain = {"path": path, "unit": "units", "features": (), "target": "Reading"}
    return DataSource.model_validate({**plain, **options})


def _readings(start: float, size: float = np.inf) -> np.ndarray:
    """The reading at the begin of each hour, and at the end of the last one."""
    return np.round((start + np.concatenate(([0.0], np.cumsum(USED)))) % size, 1)


def test_d18_the_message_offers_both_hours_that_a_difference_may_belong_to(tmp_path: Path) -> None:
    source = _source(tmp_path, _readings(1000.0))
    with pytest.raises(DataError, match="never falls") as caught:
        load_series(source)
    ways = [dict(way.changes) for way in caught.value.ways]
    assert ways == [
        {"cumulative": True, "stamp": "end"},
        {"cumulative": True, "stamp": "begin"},
        {"cumulative": False},
    ]
    at_its_time, _ = load_series(source.change(**ways[0]))
    later, _ = load_series(source.change(**ways[1]))
    for series in (at_its_time, later):
        np.testing.assert_allclose(series.target, USED, atol=1e-9)
    assert at_its_time.local[0] == BEGIN and later.local[0] == BEGIN + pd.Timedelta(hours=1)


def test_d18_a_difference_without_a_stamp_is_warned_of(tmp_path: Path) -> None:
    source = _source(tmp_path, _readings(1000.0), cumulative=True)
    _, report = load_series(source)
    assert any("give --stamp end" in one for one in report.warnings)
    assert not load_series(source.change(stamp="end"))[1].warnings


@pytest.mark.parametrize(("start", "size"), [(99_500.0, 1e5), (9_990.0, 1e4), (950.0, 1e3)])
def test_d18_a_register_that_rolls_over_keeps_all_its_hours(
    tmp_path: Path, start: float, size: float
) -> None:
    source = _source(tmp_path, _readings(start, size), cumulative=True, stamp="end")
    series, report = load_series(source)
    np.testing.assert_allclose(series.target, USED, atol=1e-9)
    assert series.local[0] == BEGIN
    assert any(f"readings roll over at {size:.0f} in line" in one for one in report.repairs)


def test_d18_a_register_that_rolls_over_often_is_recognised(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="falls 2 times, like the readings of a register"):
        load_series(_source(tmp_path, _readings(500.0, 1e3)))


def test_d18_an_exchanged_meter_is_still_a_gap(tmp_path: Path) -> None:
    readings = _readings(4_000.0)
    readings[100:] = np.round(readings[100:] - readings[100] + 3, 1)
    source = _source(tmp_path, readings, cumulative=True, stamp="end", gaps="interpolate")
    series, report = load_series(source)
    assert any("as if the meter was exchanged" in one for one in report.repairs)
    known = np.arange(HOURS) != 99
    np.testing.assert_allclose(series.target[known], USED[known], atol=1e-9)


def test_d18_d22_the_first_edition_leaves_a_gap_where_a_register_rolls_over(tmp_path: Path) -> None:
    options = {"cumulative": True, "stamp": "begin", "gaps": "interpolate"}
    source = _source(tmp_path, _readings(99_500.0, 1e5), **options)
    kept = source.model_dump(mode="json", exclude={"edition"})
    _, report = load_series(DataSource.model_validate(rules_of_before(kept)))
    assert any("as if the meter was exchanged" in one for one in report.repairs)
    assert report.filled.sum() == 1


def _of_the_day(at_midnight: bool) -> np.ndarray:
    """The usage of each day so far, at the begin of each hour from 01:00 of the first day on."""
    total = np.concatenate([np.cumsum(USED[day : day + 24]) for day in range(0, HOURS, 24)])
    if not at_midnight:
        total[23::24] = 0.0
    return np.round(total, 1)


def test_d18_a_counter_of_the_day_is_recognised_and_differenced(tmp_path: Path) -> None:
    path = _source(tmp_path, np.zeros(1)).file
    times = pd.date_range(BEGIN + pd.Timedelta(hours=1), periods=HOURS, freq="h")
    lines = [f"{t},{r}" for t, r in zip(times, _of_the_day(True), strict=True)]
    path.write_text("\n".join(["Date,Reading", *lines]) + "\n", encoding="utf-8")
    source = DataSource.model_validate(
        {"path": path, "unit": "units", "features": (), "target": "Reading"}
    )
    with pytest.raises(DataError, match="falls 13 times, like the readings") as caught:
        load_series(source)
    series, report = load_series(source.change(**caught.value.ways[0].changes))
    assert series.local[0] == BEGIN + pd.Timedelta(hours=1)
    np.testing.assert_allclose(series.target, USED[1:], atol=1e-9)
    assert any("begins at 0 again 13 times" in one for one in report.repairs)


def test_d18_a_counter_that_is_0_at_midnight_has_lost_an_hour(tmp_path: Path) -> None:
    path = _source(tmp_path, np.zeros(1)).file
    times = pd.date_range(BEGIN + pd.Timedelta(hours=1), periods=HOURS, freq="h")
    lines = [f"{t},{r}" for t, r in zip(times, _of_the_day(False), strict=True)]
    path.write_text("\n".join(["Date,Reading", *lines]) + "\n", encoding="utf-8")
    options = {"cumulative": True, "stamp": "end", "gaps": "interpolate", "target": "Reading"}
    plain = {"path": path, "unit": "units", "features": ()}
    series, report = load_series(DataSource.model_validate({**plain, **options}))
    known = np.arange(1, HOURS - 1)
    known = known[known % 24 != 23]
    np.testing.assert_allclose(series.target[known - 1], USED[known], atol=1e-9)
    assert report.filled.sum() == HOURS // 24 - 1
