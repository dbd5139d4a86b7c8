"""From text to numbers. Decimal mark, thousands, unit and missing values are found per column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.errors import DataError, Way
from data_pipeline.number_columns import LARGEST, Column, read_column
from data_pipeline.source import DataSource


@dataclass(frozen=True, eq=False)
class Numbers:
    """The number columns, read.

    Attributes:
        values: float64 (n, c + 1), covariates, then the target; NaN if a cell is empty.
        decimal, thousands: The marks that were decided.
        units: The unit after the numbers of a column, by column name.
        notes: What was found, one sentence each.
    """

    values: NDArray[np.float64]
    decimal: str | None
    thousands: str
    units: Mapping[str, str]
    notes: tuple[str, ...]


def read_numbers(cells: pd.DataFrame, others: pd.DataFrame, source: DataSource) -> Numbers:
    """Reads the number columns.

    Most columns fit only one decimal mark. A column such as 4.025 and 12.310 fits both, with
    different values. It then has the mark of the other columns. If these do not settle it, the
    column is refused.

    Args:
        cells: Text, indexed by file line; the columns of `source.value_columns`.
        others: Columns that were not asked for, as evidence.
        source: `--decimal`, `--thousands`, `--missing`, and the names.

    Raises:
        DataError: If a cell is text, infinite or beyond +-1e15, or if two readings fit.
    """
    columns = [read_column(cells[name], name, source) for name in source.value_columns]
    undecided = [one for one in columns if len(one.readings) > 1]
    if undecided:
        known = {mark for one in columns if len(one.readings) == 1 for mark in one.decimals}
        if not known:
            known = _evidence(others, source)
        if len(known) == 1:
            columns = [_by_mark(one, next(iter(known))) for one in columns]
    for one in columns:
        if len(one.readings) > 1:
            raise _two_readings(one, source)
    values = np.column_stack([next(iter(one.readings.values())) for one in columns])
    _check_size(columns, values, source)
    notes = tuple(
        f"column {column.name!r}: {int(column.empty.sum())} empty cells"
        for column in columns
        if column.empty.any()
    )
    marked_notes = tuple(f"column {one.name!r}: {one.note}" for one in columns if one.note)
    chosen = [next(iter(one.readings)) for one in columns]
    marked = {one.decimal for one, column in zip(chosen, columns, strict=True) if column.tells}
    return Numbers(
        values=values,
        decimal=source.decimal or (marked.pop() if len(marked) == 1 else None),
        thousands=next((one.thousands for one in chosen if one.thousands), ""),
        units={one.name: one.unit for one in columns if one.unit},
        notes=(*notes, *marked_notes),
    )


def _evidence(others: pd.DataFrame, source: DataSource) -> set[str]:
    """Decimal marks of the columns that were not asked for."""
    known: set[str] = set()
    plain = source.model_copy(update={"missing": None})
    for name in list(others.columns)[:40]:
        cells = others[name]
        if isinstance(cells, pd.DataFrame) or not isinstance(cells.dtype, pd.StringDtype):
            continue
        try:
            column = read_column(cells.head(5000), str(name), plain)
        except DataError:
            continue
        if len(column.readings) == 1 and not column.empty.all():
            known |= column.decimals
    return known


def _by_mark(column: Column, mark: str) -> Column:
    kept = {one: values for one, values in column.readings.items() if one.decimal == mark}
    return replace(column, readings=kept or column.readings)


def _two_readings(column: Column, source: DataSource) -> DataError:
    at = int(np.argmax(np.ptp(np.array(list(column.readings.values())), axis=0) > 0))
    cell = column.cells.iloc[at].strip()
    ways = [
        Way({"decimal": one.decimal}, f"{places.quoted(cell)} is {values[at]:.10g}")
        for one, values in column.readings.items()
    ]
    return DataError(
        f"{source.file}: line {column.cells.index.to_numpy(np.int64)[at]}, column {column.name!r}: "
        f"{places.quoted(cell)} can be read in {len(ways)} ways, and no cell tells which.",
        ways,
    )


def _check_size(columns: Sequence[Column], values: NDArray[np.float64], source: DataSource) -> None:
    for column, numbers in zip(columns, values.T, strict=True):
        lines = column.cells.index.to_numpy(np.int64)
        infinite = np.isinf(numbers)
        if infinite.any():
            raise DataError(
                f"{source.file}: column {column.name!r}: expected finite numbers, found "
                f"{infinite.sum()} infinite in {places.lines(lines[infinite])}. Correct them, or "
                f"empty the cells and give --gaps interpolate."
            )
        huge = np.abs(numbers) > LARGEST
        if huge.any():
            at = int(np.argmax(huge))
            raise DataError(
                f"{source.file}: line {lines[at]}, column {column.name!r}: expected numbers within"
                f" +-{LARGEST:g}, found {numbers[at]:g}; {huge.sum()} such cells. Correct them.",
                [Way({"missing": (f"{numbers[at]:.15g}",)}, "it means no value")],
            )
