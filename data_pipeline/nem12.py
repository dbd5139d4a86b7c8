"""NEM12, the meter file of the Australian market: its records become a table with a row a day.

Source: AEMO (2023), "Meter Data File Format Specification NEM12 & NEM13", section 4. A file begins
with a record 100. A record 200 names meter, register, unit and minutes per value; the records 300
that follow hold a day each: date, values, quality.
"""

import re
from typing import Final

_FIRST: Final = re.compile(r"\s*100,NEM12\b")
_DATE: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_DAY: Final = 24 * 60
# Fields of a record 200, from 0.
_METER, _REGISTER, _UNIT, _MINUTES = 1, 4, 7, 8


def as_days(text: str) -> tuple[str, tuple[str, ...]]:
    """Writes the records of a NEM12 file as a table with a row a day, on the same lines.

    Args:
        text: The text of any file.

    Returns:
        The table, with the columns Date, NMI, Register, Quality and one per begin of a period, and
        a note; or the text itself and no note if it is no NEM12, or has values of several lengths.
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
    rows = [",".join(["Date", "NMI", "Register", "Quality", *clock])]
    meter = register = ""
    for line in lines[1:]:
        fields = line.split(",")
        if fields[0] == "200":
            meter, register = fields[_METER], fields[_REGISTER]
        date = _DATE.fullmatch(fields[1]) if fields[0] == "300" else None
        if date is None or len(fields) < count + 3:
            rows.append("")  # other records say nothing about values, but count as lines
            continue
        values, quality = fields[2 : count + 2], fields[count + 2]
        rows.append(",".join(["-".join(date.groups()), meter, register, quality, *values]))
    units = ", ".join(sorted({block[_UNIT] for block in blocks}))
    return "\n".join(rows) + "\n", (f"NEM12: a row a day of {step} minutes each, in {units}",)
