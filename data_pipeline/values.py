"""From text to numbers. Decimal mark, thousands, unit and missing values are found per column."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.errors import DataError, Way
from data_pipeline.marks import without_marks
from data_pipeline.missing import EMPTY, WHOLE_CODES, far_codes
from data_pipeline.number_forms import CONVENTIONS, PLAIN, Convention, parse, tidy
from data_pipeline.source import DataSource
from data_pipeline.units import UNIT_BEHIND

LARGEST: Final = 1e15
# Different words in place of numbers that may all mean "no value".
_WORDS: Final = 4


@dataclass(frozen=True, eq=False)
class Numbers:
    """The number columns, read.

    Attributes:
        values: float64 (n, c + 1), covariates, then the target; NaN if a cell is empty.
        decimal, thousands: The marks that were decided.
        units: The unit after the numbers of a column, by column name.
        notes: What was found, one sentence each.
        warnings: What looks wrong but was kept.
    """

    values: NDArray[np.float64]
    decimal: str | None
    thousands: str
    units: Mapping[str, str]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Column:
    name: str
    cells: "pd.Series[str]"
    empty: NDArray[np.bool_]
    readings: "dict[Convention, NDArray[np.float64]]"
    unit: str
    note: str = ""


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
    columns = [_column(cells[name], name, source) for name in source.value_columns]
    undecided = [one for one in columns if len(one.readings) > 1]
    if undecided:
        known = {mark for one in columns if len(one.readings) == 1 for mark in _marks(one)}
        if not known:
            known = _evidence(others, source)
        if len(known) == 1:
            columns = [_by_mark(one, next(iter(known))) for one in columns]
    for one in columns:
        if len(one.readings) > 1:
            raise _two_readings(one, source)
    values = np.column_stack([next(iter(one.readings.values())) for one in columns])
    _check_size(columns, values, source)
    values, notes, warnings = _refuse_codes(columns, values, source)
    marked_notes = tuple(f"column {one.name!r}: {one.note}" for one in columns if one.note)
    chosen = [next(iter(one.readings)) for one in columns]
    marked = {one.decimal for one, column in zip(chosen, columns, strict=True) if _tells(column)}
    return Numbers(
        values=values,
        decimal=source.decimal or (marked.pop() if len(marked) == 1 else None),
        thousands=next((one.thousands for one in chosen if one.thousands), ""),
        units={one.name: one.unit for one in columns if one.unit},
        notes=(*notes, *marked_notes),
        warnings=warnings,
    )


def _column(cells: "pd.Series[str]", name: str, source: DataSource) -> _Column:
    """All readings of one column that differ in their values."""
    told = frozenset(code.strip().lower() for code in source.missing or ())
    if not isinstance(cells.dtype, pd.StringDtype):
        return _typed(cells, name, source)
    fast = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64)
    unread = np.isnan(fast)
    empty = np.zeros(len(cells), np.bool_)
    if unread.any():
        plain = cells[unread].str.strip().str.lower()
        empty[unread] = plain.isin(EMPTY | told).to_numpy()
    if told:
        _empty_told(cells, fast, empty, told)
    plain_numbers = not (unread & ~empty).any()
    if plain_numbers and source.decimal in (None, ".") and not _three_digits(cells, fast, empty):
        readings = {PLAIN: np.where(empty, np.nan, fast)}
        return _Column(name, cells, empty, readings, "")
    return _by_conventions(cells, empty, name, source)


def _typed(cells: "pd.Series[str]", name: str, source: DataSource) -> _Column:
    values = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    bad = np.isnan(values) & ~cells.isna().to_numpy()
    if bad.any() and not pd.api.types.is_numeric_dtype(cells.dtype):
        text = cells.astype("str").where(~cells.isna(), "")
        return _column(text.astype(pd.StringDtype(na_value=np.nan)), name, source)
    return _Column(name, cells.astype("str"), np.isnan(values), {PLAIN: values}, "")


def _empty_told(
    cells: "pd.Series[str]",
    fast: NDArray[np.float64],
    empty: NDArray[np.bool_],
    told: frozenset[str],
) -> None:
    codes = [float(code) for code in told if re.fullmatch(PLAIN.pattern(False), code)]
    if codes:
        empty |= np.isin(fast, codes)


def _three_digits(
    cells: "pd.Series[str]", fast: NDArray[np.float64], empty: NDArray[np.bool_]
) -> bool:
    """True if there are points, and each could separate thousands."""
    scaled = np.abs(fast[~empty & (np.abs(fast) < LARGEST)]) * 1000
    small = np.abs(fast) < 1
    if (np.abs(scaled - np.round(scaled)) > 1e-6 * np.maximum(scaled, 1)).any():
        return False
    text = cells[~empty & ~(small & (fast == 0))]
    head = text.iloc[:500].str.strip()
    group = r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+|[+-]?[0-9]{1,3}"
    if not head.str.fullmatch(group).all():
        return False
    text = text.str.strip()
    return bool(text.str.contains(".", regex=False).any() and text.str.fullmatch(group).all())


def _by_conventions(
    cells: "pd.Series[str]", empty: NDArray[np.bool_], name: str, source: DataSource
) -> _Column:
    codes, unique = pd.factorize(cells.to_numpy(object))
    text = tidy(pd.Series(unique, dtype="str"))
    filled = np.zeros(len(unique), np.bool_)
    filled[codes[~empty]] = True
    weights = np.bincount(codes[~empty], minlength=len(unique))
    text, note = without_marks(text, filled)
    bare, unit = _without_unit(text, filled)
    candidates = [
        one
        for one in CONVENTIONS
        if source.decimal in (None, one.decimal)
        and (source.thousands is None or source.thousands == one.thousands)
    ] or [Convention(source.decimal or ".", source.thousands or "")]
    # A logger writes its code as it is, also where numbers have thousands apart.
    coded = bare.isin(WHOLE_CODES).to_numpy()
    fits = {
        one: (bare.str.fullmatch(one.pattern(source.thousands is None)).to_numpy() | coded) & filled
        for one in candidates
    }
    counts = {one: int(weights[fit].sum()) for one, fit in fits.items()}
    most = max(counts.values())
    best = next(one for one in candidates if counts[one] == most)
    if most < int((~empty).sum()):
        bad = ~fits[best][codes] & ~empty
        raise _not_a_number(cells, bad, name, source)
    readings: dict[Convention, NDArray[np.float64]] = {}
    for one in candidates:
        if counts[one] == most:
            values = np.full(len(unique), np.nan)
            values[filled] = parse(bare[filled], one)
            full = np.where(empty, np.nan, values[codes])
            if not any(np.array_equal(full, other, equal_nan=True) for other in readings.values()):
                readings[one] = full
    return _Column(name, cells, empty, readings, unit, note)


def _without_unit(
    text: "pd.Series[str]", filled: NDArray[np.bool_]
) -> "tuple[pd.Series[str], str]":
    """Removes the unit if every number is followed by the same one."""
    found = text.str.extract(UNIT_BEHIND)
    units = found[1][filled].dropna().unique()
    if len(units) != 1 or found[1][filled].isna().any():
        return text, ""
    return found[0].str.strip().where(filled, text), str(units[0])


def _not_a_number(
    cells: "pd.Series[str]", bad: NDArray[np.bool_], name: str, source: DataSource
) -> DataError:
    text = cells[bad].str.strip()
    cell = text.iloc[0]
    ways = []
    if source.thousands is None and re.fullmatch(
        r"[+-]?\d{1,3}([,. '])\d{3}(\1\d{3})*(\D\d+)?", cell
    ):
        ways.append(Way({"thousands": re.findall(r"\D", cell.lstrip("+-"))[0]}))
    elif 2 * len(text) < len(cells) and not text.str.contains(r"[\d,]").any():
        codes = list(dict.fromkeys(text))[:_WORDS]
        told = f"{' and '.join(map(places.quoted, codes))} means no value"
        ways.append(Way({"missing": (*(source.missing or ()), *codes)}, told))
    return DataError(
        f"{source.file}: line {text.index[0]}, column {name!r}: expected a number, found "
        f"{places.quoted(cell)}; {len(text)} such cells. Other numbers of the column are written "
        f"in another way. Correct it, give the marks with --decimal and --thousands, "
        f"or choose another column with --target or --features.",
        ways,
    )


def _marks(column: _Column) -> set[str]:
    return {one.decimal for one in column.readings} if _tells(column) else set()


def _tells(column: _Column) -> bool:
    """True if a comma or a point is written in the column."""
    return bool(column.cells[~column.empty].head(2000).str.contains(r"[.,]").any())


def _evidence(others: pd.DataFrame, source: DataSource) -> set[str]:
    """Decimal marks of the columns that were not asked for."""
    known: set[str] = set()
    plain = source.model_copy(update={"missing": None})
    for name in list(others.columns)[:40]:
        cells = others[name]
        if isinstance(cells, pd.DataFrame) or not isinstance(cells.dtype, pd.StringDtype):
            continue
        try:
            column = _column(cells.head(5000), str(name), plain)
        except DataError:
            continue
        if len(column.readings) == 1 and _tells(column) and not column.empty.all():
            known |= _marks(column)
    return known


def _by_mark(column: _Column, mark: str) -> _Column:
    kept = {one: values for one, values in column.readings.items() if one.decimal == mark}
    return replace(column, readings=kept or column.readings)


def _two_readings(column: _Column, source: DataSource) -> DataError:
    at = int(np.argmax(np.ptp(np.array(list(column.readings.values())), axis=0) > 0))
    cell = column.cells.iloc[at].strip()
    ways = [
        Way({"decimal": one.decimal}, f"{places.quoted(cell)} is {values[at]:.10g}")
        for one, values in column.readings.items()
    ]
    return DataError(
        f"{source.file}: line {column.cells.index[at]}, column {column.name!r}: "
        f"{places.quoted(cell)} can be read in {len(ways)} ways, and no cell tells which.",
        ways,
    )


def _check_size(
    columns: Sequence[_Column], values: NDArray[np.float64], source: DataSource
) -> None:
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
                f" +-{LARGEST:g}, found {numbers[at]:g}; {huge.sum()} such cells. Correct them."
            )


def _refuse_codes(
    columns: Sequence[_Column], values: NDArray[np.float64], source: DataSource
) -> tuple[NDArray[np.float64], tuple[str, ...], tuple[str, ...]]:
    """Refuses numbers that look like "no value" until `--missing` says what they are."""
    found: dict[float, str] = {}
    for column, numbers in zip(columns, values.T, strict=True):
        for code in far_codes(numbers):
            at = np.flatnonzero(numbers == code)
            lines = column.cells.index.to_numpy(np.int64)[at]
            found[code] = (
                f"{code:g} in column {column.name!r}, {len(at)} times ({places.lines(lines)})"
            )
    notes = tuple(
        f"column {column.name!r}: {int(column.empty.sum())} empty cells"
        for column in columns
        if column.empty.any()
    )
    if not found:
        return values, notes, ()
    said = "; ".join(found.values())
    if source.missing is not None:
        return values, notes, (f"{said}: kept as values, though it looks like a code",)
    codes = tuple(f"{code:g}" for code in found)
    raise DataError(
        f"{source.file}: found {said}, far from all other values. It may mean no value, or be a "
        f"real value.",
        [
            Way({"missing": codes}, f"{' and '.join(codes)} means no value"),
            Way({"missing": ()}, "they are values"),
        ],
    )
