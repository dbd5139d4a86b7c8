"""Green Button, the XML in which utilities of North America hand out intervals, as a table.

Source: NAESB (2011), "REQ.21 Energy Services Provider Interface" (ESPI). An IntervalBlock belongs
to a MeterReading, and this to a ReadingType, which names unit and power of ten. The entries of the
Atom feed hold them and link them. Times are seconds since 1970 in UTC.
"""

import contextlib
import csv
import io
import xml.etree.ElementTree as ET
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from data_pipeline.errors import DataError

# Codes of ESPI for units and directions.
_UNITS: Final = {"72": "Wh", "38": "W", "71": "VAh", "61": "VA", "73": "VArh", "63": "VAr"}
_FLOWS: Final = {"1": "delivered", "19": "received", "4": "net"}
_NAMES: Final = ("start", "duration", "value", "cost", "unit", "flow")


def is_green_button(content: bytes) -> bool:
    """True for XML that names ESPI in its first lines."""
    head = content[:4000]
    return b"espi" in head and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def as_table(content: bytes, path: Path) -> tuple[bytes, str]:
    """Turns the intervals into CSV.

    Args:
        content: The file.
        path: Its name, for messages.

    Returns:
        CSV in UTF-8 with the columns start, duration, value, cost, unit and flow; and a note.

    Raises:
        DataError: If the XML is broken or holds no intervals.
    """
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise DataError(f"{path}: expected Green Button, found XML with a DOCTYPE. Remove it.")
    try:
        feed = ET.fromstring(content)
    except ET.ParseError as error:
        raise DataError(f"{path}: expected Green Button, found broken XML ({error}).") from error
    types = _types_by_reading(feed)
    rows = []
    for entry in _all(feed, "entry"):
        above = _link(entry, "up")
        fits = [kind for place, kind in types.items() if place and above.startswith(place)]
        # A file of one type may go without links.
        kind = next(iter(fits or types.values()), None) if fits or len(types) == 1 else None
        rows += [_row(reading, kind) for reading in _all(entry, "IntervalReading")]
    if not rows:
        raise DataError(f"{path}: expected intervals in this Green Button file, found none.")
    place = io.StringIO()
    csv.writer(place, lineterminator="\n").writerows([_NAMES, *rows])
    units = " and ".join(sorted({row[4] for row in rows} - {""})) or "an unknown unit"
    note = f"Green Button: {len(rows)} intervals in {units}, as columns {', '.join(_NAMES)}"
    return place.getvalue().encode(), note


def _types_by_reading(feed: ET.Element) -> dict[str, ET.Element]:
    """The ReadingType of each MeterReading, by the address of the reading."""
    found = {
        _link(entry, "self"): kind
        for entry in _all(feed, "entry")
        for kind in _all(entry, "ReadingType")
    }
    linked = {
        _link(entry, "self"): found[related]
        for entry in _all(feed, "entry")
        if _all(entry, "MeterReading")
        for related in _links(entry, "related")
        if related in found
    }
    return linked or found


def _row(reading: ET.Element, kind: ET.Element | None) -> tuple[str, ...]:
    value = _text(reading, "value")
    power = "0" if kind is None else _text(kind, "powerOfTenMultiplier") or "0"
    with contextlib.suppress(InvalidOperation, ValueError):
        # Another value is refused with its place, as any other cell.
        value = f"{Decimal(value).scaleb(int(power)):f}"
    unit = "" if kind is None else _UNITS.get(_text(kind, "uom"), "")
    flow = "" if kind is None else _FLOWS.get(_text(kind, "flowDirection"), "")
    when = _text(reading, "start"), _text(reading, "duration")
    return (*when, value, _text(reading, "cost"), unit, flow)


def _all(element: ET.Element, name: str) -> list[ET.Element]:
    """All elements of this name below one, in whatever namespace."""
    return element.findall(f".//{{*}}{name}")


def _text(element: ET.Element, name: str) -> str:
    found = element.find(f".//{{*}}{name}")
    return "" if found is None or found.text is None else found.text.strip()


def _links(entry: ET.Element, relation: str) -> list[str]:
    return [one.get("href", "") for one in entry.findall("{*}link") if one.get("rel") == relation]


def _link(entry: ET.Element, relation: str) -> str:
    return next(iter(_links(entry, relation)), "")
