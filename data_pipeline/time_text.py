"""From cells to clock times: reads each form of a column by the places of its digits."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from data_pipeline.time_forms import Form, read_form

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
# A longer cell is not a time; a column with more forms is not a time column.
_WIDEST: Final = 70
_FORMS: Final = 3000
_YEARS: Final = (1900, 2200)
ORDERS: Final = ("dmy", "mdy", "ymd")
# Year 2567 of the Buddhist era is 2024, and so is year 113 of Taiwan.
_BUDDHIST: Final = 543
_THAI: Final = "years of the Buddhist era"
_TAIWAN: Final = "years of Taiwan"
# How strptime reads a year of two digits.
_PIVOT: Final = 69

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Cells:
    """The n cells of a time column, read.

    Attributes:
        clock: int64 (n,) by order of day and month: microseconds since 1970 as the clock shows;
            24:00 is 0:00 of the next day.
        read: bool (n,) by order: True if the cell is a time in that order.
        ordered: bool (n,), True if day and month could be swapped.
        dated: bool (n,), a day without a time of day.
        midnight24: bool (n,), hour 24. midnight0: bool (n,), hour 0 with its minutes.
        numbered: bool (n,), an hour without minutes. hour: int64 (n,), the hour as written.
        fold: int8 (n,), 0 or 1 if the first or second of two equal hours is marked, else -1.
        offset: int64 (n,), microseconds ahead of UTC. has_offset: bool (n,).
        length: int64 (n,), microseconds from begin to end if a cell holds both, else 0.
        zone: (n,) letters of a zone, such as "CEST"; "" if there are none.
        eras: What is unusual about the years, in words, and "two digits".
    """

    clock: dict[str, Ints]
    read: dict[str, Flags]
    ordered: Flags
    dated: Flags
    midnight24: Flags
    midnight0: Flags
    numbered: Flags
    hour: Ints
    fold: NDArray[np.int8]
    offset: Ints
    has_offset: Flags
    length: Ints
    zone: NDArray[np.object_]
    eras: set[str]


def read_cells(text: "pd.Series[str]") -> Cells:
    """Reads a column of times.

    Args:
        text: n cells without blanks at the ends.

    Returns:
        The times. A cell that is not a time has `read` False in every order.
    """
    n = len(text)
    found = Cells(
        clock={order: np.zeros(n, np.int64) for order in ORDERS},
        read={order: np.zeros(n, np.bool_) for order in ORDERS},
        ordered=np.zeros(n, np.bool_),
        dated=np.zeros(n, np.bool_),
        midnight24=np.zeros(n, np.bool_),
        midnight0=np.zeros(n, np.bool_),
        numbered=np.zeros(n, np.bool_),
        hour=np.full(n, -1, np.int64),
        fold=np.full(n, -1, np.int8),
        offset=np.zeros(n, np.int64),
        has_offset=np.zeros(n, np.bool_),
        length=np.zeros(n, np.int64),
        zone=np.full(n, "", object),
        eras=set(),
    )
    if n == 0:
        return found
    letters, fits = _letters(text)
    digits = (letters >= ord("0")) & (letters <= ord("9"))
    codes = _forms(np.where(digits, ord("0"), letters).astype(np.uint8))
    order = np.argsort(codes, kind="stable")
    borders = np.flatnonzero(np.diff(codes[order])) + 1
    for rows in np.split(order, borders)[:_FORMS]:
        if not fits[rows[0]]:
            continue
        cell = letters[rows[0]]
        plain = np.where(digits[rows[0]], ord("0"), cell).astype(np.uint8)
        template = plain[: int((cell != 0).sum())].tobytes().decode("latin-1")
        forms = read_form(template)
        if forms:
            _fill(found, rows, letters[rows], forms)
    return found


def _letters(text: "pd.Series[str]") -> tuple[NDArray[np.uint8], Flags]:
    """Bytes of the cells, (n, width), padded with 0, and a mask of cells that are short enough."""
    array = pa.array(text.to_numpy(object, na_value=""), type=pa.large_string())
    _, offsets_buffer, data_buffer = array.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int64, len(text) + 1)
    data = np.frombuffer(data_buffer or b"\0", np.uint8)
    lengths = np.diff(offsets)
    fits = lengths <= _WIDEST
    width = int(lengths[fits].max(initial=1)) or 1
    letters = np.zeros((len(text), width), np.uint8)
    if bool((lengths == width).all()):
        return data[offsets[0] : offsets[-1]].reshape(len(text), width), fits
    for at in range(width):
        held = fits & (lengths > at)
        letters[held, at] = data[offsets[:-1][held] + at]
    return letters, fits


def _forms(templates: NDArray[np.uint8]) -> Ints:
    """A number for each form, the same for equal templates."""
    width = templates.shape[1]
    padded = np.zeros((len(templates), -(-width // 8) * 8), np.uint8)
    padded[:, :width] = templates
    words = padded.view(np.uint64)
    codes = np.zeros(len(templates), np.int64)
    for at in range(words.shape[1]):
        part, _ = pd.factorize(words[:, at])
        codes, _ = pd.factorize(codes * (int(part.max(initial=0)) + 1) + part)
    return np.asarray(codes, np.int64)


def _number(letters: NDArray[np.uint8], place: tuple[int, int] | None) -> Ints:
    value = np.zeros(len(letters), np.int64)
    if place is not None:
        for at in range(*place):
            value = value * 10 + (letters[:, at].astype(np.int64) - ord("0"))
    return value


def _fill(found: Cells, rows: Ints, letters: NDArray[np.uint8], forms: list[Form]) -> None:
    form = forms[0]
    if len(forms) > 1:
        # "00:00-01:00" is an interval if all have the same length, else an offset from UTC.
        lengths = _length(letters, forms[1])
        if (lengths == lengths[0]).all() and lengths[0] > 0 and len(np.unique(_tail(letters))) > 3:
            form = forms[1]
    if form.until is not None:
        found.length[rows] = _length(letters, form)
    clock, fine, hour = _time_of_day(letters, form)
    found.hour[rows] = hour
    found.dated[rows] = form.hour is None
    found.numbered[rows] = form.hour is not None and form.minute is None
    found.midnight24[rows] = hour == 24
    found.midnight0[rows] = (hour == 0) & (form.hour is not None)
    found.fold[rows] = form.fold
    found.zone[rows] = form.zone
    if form.offset_sign is not None:
        found.has_offset[rows] = True
        ahead = _number(letters, form.offset_hour) * HOUR
        ahead += _number(letters, form.offset_minute) * MINUTE
        found.offset[rows] = form.offset_sign * ahead
    found.ordered[rows] = form.one is not None
    days, valid = _days(letters, form, ORDERS[0], found.eras)
    for order in ORDERS:
        if form.one is not None and order != ORDERS[0]:
            days, valid = _days(letters, form, order, found.eras)
        found.clock[order][rows] = days * DAY + clock
        found.read[order][rows] = fine & valid


def _tail(letters: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    return np.ascontiguousarray(letters[:, -5:]).view("S5").reshape(-1)


def _time_of_day(letters: NDArray[np.uint8], form: Form) -> tuple[Ints, Flags, Ints]:
    """Microseconds since midnight, a mask of valid times, and the hour as written."""
    hour = _number(letters, form.hour)
    written = hour if form.half is None else _of_24(hour, form.half)
    minute, second = _number(letters, form.minute), _number(letters, form.second)
    fraction = _number(letters, form.fraction)
    if form.fraction is not None:
        size = form.fraction[1] - form.fraction[0]
        fraction = fraction * 10**6 // 10**size
    fine = (minute < 60) & (second < 60)
    whole = (minute == 0) & (second == 0) & (fraction == 0)
    last = 25 if form.minute is None else 24
    fine &= (written <= 23) | ((written <= last) & whole & (form.half is None))
    fine &= written >= 0
    clock = written * HOUR + minute * MINUTE + second * SECOND + fraction
    return clock, fine, written


def _of_24(hour: Ints, half: int) -> Ints:
    """The hour of a 24-hour clock for one of a 12-hour clock; -1 if there is no such hour."""
    if half == 0:
        return np.where(hour == 12, 0, np.where(hour > 12, -1, hour))
    return np.where(hour < 12, hour + 12, np.where(hour > 23, -1, hour))


def _days(letters: NDArray[np.uint8], form: Form, order: str, eras: set[str]) -> tuple[Ints, Flags]:
    """Days since 1970, and a mask of valid days."""
    if form.three is not None:
        parts = dict(zip(order, (form.one, form.two, form.three), strict=True))
        year, month, day = (_number(letters, parts[name]) for name in "ymd")
    elif form.one is not None:
        swapped = order == "mdy"
        year = _number(letters, form.year)
        day = _number(letters, form.two if swapped else form.one)
        month = _number(letters, form.one if swapped else form.two)
    else:
        year, day = _number(letters, form.year), _number(letters, form.day)
        month = _number(letters, form.month) + form.month_name
    digits = 2 if form.year is None else form.year[1] - form.year[0]
    year = _common_era(year, digits, eras)
    if form.day_of_year is not None:
        day = _number(letters, form.day_of_year)
        first = (np.clip(year, *_YEARS) - 1970).astype("datetime64[Y]").astype("datetime64[D]")
        last = (first.astype("datetime64[Y]") + 1).astype("datetime64[D]") - first
        valid = (year >= _YEARS[0]) & (year <= _YEARS[1]) & (day >= 1)
        return first.astype(np.int64) + day - 1, valid & (day <= last.astype(np.int64))
    if order == "ymd" and form.one is not None and form.three is None:
        return np.zeros(len(year), np.int64), np.zeros(len(year), np.bool_)
    valid = (year >= _YEARS[0]) & (year <= _YEARS[1]) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(valid, (year - 1970) * 12 + month - 1, 0)
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    following = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    valid &= day <= following - first
    return np.asarray(first + day - 1, np.int64), np.asarray(valid)


def _common_era(year: Ints, digits: int, eras: set[str]) -> Ints:
    """Years of the common era for years that are written with so many digits."""
    if digits == len("67"):
        eras.add("two digits")
        return year + np.where(year < _PIVOT, 2000, 1900)
    if digits == len("113"):
        eras.add(_TAIWAN)
        return year + 1911
    buddhist = (year >= _YEARS[0] + _BUDDHIST) & (year <= _YEARS[1] + _BUDDHIST)
    if buddhist.all() and len(year):
        eras.add(_THAI)
        return year - _BUDDHIST
    return year


def _length(letters: NDArray[np.uint8], form: Form) -> Ints:
    """Microseconds from begin to end."""
    assert form.until is not None
    begin, _, _ = _time_of_day(letters, form)
    end, _, _ = _time_of_day(letters, form.until)
    return (end - begin) % DAY


def strptime_format(cell: str, order: str) -> str:
    """A strptime format for a cell that is read in this order; "" if the cell is not a time."""
    raw = cell.encode()
    plain = bytes(ord("0") if 48 <= byte <= 57 else byte for byte in raw).decode("latin-1")
    forms = read_form(plain)
    if not forms:
        return ""
    form = forms[0]
    codes = {form.hour: "%H" if form.half is None else "%I", form.minute: "%M", form.second: "%S"}
    codes |= {form.fraction: "%f", form.month: "%m", form.day: "%d"}
    if form.year is not None:
        codes[form.year] = "%Y" if form.year[1] - form.year[0] == 4 else "%y"
    if form.three is not None:
        named = {"d": "%d", "m": "%m", "y": "%y"}
        codes |= {
            place: named[letter]
            for place, letter in zip((form.one, form.two, form.three), order, strict=True)
        }
    elif form.one is not None:
        codes |= (
            {form.one: "%d", form.two: "%m"}
            if order != "mdy"
            else {
                form.one: "%m",
                form.two: "%d",
            }
        )
    places = sorted(place for place in codes if place is not None)
    written, at = "", 0
    for first, stop in places:
        written += _literal(raw[at:first]) + codes[(first, stop)]
        at = stop
    return written + ("" if form.offset_sign is not None or form.until else _literal(raw[at:]))


def _literal(between: bytes) -> str:
    """What stands between the numbers; words that differ from row to row as their codes."""
    text = re.sub(r"(?i)\b[AP]\.?M\b\.?", "%p", between.decode(errors="replace"))
    return re.sub(r"(?i)\b(?:mon|tue|wed|thu|fri|sat|sun)\b", "%a", text)


def order_of(date_format: str) -> str | None:
    """The order of day, month and year in a strptime format; None if it lacks one of them."""
    places = {
        letter: max(date_format.find(f"%{code}") for code in codes)
        for letter, codes in (("d", "d"), ("m", "mbB"), ("y", "yY"))
    }
    if min(places.values()) < 0:
        return None
    return "".join(sorted(places, key=lambda letter: places[letter]))
