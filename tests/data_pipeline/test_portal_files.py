"""Files in the formats of portals, loggers and spreadsheets of many countries; D11 to D29."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_pipeline.errors import DataError
from data_pipeline.load import load_series
from data_pipeline.report import DataReport
from data_pipeline.series import HourlySeries
from data_pipeline.source import DataSource
from tests.data_pipeline.portal_files import (
    FORMATS,
    FORMS,
    HOURS,
    IN_UTC,
    MONTHS,
    USAGE,
    Writer,
)
from tests.data_pipeline.workbooks import workbook_of

BEGINS = pd.date_range("2024-02-05", periods=HOURS, freq="h")


def _write(folder: Path, content: str | bytes, suffix: str = ".csv") -> Path:
    path = folder / f"meter{suffix}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _source(
    folder: Path, content: str | bytes, suffix: str = ".csv", **options: object
) -> DataSource:
    plain = {"path": _write(folder, content, suffix), "unit": "units", "features": ()}
    return DataSource.model_validate({**plain, **options})


def _table(
    times: Iterable[str], values: Iterable[object] = tuple(USAGE), header: str = "Date;Usage"
) -> str:
    rows = [f"{time};{value}" for time, value in zip(times, values, strict=True)]
    return "\n".join([header, *rows]) + "\n"


def _refused(source: DataSource) -> DataError:
    with pytest.raises(DataError) as caught:
        load_series(source)
    return caught.value


def _is_truth(
    source: DataSource, begins: pd.DatetimeIndex = BEGINS, usage: np.ndarray = USAGE
) -> tuple[HourlySeries, DataReport]:
    series, report = load_series(source)
    assert list(series.local) == list(begins)
    np.testing.assert_allclose(series.target, usage, atol=1e-9)
    return series, report


@pytest.mark.parametrize("month", range(1, 13))
@pytest.mark.parametrize("language", MONTHS)
def test_d16_months_are_read_in_many_languages(tmp_path: Path, language: str, month: int) -> None:
    names = MONTHS[language].split()
    begins = pd.date_range(f"2024-{month:02}-05", periods=48, freq="h")
    word = names[month - 1]
    times = [f"{t.day} {word} {t:%Y %H:%M}" for t in begins]
    source = _source(tmp_path, _table(times, USAGE[:48]))
    if word == "listopada":
        assert "one month in one language" in _refused(source).message
        return
    _is_truth(source, begins, USAGE[:48])


@pytest.mark.parametrize("form", FORMS)
def test_d16_a_form_that_can_be_read_in_one_way_is_read(tmp_path: Path, form: str) -> None:
    times = [FORMS[form](t) for t in BEGINS]
    _, report = _is_truth(_source(tmp_path, _table(times)))
    if form in ("Buddhist era", "Taiwan"):
        assert any("read as those of the common era" in one for one in report.repairs)


@pytest.mark.parametrize("form", IN_UTC)
def test_d16_a_form_that_names_utc_is_read(tmp_path: Path, form: str) -> None:
    source = _source(tmp_path, _table(IN_UTC[form](t) for t in BEGINS.tz_localize("UTC")))
    series, report = _is_truth(source)
    assert str(series.index.tz) == "UTC"
    again = source.change(**report.rules.model_dump(mode="json"))
    assert load_series(again)[0].fingerprint == series.fingerprint


@pytest.mark.parametrize("form", FORMATS)
def test_d16_a_form_without_signs_is_answered_by_its_format(tmp_path: Path, form: str) -> None:
    source = _source(tmp_path, _table(t.strftime(form) for t in BEGINS))
    ways = [way.changes for way in _refused(source).ways]
    assert {"date_format": form} in ways
    _is_truth(source.change(date_format=form))


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda t: f"{t:%d/%m %H:%M}", "have no year"),
        (lambda t: f"{t:%d/%m}/67 {t:%H:%M}", "which would be 2067"),
        (lambda t: f"{t.day} lis {t:%Y %H:%M}", "'lis' is one month in one language"),
    ],
)
def test_d16_what_times_lack_is_said(tmp_path: Path, write: Writer, said: str) -> None:
    assert said in _refused(_source(tmp_path, _table(map(write, BEGINS)))).message


def test_d16_the_name_of_a_zone_behind_times_is_offered(tmp_path: Path) -> None:
    source = _source(tmp_path, _table(f"{t:%Y-%m-%d %H:%M} Europe/Berlin" for t in BEGINS))
    assert [way.changes for way in _refused(source).ways] == [{"tz": "Europe/Berlin"}]
    _is_truth(source.change(tz="Europe/Berlin"))


@pytest.mark.parametrize(
    ("letters", "start", "zones"),
    [
        ("EST", "2024-02-05", ["America/New_York", "Etc/GMT+5"]),
        ("EST", "2024-07-05", ["Etc/GMT+5"]),
        ("IST", "2024-02-05", ["Asia/Kolkata", "Asia/Jerusalem"]),
        ("ET", "2024-02-05", ["America/New_York"]),
        ("XYZ", "2024-02-05", []),
    ],
)
def test_d17_letters_of_a_zone_are_answered_by_zones_that_fit(
    tmp_path: Path, letters: str, start: str, zones: list[str]
) -> None:
    begins = pd.date_range(start, periods=HOURS, freq="h")
    source = _source(tmp_path, _table(f"{t:%Y-%m-%d %H:%M} {letters}" for t in begins))
    assert [way.changes for way in _refused(source).ways] == [{"tz": zone} for zone in zones]
    for zone in zones:
        _is_truth(source.change(tz=zone), begins)


@pytest.mark.parametrize("names", [("Day", "Month", "Year"), ("Year", "DOY")])
def test_d16_parts_of_a_date_in_columns_are_read(tmp_path: Path, names: tuple[str, ...]) -> None:
    parts = {"Day": "%-d", "Month": "%-m", "Year": "%Y", "DOY": "%-j"}
    hour = "HHMM" if "DOY" in names else "Hour"
    written = [
        ";".join(
            [
                *(t.strftime(parts[one]) for one in names),
                str(t.hour * (100 if hour != "Hour" else 1)),
            ]
        )
        for t in BEGINS
    ]
    text = _table(written, header=";".join([*names, hour, "Usage"]))
    _is_truth(_source(tmp_path, text, time=(*names, hour)))


@pytest.mark.parametrize("dated", [True, False], ids=["dates", "numbers"])
@pytest.mark.parametrize("from_1904", [True, False])
def test_d16_a_workbook_says_from_when_its_days_count(
    tmp_path: Path, from_1904: bool, dated: bool
) -> None:
    first = pd.Timestamp("1904-01-01" if from_1904 else "1899-12-30")
    times = [t.to_pydatetime() if dated else (t - first) / pd.Timedelta(days=1) for t in BEGINS]
    cells = [["Date", "Usage"], *(list(row) for row in zip(times, USAGE, strict=True))]
    source = _source(tmp_path, workbook_of(cells, from_1904), ".xlsx")
    series, report = _is_truth(source)
    assert not any("1904, give" in one for one in report.repairs)
    again = source.change(**report.rules.model_dump(mode="json"))
    assert load_series(again)[0].fingerprint == series.fingerprint


@pytest.mark.parametrize("mark", [".", ","])
def test_d16_days_and_parts_of_a_day_in_two_columns_are_joined(tmp_path: Path, mark: str) -> None:
    days = (BEGINS.normalize() - pd.Timestamp("1899-12-30")).days
    parts = [f"{hour / 24:.7g}".replace(".", mark) for hour in BEGINS.hour]
    text = _table((f"{day};{part}" for day, part in zip(days, parts, strict=True)), header="D;T;U")
    _is_truth(_source(tmp_path, text, time=("D", "T"), target="U"))


def test_d16_days_of_a_text_file_may_count_from_1904(tmp_path: Path) -> None:
    days = (BEGINS - pd.Timestamp("1904-01-01")) / pd.Timedelta(days=1)
    source = _source(tmp_path, _table(f"{day:.6f}" for day in days))
    assert any("--date-format excel-1904" in one for one in load_series(source)[1].repairs)
    _is_truth(source.change(date_format="excel-1904"))


def test_d17_hours_from_1_to_midnight_are_asked(tmp_path: Path) -> None:
    source = _source(tmp_path, _table(str(t + pd.Timedelta(hours=1)) for t in BEGINS))
    error = _refused(source)
    assert "the hours run from 2024-02-05 01:00 to 2024-02-20 00:00" in error.message
    assert [way.changes for way in error.ways] == [{"stamp": "end"}, {"stamp": "begin"}]
    _is_truth(source.change(stamp="end"))
    _is_truth(source.change(stamp="begin"), BEGINS + pd.Timedelta(hours=1))


def test_d17_hours_of_an_unfinished_day_are_not_asked(tmp_path: Path) -> None:
    times = [str(t) for t in BEGINS[1:-2]]
    _is_truth(_source(tmp_path, _table(times, USAGE[1:-2])), BEGINS[1:-2], USAGE[1:-2])


@pytest.mark.parametrize("name", ["Til", "Tot", "Loppuaika", "Koniec", "Bitiş", "Fim", "结束时间"])
def test_d17_a_column_named_by_its_end_in_another_language_holds_ends(
    tmp_path: Path, name: str
) -> None:
    times = [str(t + pd.Timedelta(hours=1)) for t in BEGINS]
    _is_truth(_source(tmp_path, _table(times, header=f"{name};Usage"), time=(name,)))


def _autumn() -> tuple[pd.DatetimeIndex, np.ndarray]:
    return pd.date_range(
        "2024-10-28", periods=HOURS + 1, freq="h", tz="America/Chicago"
    ), np.append(USAGE, 61.5)


@pytest.mark.parametrize("step", [1, -1])
def test_d17_letters_at_the_repeated_hour_alone_follow_the_order_of_the_rows(
    tmp_path: Path, step: int
) -> None:
    begins, usage = _autumn()
    winter = begins[-1].utcoffset()
    times = [
        f"{t:%m/%d/%Y} {t.hour + 1:02}:00"
        + (" DST" if (t.day, t.hour) == (3, 1) and t.utcoffset() == winter else "")
        for t in begins
    ]
    source = _source(tmp_path, _table(times[::step], usage[::step]), tz="America/Chicago")
    series, _ = load_series(source)
    assert list(series.index) == list(begins.tz_convert("UTC"))
    np.testing.assert_array_equal(series.target, usage)


@pytest.mark.parametrize("zone", ["Europe/London", "Europe/Dublin", "America/New_York"])
def test_d17_letters_of_summer_and_winter_are_answered_by_their_zone(
    tmp_path: Path, zone: str
) -> None:
    begins = pd.date_range("2024-10-25", periods=HOURS, freq="h", tz=zone)
    source = _source(tmp_path, _table(t.strftime("%d.%m.%Y %H:%M %Z") for t in begins))
    assert [way.changes for way in _refused(source).ways] == [{"tz": zone}]
    series, _ = load_series(source.change(tz=zone))
    assert list(series.index) == list(begins.tz_convert("UTC"))
    np.testing.assert_array_equal(series.target, USAGE)


def test_d17_rows_out_of_order_do_not_tell_the_hour_that_comes_twice(tmp_path: Path) -> None:
    begins, usage = _autumn()
    mixed = np.random.default_rng(0).permutation(len(begins))
    times = [f"{begins[i]:%Y-%m-%d %H:%M}" for i in mixed]
    error = _refused(_source(tmp_path, _table(times, usage[mixed]), tz="America/Chicago"))
    assert re.search(
        r"2024-11-03 01:00 comes twice in America/Chicago, \d+ rows apart", error.message
    )


def test_d17_a_column_of_utc_in_another_zone_is_asked(tmp_path: Path) -> None:
    text = _table(map(str, BEGINS), header="Date (UTC);Usage")
    source = _source(tmp_path, text, time=("Date (UTC)",), tz="Europe/Berlin")
    error = _refused(source)
    assert [way.changes for way in error.ways] == [{"tz": "UTC"}, {"time": ["1"]}]
    in_utc, in_berlin = (load_series(source.change(**way.changes))[0] for way in error.ways)
    assert list(in_utc.index) == list(BEGINS.tz_localize("UTC"))
    assert list(in_berlin.index) == list(BEGINS.tz_localize("UTC") - pd.Timedelta(hours=1))


def test_d17_a_column_of_utc_with_offsets_is_shown_in_any_zone(tmp_path: Path) -> None:
    text = _table((f"{t}Z" for t in BEGINS), header="Date (UTC);Usage")
    source = _source(tmp_path, text, time=("Date (UTC)",), tz="Europe/Berlin")
    _is_truth(source, BEGINS + pd.Timedelta(hours=1))


@pytest.mark.parametrize("minutes", [60, 30, 15, 10, 5])
def test_d17_middles_of_periods_are_asked_about(tmp_path: Path, minutes: int) -> None:
    parts = 60 // minutes
    begins = pd.date_range(BEGINS[0], periods=parts * HOURS, freq=f"{minutes}min")
    middles = begins + pd.Timedelta(seconds=30 * minutes)
    text = _table(map(str, middles), values=np.repeat(USAGE, parts))
    source = _source(tmp_path, text, resample="mean" if parts > 1 else None)
    error = _refused(source)
    assert [way.changes["stamp"] for way in error.ways] == ["middle", "begin", "end"]
    assert f"{minutes / 2:g} minutes off the full" in error.message
    _is_truth(source.change(stamp="middle"))
    if parts == 1:
        _is_truth(source.change(stamp="begin"), BEGINS + pd.Timedelta(minutes=30))
        _is_truth(source.change(stamp="end"), BEGINS - pd.Timedelta(minutes=30))


def test_d17_half_past_is_a_begin_in_a_zone_that_is_half_an_hour_off(tmp_path: Path) -> None:
    half = pd.Timedelta(minutes=30)
    india = _source(tmp_path, _table(f"{t + half}+05:30" for t in BEGINS))
    _is_truth(india, BEGINS + half)
    assert any("30 minutes past the hour" in one for one in load_series(india)[1].warnings)
    in_utc = _source(tmp_path, _table(f"{t + half}Z" for t in BEGINS), tz="Asia/Kolkata")
    _is_truth(in_utc, BEGINS + 12 * half)


def test_d17_d22_half_past_was_a_begin_in_the_second_edition(tmp_path: Path) -> None:
    source = _source(tmp_path, _table(str(t + pd.Timedelta(minutes=30)) for t in BEGINS))
    _is_truth(source.change(edition=2), BEGINS + pd.Timedelta(minutes=30))


def test_d17_the_middle_of_a_repeated_hour_finds_its_hour(tmp_path: Path) -> None:
    begins = pd.date_range("2021-10-30", periods=HOURS, freq="h", tz="Europe/Berlin")
    middles = (begins + pd.Timedelta(minutes=30)).tz_localize(None)
    source = _source(tmp_path, _table(map(str, middles)), tz="Europe/Berlin", stamp="middle")
    assert list(load_series(source)[0].index) == list(begins.tz_convert("UTC"))


def _wide(
    names: Sequence[str], more: Callable[[int], str] = lambda day: "", digits: int = 2
) -> str:
    rows = [
        f"{BEGINS[24 * day]:%Y-%m-%d};"
        + ";".join(f"{x:.{digits}f}" for x in USAGE[24 * day : 24 * day + 24])
        + more(day)
        for day in range(HOURS // 24)
    ]
    return "\n".join([";".join(["Date", *names]), *rows]) + "\n"


_NOON = [f"{hour % 12 or 12}:00 {'AM' if hour < 12 else 'PM'}" for hour in range(24)]


@pytest.mark.parametrize(
    "names",
    [
        _NOON,
        [*_NOON[1:], _NOON[0]],
        [f"{hour:02}-{hour + 1:02}" for hour in range(24)],
        [f"{hour}h-{hour + 1}h" for hour in range(24)],
        [f"{hour:02}:00 (kWh)" for hour in range(24)],
        [name.replace(":00 ", "") for name in _NOON],
        [f"V{hour:02}00" for hour in range(24)],
        [f"{hour:02}00" for hour in range(1, 25)],
        [f"{hour:02}h00" for hour in range(24)],
        [f"{hour}. óra" for hour in range(1, 25)],
    ],
    ids=[
        *("AM and PM", "ends with AM and PM", "ranges", "ranges with h", "with a unit", "12AM"),
        *("V0000", "0100 to 2400", "00h00", "words"),
    ],
)
def test_d19_columns_of_a_day_are_found_by_more_names(tmp_path: Path, names: list[str]) -> None:
    _is_truth(_source(tmp_path, _wide(names), target="load"))


@pytest.mark.parametrize("beside", ["R", "7.5"])
def test_d19_columns_of_a_day_with_their_flags_are_found(tmp_path: Path, beside: str) -> None:
    names = [name for hour in range(1, 25) for name in (f"H{hour:02}", f"F{hour:02}")]
    rows = [
        f"{BEGINS[24 * day]:%Y-%m-%d};" + ";".join(f"{x};{beside}" for x in USAGE[24 * day :][:24])
        for day in range(HOURS // 24)
    ]
    text = "\n".join([";".join(["Date", *names]), *rows]) + "\n"
    source = _source(tmp_path, text, target="load")
    if beside == "R":
        _is_truth(source)
    else:
        assert "found two with numbers: 'H01' and 'F01'" in _refused(source).message


def test_d19_zeros_in_every_25th_hour_are_no_hours(tmp_path: Path) -> None:
    names = [f"Hora {hour}" for hour in range(1, 26)]
    _is_truth(_source(tmp_path, _wide(names, lambda day: ";0"), target="load"))


def test_d18_readings_in_a_row_a_day_are_asked_for_their_time(tmp_path: Path) -> None:
    names = [f"{hour:02}:00" for hour in range(24)]
    readings = np.round(1000 + np.concatenate(([0.0], np.cumsum(USAGE)))[:-1], 2)
    rows = [
        f"{BEGINS[24 * day]:%Y-%m-%d};" + ";".join(f"{x:.2f}" for x in readings[24 * day :][:24])
        for day in range(HOURS // 24)
    ]
    text = "\n".join([";".join(["Date", *names]), *rows]) + "\n"
    source = _source(tmp_path, text, target="load")
    ways = [way.changes for way in _refused(source).ways]
    assert ways[:2] == [
        {"cumulative": True, "stamp": "end"},
        {"cumulative": True, "stamp": "begin"},
    ]
    series, _ = load_series(source.change(**ways[0]))
    assert series.local[0] == BEGINS[0]
    np.testing.assert_allclose(series.target, USAGE[:-1], atol=1e-6)
    told = source.change(cumulative=True)
    assert [way.changes for way in _refused(told).ways] == [{"stamp": "end"}, {"stamp": "begin"}]
    warnings = load_series(told.change(edition=2))[1].warnings
    assert any("give --stamp end" in one for one in warnings)


def test_d18_energy_per_hour_is_power(tmp_path: Path) -> None:
    times = pd.date_range(BEGINS[0], periods=HOURS, freq="30min")
    text = _table(map(str, times), header="Date;Load (MWh/h)")
    source = _source(tmp_path, text, target="Load (MWh/h)")
    assert [way.changes for way in _refused(source).ways] == [{"resample": "mean"}]
    assert "is no power" in _refused(source.change(resample="sum")).message.replace("\n", " ")


def test_d14_digits_behind_a_decimal_comma_are_no_column(tmp_path: Path) -> None:
    rows = [
        f"{t:%Y-%m-%d %H:%M},{u:.2f}".replace(".", ",") for t, u in zip(BEGINS, USAGE, strict=True)
    ]
    source = _source(tmp_path, "\n".join(["Date,Usage,", *rows]) + "\n")
    error = _refused(source)
    assert "If they stand behind decimal commas" in error.message
    assert [way.changes for way in error.ways] == [{"target": "2"}]
    np.testing.assert_array_equal(load_series(source.change(target="2"))[0].target, np.floor(USAGE))


def test_d14_records_around_the_rows_without_a_value_are_left_out(tmp_path: Path) -> None:
    rows = [f"FUELHH,{t:%Y%m%d},{t.hour + 1},{u},0" for t, u in zip(BEGINS, USAGE, strict=True)]
    text = "\n".join(["HDR,FUELHH", *rows, f"FTR,{HOURS}"]) + "\n"
    _is_truth(_source(tmp_path, text, header=0, time=("2", "3"), target="4"))


def test_d14_a_torn_last_time_without_a_value_is_left_out(tmp_path: Path) -> None:
    _, report = _is_truth(_source(tmp_path, _table(map(str, BEGINS)) + "2024-02-"))
    assert any("rows below the data left out" in one for one in report.found)


@pytest.mark.parametrize("kind", ["Arabic", "apostrophe"])
def test_d15_more_digits_and_marks_are_read(tmp_path: Path, kind: str) -> None:
    arabic = str.maketrans("0123456789.", "٠١٢٣٤٥٦٧٨٩\u066b")
    cells = [f"{u:.2f}".translate(arabic) if kind == "Arabic" else f"'{u}" for u in USAGE]
    _is_truth(_source(tmp_path, _table(map(str, BEGINS), cells)))


@pytest.mark.parametrize("above", ["", "data.results"])
def test_d20_a_list_of_objects_in_json_is_a_table(tmp_path: Path, above: str) -> None:
    rows: object = [
        {"interval": {"start": str(t)}, "usage": u, "note": None}
        for t, u in zip(BEGINS, USAGE, strict=True)
    ]
    for name in reversed(above.split(".") if above else []):
        rows = {name: rows, "count": HOURS}
    source = _source(tmp_path, json.dumps(rows), ".json", time=("interval.start",), target="usage")
    _, report = _is_truth(source)
    assert any(f"JSON: a list of {HOURS} objects" in one for one in report.found)


_ESPI = 'xmlns="http://naesb.org/espi"'


def _type(number: int, power: int, flow: int) -> str:
    return (
        f'<entry><link rel="self" href="/ReadingType/{number}"/><content><ReadingType {_ESPI}>'
        f"<flowDirection>{flow}</flowDirection><powerOfTenMultiplier>{power}</powerOfTenMultiplier>"
        f"<uom>72</uom></ReadingType></content></entry>"
        f'<entry><link rel="self" href="/MeterReading/{number}"/>'
        f'<link rel="related" href="/ReadingType/{number}"/>'
        f"<content><MeterReading {_ESPI}/></content></entry>"
    )


def _block(number: int, times: pd.DatetimeIndex, values: np.ndarray) -> str:
    readings = "".join(
        f"<IntervalReading><timePeriod><duration>3600</duration><start>{int(t.timestamp())}</start>"
        f"</timePeriod><value>{round(x)}</value></IntervalReading>"
        for t, x in zip(times, values, strict=True)
    )
    return (
        f'<entry><link rel="up" href="/MeterReading/{number}/IntervalBlock"/><content>'
        f"<IntervalBlock {_ESPI}><interval><duration>86400</duration><start>0</start></interval>"
        f"{readings}</IntervalBlock></content></entry>"
    )


def _feed(*parts: str) -> str:
    return f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">{"".join(parts)}</feed>'


def test_d20_green_button_is_read_to_its_values(tmp_path: Path) -> None:
    times = BEGINS.tz_localize("UTC")
    blocks = [
        _block(1, times[at : at + 24], USAGE[at : at + 24] * 100) for at in range(0, HOURS, 24)
    ]
    text = _feed(_type(1, -2, 1), *blocks)
    source = _source(tmp_path, text, ".xml", time=("start",), target="value")
    _, report = _is_truth(source)
    assert any("intervals in Wh" in one for one in report.found)
    assert any("unit seems to be Wh" in one for one in report.why)


def test_d20_green_button_of_two_directions_asks_which(tmp_path: Path) -> None:
    times = BEGINS.tz_localize("UTC")
    text = _feed(
        _type(1, -2, 1), _type(2, 0, 19), _block(1, times, USAGE * 100), _block(2, times, USAGE)
    )
    source = _source(tmp_path, text, ".xml", time=("start",), target="value")
    ways = [dict(way.changes) for way in _refused(source).ways]
    assert {"where": ("flow=delivered",)} in ways
    _is_truth(source.change(where=("flow=delivered",)))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<html><table><tr><td>Date</td></tr></table></html>", "found a web page"),
        ("%PDF-1.7 ...", "found a PDF"),
        ('<?xml version="1.0"?><a/>', "found XML"),
        ('{"a": [{"b": 1}], "c": [{"d": 1}]}', "found 'a', 'c'"),
        ('[{"a": 1', "expected JSON, found what is none"),
        (_feed(_type(1, 0, 1)), "expected intervals"),
        (_feed(_type(1, 0, 1), "<entry>"), "found broken XML"),
    ],
)
def test_d20_what_is_no_table_is_said(tmp_path: Path, content: str, said: str) -> None:
    assert said in _refused(_source(tmp_path, content)).message


def test_d29_units_that_do_not_fit_together_are_several_series(tmp_path: Path) -> None:
    rows = [f"{u};{'kWh' if i < HOURS // 2 else 'kvarh'}" for i, u in enumerate(USAGE)]
    source = _source(tmp_path, _table(map(str, BEGINS), rows, "Date;Usage;Unit"))
    error = _refused(source)
    assert "holds the units kWh and kvarh" in error.message
    assert [way.changes for way in error.ways] == [
        {"where": ("Unit=kWh",)},
        {"where": ("Unit=kvarh",)},
    ]
    half = slice(0, HOURS // 2)
    _is_truth(source.change(**error.ways[0].changes), BEGINS[half], USAGE[half])


@pytest.mark.parametrize("word", ["Totale", "Razem", "Yhteensä", "Toplam", "Итого", "合計"])
def test_d14_sums_of_a_day_in_other_languages_are_left_out(tmp_path: Path, word: str) -> None:
    lines = [f"{t};{u}" for t, u in zip(BEGINS, USAGE, strict=True)]
    for day in range(HOURS // 24, 0, -1):
        own = slice(24 * day - 24, 24 * day)
        lines.insert(24 * day, f"{word} {BEGINS[own][0]:%d/%m/%Y};{USAGE[own].sum():.2f}")
    _is_truth(_source(tmp_path, "\n".join(["Date;Usage", *lines]) + "\n"))


def test_d29_minus_1_among_positive_values_is_asked(tmp_path: Path) -> None:
    at = (50, 51, 200)
    cells = ["-1" if i in at else f"{u:.2f}" for i, u in enumerate(USAGE)]
    source = _source(tmp_path, _table(map(str, BEGINS), cells))
    error = _refused(source)
    assert "found -1 in column 'Usage', 3 times" in error.message
    assert [way.changes for way in error.ways] == [{"missing": ("-1",)}, {"missing": ()}]
    filled = load_series(source.change(missing=("-1",), gaps="interpolate"))[0].target
    known = ~np.isin(np.arange(HOURS), at)
    np.testing.assert_array_equal(filled[known], USAGE[known])
    assert load_series(source.change(missing=()))[0].target[50] == -1


def test_d29_minus_1_in_a_balance_is_a_value(tmp_path: Path) -> None:
    net = np.round(USAGE - 45).astype(int)
    net[5] = -1
    np.testing.assert_array_equal(
        load_series(_source(tmp_path, _table(map(str, BEGINS), net)))[0].target, net
    )


@pytest.mark.parametrize(("count", "told"), [(9, True), (5, False)])
def test_d11_a_logger_that_hung_at_the_end_is_warned_of(
    tmp_path: Path, count: int, told: bool
) -> None:
    usage = USAGE.copy()
    usage[-count:] = usage[-count]
    warnings = load_series(_source(tmp_path, _table(map(str, BEGINS), usage)))[1].warnings
    assert any("as if the logger hung" in one for one in warnings) is told
    if told:
        assert any("--end 2024-02-18 leaves that day out" in one for one in warnings)
