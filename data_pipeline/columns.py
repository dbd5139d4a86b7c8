"""Selects the wanted cells: columns by name or position, rows by `--where`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline.body import plain_name
from data_pipeline.errors import DataError, Way
from data_pipeline.places import quoted
from data_pipeline.source import DataSource

LISTED: Final = 50
# Columns of one name that are offered by their positions.
_PLACES: Final = 4
_UNNAMED: Final = re.compile(r"(?:#|column )?(\d{1,4})|unnamed: (\d{1,4})(?:_level_\d)?", re.I)


@dataclass(frozen=True, eq=False)
class Slots:
    """The time of day of each column, in a table with one row per day.

    Attributes:
        begin: int64 (n,), minutes from midnight to the begin of each cell's period.
        fold: int8 (n,), 0 or 1 for the first or second of two hours with one name, else -1.
        step: Minutes per period.
        count: Periods per day.
        by_clock: True if the columns are named by clock times from 00:00 on.
    """

    begin: NDArray[np.int64]
    fold: NDArray[np.int8]
    step: int
    count: int
    by_clock: bool = False


@dataclass(frozen=True, eq=False)
class Table:
    """The wanted cells of a file as text; typed columns keep their type.

    Attributes:
        times: The time columns, in the order asked for; the index holds file line numbers.
        values: The number columns, under the names asked for.
        others: Columns that were not asked for.
        slots: The columns' times of day in a table with one row per day; its `times` hold days.
            Else None.
        notes: What was left out, one sentence each.
        from_1904: Whether the workbook counts its days from 1904; None if there is no workbook.
    """

    times: "tuple[pd.Series[str], ...]"
    values: pd.DataFrame
    others: pd.DataFrame
    slots: Slots | None = None
    notes: tuple[str, ...] = ()
    from_1904: bool | None = None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, at: NDArray[np.bool_] | slice) -> "Table":
        """The rows where this mask is True."""
        if isinstance(at, np.ndarray) and at.all():
            return self
        slots = self.slots
        if slots is not None:
            slots = replace(slots, begin=slots.begin[at], fold=slots.fold[at])
        values = self.values[at]
        return Table(
            tuple(column[at] for column in self.times),
            values,
            self.others[at] if self.others.shape[1] else self.others.iloc[: len(values)],
            slots,
            self.notes,
            self.from_1904,
        )


def wanted_names(source: DataSource) -> list[str]:
    """The names that a header must hold, without positions."""
    asked = [*source.time, *source.value_columns, *(one.split("=", 1)[0] for one in source.where)]
    return [plain_name(name) for name in asked if _UNNAMED.fullmatch(name.strip()) is None]


def position(name: str, names: Sequence[str]) -> int | None:
    """The place of a column by its name, or by its number from 1 if no column has that name."""
    plain = plain_name(name)
    if plain in names:
        return names.index(plain)
    by_number = _UNNAMED.fullmatch(plain)
    if by_number is None:
        return None
    at = int(by_number[1]) - 1 if by_number[1] else int(by_number[2])
    return at if 0 <= at < len(names) else None


def listed(names: Sequence[str]) -> str:
    """The names of columns for a message."""
    shown = [quoted(one) if one else f"column {at} (no name)" for at, one in enumerate(names, 1)]
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(shown[:LISTED]) + more


def choose_columns(
    names: Sequence[str], cells: pd.DataFrame, source: DataSource, where: str
) -> Table:
    """Takes the wanted columns.

    Args:
        names: All column names, "" if there is none.
        cells: Columns numbered from 0.
        source: The names or positions asked for.
        where: The file, the line of the header and the encoding, for messages.

    Raises:
        DataError: If a name fits no column or two columns.
    """
    asked = (*source.time, *source.value_columns)
    absent = [name for name in asked if position(name, names) is None]
    if absent:
        raise DataError(
            f"{where}: expected a column {' and a column '.join(map(repr, absent))}; the columns "
            f"found are {listed(names)}. Map them by --time, --target and --features."
        )
    for name in asked:
        if names.count(plain_name(name)) > 1:
            raise _twice(name, names, source, where)
    at = [one for name in asked if (one := position(name, names)) is not None]
    if len(set(at)) < len(at):
        raise DataError(f"{where}: --time, --target and --features name one column twice: {asked}.")
    split = len(source.time)
    values = cells[at[split:]]
    values.columns = pd.Index(source.value_columns)
    left = [one for one in range(len(names)) if one not in at]
    others = cells[left]
    others.columns = pd.Index([names[one] or f"column {one + 1}" for one in left])
    return Table(tuple(cells[one] for one in at[:split]), values, others)


def _twice(name: str, names: Sequence[str], source: DataSource, where: str) -> DataError:
    plain = plain_name(name)
    found = [str(at) for at, one in enumerate(names, 1) if one == plain]
    told = {field: getattr(source, field) for field in ("time", "target", "features")}

    def by_position(at: str) -> dict[str, object]:
        return {
            field: at if value == name else tuple(at if one == name else one for one in value)
            for field, value in told.items()
            if name == value or (field != "target" and name in value)
        }

    return DataError(
        f"{where}: expected one column {plain!r}, found {len(found)}; the columns found are "
        f"{listed(names)}. Rename all but one, or give the position: {', '.join(found)}.",
        [Way(by_position(at), f"column {at}") for at in found[:_PLACES]],
    )


def choose_rows(
    names: Sequence[str], cells: pd.DataFrame, source: DataSource, where: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Takes the rows that `--where` selects: any of the values of a column, in each such column.

    Raises:
        DataError: If there is no such column or value; the values are listed.
    """
    notes = []
    for column, values in _asked(source).items():
        said = " or ".join(f"{column}={value}" for value in values)
        at = position(column, names)
        if at is None:
            raise DataError(
                f"{where}: --where {said}: expected a column {column!r}; the columns found are "
                f"{listed(names)}."
            )
        found = cells[at].astype("str").str.strip()
        chosen = found.isin([value.strip() for value in values]).to_numpy()
        if not chosen.any():
            known = found.drop_duplicates().head(20).tolist()
            raise DataError(
                f"{where}: --where {said}: expected rows with that value, found "
                f"{', '.join(map(quoted, known))}.",
                [
                    Way({"where": (f"{column}={other}",)})
                    for other in known[:6]
                    if len(known) <= 6 and other
                ],
            )
        notes.append(
            f"{len(chosen) - int(chosen.sum())} rows with other values than {said} left out"
        )
        cells = cells[chosen]
    return cells, tuple(notes)


def _asked(source: DataSource) -> dict[str, list[str]]:
    """The values of each column of `--where`."""
    asked: dict[str, list[str]] = {}
    for one in source.where:
        column, value = one.split("=", 1)
        asked.setdefault(column, []).append(value)
    return asked
