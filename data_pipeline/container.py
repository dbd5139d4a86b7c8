"""From a file to text or typed cells: text, gzip, zip, workbook, Parquet, XML, JSON.

To add a container, add a function here and a line in `_KINDS`.
"""

import gzip
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final

import pandas as pd

from data_pipeline.errors import DataError
from data_pipeline.green_button import as_table as green_button_table
from data_pipeline.green_button import is_green_button
from data_pipeline.json_rows import as_table as json_table
from data_pipeline.json_rows import is_json

LARGEST_FILE: Final = 2**30
# Files that hold no table that can be read, by their first letters.
_NO_TABLES: Final = {
    b"%pdf": "a PDF",
    b"<!doctype html": "a web page, as some portals write with the ending .xls",
    b"<html": "a web page, as some portals write with the ending .xls",
    b"<table": "a web page, as some portals write with the ending .xls",
    b"<?xml": "XML",
}
# What says that days count from 1904, by the part of the workbook that says it.
_FROM_1904: Final = {
    "xl/workbook.xml": re.compile(rb"""date1904\s*=\s*["'](?:1|true)"""),
    "content.xml": re.compile(rb"""null-date[^>]*date-value\s*=\s*["']1904-01-01"""),
}


@dataclass(frozen=True, eq=False)
class Content:
    """The content of a file: bytes of text, or sheets of cells.

    Attributes:
        text: Bytes of a text file; empty if there are sheets.
        sheets: Tables by name. A column keeps its type if all its cells have the same one.
        header: True if the sheets' columns are named; False if a row of cells holds the names.
        notes: What was done on the way, one sentence each.
        from_1904: Whether a workbook says that its days count from 1904; None if nothing says so.
    """

    text: bytes
    sheets: dict[str, pd.DataFrame]
    header: bool
    notes: tuple[str, ...]
    from_1904: bool | None = None


def read_content(path: Path) -> Content:
    """Reads a file into memory and unpacks it.

    Raises:
        DataError: If it cannot be read, is too large, or is no table.
    """
    content = _read(path)
    notes: tuple[str, ...] = ()
    for mark, kind in _KINDS:
        if content.startswith(mark):
            unpacked = kind(content, path)
            if isinstance(unpacked, Content):
                return unpacked
            content, note = unpacked
            notes = (note,)
            break
    if not content.strip(b" \t\r\n\0"):
        raise DataError(f"{path}: expected a CSV file with a header, found an empty file.")
    for holds, as_table in ((is_green_button, green_button_table), (is_json, json_table)):
        if holds(content):
            content, note = as_table(content, path)
            notes = (*notes, note)
    head = content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    other = next((name for mark, name in _NO_TABLES.items() if head.startswith(mark)), None)
    if other is not None:
        raise DataError(
            f"{path}: expected a table of text, a workbook or Parquet, found {other}. Open it in "
            f"the program that it is made for, and save the table as CSV or .xlsx."
        )
    return Content(content, {}, False, notes)


def _read(path: Path) -> bytes:
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise DataError(f"{path}: expected a CSV file, found a directory. Name the file in it.")
        if not stat.S_ISREG(found.st_mode):
            raise DataError(f"{path}: expected a regular file. Save the data in a CSV file first.")
        if found.st_size > LARGEST_FILE:
            raise _too_large(path, found.st_size)
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file. Check the path given to --data.") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Check its rights.") from error
    if not content:
        raise DataError(f"{path}: expected a CSV file with a header, found an empty file.")
    return content


def _too_large(path: Path, size: int) -> DataError:
    return DataError(
        f"{path}: expected at most {LARGEST_FILE} bytes, found {size}. "
        f"Keep the needed columns and years only."
    )


def _gzip(content: bytes, path: Path) -> tuple[bytes, str]:
    try:
        with gzip.open(io.BytesIO(content)) as file:
            text = file.read(LARGEST_FILE + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: expected a gzip archive, found a broken one ({error})."
        ) from error
    if len(text) > LARGEST_FILE:
        raise _too_large(path, len(text))
    return text, "unpacked with gzip"


def _zip(content: bytes, path: Path) -> tuple[bytes, str] | Content:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = archive.infolist()
            if any(one.filename.startswith(("xl/", "content.xml")) for one in inside):
                return _workbook(content, path)
            files = [
                one
                for one in inside
                if not one.is_dir() and not one.filename.startswith(("__MACOSX/", "."))
            ]
            if len(files) != 1:
                names = ", ".join(repr(one.filename) for one in files[:10]) or "none"
                raise DataError(
                    f"{path}: expected an archive with one file in it, found {len(files)}: {names}."
                    f" Unpack it and give the file."
                )
            if files[0].file_size > LARGEST_FILE:
                raise _too_large(path, files[0].file_size)
            with archive.open(files[0]) as file:
                text = file.read(LARGEST_FILE + 1)
    except (zipfile.BadZipFile, RuntimeError, zlib.error, NotImplementedError, OSError) as error:
        raise DataError(
            f"{path}: expected a workbook or an archive, found a broken or locked one ({error})."
        ) from error
    if len(text) > LARGEST_FILE:
        raise _too_large(path, len(text))
    return text, f"unpacked {files[0].filename!r} from the archive"


def _workbook(content: bytes, path: Path) -> Content:
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = {
            name: book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            for name in book.sheet_names
        }
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise DataError(
            f"{path}: expected a workbook, found one that cannot be read ({error})."
        ) from error
    full = {name: rows for name, rows in sheets.items() if len(rows) > 1}
    if not full:
        raise DataError(f"{path}: expected rows in a sheet of the workbook, found none.")
    cells = {name: _cells(rows) for name, rows in full.items()}
    return Content(b"", cells, False, (), _from_1904(content))


def _from_1904(content: bytes) -> bool | None:
    """Whether an .xlsx or .ods workbook says that its days count from 1904; None of an .xls."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return None
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        inside = set(archive.namelist())
        return any(
            mark.search(archive.read(name)) is not None
            for name, mark in _FROM_1904.items()
            if name in inside and archive.getinfo(name).file_size <= LARGEST_FILE
        )


def _cells(rows: Sequence[Sequence[object]]) -> pd.DataFrame:
    """Rows of a sheet as text: exact numbers, dates in ISO 8601."""
    width = max(map(len, rows))
    columns = [
        pd.Series([written(row[at]) if at < len(row) else "" for row in rows], dtype="str")
        for at in range(width)
    ]
    return pd.concat(columns, axis=1, keys=range(width))


def written(cell: object) -> str:
    """A typed cell as text that is read back to the same value."""
    if isinstance(cell, bool) or cell is None:
        return "" if cell is None else str(cell)
    if isinstance(cell, float):
        # The exponent tells the reader that "." is the decimal mark.
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else f"{cell!r}e0"
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return str(cell)


def _parquet(content: bytes, path: Path) -> Content:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        frame = pq.read_table(pa.BufferReader(content)).to_pandas()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"{path}: expected a Parquet file, found a broken one ({error})."
        ) from error
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    frame.columns = pd.Index([str(name) for name in frame.columns])
    return Content(b"", {path.name: frame}, True, ())


_KINDS: Final[tuple[tuple[bytes, Callable[[bytes, Path], tuple[bytes, str] | Content]], ...]] = (
    (b"\x1f\x8b", _gzip),
    (b"PK\x03\x04", _zip),
    (b"\xd0\xcf\x11\xe0", _workbook),
    (b"PAR1", _parquet),
)
