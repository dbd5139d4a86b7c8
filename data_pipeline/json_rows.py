"""JSON that holds a list of rows, as programs hand it out, as a table."""

import csv
import io
import json
from pathlib import Path
from typing import Final

from data_pipeline.errors import DataError

_BEGINS: Final = (b"{", b"[{", b"[[")


def is_json(content: bytes) -> bool:
    """True if the file begins as JSON does: with an object, or a list of objects or of lists."""
    head = b"".join(content[:200].removeprefix(b"\xef\xbb\xbf").split())
    return head.startswith(_BEGINS) and b'"' in head


def as_table(content: bytes, path: Path) -> tuple[bytes, str]:
    """Turns the only list of objects into CSV, with the numbers as they are written.

    Args:
        content: The file.
        path: Its name, for messages.

    Returns:
        CSV in UTF-8 with a column per key, "a.b" for a key within an object; and a note.

    Raises:
        DataError: If it is no JSON, or holds no list of objects, or several.
    """
    try:
        held = json.loads(content.decode("utf-8-sig"), parse_float=str, parse_int=str)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: expected JSON, found what is none ({error}).") from error
    lists = _lists(held, "", 0)
    if len(lists) != 1:
        found = ", ".join(repr(name) for name, _ in lists) or "none"
        raise DataError(
            f"{path}: expected JSON with one list of objects, found {found}. Save the rows that "
            f"are wanted as CSV."
        )
    rows = [_flat(row) for row in lists[0][1]]
    names = list(dict.fromkeys(name for row in rows for name in row))
    place = io.StringIO()
    writer = csv.DictWriter(place, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    where = f" in {lists[0][0]!r}" if lists[0][0] else ""
    return place.getvalue().encode(), f"JSON: a list of {len(rows)} objects{where}, a row each"


def _lists(held: object, name: str, depth: int) -> list[tuple[str, list[dict[str, object]]]]:
    """The lists of objects in a document, with their names."""
    if isinstance(held, list):
        rows = [one for one in held if isinstance(one, dict)]
        return [(name, rows)] if rows and len(rows) == len(held) else []
    if not isinstance(held, dict) or depth > 4:
        return []
    return [
        one
        for key, value in held.items()
        for one in _lists(value, f"{name}.{key}" if name else str(key), depth + 1)
    ]


def _flat(row: dict[str, object], before: str = "") -> dict[str, str]:
    cells: dict[str, str] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            cells |= _flat(value, f"{before}{key}.")
        elif not isinstance(value, list):
            cells[f"{before}{key}"] = "" if value is None else str(value)
    return cells
