"""NEM12, the meter file of the Australian market: its records become a table with a row a day.

Source: AEMO (2023), "Meter Data File Format Specification NEM12 & NEM13", section 4. A file begins
with a record 100. A record 200 names meter, register, unit and minutes per value; the records 300
that follow hold a day each: date, values, quality. A record 400 below a day gives the quality of
a part of it.
"""

import re
from typing import Final

_FIRST: Final = re.compile(r"\s*100,NEM12\b")
_DATE: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_DAY: Final = 24 * 60
# Fields of a record 200, from 0.
_METER, _REGISTER, _UNIT, _MINUTES = 1, 4, 7, 8
# A record 400 has at least its kind, first and last value, and their quality.
_MARKED: Final = 4


def as_days(text: str, with_nulls: bool = False) -> tuple[str, tuple[str, ...]]:
    """Writes the records of a NEM12 file as a table with a row a day, on the same lines.

    Args:
        text: The text of any file.
        with_nulls: Keep the values that the file marks as null data (N).

    Returns:
        The table, with the columns Date, NMI, Register, Unit, Quality and one per begin of a
        period, and notes; or the text itself and no note if it is no NEM12, or has values of
        several lengths.
    """
    if not _FIRST.match(text):
        return text, ()
    lines = text.splitlines()
    blocks = [line.split(",") for line in lines if line.startswith("200,")]
    lengths = {block[_MINUTES].strip() for block in blocks if len(block) > _MINUTES}
    if len(lengths) != 1 or not (length := lengths.pop()).isdigit() or _DAY % int(length):
        return text, ()
    step = int(length)
    count = _DAY // step
    clock = [f"{at // 60:02}:{at % 60:02}" for at in range(0, _DAY, step)]
    rows: list[list[str]] = [["Date", "NMI", "Register", "Unit", "Quality", *clock]]
    first, nulls, day = len(rows[0]) - count, 0, 0
    meter = ["", "", ""]
    for line in lines[1:]:
        fields = line.split(",")
        if fields[0] == "200":
            meter = [fields[_METER], fields[_REGISTER], fields[_UNIT]]
        span = _null_span(fields, count)
        date = _DATE.fullmatch(fields[1]) if fields[0] == "300" else None
        if date is None or len(fields) < count + 3:
            rows.append([])  # other records are no days, but count as lines
        else:
            day = len(rows)
            rows.append(
                ["-".join(date.groups()), *meter, fields[count + 2], *fields[2 : count + 2]]
            )
        if span and day and not with_nulls:
            places = range(count)[span]
            nulls += len(places)
            for at in places:
                rows[day][first + at] = ""
    units = ", ".join(sorted({block[_UNIT] for block in blocks}))
    notes = [f"NEM12: a row a day of {step} minutes each, in {units}"]
    if nulls:
        notes.append(f"{nulls} values left out, which the file marks as null data (N)")
    return "\n".join(map(",".join, rows)) + "\n", tuple(notes)


def _null_span(fields: list[str], count: int) -> slice | None:
    """The values of a day that a record 300, or a record 400 below it, marks as null data."""
    if fields[0] == "300" and len(fields) > count + 2 and fields[count + 2].startswith("N"):
        return slice(0, count)
    if fields[0] != "400" or len(fields) < _MARKED or not fields[3].startswith("N"):
        return None
    if not (fields[1].isdigit() and fields[2].isdigit()):
        return None
    return slice(int(fields[1]) - 1, int(fields[2]))
