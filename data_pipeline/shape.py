"""The shape of a text table: separator, line of the column names, rows."""

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline.across import ACROSS, is_across
from data_pipeline.errors import DataError
from data_pipeline.places import quoted

SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blanks"}
# Lines in which the column names are looked for.
HEADER_WITHIN: Final = 100
_HEAD: Final = 400_000
# Times that run across stand in one of so many rows with columns for them.
_FIRST_WIDE: Final = 3
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
# This many lines at the end may be notes. A line that fits the pattern is not a note.
_NOTES: Final = 20
_TIME_IN_IT: Final = re.compile(r"\d{1,4}[-/.:]\d|^\d{5,}")
_SEP_LINE: Final = re.compile(r"\s*\"?sep=(.)\"?\s*$", re.IGNORECASE)
# A line that is one quoted cell, with separators in it.
_WRAPPED: Final = re.compile(r'"(?:[^"]|"")*[,;\t|](?:[^"]|"")*"')
# A cell that a spreadsheet is to take for text: ="01".
_FORMULA: Final = re.compile(r'(?m)(?<![^,;\t|\n])"?="+([^"\r\n]*)"+(?=[,;\t|\r\n]|\Z)')
_LEADING_HASH: Final = re.compile(r"^#+\s*")


@dataclass(frozen=True, eq=False)
class RawTable:
    """All cells of a table.

    Attributes:
        names: Column names; "" if a column has none.
        cells: One column for each name, numbered from 0; the index holds file line numbers.
        separator: Name of the separator.
        header: Line of the column names, from 1; 0 if there is none.
        notes: What was found and left out, one sentence each.
    """

    names: tuple[str, ...]
    cells: pd.DataFrame
    separator: str
    header: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Header:
    separator: str
    line: int
    end: int
    names: tuple[str, ...]


def plain_name(name: object) -> str:
    """A column name in the form that is compared: NFC, single blanks, none at the ends."""
    text = str(name)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).replace("\ufeff", "")
    return " ".join(text.split())


def read_shape(text: str, path: Path, told: int | None, wanted: Sequence[str]) -> RawTable:
    """Finds separator and header, and splits the rows below.

    The header is the first line that holds all names asked for. If no line holds them, the
    separator is the one with which the rows are most alike, so that a message can list the columns.

    Args:
        text: The file.
        path: Its name, for messages.
        told: `--header`.
        wanted: Column names that were asked for, without positions.

    Raises:
        DataError: If a row has more cells than there are names, or a quote is not closed.
    """
    text, notes = _unwrapped(text)
    lines = _head_lines(text)
    header = _find(lines, told, wanted, path)
    body = text[header.end :]
    raw, header = _parse(body, header, path)
    above = sum(1 for line in lines[: max(0, header.line - 1)] if line.strip())
    if above:
        notes.append(f"{above} lines above the column names in line {header.line} left out")
    return RawTable(header.names, raw, SEPARATORS[header.separator], header.line, tuple(notes))


def _unwrapped(text: str) -> tuple[str, list[str]]:
    """Takes away what a spreadsheet put around whole lines or cells."""
    head = [line.rstrip("\r\n") for line in _head_lines(text)]
    head = [line for line in head if line.strip()]
    if len(head) > 1 and all(_WRAPPED.fullmatch(line) for line in head):
        lines = (line[1:-1].replace('""', '"') for line in text.splitlines())
        return "\n".join(lines) + "\n", ["quotes around whole lines left out"]
    if _FORMULA.search(text[:_HEAD]):
        return _FORMULA.sub(r'"\1"', text), ['="..." read as the text in it']
    return text, []


def _head_lines(text: str) -> list[str]:
    """The first physical lines, with their line ends."""
    lines = []
    for match in _LINE.finditer(text[:_HEAD]):
        lines.append(match.group())
        if len(lines) == HEADER_WITHIN + 60 or match.end() == match.start():
            break
    return lines


def _rows(lines: Sequence[str], separator: str) -> list[tuple[int, int, list[str]]]:
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


def _find(lines: Sequence[str], told: int | None, wanted: Sequence[str], path: Path) -> _Header:
    marked = _SEP_LINE.match(lines[0]) if lines else None
    separators = [marked[1]] if marked and marked[1] in SEPARATORS else _written(lines)
    if told is not None:
        return _told(lines, told, separators, wanted, path)
    best: tuple[tuple[int, ...], _Header] | None = None
    for separator in separators:
        rows = _rows(lines, separator)
        header = _by_names(rows, lines, separator, wanted)
        if header is None:
            continue
        named = header.names
        if is_across(named):
            named = tuple(plain_name(row[0]) for _, _, row in rows if row)
        hits = len(set(wanted) & set(named))
        width = len(header.names)
        alike = sum(len(row) == width for _, _, row in rows)
        by_sign = separator != " "
        key = (hits, by_sign or width > 1, alike if width > 1 else 0, by_sign, width)
        if best is None or key > best[0]:
            best = key, header
    if best is None or not any(best[1].names):
        raise DataError(f"{path}: line 1: expected column names, found a blank line.")
    return best[1]


def _written(lines: Sequence[str]) -> list[str]:
    """The separators that these lines hold; the comma for a table of one column."""
    return [one for one in SEPARATORS if one == "," or any(one in line for line in lines)]


def _by_names(
    rows: list[tuple[int, int, list[str]]],
    lines: Sequence[str],
    separator: str,
    wanted: Sequence[str],
) -> _Header | None:
    """The record of times, or that with most of the names; else the first of rows alike."""
    wide = [one for one in rows[:HEADER_WITHIN] if len(one[2]) > ACROSS]
    for first, count, row in wide[:_FIRST_WIDE]:
        if is_across(row):
            return _header(separator, first, count, tuple(map(plain_name, row)), lines)
    best, header = -1, None
    for first, count, row in rows[:HEADER_WITHIN]:
        # All cells at once: few records hold a name at all.
        joined = plain_name("\t".join(row))
        if not any(name in joined for name in wanted):
            continue
        names = tuple(_LEADING_HASH.sub("", plain_name(cell)) for cell in row)
        hits = len(set(wanted) & set(names))
        if hits > best and hits and names.count("") < len(names):
            best, header = hits, _header(separator, first, count, names, lines)
    if header is not None:
        return header
    width = _usual_width(rows)
    for first, count, row in rows[:HEADER_WITHIN]:
        names = tuple(plain_name(cell) for cell in row)
        if len(row) in (width, width + 1) and any(names):
            return _header(separator, first, count, names, lines)
    return None


def _usual_width(rows: list[tuple[int, int, list[str]]]) -> int:
    widths = [len(row) for _, _, row in rows if any(cell.strip() for cell in row)]
    if not widths:
        return 0
    return max(set(widths), key=lambda width: (widths.count(width), width))


def _header(
    separator: str, first: int, count: int, names: tuple[str, ...], lines: Sequence[str]
) -> _Header:
    end = sum(map(len, lines[: first + count]))
    return _Header(separator, first + count, end, names)


def _told(
    lines: Sequence[str], told: int, separators: Sequence[str], wanted: Sequence[str], path: Path
) -> _Header:
    candidates = []
    for separator in separators:
        rows = _rows(lines, separator)
        if told == 0:
            width = _usual_width(rows)
            alike = sum(len(row) == width for _, _, row in rows) if width > 1 else 0
            candidates.append(((0, alike, width), _Header(separator, 0, 0, ("",) * width)))
            continue
        for first, count, row in rows:
            if first + count == told:
                names = tuple(_LEADING_HASH.sub("", plain_name(cell)) for cell in row)
                hits = len(set(wanted) & set(names))
                header = _header(separator, first, count, names, lines)
                candidates.append(((hits, len(names), 0), header))
    if not candidates:
        raise DataError(
            f"{path}: --header {told}: expected a line of the file, found {len(lines)} lines."
        )
    return max(candidates, key=lambda one: one[0])[1]


def _parse(body: str, header: _Header, path: Path) -> tuple[pd.DataFrame, _Header]:
    width = len(header.names)
    try:
        # One more column than names: each row ends with a separator, which is no fault.
        raw = pd.read_csv(
            io.StringIO(body),
            sep=r"\s+" if header.separator == " " else header.separator,
            header=None,
            names=range(width + 1),
            index_col=False,
            dtype=str,
            na_filter=False,
            skip_blank_lines=False,
            engine="c",
        )
    except pd.errors.EmptyDataError:
        raw = pd.DataFrame({at: pd.Series([], dtype="str") for at in range(width + 1)})
    except pd.errors.ParserError as error:
        return _reparse(body, header, str(error), path), header
    raw.index = pd.Index(np.arange(header.line + 1, header.line + 1 + len(raw)))
    blank = _blank(raw)
    raw = raw[~blank] if blank.any() else raw
    if raw.empty:
        raise DataError(f"{path}: expected rows below the header, found none. Give a longer file.")
    long = raw[width].to_numpy(object) != ""
    del raw[width]
    at = int(long.argmax())
    if (
        long.any()
        and at
        and len(raw) - at <= _NOTES
        and not _TIME_IN_IT.search(str(raw.iat[at, 0]))
    ):
        raw, long = raw.iloc[:at], long[:at]
    if long.any():
        line = int(raw.index[int(long.argmax())])
        raise DataError(
            _ragged(path, line, header, _row(body, line - header.line), int(long.sum()))
        )
    return raw, header


def _blank(cells: pd.DataFrame) -> NDArray[np.bool_]:
    """Rows without any letter, bool (n,)."""
    blank = np.asarray(cells[0].to_numpy(object) == "", np.bool_)
    for column in range(1, cells.shape[1]):
        if not blank.any():
            break
        blank &= cells[column].to_numpy(object) == ""
    return blank


def _reparse(body: str, header: _Header, message: str, path: Path) -> pd.DataFrame:
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
    if len(lines) <= _NOTES and not _TIME_IN_IT.search(row[0] if row else ""):
        return _parse(body[:start], header, path)[0]
    raise DataError(_ragged(path, at + header.line, header, row, 1))


def _offset(body: str, lines: int) -> int:
    end = 0
    for _ in range(lines):
        match = _LINE.match(body, end)
        assert match is not None
        end = match.end()
    return end


def _row(body: str, at: int) -> list[str]:
    """The line `at` (from 1) of the body, as a list of one text; empty if there is none."""
    start = _offset(body, at - 1)
    match = _LINE.match(body, start)
    return [] if match is None else [match.group().rstrip("\r\n")]


def _ragged(path: Path, line: int, header: _Header, row: list[str], count: int) -> str:
    text = row[0] if row else ""
    cells = next(iter(_rows([text], header.separator)), (0, 0, [text]))[2]
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
