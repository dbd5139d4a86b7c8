"""Clocks that a file writes in unusual ways, each read by the one reading that fits; D16, D17."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_pipeline.errors import DataError
from data_pipeline.load import load_series
from data_pipeline.rules import rules_of_before
from data_pipeline.source import DataSource

HOURS = 24 * 28
USAGE = np.round(50 - 20 * np.cos(np.arange(HOURS) / 24 * 2 * np.pi) + np.arange(HOURS) % 7, 2)
BEGINS = pd.date_range("2021-05-03", periods=HOURS, freq="h")
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def _source(
    folder: Path,
    times: Sequence[str],
    values: Sequence[object] = tuple(USAGE),
    separator: str = ",",
    **options: object,
) -> DataSource:
    path = folder / "meter.csv"
    lines = [f"{t}{separator}{u}" for t, u in zip(times, values, strict=False)]
    path.write_text("\n".join([f"Date{separator}Usage", *lines]) + "\n", encoding="utf-8")
    return DataSource.model_validate({"path": path, "unit": "units", "features": (), **options})


def _refused(source: DataSource) -> DataError:
    with pytest.raises(DataError) as caught:
        load_series(source)
    return caught.value


def _is_truth(source: DataSource, hours: int = HOURS) -> None:
    series, _ = load_series(source)
    assert list(series.local) == list(BEGINS[:hours])
    np.testing.assert_allclose(series.target, USAGE[:hours], atol=1e-9)


def test_d16_days_of_a_spreadsheet_with_decimal_commas_are_read(tmp_path: Path) -> None:
    days = (BEGINS - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)
    times = [f"{day:.5f}".replace(".", ",") for day in days]
    _is_truth(_source(tmp_path, times, [str(u).replace(".", ",") for u in USAGE], ";"))


def test_d15_d16_full_width_digits_and_signs_are_read(tmp_path: Path) -> None:
    times = [f"{t:%Y/%m/%d %H:%M}".translate(FULL_WIDTH).replace(" ", "\u3000") for t in BEGINS]
    _is_truth(_source(tmp_path, times, [f"{u:.2f}".translate(FULL_WIDTH) for u in USAGE]))


def test_d16_a_minus_of_full_width_is_a_minus(tmp_path: Path) -> None:
    cells = [f"{-u:.2f}".translate(FULL_WIDTH) for u in USAGE]
    series, _ = load_series(_source(tmp_path, [str(t) for t in BEGINS], cells))
    np.testing.assert_array_equal(series.target, -USAGE)


@pytest.mark.parametrize("iso", [False, True])
def test_d16_days_that_a_spreadsheet_has_exchanged_are_exchanged_again(
    tmp_path: Path, iso: bool
) -> None:
    def written(time: pd.Timestamp) -> str:
        if time.day > 12:
            return f"{time:%d/%m/%Y %H:%M}"
        return f"{time:%Y-%d-%m %H:%M}" if iso else f"{time:%m/%d/%Y %H:%M}"

    source = _source(tmp_path, [written(t) for t in BEGINS])
    _is_truth(source)
    _, report = load_series(source)
    said = " ".join(report.repairs)
    assert "day and month are exchanged in 216 rows" in said and "in line 2" in said
    # Another file of this make is looked at anew.
    assert report.rules.date_format is None


def test_d16_days_that_no_exchange_puts_in_order_are_refused(tmp_path: Path) -> None:
    times = [f"{t:%d/%m/%Y %H:%M}" if t.day > 12 else f"{t:%m/%d/%Y %H:%M}" for t in BEGINS]
    times[5] = "07/03/2021 05:00"
    _refused(_source(tmp_path, times))


def _on_12_hours(times: pd.DatetimeIndex) -> list[str]:
    return [f"{t:%Y-%m-%d} {t.hour % 12 or 12:02}:00" for t in times]


@pytest.mark.parametrize("first", [0, 15])
@pytest.mark.parametrize("newest_first", [False, True])
def test_d16_a_12_hour_clock_is_read_by_the_order_of_its_rows(
    tmp_path: Path, first: int, newest_first: bool
) -> None:
    step = -1 if newest_first else 1
    times, values = _on_12_hours(BEGINS[first:-5])[::step], USAGE[first:-5][::step]
    series, report = load_series(_source(tmp_path, times, list(values)))
    assert list(series.local) == list(BEGINS[first:-5])
    np.testing.assert_array_equal(series.target, USAGE[first:-5])
    assert any("12-hour clock without AM and PM" in one for one in report.repairs)


def test_d16_a_12_hour_clock_out_of_order_is_explained(tmp_path: Path) -> None:
    times = _on_12_hours(BEGINS)
    times[30], times[40] = times[40], times[30]
    message = str(_refused(_source(tmp_path, times)))
    assert "12-hour clock without AM and PM" in message
    assert "line 26" in message and "from '2021-05-04 12:00' on" in message


@pytest.mark.parametrize("words", [("AM", "PM"), ("오전", "오후")])
def test_d16_a_column_of_am_and_pm_is_offered_and_read_in_any_order(
    tmp_path: Path, words: tuple[str, str]
) -> None:
    mixed = np.random.default_rng(0).permutation(HOURS)
    half = np.where(BEGINS.hour < 12, *words)[mixed]
    times = [f"{t},{h}" for t, h in zip(np.array(_on_12_hours(BEGINS))[mixed], half, strict=True)]
    path = _source(tmp_path, times, list(USAGE[mixed])).file
    text = path.read_text(encoding="utf-8").replace("Date,Usage", "Date,Half,Usage")
    path.write_text(text, encoding="utf-8")
    source = DataSource.model_validate({"path": path, "unit": "units", "features": ()})
    ways = [way.changes for way in _refused(source).ways]
    assert ways == [{"time": ("Date", "Half")}]
    _is_truth(source.change(**ways[0]))


def test_d16_hours_of_the_morning_alone_are_no_12_hour_clock(tmp_path: Path) -> None:
    morning = BEGINS[(BEGINS.hour >= 1) & (BEGINS.hour <= 12)]
    message = str(_refused(_source(tmp_path, [str(t) for t in morning])))
    assert "missing hours" in message and "12-hour" not in message


def _parts(minutes: int) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """Ends of parts of an hour, and their values, which add up to the hour."""
    count = 60 // minutes
    ends = pd.date_range(BEGINS[0], periods=HOURS * count + 1, freq=f"{minutes}min")[1:]
    return ends, np.repeat(USAGE / count, count)


@pytest.mark.parametrize("minutes", [30, 15, 10])
@pytest.mark.parametrize("midnight", ["00:00", "24:00"])
def test_d17_times_from_one_step_after_midnight_to_midnight_are_ends(
    tmp_path: Path, minutes: int, midnight: str
) -> None:
    ends, values = _parts(minutes)
    late = (ends.hour == 0) & (ends.minute == 0) & (midnight == "24:00")
    days = ends - pd.to_timedelta(late.astype(int), unit="D")
    times = [
        f"{day:%d/%m/%Y} {midnight if at else f'{day:%H:%M}'}"
        for day, at in zip(days, late, strict=True)
    ]
    source = _source(tmp_path, times, list(values), resample="sum")
    _is_truth(source)
    assert any("is the end of its period" in one for one in load_series(source)[1].why)


def test_d17_half_hours_that_begin_at_half_past_and_end_elsewhere_are_asked(tmp_path: Path) -> None:
    ends, values = _parts(30)
    times = [f"{t:%Y-%m-%d %H:%M}" for t in ends[:-3]]
    source = _source(tmp_path, times, list(values), resample="sum")
    error = _refused(source)
    assert "the first time is '2021-05-03 00:30' in line 2" in error.message
    assert [way.changes for way in error.ways] == [{"stamp": "end"}, {"stamp": "begin"}]
    _is_truth(source.change(stamp="end"), HOURS - 2)


def test_d17_d22_half_hours_of_the_first_edition_are_begins(tmp_path: Path) -> None:
    ends, values = _parts(30)
    times = [f"{t:%Y-%m-%d %H:%M}" for t in ends]
    source = _source(tmp_path, times, list(values), resample="sum")
    kept = source.model_dump(mode="json", exclude={"edition"})
    series, _ = load_series(DataSource.model_validate(rules_of_before(kept)))
    assert series.local[0] == BEGINS[1] and len(series) == HOURS - 1


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_d17_midnights_of_the_day_they_end_are_read_as_told(
    tmp_path: Path, zone: str | None
) -> None:
    begins = pd.date_range("2021-03-15", periods=24 * 21 - 1, freq="h", tz=zone or "UTC")
    ends = (begins + pd.Timedelta(hours=1)).tz_localize(None)
    dates = ends - pd.to_timedelta((ends.hour == 0).astype(int), unit="D")
    times = [f"{d:%Y-%m-%d} {e:%H:%M}" for d, e in zip(dates, ends, strict=True)]
    source = _source(tmp_path, times, tz=zone)
    ways = [way.changes for way in _refused(source).ways]
    assert ways == [{"stamp": "end"}, {"stamp": "begin"}]
    series, report = load_series(source.change(stamp="end"))
    assert list(series.local) == list(begins.tz_localize(None))
    np.testing.assert_array_equal(series.target, USAGE[: len(begins)])
    assert any("read as the end of that day" in one for one in report.repairs)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Europe/London"])
def test_d17_ends_of_an_unfinished_spring_day_have_no_hole(tmp_path: Path, zone: str) -> None:
    begins = pd.date_range("2024-03-30", periods=35, freq="h", tz=zone)
    local = begins.tz_localize(None)
    times = [f"{t + pd.Timedelta(hours=1):%Y%m%d%H}" for t in local]
    series, _ = load_series(_source(tmp_path, times, tz=zone, stamp="end"))
    assert list(series.local) == list(local)
    np.testing.assert_array_equal(series.target, USAGE[:35])


@pytest.mark.parametrize("last", [pd.Timedelta(seconds=1), pd.Timedelta(minutes=1)])
def test_d17_the_last_moments_of_hours_are_ends(tmp_path: Path, last: pd.Timedelta) -> None:
    times = [f"{t:%Y-%m-%d %H:%M:%S}" for t in BEGINS + pd.Timedelta(hours=1) - last]
    source = _source(tmp_path, times)
    _is_truth(source)
    assert any("is the end of its period" in one for one in load_series(source)[1].why)


def test_d17_a_second_before_each_hour_is_the_hour_if_days_begin_so(tmp_path: Path) -> None:
    times = [f"{t:%Y-%m-%d %H:%M:%S}" for t in BEGINS - pd.Timedelta(seconds=1)]
    _is_truth(_source(tmp_path, times))


@pytest.mark.parametrize("zero", ["0", "0.00", '"0,00"'])
def test_d17_zeros_in_the_hour_that_spring_skips_are_offered_as_missing(
    tmp_path: Path, zero: str
) -> None:
    local = pd.date_range("2021-03-15", periods=24 * 21 - 1, freq="h", tz="Europe/Berlin")
    cells = [f"{u}" if zero[0] != '"' else f'"{u}"'.replace(".", ",") for u in USAGE]
    rows = sorted(
        [(f"{t:%Y-%m-%d %H:%M}", u) for t, u in zip(local, cells, strict=False)]
        + [("2021-03-28 02:00", zero)]
    )
    times, values = [time for time, _ in rows], [value for _, value in rows]
    source = _source(tmp_path, times, values, tz="Europe/Berlin")
    error = _refused(source)
    assert "does not exist in Europe/Berlin" in error.message
    assert error.ways[-1].changes == {"missing": ("0",)}
    series, _ = load_series(source.change(**error.ways[-1].changes))
    assert list(series.local) == list(local.tz_localize(None))
    np.testing.assert_allclose(series.target, USAGE[: len(local)])


def test_d17_meters_of_an_unfinished_autumn_day_are_asked_about(tmp_path: Path) -> None:
    begins = pd.date_range("2021-10-30", periods=26, freq="h")
    rows = [
        f"{t:%Y-%m-%d %H:%M},{meter},{x}"
        for meter in "AB"
        for t, x in zip(begins, USAGE[:26], strict=True)
    ]
    path = tmp_path / "meter.csv"
    path.write_text("\n".join(["Date,Meter,Usage", *rows]) + "\n")
    source = DataSource(path=path, features=(), tz="Europe/London")
    error = _refused(source)
    assert "several meters" in error.message
    ways = [way.changes["where"] for way in error.ways]
    assert ways == [("Meter=A",), ("Meter=B",)]
    series, _ = load_series(source.change(where=ways[0]))
    assert list(series.local) == list(begins)
