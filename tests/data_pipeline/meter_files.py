"""Small meter files as real exports write them, made anew from one true series."""

import gzip
import io
import itertools
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from tests.data_pipeline.workbooks import workbook_of

HOURS = 480
HOUR = timedelta(hours=1)
JANUARY = datetime(2024, 1, 1)


def truth() -> tuple[np.ndarray, np.ndarray]:
    """Temperature in degrees and usage in kWh an hour, float64 (480,) each."""
    rng = np.random.default_rng(20240101)
    hour = np.arange(HOURS)
    temperature = 5 - 6 * np.cos(2 * np.pi * (hour - 4) / 24) + rng.normal(0, 1.5, HOURS)
    usage = 10 - 4 * np.cos(2 * np.pi * (hour - 3) / 24) + rng.normal(0, 0.5, HOURS)
    return temperature.round(6), usage.round(6)


TEMPERATURE, USAGE = truth()


@dataclass(frozen=True)
class MeterFile:
    """One file, how a person would have it read, and what is right.

    Attributes:
        content: Of the file.
        options: Fields of `DataSource`.
        factor: Written value over usage.
        error: Largest difference that rounding makes, in usage.
        hours: Numbers of the hours that the series must hold.
        begin: Of hour 0, on the local clock; with its zone where the instants are known.
        unknown: Hours whose cell holds no value.
        celsius: Added to the temperature, None where there is none.
        said: Text that the report must hold.
        suffix: Of the file's name.
    """

    content: bytes
    options: dict[str, Any] = field(default_factory=dict)
    factor: float = 1.0
    error: float = 0.0051
    hours: Sequence[int] = range(HOURS)
    begin: datetime = JANUARY
    unknown: Sequence[int] = ()
    celsius: float | None = None
    said: tuple[str, ...] = ()
    suffix: str = ".csv"


FILES: dict[str, Callable[[], MeterFile]] = {}


def _file(make: Callable[[], MeterFile]) -> Callable[[], MeterFile]:
    FILES[make.__name__] = make
    return make


def _clock(pattern: str = "%Y-%m-%d %H:%M", start: datetime = JANUARY, n: int = HOURS) -> list[str]:
    return [(start + HOUR * i).strftime(pattern) for i in range(n)]


def _text(header: str, *columns: Sequence[object], separator: str = ",") -> str:
    lines = [separator.join(map(str, row)) for row in zip(*columns, strict=True)]
    return "\n".join([header, *lines]) + "\n"


def _usage(digits: int = 2, factor: float = 1.0) -> list[str]:
    return [f"{one * factor:.{digits}f}" for one in USAGE]


def _degrees(digits: int = 1, plus: float = 0.0) -> list[str]:
    return [f"{one + plus:.{digits}f}" for one in TEMPERATURE]


def _three(separator: str = ",") -> str:
    header = separator.join(("Date", "Temperature", "Usage"))
    return _text(header, _clock(), _degrees(), _usage(), separator=separator)


ALONE: dict[str, Any] = {"features": ()}


@_file
def decimal_comma() -> MeterFile:
    numbers = [[one.replace(".", ",") for one in column] for column in (_degrees(2), _usage(3))]
    text = _text("Zeit;Temperatur;Verbrauch", _clock("%d.%m.%Y %H:%M"), *numbers, separator=";")
    options = {"time": "Zeit", "target": "Verbrauch", "features": ("Temperatur",)}
    return MeterFile(text.encode(), options, celsius=0.0, error=0.0006)


@_file
def thousands_quoted() -> MeterFile:
    usage = [f'"{one * 1000:,.1f}"' for one in USAGE]
    text = _text("Date,Temperature,Usage", _clock(), _degrees(), usage)
    return MeterFile(text.encode(), factor=1000, celsius=0.0, error=0.0001)


@_file
def swiss_thousands() -> MeterFile:
    usage = [f"{one * 1000:,.1f}".replace(",", "\u2019") for one in USAGE]
    text = _text("Date;Usage", _clock("%d.%m.%Y %H:%M"), usage, separator=";")
    return MeterFile(text.encode(), ALONE, factor=1000, error=0.0001)


@_file
def split_date_time() -> MeterFile:
    text = _text("Date;Time;Power", _clock("%d/%m/%Y"), _clock("%H:%M:%S"), _usage(), separator=";")
    return MeterFile(text.encode(), {"time": ("Date", "Time"), "target": "Power", **ALONE})


@_file
def question_mark() -> MeterFile:
    usage = _usage()
    for at in (100, 101, 250):
        usage[at] = "?"
    options = {**ALONE, "gaps": "interpolate"}
    said = ("3 empty cells",)
    return MeterFile(
        _text("Date,Usage", _clock(), usage).encode(), options, unknown=(100, 101, 250), said=said
    )


@_file
def minus_9999() -> MeterFile:
    degrees = _degrees()
    for at in (100, 101, 250):
        degrees[at] = "-9999"
    text = _text("Date,Temperature,Usage", _clock(), degrees, _usage())
    options = {"missing": ("-9999",), "gaps": "interpolate"}
    return MeterFile(text.encode(), options, said=("3 empty cells of 'Temperature'",))


@_file
def preamble() -> MeterFile:
    table = _text(
        "TYPE,DATE,USAGE (kWh),NOTES",
        ["Electric usage"] * HOURS, _clock(), _usage(), [""] * HOURS,
    )  # fmt: skip
    head = "Name,A CUSTOMER\nAddress,1 MAIN ST\nAccount Number,0000000000\nService,Service 1\n\n"
    options = {"time": "DATE", "target": "USAGE (kWh)", **ALONE}
    return MeterFile((head + table).encode(), options, said=("column names in line 6",))


@_file
def comment_lines() -> MeterFile:
    table = _text("Date,Usage", _clock(), _usage())
    return MeterFile(("# site: A\n# unit: kWh, local time\n" + table).encode(), ALONE)


@_file
def units_row() -> MeterFile:
    header, rest = _three().split("\n", 1)
    text = f"{header}\n,degC,kWh\n{rest}"
    return MeterFile(text.encode(), celsius=0.0, said=("Temperature: degC, Usage: kWh",))


@_file
def footer() -> MeterFile:
    text = _three() + f"Total,,{USAGE.sum():.2f}\n"
    return MeterFile(text.encode(), celsius=0.0, said=("'Total' in line 482",))


@_file
def footer_of_long_notes() -> MeterFile:
    text = _three() + "Note: estimated, checked, and sent, all by us\n"
    return MeterFile(text.encode(), celsius=0.0)


@_file
def sep_line() -> MeterFile:
    return MeterFile(("sep=;\n" + _three(";")).encode(), celsius=0.0)


@_file
def blank_first_line() -> MeterFile:
    return MeterFile(("\n" + _three()).encode(), celsius=0.0)


@_file
def trailing_separator() -> MeterFile:
    text = "".join(f"{line};\n" for line in _three(";").splitlines())
    return MeterFile(text.encode(), celsius=0.0)


@_file
def spaces() -> MeterFile:
    text = "Date Time Usage\n" + "".join(
        f"{time} {usage:>9}\n" for time, usage in zip(_clock(), _usage(), strict=True)
    )
    return MeterFile(text.encode(), {"time": ("Date", "Time"), **ALONE})


@_file
def no_header() -> MeterFile:
    text = _text("x", _clock(), _usage()).split("\n", 1)[1]
    return MeterFile(text.encode(), {"time": "1", "target": "2", "header": 0, **ALONE})


@_file
def am_pm_korean() -> MeterFile:
    times = []
    for moment in (JANUARY + HOUR * i for i in range(HOURS)):
        half = "오전" if moment.hour < 12 else "오후"
        times.append(f"{moment:%Y-%m-%d} {half} {moment.hour % 12 or 12}:00")
    text = _text("일시,사용량(kWh)", times, _usage())
    return MeterFile(text.encode(), {"time": "일시", "target": "사용량(kWh)", **ALONE})


@_file
def epoch_seconds() -> MeterFile:
    stamps = [int((JANUARY + HOUR * i).replace(tzinfo=UTC).timestamp()) for i in range(HOURS)]
    options = {"time": "timestamp", "target": "usage", **ALONE}
    begin = JANUARY.replace(tzinfo=UTC)
    return MeterFile(_text("timestamp,usage", stamps, _usage()).encode(), options, begin=begin)


@_file
def epoch_milliseconds() -> MeterFile:
    stamps = [int((JANUARY + HOUR * i).replace(tzinfo=UTC).timestamp()) for i in range(HOURS)]
    text = _text("timestamp,usage", [f"{one}000" for one in stamps], _usage())
    options = {"time": "timestamp", "target": "usage", **ALONE}
    return MeterFile(text.encode(), options, begin=JANUARY.replace(tzinfo=UTC))


@_file
def excel_serial() -> MeterFile:
    days = [f"{45292 + i / 24:.10f}".rstrip("0").rstrip(".") for i in range(HOURS)]
    return MeterFile(_text("Date,Usage", days, _usage()).encode(), ALONE)


@_file
def compact_hours() -> MeterFile:
    return MeterFile(_text("Date,Usage", _clock("%Y%m%d%H"), _usage()).encode(), ALONE)


@_file
def midnight_dropped() -> MeterFile:
    times = [one.removesuffix(" 00:00") for one in _clock("%d/%m/%Y %H:%M")]
    return MeterFile(_text("Date,Usage", times, _usage()).encode(), ALONE)


@_file
def interval() -> MeterFile:
    starts = _clock("%d.%m.%Y %H:%M", n=HOURS + 1)
    cells = [f"{one} - {other}" for one, other in itertools.pairwise(starts)]
    text = _text("Time (UTC),Actual Total Load [MW] - X", cells, _usage(0, 1000))
    options = {"time": "Time (UTC)", "target": "Actual Total Load [MW] - X", **ALONE}
    return MeterFile(text.encode(), options, factor=1000, error=0.0006)


@_file
def midnight_as_24() -> MeterFile:
    ends = [JANUARY + HOUR * (i + 1) for i in range(HOURS)]
    times = [
        f"{(end - HOUR):%Y-%m-%d} 24:00" if end.hour == 0 else f"{end:%Y-%m-%d %H:%M}"
        for end in ends
    ]
    said = ("midnight is written as 24:00",)
    return MeterFile(_text("Date,Usage", times, _usage()).encode(), ALONE, said=said)


@_file
def hours_1_to_24() -> MeterFile:
    hours = [i % 24 + 1 for i in range(HOURS)]
    text = _text("Date,Hour,Usage", _clock("%d.%m.%Y"), hours, _usage())
    return MeterFile(text.encode(), {"time": ("Date", "Hour"), **ALONE})


@_file
def offset_of_two_digits() -> MeterFile:
    times = [f"{one}-06" for one in _clock()]
    begin = JANUARY.replace(tzinfo=UTC) + 6 * HOUR
    return MeterFile(_text("Date,Usage", times, _usage()).encode(), ALONE, begin=begin)


def _in_zone(start: datetime, zone: str) -> list[datetime]:
    first = start.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return [(first + HOUR * i).astimezone(ZoneInfo(zone)) for i in range(HOURS)]


@_file
def hour_ending_over_autumn() -> MeterFile:
    """Hours of New York by their ends, days newest first."""
    moments = _in_zone(datetime(2014, 10, 25), "America/New_York")
    rows = [
        (begin.date(), f"{begin.replace(tzinfo=None) + HOUR:%Y-%m-%d %H:%M:%S},{usage * 2000:.1f}")
        for begin, usage in zip(moments, USAGE, strict=True)
    ]
    rows.sort(key=lambda row: row[0], reverse=True)
    text = "\n".join(["Datetime,PJME_MW", *(line for _, line in rows)]) + "\n"
    options = {"time": "Datetime", "target": "PJME_MW", "stamp": "end", "tz": "America/New_York"}
    return MeterFile(
        text.encode(), options | ALONE, factor=2000, begin=moments[0].astimezone(UTC), error=0.0001
    )


@_file
def hour_ending_over_spring() -> MeterFile:
    moments = _in_zone(datetime(2024, 3, 1), "America/New_York")
    times = [f"{begin.replace(tzinfo=None) + HOUR:%Y-%m-%d %H:%M}" for begin in moments]
    options = {"stamp": "end", "tz": "America/New_York", **ALONE}
    content = _text("Date,Usage", times, _usage()).encode()
    return MeterFile(content, options, begin=moments[0].astimezone(UTC))


@_file
def clock_ends_over_spring() -> MeterFile:
    """Ends as a clock on the wall shows them: 03:00 follows 01:00."""
    zone = ZoneInfo("America/New_York")
    moments = _in_zone(datetime(2024, 3, 1), "America/New_York")
    ends = [(one.astimezone(UTC) + HOUR).astimezone(zone) for one in moments]
    options = {"stamp": "end", "tz": "America/New_York", **ALONE}
    content = _text("Date,Usage", [f"{one:%Y-%m-%d %H:%M}" for one in ends], _usage()).encode()
    return MeterFile(content, options, begin=moments[0].astimezone(UTC))


@_file
def blank_spring_hour() -> MeterFile:
    moments = _in_zone(datetime(2024, 3, 25), "Europe/Berlin")
    lines = [f"{one:%Y-%m-%d %H:%M},{usage:.2f}" for one, usage in zip(moments, USAGE, strict=True)]
    at = next(i for i, line in enumerate(lines) if line.startswith("2024-03-31 03:00"))
    lines.insert(at, "2024-03-31 02:00,-")
    content = ("Date,Usage\n" + "\n".join(lines) + "\n").encode()
    said = ("1 rows without values left out",)
    options = {"tz": "Europe/Berlin", **ALONE}
    return MeterFile(content, options, begin=moments[0].astimezone(UTC), said=said)


def _autumn_hours(marked: Callable[[datetime, int], str]) -> bytes:
    moments = _in_zone(datetime(2024, 10, 20), "Europe/Berlin")
    lines, number, day = [], 0, None
    for one, usage in zip(moments, USAGE, strict=True):
        number = 1 if one.date() != day else number + 1
        day = one.date()
        lines.append(f"{day},{marked(one, number)},{usage:.2f}")
    return ("Date,Hour,Usage\n" + "\n".join(lines) + "\n").encode()


BERLIN_AUTUMN = datetime(2024, 10, 19, 22, tzinfo=UTC)


@_file
def hour_25() -> MeterFile:
    options = {"time": ("Date", "Hour"), "tz": "Europe/Berlin", **ALONE}
    return MeterFile(_autumn_hours(lambda _, number: str(number)), options, begin=BERLIN_AUTUMN)


@_file
def hours_2a_2b() -> MeterFile:
    def marked(one: datetime, _: int) -> str:
        letters = ("A", "B")[one.fold] if (one.day, one.hour) == (27, 2) else ""
        return f"{one.hour + 1}{letters}"

    options = {"time": ("Date", "Hour"), "tz": "Europe/Berlin", **ALONE}
    return MeterFile(_autumn_hours(marked), options, begin=BERLIN_AUTUMN)


@_file
def flagged_autumn() -> MeterFile:
    """The two hours stand in the wrong order; a flag says which is which."""
    moments = _in_zone(datetime(2024, 10, 20), "Europe/Berlin")
    lines = [
        f"{one:%Y-%m-%d},{one:%H:%M},{'S' if one.dst() else 'W'},{usage:.2f}"
        for one, usage in zip(moments, USAGE, strict=True)
    ]
    at = next(i for i, one in enumerate(moments) if (one.day, one.hour) == (27, 2))
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    options = {"time": ("Date", "Clock", "DST"), "tz": "Europe/Berlin", **ALONE}
    content = ("Date,Clock,DST,Usage\n" + "\n".join(lines) + "\n").encode()
    return MeterFile(content, options, begin=BERLIN_AUTUMN)


@_file
def stamps_a_little_off() -> MeterFile:
    times = [
        f"{JANUARY + HOUR * i + timedelta(seconds=i % 3 - 1):%Y-%m-%d %H:%M:%S}"
        for i in range(HOURS)
    ]
    said = ("less than a minute off",)
    return MeterFile(_text("Date,Usage", times, _usage()).encode(), ALONE, said=said)


@_file
def overlap_repeats() -> MeterFile:
    lines = _three().splitlines()
    text = "\n".join([*lines[:265], *lines[241:]]) + "\n"
    return MeterFile(text.encode(), celsius=0.0, said=("24 repeated rows left out",))


@_file
def unnamed_index() -> MeterFile:
    return MeterFile(_text(",Usage", _clock(), _usage()).encode(), {"time": "1", **ALONE})


@_file
def cp1252_degree() -> MeterFile:
    text = _three(";").replace(
        "Date;Temperature;Usage", "Datum;Außentemperatur (°C);Zählerwert kWh"
    )
    options = {"time": "Datum", "target": "Zählerwert kWh", "features": ("Außentemperatur (°C)",)}
    return MeterFile(text.encode("cp1252"), options, celsius=0.0, said=("encoding cp1252",))


@_file
def cp1252_umlaut() -> MeterFile:
    text = _three(";").replace("Date;Temperature;Usage", "Datum;Zähler;Bedarf für Wärme")
    options = {"time": "Datum", "target": "Bedarf für Wärme", "features": ("Zähler",)}
    return MeterFile(text.encode("cp1252"), options, celsius=0.0, said=("encoding cp1252",))


@_file
def half_hours_of_kwh() -> MeterFile:
    part = 0.5 + 0.1 * np.sin(np.arange(HOURS))
    halves = np.column_stack([USAGE * part, USAGE * (1 - part)]).reshape(-1)
    times = [f"{JANUARY + HOUR / 2 * i:%Y-%m-%dT%H:%M:%S}+00:00" for i in range(2 * HOURS)]
    text = _text("Start,Consumption (kWh)", times, [f"{one:.4f}" for one in halves])
    options = {"time": "Start", "target": "Consumption (kWh)", "resample": "sum", **ALONE}
    return MeterFile(text.encode(), options, begin=JANUARY.replace(tzinfo=UTC), error=0.0002)


@_file
def step_changes() -> MeterFile:
    """Hours first, quarter-hours from hour 240 on."""
    times, values = _clock(n=240), [f"{one:.4f}" for one in USAGE[:240]]
    for at in range(240, HOURS):
        for quarter in range(4):
            times.append(f"{JANUARY + HOUR * (at + quarter / 4):%Y-%m-%d %H:%M}")
            values.append(f"{USAGE[at] / 4:.4f}")
    options = {"resample": "sum", "target": "Usage kWh", **ALONE}
    said = ("the step changes at 2024-01-11 00:00",)
    text = _text("Date,Usage kWh", times, values)
    return MeterFile(text.encode(), options, error=0.0003, said=said)


@_file
def cumulative_register() -> MeterFile:
    readings = [f"{one:.2f}" for one in 10234 + np.cumsum(USAGE)]
    options = {**ALONE, "cumulative": True}
    content = _text("Date,Usage", _clock(), readings).encode()
    return MeterFile(content, options, hours=range(1, HOURS), error=0.0101)


@_file
def replaced_register() -> MeterFile:
    sums = 10234 + np.cumsum(USAGE)
    sums[200:] -= sums[199] - 3
    content = _text("Date,Usage", _clock(), [f"{one:.2f}" for one in sums]).encode()
    options = {**ALONE, "cumulative": True, "gaps": "interpolate"}
    return MeterFile(
        content, options, hours=range(1, HOURS), unknown=(200,), error=0.0101,
        said=("readings fall in line 202",),
    )  # fmt: skip


def _wide(names: Sequence[str], per_day: int, values: np.ndarray) -> str:
    days = _clock("%Y-%m-%d", n=HOURS)[::24]
    rows = [f"{day},{','.join(row)}" for day, row in zip(days, _rows(values, per_day), strict=True)]
    return "\n".join([",".join(names), *rows]) + "\n"


def _rows(values: np.ndarray, per_day: int) -> list[list[str]]:
    return [[f"{one:.0f}" for one in row] for row in values.reshape(-1, per_day)]


@_file
def wide_hours_cp949() -> MeterFile:
    text = _wide(["날짜", *(f"{h}시" for h in range(1, 25))], 24, USAGE * 4000)
    options = {"time": "날짜", **ALONE}
    return MeterFile(text.encode("cp949"), options, factor=4000, error=0.0002)


@_file
def wide_quarters_by_clock() -> MeterFile:
    names = [f"{m // 60:02d}:{m % 60:02d}" for m in range(15, 1441, 15)]
    text = _wide(["Day", *names], 96, np.repeat(USAGE * 1000, 4))
    options = {"time": "Day", "target": "Load", "resample": "mean", **ALONE}
    return MeterFile(text.encode(), options, factor=1000, error=0.0006)


@_file
def several_meters() -> MeterFile:
    one = list(zip(_clock(), _usage(), strict=True))
    lines = [f"{time},{meter},{usage}" for meter in "AB" for time, usage in one]
    lines = [line if ",A," in line else f"{line}9" for line in lines]
    text = "\n".join(["Date,Meter,Usage", *lines]) + "\n"
    return MeterFile(text.encode(), {**ALONE, "where": ("Meter=A",)})


@_file
def off_grid_row() -> MeterFile:
    lines = _text("Date,Usage", _clock("%Y-%m-%d %H:%M:%S"), _usage()).splitlines()
    lines.insert(201, "2024-01-09 07:13:41,Null")
    content = ("\n".join(lines) + "\n").encode()
    return MeterFile(content, ALONE, said=("2024-01-09 07:13:41 in line 202",))


@_file
def unicode_minus() -> MeterFile:
    degrees = [one.replace("-", "\u2212") for one in _degrees(plus=-8)]
    text = _text("Date,Temperature,Usage", _clock(), degrees, _usage())
    return MeterFile(text.encode(), celsius=-8.0)


@_file
def unit_in_cells() -> MeterFile:
    text = _text("Date,Usage", _clock(), [f"{one} kWh" for one in _usage()])
    return MeterFile(text.encode(), ALONE, said=("unit seems to be kWh",))


@_file
def nul_tail() -> MeterFile:
    content = _text("Date,Usage", _clock(), _usage()).encode() + b"\0" * 64 + b"\n"
    return MeterFile(content, ALONE, said=("64 NUL bytes",))


@_file
def torn_row() -> MeterFile:
    content = _text("Date,Usage", _clock(), _usage()).encode()[:-3] + b"\0" * 64
    return MeterFile(
        content, ALONE, hours=range(HOURS - 1), said=("the incomplete row before them left out",)
    )


@_file
def korean_columns() -> MeterFile:
    text = _three().replace("Date,Temperature,Usage", "일시,기온(°C),사용량(kWh)")
    options = {"time": "일시", "target": "사용량(kWh)", "features": ("기온(°C)",)}
    return MeterFile(text.replace("\n", "\r\n").encode("utf-8-sig"), options, celsius=0.0)


@_file
def empty_first_usage() -> MeterFile:
    usage = _usage(1, 4000)
    usage[0] = ""
    times = [f"{one}Z" for one in _clock("%Y-%m-%dT%H:%M:%S")]
    text = _text("utc_timestamp,AT_a,AT_b,load", times, _degrees(), _degrees(), usage)
    options = {"time": "utc_timestamp", "target": "load", "features": ("AT_a", "AT_b")}
    return MeterFile(
        text.encode(), options, factor=4000, hours=range(1, HOURS), celsius=0.0, error=0.0001,
        begin=JANUARY.replace(tzinfo=UTC), said=("the first 1 hours",),
    )  # fmt: skip


@_file
def future_weather() -> MeterFile:
    usage = [*_usage()[:456], *[""] * 24]
    text = _text("Date,Temperature,Usage", _clock(), _degrees(), usage)
    return MeterFile(text.encode(), hours=range(456), celsius=0.0, said=("the last 24 hours",))


@_file
def gzipped() -> MeterFile:
    return MeterFile(gzip.compress(_three().encode()), celsius=0.0, suffix=".csv.gz")


@_file
def zipped() -> MeterFile:
    place = io.BytesIO()
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("meter.csv", _three())
    return MeterFile(place.getvalue(), celsius=0.0, suffix=".zip")


@_file
def parquet() -> MeterFile:
    frame = pd.DataFrame(
        {
            "Date": pd.date_range(JANUARY, periods=HOURS, freq="h"),
            "Temperature": TEMPERATURE,
            "Usage": USAGE,
        }
    )
    place = io.BytesIO()
    frame.to_parquet(place)
    return MeterFile(place.getvalue(), celsius=0.0, error=1e-9, suffix=".parquet")


@_file
def workbook() -> MeterFile:
    """One sheet, dates as days with a date's format."""
    times = [JANUARY + timedelta(hours=hour) for hour in range(HOURS)]
    cells: list[list[object]] = [["Date", "Temperature", "Usage"]]
    cells += [list(row) for row in zip(times, TEMPERATURE, USAGE.round(3), strict=True)]
    return MeterFile(workbook_of(cells), celsius=0.0, error=0.0006, suffix=".xlsx")


def _pages(between: str) -> list[str]:
    lines = _text("Date,Usage", _clock(), _usage()).splitlines()
    at = range(25, HOURS, 24)
    return list(np.insert(np.array(lines, object), list(at), between))


@_file
def flagged_estimates() -> MeterFile:
    cells = [f"{one}{' E' if i % 17 == 0 else ''}" for i, one in enumerate(_usage())]
    cells[5] += "*"
    said = "numbers with the flag '*' or 'E' read as such"
    return MeterFile(_text("Date,Usage", _clock(), cells).encode(), ALONE, said=(said,))


@_file
def minus_behind() -> MeterFile:
    cold = [f"{one[1:]}-" if one.startswith("-") else one for one in _degrees(plus=-8)]
    text = _text("Date,Temperature,Usage", _clock(), cold, _usage())
    return MeterFile(text.encode(), celsius=-8.0, said=("a minus behind them",))


@_file
def minus_as_parentheses() -> MeterFile:
    cells = [f"({one[1:]})" if one[0] == "-" else one for one in _degrees(plus=-8.0)]
    text = _text("Date,Temperature,Usage", _clock(), cells, _usage())
    said = ("numbers in parentheses read as negative",)
    return MeterFile(text.encode(), celsius=-8.0, said=said)


@_file
def currency_in_front() -> MeterFile:
    """A bill: costs with a sign of money, some of them below zero."""
    costs = [one * 100 for one in TEMPERATURE]
    cells = [f'"{"-" if one < 0 else ""}${abs(one):,.2f}"' for one in costs]
    cells[7] = '"($1,200.00)"'
    text = _text("Date,Cost,Usage", _clock(), cells, [f"{one} kWh" for one in _usage()])
    return MeterFile(text.encode(), {"features": ("Cost",)})


@_file
def currency_behind() -> MeterFile:
    cells = [f"{one.replace('.', ',')} €" for one in _degrees(2, 20.0)]
    text = _text("Zeit;Kosten;Verbrauch", _clock(), cells, _usage(), separator=";")
    options = {"time": "Zeit", "target": "Verbrauch", "features": ("Kosten",)}
    return MeterFile(text.replace("Zeit", "\ufeffZeit").encode(), options, celsius=20.0)


@_file
def two_units_in_cells() -> MeterFile:
    cells = [f"{one:.2f} kWh" if one >= 8 else f"{one * 1000:.0f} Wh" for one in USAGE]
    text = _text("Date,Usage", _clock(), cells)
    return MeterFile(text.encode(), ALONE, said=("Wh and kWh read as kWh",))


@_file
def times_across() -> MeterFile:
    """A row per variable, its unit beside it, and a column per hour."""
    rows = [["Variable", "Unit", *_clock()], ["Temperature", "degC", *_degrees()]]
    rows.append(["Usage", "kWh", *_usage()])
    text = "\n".join(["A building,,", *map(",".join, rows)]) + "\n"
    options = {"time": "Variable", "features": ("Temperature",)}
    return MeterFile(text.encode(), options, celsius=0.0, said=("times run across 481 columns",))


@_file
def days_across() -> MeterFile:
    """A row per hour of the day, a column per day."""
    days = _clock("%d.%m.%Y")[::24]
    rows = [f"{at:02d}:00;{';'.join(_usage()[at::24])}" for at in range(24)]
    days += [(JANUARY + timedelta(days=20 + at)).strftime("%d.%m.%Y") for at in range(10)]
    rows = [row + ";" * 10 for row in rows]
    text = "\n".join([";".join(["Uhrzeit", *days]), *rows]) + "\n"
    return MeterFile(text.encode(), {"time": "Uhrzeit", **ALONE}, said=("one row per day",))


@_file
def comments_among_rows() -> MeterFile:
    lines = _text("Date\tUsage", _clock(), _usage(), separator="\t").splitlines()
    for at in (300, 100):
        lines.insert(at, "# restarted\tat night\tafter a failure")
    said = ("2 comments left out", "in lines 102, 303")
    return MeterFile(("# logger 1\n" + "\n".join(lines) + "\n").encode(), ALONE, said=said)


@_file
def tables_below_each_other() -> MeterFile:
    """As a time series database exports its series: each with lines of types and names."""
    types = "#datatype,string,long,dateTime:RFC3339,double,string"
    names = ",result,table,_time,_value,_field"
    lines = []
    for table, (field_name, factor) in enumerate((("energy", 1.0), ("power", 2.0))):
        rows = zip(_clock("%Y-%m-%dT%H:%M:%SZ"), _usage(factor=factor), strict=True)
        lines += [types, names, *(f",,{table},{t},{u},{field_name}" for t, u in rows), ""]
    options = {"time": "_time", "target": "_value", "where": ("_field=energy",), **ALONE}
    return MeterFile("\r\n".join(lines).encode(), options, begin=JANUARY.replace(tzinfo=UTC))


@_file
def p_for_the_afternoon() -> MeterFile:
    hours = [f"{i % 12 or 12}:00{'a' if i % 24 < 12 else 'p'}" for i in range(HOURS)]
    text = _text("Day,Hour,Usage", _clock("%d-%b-%y"), hours, _usage())
    return MeterFile(text.encode(), {"time": ("Day", "Hour"), **ALONE})


@_file
def letters_of_summer_time() -> MeterFile:
    """Hours of Chicago by their ends; the first of the two that end at 02:00 has the letters."""
    zone = ZoneInfo("America/Chicago")
    begins = _in_zone(datetime(2024, 10, 28, tzinfo=zone), "America/Chicago")
    written = []
    for begin in begins:
        end = begin.replace(tzinfo=None) + HOUR
        first = begin.date() == datetime(2024, 11, 3).date() and begin.hour == 1 and not begin.fold
        text = f"{end:%m/%d/%Y %H:%M}" if end.hour else f"{end - HOUR:%m/%d/%Y} 24:00"
        written.append(text + (" DST" if first else ""))
    options = {"time": "Hour Ending", "tz": "America/Chicago", **ALONE}
    content = _text("Hour Ending,Usage", written, _usage()).encode()
    return MeterFile(content, options, begin=datetime(2024, 10, 28, tzinfo=zone))


@_file
def registers_that_take_turns() -> MeterFile:
    """Quarter-hours of day and night in registers of their own, a unit in a column of its own."""
    lines = ["Day;Time;Register;Volume;Unit"]
    for i in range(4 * HOURS):
        time = JANUARY + HOUR / 4 * i
        kind = "day" if 7 <= time.hour < 22 else "night"
        value = f"{USAGE[i // 4] / 4:.6f}".replace(".", ",")
        lines.append(f"{time:%d-%m-%Y;%H:%M:%S};taken, {kind};{value};kWh")
        lines.append(f"{time:%d-%m-%Y;%H:%M:%S};given, {kind};0;kWh")
    where = ("Register=taken, day", "Register=taken, night")
    options = {"time": ("Day", "Time"), "target": "Volume", "where": where, "resample": "sum"}
    said = ("unit seems to be kWh",)
    return MeterFile("\n".join(lines).encode(), {**options, **ALONE}, said=said)


@_file
def numbered_half_hours() -> MeterFile:
    """Half-hours of London, 1 to 48 in a day, to 50 where the clock goes back."""
    zone = ZoneInfo("Europe/London")
    begin = datetime(2024, 10, 20, tzinfo=zone).astimezone(UTC)
    lines, number, day = ["Date,Period,Load (MW)"], 0, None
    for i in range(2 * HOURS):
        local = (begin + HOUR / 2 * i).astimezone(zone)
        number = 1 if local.date() != day else number + 1
        day = local.date()
        lines.append(f"{day:%d-%b-%Y},{number},{USAGE[i // 2]:.2f}")
    options = {"time": ("Date", "Period"), "target": "Load (MW)", "resample": "mean", **ALONE}
    options["tz"] = "Europe/London"
    said = ("periods of 30 minutes numbered from 1",)
    return MeterFile("\n".join(lines).encode(), options, begin=begin, said=said)


@_file
def rows_without_values_between() -> MeterFile:
    times = [f"{JANUARY + HOUR / 4 * i:%Y-%m-%d %H:%M}" for i in range(4 * HOURS)]
    cells = ["" if i % 2 else f"{USAGE[i // 4]:.2f}" for i in range(4 * HOURS)]
    said = ("960 quarter-hourly rows without usage between the half-hourly ones",)
    options = {"resample": "mean", **ALONE}
    return MeterFile(_text("Date,Usage", times, cells).encode(), options, said=said)


@_file
def pages_with_names() -> MeterFile:
    text = "\n".join(_pages("Date,Usage"))
    return MeterFile(text.encode(), ALONE, said=("repeat the names",))


@_file
def sums_of_days() -> MeterFile:
    text = "\n".join(_pages("Total of the day,240.1"))
    return MeterFile(text.encode(), ALONE, said=("or are sums: 'Total of the day'",))


@_file
def days_written_once() -> MeterFile:
    days = [one if i % 24 == 0 else "" for i, one in enumerate(_clock("%Y-%m-%d"))]
    text = _text("Day,Hour,Usage", days, _clock("%H:%M"), _usage())
    return MeterFile(text.encode(), {"time": ("Day", "Hour"), **ALONE})


@_file
def hours_as_hundreds() -> MeterFile:
    times = [str(100 * (i % 24 + 1)) for i in range(HOURS)]
    text = _text("Day,Time,Usage", _clock("%Y%m%d"), times, _usage())
    said = ("midnight is written as 24:00",)
    return MeterFile(text.encode(), {"time": ("Day", "Time"), **ALONE}, said=said)


@_file
def wide_rows_of_two_kinds() -> MeterFile:
    names, *rows = _wide(["Day", *(f"H{h}" for h in range(1, 25))], 24, USAGE * 1000).splitlines()
    lines = [names.replace("Day", "Day,Kind")]
    for row in rows:
        lines += [row.replace(",", ",kWh,", 1), row.replace(",", ",kVArh,0.", 1)]
    options = {"time": "Day", "where": ("Kind=kWh",), **ALONE}
    return MeterFile(("\n".join(lines) + "\n").encode(), options, factor=1000, error=0.0006)


@_file
def cells_as_formulas() -> MeterFile:
    cells = [f'="{one}"' for one in _usage()]
    text = _text("Date,Usage", [f'="{one}"' for one in _clock()], cells)
    return MeterFile(text.encode(), ALONE, said=("read as the text in it",))


@_file
def lines_in_quotes() -> MeterFile:
    lines = _text("Date,Usage", _clock(), _usage()).splitlines()
    text = "\r\n".join(f'"{line}"' for line in lines)
    return MeterFile(text.encode(), ALONE, said=("quotes around whole lines",))


@_file
def sensor_unavailable() -> MeterFile:
    cells = _usage()
    cells[100], cells[200] = "unavailable", "unknown"
    text = _text("Date,Usage", [f"{one}.000Z" for one in _clock("%Y-%m-%dT%H:%M:%S")], cells)
    options = {**ALONE, "gaps": "interpolate"}
    begin = JANUARY.replace(tzinfo=UTC)
    return MeterFile(
        text.encode(), options, begin=begin, unknown=(100, 200), said=("2 empty cells",)
    )


def write_file(name: str, folder: Path) -> tuple[Path, MeterFile]:
    """Makes one of the files in a folder."""
    made = FILES[name]()
    path = folder / f"{name}{made.suffix}"
    path.write_bytes(made.content)
    return path, made
