"""One column of cells and the ways to read its numbers."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.errors import DataError, Way
from data_pipeline.marks import Marked, marked, notes_on
from data_pipeline.missing import EMPTY, WHOLE_CODES
from data_pipeline.number_forms import (
    CONVENTIONS,
    PLAIN,
    Convention,
    form_of,
    half_width,
    parse,
    tidy,
)
from data_pipeline.source import DataSource
from data_pipeline.units import power_of_ten

Texts = NDArray[np.object_]

LARGEST: Final = 1e15
# Different words in place of numbers that may all mean "no value".
_WORDS: Final = 4
_TELLING: Final = 2000
_HEAD: Final = 500
_THREES: Final = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+|[+-]?[0-9]{1,3}")
_GROUPED: Final = re.compile(r"[+-]?\d{1,3}([,. '])\d{3}(\1\d{3})*(\D\d+)?")


@dataclass(frozen=True, eq=False)
class Column:
    """A column and its readings.

    Attributes:
        name: Of the column.
        cells: Text of n cells, indexed by file line.
        empty: bool (n,), cells without a value.
        readings: float64 (n,) for each convention, if they differ in their values.
        unit: The unit behind the numbers, "" for none.
        tells: True if a comma or a point is written in the column.
        note: What stands around the numbers, "" for nothing.
    """

    name: str
    cells: "pd.Series[str]"
    empty: NDArray[np.bool_]
    readings: "dict[Convention, NDArray[np.float64]]"
    unit: str
    tells: bool
    note: str = ""

    @property
    def decimals(self) -> set[str]:
        """The decimal marks that the column allows, if any is written in it."""
        return {one.decimal for one in self.readings} if self.tells else set()


def read_column(cells: "pd.Series[str]", name: str, source: DataSource) -> Column:
    """Finds all readings of one column that differ in their values.

    Args:
        cells: Text or numbers, indexed by file line.
        name: Of the column, for messages.
        source: `--decimal`, `--thousands`, `--missing`.

    Raises:
        DataError: If a cell is neither empty nor a number, or units do not fit together.
    """
    if isinstance(cells.dtype, pd.StringDtype):
        return _of_text(cells, name, source)
    values = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    absent = cells.isna()
    bad = np.isnan(values) & ~absent.to_numpy()
    text = cells.astype("str").where(~absent, "").astype(pd.StringDtype(na_value=np.nan))
    if bad.any() and not pd.api.types.is_numeric_dtype(cells.dtype):
        return _of_text(text, name, source)
    empty = np.isnan(values)
    return Column(name, text, empty, {PLAIN: values}, "", _tells(text.to_numpy(object), empty))


def _of_text(cells: "pd.Series[str]", name: str, source: DataSource) -> Column:
    cells = half_width(cells)
    text: Texts = cells.to_numpy(object)
    told = frozenset(code.strip().lower() for code in source.missing or ())
    fast = np.asarray(pd.to_numeric(text, errors="coerce"), np.float64)
    unread = np.isnan(fast)
    empty = np.zeros(len(text), np.bool_)
    if unread.any():
        empty[unread] = is_empty(text[unread], told)
    codes = [float(code) for code in told if PLAIN.fits(code, False)]
    if codes:
        empty |= np.isin(fast, codes)
    plain = not (unread & ~empty).any() and source.decimal in (None, ".")
    if plain and not _three_digits(text, fast, empty):
        readings = {PLAIN: np.where(empty, np.nan, fast)}
        return Column(name, cells, empty, readings, "", _tells(text, empty))
    return _without(codes, _by_forms(cells, text, empty, name, source))


def _without(codes: Sequence[float], column: Column) -> Column:
    """The column without these numbers, however they are written: 99999.99 and 99.999,99."""
    at = [np.isin(values, codes) for values in column.readings.values()]
    if not codes or len(at) != 1 or not at[0].any():
        return column
    readings = {one: np.where(at[0], np.nan, values) for one, values in column.readings.items()}
    return replace(column, empty=column.empty | at[0], readings=readings)


def _tells(text: Texts, empty: NDArray[np.bool_]) -> bool:
    sample = text[np.flatnonzero(~empty)[:_TELLING]]
    return any("." in cell or "," in cell for cell in sample)


def is_empty(text: Texts, told: frozenset[str] = frozenset()) -> NDArray[np.bool_]:
    """Cells that say "no value", bool (n,).

    Args:
        text: object (n,).
        told: Codes that mean the same here, in lower case.
    """
    words = EMPTY | told
    return np.array([cell in words or cell.strip().lower() in words for cell in text], np.bool_)


def _three_digits(text: Texts, fast: NDArray[np.float64], empty: NDArray[np.bool_]) -> bool:
    """True if there are points, and each could separate thousands."""
    scaled = np.abs(fast[~empty & (np.abs(fast) < LARGEST)]) * 1000
    if (np.abs(scaled - np.round(scaled)) > 1e-6 * np.maximum(scaled, 1)).any():
        return False
    held = text[~empty & (fast != 0)]
    if not all(_THREES.fullmatch(cell.strip()) for cell in held[:_HEAD]):
        return False
    return any("." in cell for cell in held) and all(_THREES.fullmatch(one.strip()) for one in held)


@dataclass(frozen=True, eq=False)
class _Cells:
    """The different cells of a column that hold something.

    Attributes:
        codes: For each row, the place of its cell; -1 if it is empty.
        forms: The form of each cell, as its place in `marks`.
        marks: What each form holds.
        shapes: The form of each form's number alone.
        numbers: Text of the numbers, without what stands around them.
        weights: How often each cell comes.
    """

    codes: NDArray[np.int64]
    forms: NDArray[np.int64]
    marks: list[Marked]
    shapes: list[str]
    numbers: list[str]
    weights: NDArray[np.int64]


def _different(text: Texts, empty: NDArray[np.bool_]) -> _Cells:
    held, unique = pd.factorize(text[~empty])
    codes = np.full(len(text), -1, np.int64)
    codes[~empty] = held
    written = [tidy(cell) for cell in unique]
    forms, names = pd.factorize(np.array([form_of(cell) for cell in written], object))
    marks = [marked(form) for form in names]
    shapes = [mark.number(form) for mark, form in zip(marks, names, strict=True)]
    numbers = [marks[form].number(cell) for form, cell in zip(forms.tolist(), written, strict=True)]
    weights = np.bincount(held, minlength=len(unique))
    return _Cells(codes, forms, marks, shapes, numbers, weights)


def _by_forms(
    cells: "pd.Series[str]", text: Texts, empty: NDArray[np.bool_], name: str, source: DataSource
) -> Column:
    found = _different(text, empty)
    candidates = [
        one
        for one in CONVENTIONS
        if source.decimal in (None, one.decimal) and source.thousands in (None, one.thousands)
    ] or [Convention(source.decimal or ".", source.thousands or "")]
    # A logger writes its code as it is, also where numbers have thousands apart.
    coded = np.array([number in WHOLE_CODES for number in found.numbers], np.bool_)
    strict = source.thousands is None
    fits = {
        one: np.array([one.fits(shape, strict) for shape in found.shapes], np.bool_)[found.forms]
        | coded
        for one in candidates
    }
    counts = {one: int(found.weights[fit].sum()) for one, fit in fits.items()}
    most = max(counts.values())
    if most < int((~empty).sum()):
        best = next(one for one in candidates if counts[one] == most)
        bad = ~empty
        bad[bad] = ~fits[best][found.codes[bad]]
        raise _not_a_number(cells, bad, empty, name, source)
    unit, powers, said = _one_unit(found, coded, cells, name, source)
    readings: dict[Convention, NDArray[np.float64]] = {}
    for one in candidates:
        if counts[one] == most:
            values = parse(found.numbers, one)
            values = np.where(powers < 0, values / 10.0**-powers, values * 10.0**powers)
            full = np.append(values, np.nan)[found.codes]
            if not any(np.array_equal(full, other, equal_nan=True) for other in readings.values()):
                readings[one] = full
    note = "; ".join([*notes_on(found.marks), *said])
    return Column(name, cells, empty, readings, unit, _tells(text, empty), note)


def _one_unit(
    found: _Cells,
    coded: NDArray[np.bool_],
    cells: "pd.Series[str]",
    name: str,
    source: DataSource,
) -> tuple[str, NDArray[np.int64], list[str]]:
    """The unit of all numbers, the power of ten that turns each into it, and notes.

    A number without a unit fits beside others with a currency, and so do 0 and codes.
    """
    named = [mark.unit for mark in found.marks]
    none = np.zeros(len(found.numbers), np.int64)
    if len(set(named)) == 1:
        return named[0], none, []
    counts: Counter[str] = Counter()
    for form, weight in zip(found.forms.tolist(), found.weights.tolist(), strict=True):
        counts[named[form]] += weight
    del counts[""]
    unit = counts.most_common(1)[0][0]
    powers = {one: 0 if one == unit else power_of_ten(one, unit) for one in counts}
    bare = np.array([one == "" for one in named])[found.forms] & ~coded
    bare[bare] = [number.strip("+-0.,") != "" for number in np.array(found.numbers, object)[bare]]
    is_money = power_of_ten(unit, unit) is None
    if any(power is None for power in powers.values()) or (bare.any() and not is_money):
        raise _units(found, bare, list(counts), cells, name, source)
    said = [f"{' and '.join(sorted(counts))} read as {unit}"] if len(counts) > 1 else []
    return unit, np.array([powers.get(one, 0) for one in named], np.int64)[found.forms], said


def _units(
    found: _Cells,
    bare: NDArray[np.bool_],
    units: Sequence[str],
    cells: "pd.Series[str]",
    name: str,
    source: DataSource,
) -> DataError:
    """Numbers of one column in units that do not fit together, or some without a unit."""
    named = np.array([mark.unit for mark in found.marks], object)[found.forms]
    rows = np.where(found.codes >= 0, named[found.codes], "empty")
    kinds = [*sorted(units), *([""] if bare.any() else [])]
    lines = cells.index.to_numpy(np.int64)
    held = {kind: (rows == kind) & (kind != "" or bare[found.codes]) for kind in kinds}
    said = " and ".join(
        f"{int(at.sum())} {f'in {kind}' if kind else 'without a unit'} ({places.lines(lines[at])})"
        for kind, at in held.items()
    )
    first = int(np.argmax(min(held.values(), key=np.sum)))
    cell = places.quoted(cells.iloc[first].strip())
    return DataError(
        f"{source.file}: line {lines[first]}, column {name!r}: expected numbers in one unit, found "
        f"{cell}: {said}. Write all in one unit, or choose another column with "
        f"--target or --features."
    )


def _not_a_number(
    cells: "pd.Series[str]",
    bad: NDArray[np.bool_],
    empty: NDArray[np.bool_],
    name: str,
    source: DataSource,
) -> DataError:
    found = [cell.strip() for cell in cells[bad].tolist()]
    cell = found[0]
    words = [one for one in dict.fromkeys(found) if one[0] in "<>≤≥~" or not re.search(r"\d", one)]
    numbers = int((~bad & ~empty).sum())
    ways = []
    hint = (
        "Other numbers of the column are written in another way. Correct it, give the marks with "
        "--decimal and --thousands, or choose another column with --target or --features."
    )
    if source.thousands is None and _GROUPED.fullmatch(cell):
        ways.append(Way({"thousands": re.findall(r"\D", cell.lstrip("+-"))[0]}))
    elif words and numbers and cell in words:
        told = f"{' and '.join(map(places.quoted, words[:_WORDS]))} means no value"
        ways.append(Way({"missing": (*(source.missing or ()), *words[:_WORDS])}, told))
        hint = "Correct it, or say that it means no value."
    elif not numbers:
        hint = "No cell of the column is a number: choose another with --target or --features."
    return DataError(
        f"{source.file}: line {cells.index[bad][0]}, column {name!r}: expected a number, found "
        f"{places.quoted(cell)}; {len(found)} such cells. {hint}",
        ways,
    )
