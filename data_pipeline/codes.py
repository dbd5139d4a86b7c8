"""Numbers that may mean something else than they say: codes for no value, zeros, sums of others."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.errors import DataError, Way
from data_pipeline.grid import Rows, usual_step
from data_pipeline.missing import far_codes
from data_pipeline.source import DataSource

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Zeros are odd in at least so many rows, if they are so few and all others are so far from 0.
_ROWS: Final = 100
_FEW: Final = 0.05
# If they come in few runs that are so long on average, up to half of the rows. Many long runs are
# weekends.
_RUN: Final = 24
_RUNS: Final = 4
_HALF: Final = 0.5
_FAR: Final = 0.2
# In steps of the last digit that is written; in counts of 0, 1, 2, zero is near.
_STEPS: Final = 10
_DIGITS: Final = 3
# Plain numbers that loggers write for no value. A balance has other negative values beside -1.
_PLAIN: Final = (0.0, -1.0)
# A sum is so many times the usual value; its digits may be rounded.
_SUM: Final = 10.0
_ROUNDED: Final = 1e-3
_SHARE: Final = 0.1
_SUMS: Final = 12
_SUMMED: Final = 3


def need_meaning(values: Floats, lines: NDArray[np.int64], source: DataSource) -> tuple[str, ...]:
    """Refuses numbers that look like something else until `--missing` says what they are.

    Args:
        values: float64 (n, c + 1), covariates, then the target; NaN if a cell is empty.
        lines: int64 (n,), file lines.
        source: `--missing`, and the names.

    Returns:
        Warnings, if `--missing` was given and such numbers are left.

    Raises:
        DataError: With a way for each meaning.
    """
    found: dict[str, str] = {}
    for name, numbers in zip(source.value_columns, values.T, strict=True):
        for code in far_codes(numbers, source.edition):
            found[written(code)] = _told(written(code), numbers == code, name, lines)
    if source.edition > 1:
        usage = values[:, -1]
        for code in _PLAIN:
            if written(code) not in found and _is_far(usage, code):
                found[written(code)] = _told(written(code), usage == code, source.target, lines)
        if not found and source.missing is None:
            _need_no_sums(usage, lines, source)
    if not found:
        return ()
    said = "; ".join(found.values())
    if source.missing is not None:
        return (f"{said}: kept as values, though it looks like a code",)
    codes = tuple(found)
    raise DataError(
        f"{source.file}: found {said}, far from all other values. It may mean no value, or be a "
        f"real value.",
        [
            Way({"missing": codes}, f"{' and '.join(codes)} means no value"),
            Way({"missing": ()}, "they are values"),
        ],
    )


def written(number: float) -> str:
    """A number as `--missing` takes it."""
    return f"{number:.15g}"


def _told(code: str, at: Flags, name: str, lines: NDArray[np.int64]) -> str:
    return f"{code} in column {name!r}, {int(at.sum())} times ({places.lines(lines[at])})"


def _is_far(usage: Floats, code: float) -> bool:
    """True if a few values are exactly this one, and all others are positive and far from it."""
    at = usage == code
    if not at.any() or len(usage) < _ROWS:
        return False
    runs = len(places.runs(at))
    long = runs <= _RUNS and runs * _RUN <= int(at.sum())
    if at.mean() > (_HALF if long else _FEW):
        return False
    rest = usage[~at & ~np.isnan(usage)]
    if len(rest) == 0 or (least := float(rest.min())) <= 0:
        return False
    sample = rest[: 1000 * _ROWS]
    digits = next(
        (one for one in range(_DIGITS) if (np.round(sample, one) == sample).all()), _DIGITS
    )
    return least > _FAR * float(np.median(rest)) and least >= _STEPS * 10.0**-digits


def drop_sums(rows: Rows, source: DataSource) -> tuple[Rows, tuple[str, ...]]:
    """Leaves out sums of the rows above or below them, if they have no step of their own.

    Args:
        rows: In file order.
        source: `--missing`, and names for messages; `--missing ''` keeps them.

    Returns:
        The rows, and a note if some were left out.
    """
    usage = rows.values[:, -1]
    big, what = _sums(usage)
    if not len(big) or source.missing == () or source.edition == 1:
        return rows, ()
    others = np.ones(len(rows), np.bool_)
    others[big] = False
    times, sums = rows.instants.asi8[others], rows.instants.asi8[big]
    step = max(usual_step(times), 1)
    if not (np.isin(sums, times) | ((sums - times[0]) % step != 0)).all():
        return rows, ()
    return rows.take(others), (
        f"{len(big)} sums of the rows {what} left out, whose times come twice or between others: "
        f"{written(float(usage[big[0]]))} in {places.lines(rows.lines[big])}",
    )


def _sums(usage: Floats) -> tuple[NDArray[np.intp], str]:
    """Places of values that are sums of the rows between them, and where these rows are."""
    none = np.zeros(0, np.intp), ""
    known = usage[usage > 0]
    if len(known) < _ROWS:
        return none
    big = np.flatnonzero(usage > _SUM * float(np.median(known)))
    if not 0 < len(big) <= _SHARE * len(usage):
        return none
    for what, sums in (("above", _above(usage, big)), ("below", _below(usage, big))):
        if all(abs(usage[at] - total) <= _ROUNDED * total for at, total in sums):
            return big, what
    return none


def _need_no_sums(usage: Floats, lines: NDArray[np.int64], source: DataSource) -> None:
    """Refuses values that are the sums of the rows above them, or below them."""
    big, what = _sums(usage)
    if not 0 < len(big) <= _SUMS:
        return
    texts = [written(float(usage[at])) for at in big]
    raise DataError(
        f"{source.file}: column {source.target!r}: {' and '.join(texts[: places.SHOWN])} in "
        f"{places.lines(lines[big])} {'is the sum' if len(big) == 1 else 'are the sums'} of the "
        f"rows {what}.",
        [
            Way({"missing": tuple(dict.fromkeys(texts))}, "sums are no values"),
            Way({"missing": ()}, "they are values"),
        ],
    )


def _above(usage: Floats, big: NDArray[np.intp]) -> Iterator[tuple[int, float]]:
    """Each big value's place, with the sum of the rows since the previous one."""
    start = 0
    for at in big.tolist():
        part = usage[start:at]
        yield at, float(np.nansum(part)) if len(part) >= _SUMMED else -1.0
        start = at + 1


def _below(usage: Floats, big: NDArray[np.intp]) -> Iterator[tuple[int, float]]:
    """Each big value's place, with the sum of the rows to the next one."""
    for at, stop in zip(big.tolist(), [*big[1:].tolist(), len(usage)], strict=True):
        part = usage[at + 1 : stop]
        yield at, float(np.nansum(part)) if len(part) >= _SUMMED else -1.0
