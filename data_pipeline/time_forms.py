"""The forms of written times: which digits are the year, the month, the hour.

A form is a cell with every digit replaced by 0, such as "00.00.0000 00:00". A column has few forms.
So each form is analysed once, and all its cells are read by the places of the digits. To add a way
to write times, add a pattern here.
"""

import re
from dataclasses import dataclass
from typing import Final

from data_pipeline.month_names import is_weekday, month_of

_MORNING: Final = ("오전", "am", "a.m.", "a. m.", "上午", "午前", "πμ", "π.μ.")
_EVENING: Final = ("오후", "pm", "p.m.", "p. m.", "下午", "午後", "μμ", "μ.μ.")
# What a column of the halves of a day holds, in lower case.
HALVES: Final = frozenset((*_MORNING, *_EVENING))


@dataclass(frozen=True)
class Form:
    """Places of the digits of one form, as (first, last + 1) byte positions.

    Attributes:
        year, month, day, hour, minute, second, fraction: Places; None if not written.
        day_of_year: Place of the number of a day in its year, instead of month and day.
        one, two, three: Parts of a date whose order is not known yet.
        month_name: Number of a month that is written as a word, else 0.
        half: 0 for the morning, 12 for the afternoon, None for a 24-hour clock.
        fold: 0 or 1 if the first or second of two equal hours is marked, else -1.
        offset_sign: 1 or -1; 0 for UTC; None if no offset is written.
        offset_hour, offset_minute: Places.
        zone: Letters of a zone, such as "CEST", else "".
        until: Form of the end, if a cell holds begin and end.
        words: True if the cell holds only digits.
    """

    year: tuple[int, int] | None = None
    month: tuple[int, int] | None = None
    day: tuple[int, int] | None = None
    day_of_year: tuple[int, int] | None = None
    hour: tuple[int, int] | None = None
    minute: tuple[int, int] | None = None
    second: tuple[int, int] | None = None
    fraction: tuple[int, int] | None = None
    one: tuple[int, int] | None = None
    two: tuple[int, int] | None = None
    three: tuple[int, int] | None = None
    month_name: int = 0
    half: int | None = None
    fold: int = -1
    offset_sign: int | None = None
    offset_hour: tuple[int, int] | None = None
    offset_minute: tuple[int, int] | None = None
    zone: str = ""
    until: "Form | None" = None


def _bytewise(text: str) -> str:
    """A pattern for UTF-8 bytes read as Latin-1, so that places are byte positions."""
    return text.encode().decode("latin-1")


_HALVES: Final = "|".join(re.escape(_bytewise(word)) for word in (*_MORNING, *_EVENING))
_LETTERS: Final = r"[A-Za-z\x80-\xff]"
_YEAR, _MONTH, _DAY, _HOUR, _MINUTE, _SECOND = (
    f"(?:{'|'.join(map(_bytewise, signs))})"
    for signs in ("년年", "월月", "일日", "시時时点點", "분分", "초秒")
)
# A weekday in front, in parentheses behind the date, or between date and time.
_WEEKDAY: Final = re.compile(
    rf"^(?P<first>{_LETTERS}{{2,24}}(?:-feira)?)[.,]{{0,2}} +"
    rf"|(?<=[0\x80-\xff]) ?\((?:{_LETTERS}{{2,12}})\)"
    rf"|(?<=0),? (?P<last>{_LETTERS}{{2,24}})(?=$| )"
)
_NAME: Final = rf"(?P<_m>{_LETTERS}{{3,24}})"
_DATES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?P<year>0000)(?:[-/.]|\. |{_YEAR} ?)(?P<month>00?)(?:[-/.]|\. |{_MONTH} ?)"
        rf"(?P<day>00?)(?:\.(?!0)|{_DAY})?",
        r"(?P<year>0000)(?P<_s>[ :_])(?P<month>00?)(?P=_s)(?P<day>00?)",
        # A day of the year; and a year of Taiwan, which has three digits.
        r"(?P<year>0000)[-/ ](?P<day_of_year>000)(?!0)",
        r"(?P<year>000)(?P<_s>[-/.])(?P<month>00?)(?P=_s)(?P<day>00?)",
        r"(?P<one>00?)(?P<_s>[-/. ]|\. )(?P<two>00?)(?P=_s)(?P<year>0000)\.?",
        r"(?P<one>00?)(?P<_s>[-/.]|\. )(?P<two>00?)(?P=_s)(?P<three>00)(?!0)\.?",
        rf"(?P<day>00?)(?:st|nd|rd|th)?(?:[-/. ]|\. |, | de )?{_NAME}\.?"
        r"(?:[-/. ]|, | de )?(?P<year>0000|00(?!0))",
        rf"{_NAME}[-/. ]{{1,2}}(?P<day>00?)(?:st|nd|rd|th)?(?:,? |[-/.])(?P<year>0000)",
        rf"(?P<year>0000)(?:[-/. ]|\. ){_NAME}\.?[-/. ](?P<day>00?)\.?",
        r"(?P<year>0000)(?P<month>00)(?P<day>00)(?!0{1}(?:0{2})*$)",
    )
)
# "Feb 05 00:00:00 UTC 2024", as the command date of Unix writes it.
_YEAR_LAST: Final = re.compile(rf"{_NAME} +(?P<day>00?) (?P<_t>.+) (?P<year>0000)")
_TIMES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<_h>(?:{_HALVES}) ?)?(?P<hour>00?)(?P<_f0>[AB*])?[:.h](?P<minute>00)"
        rf"(?:[:.](?P<second>00)(?:[.,:](?P<fraction>0{{1,9}}))?)?(?P<_f>[AB*](?![A-Z]))?"
        rf"(?P<_h2> ?(?:{_HALVES}))?(?: ?(?:uhr|hrs?))?",
        rf"(?P<_h>(?:{_HALVES}) ?)?(?P<hour>00?) ?(?:{_HOUR}|h|uhr)"
        rf"(?: ?(?P<minute>00?) ?(?:{_MINUTE}|min|m)?(?: ?(?P<second>00?) ?"
        rf"(?:{_SECOND}|s))?)?",
        rf"(?:HE|hour|hr|h)? ?(?P<_h>(?:{_HALVES}) ?)?(?P<hour>00?)(?P<_f>[AB*](?![A-Z]))?"
        rf"(?P<_h2> ?(?:{_HALVES}))?",
        r"(?P<hour>00)(?P<minute>00)(?P<second>00)?",
    )
)
_OFFSET: Final = re.compile(
    r" ?(?:(?P<_utc>Z|UTC|GMT)|(?:UTC|GMT)?(?P<_sign>[+-])"
    r"(?P<offset_hour>00|(?<=UTC[+-])0|(?<=GMT[+-])0)(?::?(?P<offset_minute>00))?)"
    r"(?:\[[A-Za-z/_+-]+\]| [A-Z]{3,5}| \([^()]*\))?$"
)
_ZONE: Final = re.compile(r" \(?(?P<_zone>[A-Z]{2,5}|[A-Z][a-z]+(?:/[A-Za-z_]+)+)\)?$")
_COMPACT: Final = re.compile(
    r"(?P<year>0000)(?P<month>00)(?P<day>00)(?P<hour>00)(?P<minute>00)?(?P<second>00)?"
)
_BETWEEN: Final = re.compile(
    rf",? +(?:(?:klo|kl\.?|kell|um|at|ore|o|a las|{_bytewise('à')}|{_bytewise('às')}"
    rf"|-|{_bytewise('–')}) +)?| ?T|_|:|-(?=00[:.]00)|/(?=00$)"
)
_APART: Final = tuple(
    re.compile(pattern)
    for pattern in (rf" (?:-|to|bis|do|til|till|tot|{_bytewise('–')}) ", r" ?~ ?", r"/", r"-")
)


def read_form(template: str) -> list[Form]:
    """All ways to read one form: a time, or a begin and an end.

    Args:
        template: A cell whose digits are all 0; each byte of its UTF-8 is one character.

    Returns:
        A list with no, one or several forms. Several are possible only if an offset may be the end
        of an interval.
    """
    return [
        form
        for form in (_single(template), *(_interval(template, apart) for apart in _APART))
        if form is not None
    ]


def _interval(template: str, apart: re.Pattern[str]) -> Form | None:
    for match in apart.finditer(template):
        begin = _single(template[: match.start()])
        if begin is None or begin.hour is None:
            continue
        rest = template[match.end() :]
        end = _single(rest) or _time(rest, {})
        if end is not None and end.hour is not None:
            return _with(begin, until=_moved(end, match.end()))
    return None


def _single(template: str) -> Form | None:
    weekday = _weekday(template)
    if weekday is not None:
        # Blanks of the same length keep all places.
        first, last = weekday
        inner = template[:first] + " " * (last - first) + template[last:]
        at = len(inner) - len(inner.lstrip())
        found = _single(inner.strip())
        if found is not None:
            return _moved(found, at)
    compact = _COMPACT.match(template)
    if compact is not None:
        form = _ending(template, compact.end(), _places(compact))
        if form is not None:
            return form
    for date in _DATES:
        match = date.match(template)
        if match is None:
            continue
        places = _places(match)
        if "_m" in match.groupdict():
            number = month_of(_decoded(match["_m"]))
            if not number:
                continue
            places["month_name"] = number
        if match.end() == len(template):
            return _form(places)
        between = _BETWEEN.match(template, match.end())
        if between is None:
            continue
        form = _time(template[between.end() :], {}, between.end())
        if form is not None:
            return _with(form, **places)
    return _year_last(template) or _time_first(template)


def _weekday(template: str) -> tuple[int, int] | None:
    """Where a weekday stands."""
    for match in _WEEKDAY.finditer(template):
        word = match["first"] or match["last"]
        # Two capitals behind a time are rather a zone: PT.
        zone = match["last"] is not None and len(match["last"]) == 2 and match["last"].isupper()
        if word is None or (is_weekday(_decoded(word)) and not zone):
            return match.span()
    return None


def _year_last(template: str) -> Form | None:
    match = _YEAR_LAST.fullmatch(template)
    month = 0 if match is None else month_of(_decoded(match["_m"]))
    if match is None or not month:
        return None
    time = _time(match["_t"], {}, match.start("_t"))
    return None if time is None else _with(time, **_places(match), month_name=month)


def _time_first(template: str) -> Form | None:
    for blank in re.finditer(" +", template):
        time = _time(template[: blank.start()], {})
        date = _single(template[blank.end() :]) if time is not None else None
        if time is not None and date is not None and date.hour is None:
            parts = _moved(date, blank.end()).__dict__
            own = ("year", "month", "day", "day_of_year", "one", "two", "three", "month_name")
            return _with(time, **{name: parts[name] for name in own})
    return None


def _time(template: str, places: dict[str, object], shift: int = 0) -> Form | None:
    for time in _TIMES:
        match = time.match(template)
        if match is None:
            continue
        found: dict[str, object] = _places(match)
        named = match.groupdict()
        half = _decoded(named.get("_h") or named.get("_h2") or "").strip().lower()
        if half:
            found["half"] = 0 if half in _MORNING else 12
        mark = (named.get("_f") or named.get("_f0") or "").upper()
        if mark:
            found["fold"] = 0 if mark == "A" else 1
        form = _ending(template, match.end(), {**places, **found})
        if form is not None:
            return _moved(form, shift)
    return None


def _ending(template: str, at: int, places: dict[str, object]) -> Form | None:
    """What follows the time: nothing, an offset, or letters of a zone."""
    if at == len(template):
        return _form(places)
    offset = _OFFSET.match(template, at)
    if offset is not None and ("minute" in places or offset["_utc"]):
        sign = 0 if offset["_utc"] else (-1 if offset["_sign"] == "-" else 1)
        return _form({**places, **_places(offset), "offset_sign": sign})
    zone = _ZONE.match(template, at)
    if zone is not None and "minute" in places:
        return _form({**places, "zone": zone["_zone"]})
    return None


def _places(match: re.Match[str]) -> dict[str, object]:
    return {
        name: match.span(name)
        for name, text in match.groupdict().items()
        if text is not None and not name.startswith("_")
    }


def _form(places: dict[str, object]) -> Form:
    return Form(**places)  # type: ignore[arg-type]


def _with(form: Form, **changes: object) -> Form:
    return Form(**{**form.__dict__, **changes})


def _moved(form: Form, by: int) -> Form:
    """The same form, further right in its cell."""
    moved: dict[str, object] = {
        name: (value[0] + by, value[1] + by) if isinstance(value, tuple) else value
        for name, value in form.__dict__.items()
    }
    return _form(moved)


def _decoded(text: str) -> str:
    """The letters of UTF-8 bytes that were read as Latin-1."""
    return text.encode("latin-1").decode("utf-8", errors="replace")
