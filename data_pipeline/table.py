"""From a file to a table of text cells: encoding, separator and columns."""

import codecs
import csv
import io
import re
import stat
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from data_pipeline.errors import DataError
from data_pipeline.places import quoted
from data_pipeline.source import DataSource

LARGEST_FILE: Final = 2**30
LISTED: Final = 50
SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

# The longer marks first: UTF-32 starts with the mark of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with BOM"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)


@dataclass(frozen=True, eq=False)
class Table:
    """The wanted columns of a file as text.

    Attributes:
        cells: One str column for each wanted name; the index holds file line numbers.
        encoding: Name of the encoding found.
        separator: Name of the separator found.
    """

    cells: pd.DataFrame
    encoding: str
    separator: str


def read_table(source: DataSource) -> Table:
    """Reads the time, target and feature columns of a file as text.

    Args:
        source: The file and its column names.

    Returns:
        The cells and how they were read. Blank lines are left out, but counted as lines;
        a line break inside quotes is not counted.

    Raises:
        DataError: If the file cannot be read, is no text table or lacks a column.
    """
    path = source.file
    text, encoding = _decode(_read(path), path)
    separator = _separator(text, source, path)
    raw = _parse(text, separator, path)
    names = [unicodedata.normalize("NFC", str(name).strip()) for name in raw.iloc[0]]
    wanted = (source.time, *source.value_columns)
    cells = raw.iloc[1:, _positions(names, wanted, path, encoding)]
    cells.columns = pd.Index(wanted)
    cells.index = pd.Index(np.arange(2, len(raw) + 1))
    cells = cells[(raw.iloc[1:] != "").any(axis=1).to_numpy()]
    if cells.empty:
        raise DataError(f"{path}: expected rows below the header, found none. Give a longer file.")
    return Table(cells, encoding, SEPARATORS[separator])


def _read(path: Path) -> bytes:
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise DataError(f"{path}: expected a CSV file, found a directory. Name the file in it.")
        if not stat.S_ISREG(found.st_mode):
            raise DataError(f"{path}: expected a regular file. Save the data in a CSV file first.")
        if found.st_size > LARGEST_FILE:
            raise DataError(
                f"{path}: expected at most {LARGEST_FILE} bytes, found {found.st_size}. "
                f"Keep the needed columns and years only."
            )
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file. Check the path given to --data.") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Check its rights.") from error
    if not content.strip():
        raise DataError(f"{path}: expected a CSV file with a header, found an empty file.")
    return content


def _decode(content: bytes, path: Path) -> tuple[str, str]:
    marked = [(codec, name) for mark, codec, name in _MARKS if content.startswith(mark)]
    candidates = marked[:1] or [*_unmarked_utf16(content), ("utf-8", "UTF-8"), ("cp949", "cp949")]
    for codec, name in candidates:
        try:
            text = content.decode(codec)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, name
    tried = ", ".join(name for _, name in candidates)
    hint = "a workbook or archive" if content.startswith((b"PK", b"\x1f\x8b")) else "no text"
    raise DataError(
        f"{path}: expected a text file in UTF-8, UTF-16 or cp949, found {hint} (tried {tried}). "
        f"Save it as CSV in UTF-8."
    )


def _unmarked_utf16(content: bytes) -> list[tuple[str, str]]:
    head = content[:4096]
    if len(head) < 4:
        return []
    if not any(head[1::2]):
        return [("utf-16-le", "UTF-16")]
    return [("utf-16-be", "UTF-16")] if not any(head[::2]) else []


def _separator(text: str, source: DataSource, path: Path) -> str:
    header = re.split(r"[\r\n]", text[:100_000], maxsplit=1)[0]
    wanted = {source.time, *source.value_columns}

    def fit(separator: str) -> tuple[int, int]:
        names = next(csv.reader([header], delimiter=separator))
        return len(wanted & {name.strip() for name in names}), len(names)

    try:
        return max(SEPARATORS, key=fit)
    except csv.Error as error:
        raise DataError(f"{path}: line 1: expected column names, found {error}.") from error


def _parse(text: str, separator: str, path: Path) -> pd.DataFrame:
    try:
        # Without header and with every column, pandas refuses a row that has too many fields
        # instead of shifting or cutting it.
        return pd.read_csv(
            io.StringIO(text),
            sep=separator,
            header=None,
            dtype=str,
            na_filter=False,
            skip_blank_lines=False,
            engine="c",
        )
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path}: line 1: expected column names, found a blank line.") from error
    except pd.errors.ParserError as error:
        raise DataError(_parser_fault(str(error), separator, path)) from error


def _parser_fault(message: str, separator: str, path: Path) -> str:
    ragged = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if ragged is not None:
        expected, line, found = ragged.groups()
        return (
            f"{path}: line {line}: expected {expected} fields as in the lines above, found {found} "
            f"(separator {SEPARATORS[separator]}). Remove thousands separators and decimal commas "
            f"from numbers, or put such cells in quotes."
        )
    unclosed = re.search(r"EOF inside string starting at row (\d+)", message)
    if unclosed is not None:
        return f"{path}: line {int(unclosed[1]) + 1}: expected a closing quote, found none."
    return f"{path}: expected a CSV table, found one that cannot be read: {message.strip()}"


def _positions(names: list[str], wanted: tuple[str, ...], path: Path, encoding: str) -> list[int]:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    listed = ", ".join(quoted(name) for name in names[:LISTED])
    found = f"the columns found ({encoding}) are {listed}{more}"
    absent = [name for name in wanted if unicodedata.normalize("NFC", name.strip()) not in names]
    if absent:
        raise DataError(
            f"{path}: line 1: expected a column {' and a column '.join(map(repr, absent))}; "
            f"{found}. Map them by --time, --target and --features."
        )
    positions = []
    for name in wanted:
        plain = unicodedata.normalize("NFC", name.strip())
        if names.count(plain) > 1:
            raise DataError(
                f"{path}: line 1: expected one column {plain!r}, found {names.count(plain)}; "
                f"{found}. Rename all but one."
            )
        positions.append(names.index(plain))
    return positions
