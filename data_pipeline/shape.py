"""The shape of a text table: separator, line of the column names, rows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from data_pipeline.across import ACROSS, is_across
from data_pipeline.body import LINE, SEPARATORS, Header, parse, plain_name, records
from data_pipeline.errors import DataError
from data_pipeline.sections import choose_section, sections_of, several

# Lines in which the column names are looked for.
HEADER_WITHIN: Final = 100
_HEAD: Final = 400_000
# Times that run across stand in one of so many rows with columns for them.
_FIRST_WIDE: Final = 3
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


def read_shape(
    text: str,
    path: Path,
    told: int | None,
    wanted: Sequence[str],
    times: Sequence[str] = (),
    section: int | None = None,
) -> RawTable:
    """Finds separator and header, and splits the rows below.

    The header is the first line that holds all names asked for. If no line holds them, the
    separator is the one with which the rows are most alike, so that a message can list the columns.

    Args:
        text: The file.
        path: Its name, for messages.
        told: `--header`.
        wanted: Column names that were asked for, without positions.
        times: Those of the time columns, by which another table below is found.
        section: `--section`.

    Raises:
        DataError: If a row has more cells than there are names, a quote is not closed, or several
            tables stand below each other.
    """
    text, notes = _unwrapped(text)
    lines = _head_lines(text)
    # The target may stand in a later table only.
    looked_for = [name for name in wanted if name in times] if section else []
    first = _find(lines, told, looked_for or wanted, path)
    body, header, found = choose_section(text, first, times, section, path)
    notes += found
    try:
        raw, found = parse(body, header, path)
    except DataError as error:
        tables = sections_of(text, first) if section is None else []
        if len(tables) < 2:
            raise
        raise several(tables, path) from error
    notes += found
    above = sum(1 for line in lines[: max(0, first.line - 1)] if line.strip())
    if above:
        notes.append(f"{above} lines above the column names in line {first.line} left out")
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
    for match in LINE.finditer(text[:_HEAD]):
        lines.append(match.group())
        if len(lines) == HEADER_WITHIN + 60 or match.end() == match.start():
            break
    return lines


def _find(lines: Sequence[str], told: int | None, wanted: Sequence[str], path: Path) -> Header:
    marked = _SEP_LINE.match(lines[0]) if lines else None
    separators = [marked[1]] if marked and marked[1] in SEPARATORS else _written(lines)
    if told is not None:
        return _told(lines, told, separators, wanted, path)
    best: tuple[tuple[int, ...], Header] | None = None
    for separator in separators:
        rows = records(lines, separator)
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
        # Any text has blanks: they are taken if no other sign divides most lines alike.
        clear = by_sign and width > 1 and 2 * alike > len(rows)
        key = (hits, clear, by_sign or width > 1, alike if width > 1 else 0, by_sign, width)
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
) -> Header | None:
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
) -> Header:
    end = sum(map(len, lines[: first + count]))
    return Header(separator, first + count, end, names)


def _told(
    lines: Sequence[str], told: int, separators: Sequence[str], wanted: Sequence[str], path: Path
) -> Header:
    candidates = []
    for separator in separators:
        rows = records(lines, separator)
        if told == 0:
            width = _usual_width(rows)
            alike = sum(len(row) == width for _, _, row in rows) if width > 1 else 0
            candidates.append(((0, alike, width), Header(separator, 0, 0, ("",) * width)))
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
