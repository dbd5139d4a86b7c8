"""Cuts off what surrounds the data: units and second headers above, sums and notes below."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.body import plain_name
from data_pipeline.clock_times import ClockTimes
from data_pipeline.columns import Table
from data_pipeline.errors import DataError, Way
from data_pipeline.number_columns import is_empty
from data_pipeline.number_forms import PLAIN
from data_pipeline.sections import SUMS
from data_pipeline.source import DataSource
from data_pipeline.unread_times import what_helps

# Up to this many rows without a time below the header may be units or a second header.
_BELOW_HEADER: Final = 4
# Lines below the data that may be sums and notes.
_BELOW_DATA: Final = 50


@dataclass(frozen=True)
class Around:
    """What was found above and below the data: units by column, and notes on what was left out."""

    units: dict[str, str]
    notes: tuple[str, ...]


def trim(table: Table, times: ClockTimes, source: DataSource) -> tuple[Table, ClockTimes, Around]:
    """Leaves out units below the header, sums and notes below the data.

    Args:
        table: As it was found.
        times: Its times; rows without data have none.
        source: Names for messages.

    Raises:
        DataError: If another row has no time.
    """
    read = times.read
    units: dict[str, str] = {}
    if read.all():
        return table, times, Around(units, ())
    if not read.any():
        raise _no_time(table, read, source)
    notes = []
    first, stop = int(np.argmax(read)), len(read) - int(np.argmax(read[::-1]))
    text = table.times[0].astype("str").str.strip()
    if first:
        sums = _is_no_row(text.iloc[:first], source)
        head = table.values.iloc[:first][~sums]
        if first > _BELOW_HEADER or _holds_numbers(head):
            raise _no_time(table, read, source)
        units = {
            str(name): str(head[name].iloc[0]).strip()
            for name in head
            if len(head) and str(head[name].iloc[0]).strip()
        }
        told = ", ".join(f"{name}: {unit}" for name, unit in units.items()) or "nothing"
        notes.append(f"{first} rows below the column names left out; they say {told}")
    if stop < len(read):
        tail = text.iloc[stop:]
        # A cut or mistyped time is not a note, unless no value stands beside it.
        cut = tail.str.fullmatch(r"[0-9:./ T-]+").to_numpy()
        bare = empty_rows(table.take(slice(stop, None)), source)
        if (cut & ~bare).any() or tail.index.nunique() > _BELOW_DATA:
            raise _no_time(table, read, source)
        notes.append(
            f"{tail.index.nunique()} rows below the data left out, which have no time: "
            f"{places.quoted(tail.iloc[0])} in {places.lines(tail.index.to_numpy(np.int64))}"
        )
    inner = slice(first, stop)
    mask = np.zeros(len(read), np.bool_)
    mask[inner] = True
    between = mask & ~read
    between[between] = _is_no_row(text[between], source)
    if between.any():
        mask &= ~between
        at = text[between]
        notes.append(
            f"{at.index.nunique()} rows among the data left out, which repeat the names or are "
            f"sums: {places.quoted(at.iloc[0])} in {places.lines(at.index.to_numpy(np.int64))}"
        )
    if not read[mask].all():
        raise _no_time(table.take(mask), read[mask], source)
    return table.take(mask), times.take(mask), Around(units, tuple(notes))


def _is_no_row(text: "pd.Series[str]", source: DataSource) -> NDArray[np.bool_]:
    """Names that come again on every page, and sums of a day or a month, bool (n,)."""
    name = plain_name(source.time[0])
    return np.array([cell == name or bool(SUMS.search(cell)) for cell in text], np.bool_)


def _holds_numbers(cells: pd.DataFrame) -> bool:
    return any(pd.to_numeric(cells[name], errors="coerce").notna().any() for name in cells)


def _no_time(table: Table, read: NDArray[np.bool_], source: DataSource) -> DataError:
    texts = table.times
    text = texts[0].astype("str").str.strip()
    for more in texts[1:]:
        text = text + " " + more.astype("str").str.strip()
    at = int(np.argmin(read))
    cell = text.iloc[at]
    ways: list[Way] = []
    if source.date_format is not None:
        hint = f"It does not fit --date-format {source.date_format!r}"
    elif cell == "":
        hint = "Fill it or remove the row"
    else:
        hint, ways = what_helps(text[~read], source)
    below = np.flatnonzero(~read)
    if source.section is None and at > 0 and _may_be_names(table, below):
        hint = "Another table may begin there"
        ways = [Way({"section": 1}, "the table above"), Way({"section": 2}, "the table below")]
    return DataError(
        f"{source.file}: line {text.index[at]}, column {source.time_name!r}: expected a time such "
        f"as '2014-04-01 05:00', found {places.quoted(cell)}; {int((~read).sum())} such rows. "
        f"{hint}.",
        ways,
    )


def _may_be_names(table: Table, rows: NDArray[np.intp]) -> bool:
    """True if one of these rows holds words where numbers are expected."""
    cells = table.values.iloc[rows[:_BELOW_DATA]].astype("str")
    return any(cells[name].str.contains(r"[^\W\d_]{2}").any() for name in cells)


def empty_rows(table: Table, source: DataSource) -> NDArray[np.bool_]:
    """Rows without any value, bool (n,)."""
    told = frozenset(code.strip().lower() for code in source.missing or ())
    codes = [float(code) for code in told if PLAIN.fits(code, False)]
    empty = np.ones(len(table), np.bool_)
    for name in source.value_columns:
        column = table.values[name]
        if not isinstance(column.dtype, pd.StringDtype):
            empty &= column.isna().to_numpy()
            continue
        at = np.flatnonzero(empty)
        if len(at):
            cells = column.iloc[at]
            empty[at] = is_empty(cells.to_numpy(object), told)
            if codes:
                plain = cells.str.strip().str.replace(",", ".", regex=False)
                empty[at] |= np.isin(pd.to_numeric(plain, errors="coerce"), codes)
    return empty
