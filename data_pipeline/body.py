"""The rows below the column names of a text table."""

import csv
import io
import re
import unicodedata
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline.errors import DataError
from data_pipeline.places import lines as lines_of
from data_pipeline.places import quoted

SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blanks"}
LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
# This many lines at the end may be notes. A line that fits the pattern is not a note.
_NOTES: Final = 20
TIME_IN_IT: Final = re.compile(r"\d{1,4}[-/.:]\d|^\d{5,}")
# Comments are few among data.
_COMMENTS: Final = 0.1
# Marks without width, which nobody sees in a name.
_NO_WIDTH: Final = dict.fromkeys((0xFEFF, 0x200B, 0x200C, 0x200E, 0x200F, 0x2060))
_COMMENT: Final = re.compile(r"(?m)^#[^\r\n]*")


@dataclass(frozen=True)
class Header:
    """Where the column names are.

    Attributes:
        separator: Of the cells.
        line: Of the names, from 1; 0 if there is none.
        end: Of that line, in characters from the begin of the text.
        names: Column names; "" if a column has none.
    """

    separator: str
    line: int
    end: int
    names: tuple[str, ...]


def plain_name(name: object) -> str:
    """A column name in the form that is compared: NFC, single blanks, none at the ends."""
    text = str(name)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).translate(_NO_WIDTH)
    return " ".join(text.split())


def records(lines: Sequence[str], separator: str) -> list[tuple[int, int, list[str]]]:
    """First line, number of lines and cells of each record. Stops at a record it cannot read."""
    if separator == " ":
        return [(at, 1, line.split()) for at, line in enumerate(lines)]
    reader = csv.reader(iter(lines), delimiter=separator)
    found, before = [], 0
    try:
        for row in reader:
            found.append((before, reader.line_num - before, row))
            before = reader.line_num
    except csv.Error:
        pass
    return found


def parse(body: str, header: Header, path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Reads the rows below the column names.

    Args:
        body: Text below them.
        header: The names.
        path: Of the file, for messages.

    Returns:
        Cells as text, a column for each name, numbered from 0, indexed by file line; and notes.
        Blank lines, comments among the rows and notes below them are left out.

    Raises:
        DataError: If a row has more cells than there are names, or a quote is not closed.
    """
    width = len(header.names)
    body, notes = _without_comments(body, header)
    try:
        raw = _cells(body, header.separator, width)
    except pd.errors.EmptyDataError:
        raw = pd.DataFrame({at: pd.Series([], dtype="str") for at in range(width + 1)})
    except pd.errors.ParserError as error:
        return _reparse(body, header, str(error), path), notes
    raw.index = pd.Index(np.arange(header.line + 1, header.line + 1 + len(raw)))
    blank = _blank(raw)
    raw = raw[~blank] if blank.any() else raw
    if raw.empty:
        raise DataError(f"{path}: expected rows below the header, found none. Give a longer file.")
    long = ~_blank(raw[list(raw.columns[width:])])
    raw = raw[list(range(width))]
    at = int(long.argmax())
    if long.any() and at and len(raw) - at <= _NOTES and not TIME_IN_IT.search(str(raw.iat[at, 0])):
        raw, long = raw.iloc[:at], long[:at]
    if long.any():
        line = int(raw.index[int(long.argmax())])
        raise DataError(
            _ragged(path, line, header, _row(body, line - header.line), int(long.sum()))
        )
    return raw, notes


def _cells(body: str, separator: str, width: int) -> pd.DataFrame:
    """Cells as text, in one column more than there are names, or as many as the first row has.

    Rows that end with separators have empty cells there, which is no fault.
    """

    def read(columns: int) -> pd.DataFrame:
        with warnings.catch_warnings():
            # pandas drops the further cells of a longer first row, and only warns of it.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                io.StringIO(body),
                sep=r"\s+" if separator == " " else separator,
                header=None,
                names=range(columns),
                index_col=False,
                dtype=str,
                na_filter=False,
                skip_blank_lines=False,
                engine="c",
            )

    try:
        return read(width + 1)
    except pd.errors.ParserWarning:
        first = records(body.splitlines()[:_NOTES], separator)
        return read(max((len(cells) for _, _, cells in first), default=width + 1))


def _without_comments(body: str, header: Header) -> tuple[str, tuple[str, ...]]:
    """Blanks lines that begin with "#", if they are few and no rows of the table."""
    if "\n#" not in body and "\r#" not in body and not body.startswith("#"):
        return body, ()
    width = len(header.names)
    found = [
        match
        for match in _COMMENT.finditer(body)
        if match.group().count(header.separator) != width - 1
        or not TIME_IN_IT.search(match.group())
    ]
    if not found or len(found) > max(1, _COMMENTS * body.count("\n")):
        return body, ()
    parts, at = [], 0
    for match in found:
        parts.append(body[at : match.start()])
        at = match.end()
    numbers = np.array([header.line + 1 + body.count("\n", 0, one.start()) for one in found])
    note = f"{len(found)} comments left out: {quoted(found[0].group())} in {lines_of(numbers)}"
    return "".join([*parts, body[at:]]), (note,)


def _blank(cells: pd.DataFrame) -> NDArray[np.bool_]:
    """Rows without any letter, bool (n,)."""
    blank = np.ones(len(cells), np.bool_)
    for column in cells.columns:
        if not blank.any():
            break
        blank &= cells[column].to_numpy(object) == ""
    return blank


def _reparse(body: str, header: Header, message: str, path: Path) -> pd.DataFrame:
    """Leaves out notes at the end that have too many cells; else raises what is wrong."""
    ragged = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if ragged is None:
        unclosed = re.search(r"EOF inside string starting at row (\d+)", message)
        if unclosed is not None:
            line = int(unclosed[1]) + 1 + header.line
            raise DataError(f"{path}: line {line}: expected a closing quote, found none.")
        raise DataError(f"{path}: expected a CSV table, found one that cannot be read: {message}")
    at = int(ragged[2])
    row = _row(body, at)
    start = _offset(body, at - 1)
    rest = body[start:]
    lines = rest.splitlines()
    if len(lines) <= _NOTES and not TIME_IN_IT.search(row[0] if row else ""):
        return parse(body[:start], header, path)[0]
    raise DataError(_ragged(path, at + header.line, header, row, 1))


def _offset(body: str, lines: int) -> int:
    end = 0
    for _ in range(lines):
        match = LINE.match(body, end)
        assert match is not None
        end = match.end()
    return end


def _row(body: str, at: int) -> list[str]:
    """The line `at` (from 1) of the body, as a list of one text; empty if there is none."""
    start = _offset(body, at - 1)
    match = LINE.match(body, start)
    return [] if match is None else [match.group().rstrip("\r\n")]


def _ragged(path: Path, line: int, header: Header, row: list[str], count: int) -> str:
    text = row[0] if row else ""
    cells = next(iter(records([text], header.separator)), (0, 0, [text]))[2]
    name = SEPARATORS[header.separator]
    if header.separator == "," and re.search(r"(?<!\d)\d{1,3}(,\d{3})+(?!\d)", text):
        hint = "A number with commas between its digits belongs in quotes"
    elif header.separator == ",":
        hint = "Numbers with a decimal comma belong in quotes, or the cells apart by semicolons"
    elif header.separator == " ":
        hint = "A name or cell with a blank in it belongs in quotes"
    else:
        hint = "A cell with a separator in it belongs in quotes"
    more = f"; {count} such rows" if count > 1 else ""
    return (
        f"{path}: line {line}: expected {len(header.names)} fields as in the lines above, found "
        f"{len(cells)} (separator {name}) in {quoted(text)}{more}. {hint}."
    )
