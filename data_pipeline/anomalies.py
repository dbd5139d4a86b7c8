"""Warnings about values that look wrong but may be right. They are never changed."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.grid import Rows
from data_pipeline.source import DataSource

FLAT_HOURS: Final = 24
# At the end of a series, so many equal values are odd already.
HUNG_HOURS: Final = 6
# A thousandfold change of unit (W, kW, MW) with room for the load itself to be low or high.
UNIT_JUMP: Final = 300.0


def find_anomalies(rows: Rows, source: DataSource) -> tuple[str, ...]:
    """Warns about constant columns, negative usage, jumps of the unit and a dead meter.

    A jump is a run of values that are at least 300 times larger or smaller than the median size of
    the nonzero values. It must start or end between two neighbours that differ by the same factor.
    A meter looks dead if it shows one value for at least 24 hours in a row. A logger seems to have
    hung if the series ends with 6 equal values or more, twice as many as anywhere else.

    Args:
        rows: Gapless, without NaN.
        source: The column names: covariates, then the target.

    Returns:
        One sentence per finding, with hours and file lines.
    """
    names = source.value_columns
    constant = np.ptp(rows.values, axis=0) == 0.0
    warnings = [
        f"column {name!r} is constant at {rows.values[0, column]:g}: "
        + (
            "there is nothing to forecast; is it the right column?"
            if name == source.target
            else "it is scaled to 0 and tells the network nothing"
        )
        for column, name in enumerate(names)
        if constant[column]
    ]
    usage = rows.values[:, -1]
    warnings += _warn(usage < 0, "is negative", rows, source.target)
    warnings += _warn(_off_scale(usage), "jumps as if in another unit", rows, source.target)
    if not constant[-1]:
        warnings += _hung(usage, rows, source)
        warnings += _warn(_flat(usage), "is flat, as if the meter was dead", rows, source.target)
    return tuple(warnings)


def _off_scale(usage: NDArray[np.float64]) -> NDArray[np.bool_]:
    size = np.abs(usage)
    nonzero = size > 0
    if not nonzero.any():
        return nonzero
    median = float(np.median(size[nonzero]))
    far = nonzero & ((size >= median * UNIT_JUMP) | (size <= median / UNIT_JUMP))
    flagged = np.zeros_like(far)
    for first, stop in places.runs(far):
        borders = [at for at in (first, stop) if 0 < at < len(size)]
        if any(_far_apart(size[at - 1], size[at]) for at in borders):
            flagged[first:stop] = True
    return flagged


def _far_apart(one: float, other: float) -> bool:
    smaller, larger = min(one, other), max(one, other)
    return 0 < smaller * UNIT_JUMP <= larger


def _flat(usage: NDArray[np.float64]) -> NDArray[np.bool_]:
    flagged = np.zeros(len(usage), np.bool_)
    for first, stop in places.runs(np.diff(usage) == 0):
        # A run of k equal steps is k + 1 equal values.
        if stop - first + 1 >= FLAT_HOURS:
            flagged[first : stop + 1] = True
    return flagged


def _hung(usage: NDArray[np.float64], rows: Rows, source: DataSource) -> list[str]:
    """Warns if the series ends with one value, and no other value comes so often in a row."""
    lengths = [stop - first + 1 for first, stop in places.runs(np.diff(usage) == 0)]
    last = lengths[-1] if lengths and usage[-1] == usage[-2] else 0
    if not HUNG_HOURS <= last < FLAT_HOURS or max(lengths[:-1], default=1) * 2 > last:
        return []
    day = rows.local[-last - 1].normalize() - pd.Timedelta(hours=1)
    return [
        f"column {source.target!r} ends with {usage[-1]:g} in {last} hours from "
        f"{places.clock(rows.local[-last])} on{_line_span(rows.lines[-last:])}, as if the logger "
        f"hung; --end {day:%Y-%m-%d} leaves that day out"
    ]


def _warn(flags: NDArray[np.bool_], what: str, rows: Rows, name: str) -> list[str]:
    spans = places.runs(flags)
    if not spans:
        return []
    found = [
        f"{places.clock(rows.local[first])} to {places.clock(rows.local[stop - 1])}"
        f"{_line_span(rows.lines[first:stop])}"
        for first, stop in spans[: places.SHOWN]
    ]
    where = places.some(found, len(spans))
    return [f"column {name!r} {what} in {int(flags.sum())} hours: {where}"]


def _line_span(lines: NDArray[np.int64]) -> str:
    written = lines[lines > 0]
    return f" (lines {written.min()} to {written.max()})" if len(written) else ""
