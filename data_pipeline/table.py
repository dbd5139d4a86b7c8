"""From a file to the wanted cells as text: container, encoding, shape, columns."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from data_pipeline.across import is_across, turn
from data_pipeline.body import SEPARATORS, plain_name
from data_pipeline.columns import Table, choose_columns, choose_rows, position, wanted_names
from data_pipeline.container import Content, read_content
from data_pipeline.encoding import decode
from data_pipeline.errors import DataError, Way
from data_pipeline.nem12 import as_days
from data_pipeline.proposals import propose
from data_pipeline.shape import read_shape
from data_pipeline.source import DataSource
from data_pipeline.wide import is_wide, melt, number_periods

_SHEETS: Final = 6
_MOSTLY: Final = 0.9


@dataclass(frozen=True, eq=False)
class Found:
    """A table and how it was read.

    Attributes:
        table: The wanted cells.
        encoding: Name of the encoding, or of the container if it has none.
        codec: Python's name of the encoding if only the letters told it, for the reading rules;
            else None.
        separator: Name of the separator; "" in a workbook.
        header: Line of the column names.
        notes: What was left out, one sentence each.
    """

    table: Table
    encoding: str
    codec: str | None
    separator: str
    header: int
    notes: tuple[str, ...]


def read_table(source: DataSource) -> Found:
    """Reads the time, target and feature columns of a file as text.

    Args:
        source: The file and its column names.

    Returns:
        The cells and how they were read. Blank lines are left out but counted. A line break inside
        quotes does not count as a line.

    Raises:
        DataError: If the file cannot be read, is not a table or lacks a column.
    """
    path = source.file
    content = read_content(path)
    if content.sheets:
        return _from_sheet(content, source)
    asked = (*source.time, *source.value_columns)
    text = decode(content.text, path, source.encoding, asked)
    plain, records = as_days(text.text, with_nulls=source.edition == 1)
    times = source.time if source.edition > 1 else ()
    raw = read_shape(plain, path, source.header, wanted_names(source), times, source.section)
    where = f"{path}: line {raw.header}"
    names, cells, header = raw.names, raw.cells, raw.header
    if header and source.header is None and not set(wanted_names(source)) & set(names):
        names, cells, header = _without_header(names, cells, header, source)
    if raw.separator == SEPARATORS[","]:
        _need_whole_numbers(names, cells, source, where)
    table, notes = _choose(names, cells, source, where, text.name)
    return Found(
        table=table,
        encoding=text.name,
        codec=None if text.certain and source.encoding is None else text.codec,
        separator=raw.separator,
        header=header,
        notes=(*content.notes, *text.notes, *records, *raw.notes, *notes, *table.notes),
    )


def _need_whole_numbers(
    names: tuple[str, ...], cells: pd.DataFrame, source: DataSource, where: str
) -> None:
    """Refuses digits in a nameless last column that may be those behind a decimal comma."""
    last = len(names) - 1
    name = names[last - 1]
    if last < 2 or names[last] or not name or name not in map(plain_name, source.value_columns):
        return
    digits = [cells[at].astype("str").str.strip() for at in (last - 1, last)]
    shares = [
        float(column.str.fullmatch(form).mean())
        for column, form in zip(digits, (r"[+-]?\d+", r"\d+"), strict=True)
    ]
    if min(shares) < _MOSTLY:
        return
    told = source.model_dump(include={"target", "features"})
    by_position: dict[str, object] = (
        {"target": str(last)}
        if plain_name(source.target) == name
        else {
            "features": [str(last) if plain_name(one) == name else one for one in told["features"]]
        }
    )
    raise DataError(
        f"{where}: the last column has no name and holds digits, such as {digits[1].iloc[0]!r} "
        f"behind {digits[0].iloc[0]!r} of column {name!r}. If they stand behind decimal commas, "
        f"put these numbers in quotes, or separate the cells by semicolons.",
        [Way(by_position, f"{name!r} holds whole numbers")],
    )


def _without_header(
    names: tuple[str, ...], cells: pd.DataFrame, header: int, source: DataSource
) -> tuple[tuple[str, ...], pd.DataFrame, int]:
    """If columns are given by position only, keeps a first line that holds data."""
    at = [position(name, names) for name in source.value_columns]
    numbers = all(
        one is not None and pd.notna(pd.to_numeric(names[one], errors="coerce")) for one in at
    )
    if not at or not numbers:
        return names, cells, header
    first = pd.DataFrame([list(names)], index=[header], dtype="str")
    return ("",) * len(names), pd.concat([first, cells]), 0


def _choose(
    names: tuple[str, ...], cells: pd.DataFrame, source: DataSource, where: str, encoding: str
) -> tuple[Table, tuple[str, ...]]:
    turned: tuple[str, ...] = ()
    if is_across(names):
        names, cells, turned = turn(names, cells)
    cells, notes = choose_rows(names, cells, source, where)
    notes = (*turned, *notes)
    if is_wide(names, source):
        return melt(names, cells, source, where), notes
    try:
        return number_periods(choose_columns(names, cells, source, where)), notes
    except DataError as error:
        message = error.message.replace(
            "the columns found are", f"the columns found ({encoding}) are"
        )
        raise DataError(message, [*error.ways, *propose(names, cells, source)]) from error


def _from_sheet(content: Content, source: DataSource) -> Found:
    """Finds the sheet that holds the names."""
    path = source.file
    wanted = set(wanted_names(source))
    found = {}
    for name, frame in content.sheets.items():
        names, cells, line = _sheet_header(frame, content.header, source.header, wanted)
        found[name] = (len(wanted & set(names)), names, cells, line)
    most = max(one[0] for one in found.values())
    best = [name for name, one in found.items() if one[0] == most]
    if len(best) > 1 and source.section is None:
        raise DataError(
            f"{path}: expected one sheet with the columns asked for, found {len(best)}: "
            f"{', '.join(map(repr, best[:_SHEETS]))}.",
            [Way({"section": at}, repr(one)) for at, one in enumerate(best[:_SHEETS], 1)],
        )
    at = 1 if source.section is None else source.section
    if at > len(best):
        raise DataError(f"{path}: --section {at}: found {len(best)} sheet(s) with these columns.")
    sheet = best[at - 1]
    _, names, cells, line = found[sheet]
    kind = "Parquet" if content.header else "workbook"
    where = f"{path}: sheet {sheet!r}" if not content.header else f"{path}"
    table, notes = _choose(names, cells, source, where, kind)
    table = replace(table, from_1904=content.from_1904)
    return Found(table, kind, None, "", line, (*content.notes, *notes, *table.notes))


def _sheet_header(
    frame: pd.DataFrame, named: bool, told: int | None, wanted: set[str]
) -> tuple[tuple[str, ...], pd.DataFrame, int]:
    if named:
        names = tuple(plain_name(name) for name in frame.columns)
        cells = frame.set_axis(range(frame.shape[1]), axis=1)
        cells.index = pd.Index(np.arange(1, len(cells) + 1))
        return names, cells, 0
    hits = [
        len(wanted & {plain_name(cell) for cell in row})
        for row in frame.head(100).itertuples(index=False)
    ]
    line = told if told is not None else int(np.argmax(hits)) + 1
    names = (
        tuple(plain_name(cell) for cell in frame.iloc[line - 1]) if line else ("",) * frame.shape[1]
    )
    cells = frame.iloc[line:].copy()
    cells.index = pd.Index(np.arange(line + 1, len(frame) + 1))
    return names, cells[(cells != "").any(axis=1).to_numpy()], line
