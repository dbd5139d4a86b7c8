"""From rows to hours: means of power, sums of energy."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.errors import DataError, Way
from data_pipeline.grid import HOUR, Rows, name_of, usual_step
from data_pipeline.source import DataSource
from data_pipeline.units import is_energy, is_power

# The file's step has changed if another step holds for this many hours in a row.
_SEGMENT: Final = 24
# Names without a unit that are rather energy, or rather power: the likelier way is offered first.
_ENERGY: Final = re.compile(
    r"usage|consum|energ|verbrauch|arbeit|bezug|einspeis|import|export|conso|volume|사용|소비|전력량|"
    r"발전량|使用量|電力量",
    re.IGNORECASE,
)
_POWER: Final = re.compile(
    r"power|load|demand|leistung|last|puissance|potencia|수요|부하|電力(?!量)", re.IGNORECASE
)
_DONE: Final = {"mean": "averaged", "sum": "summed", "last": "the last of each taken"}


@dataclass(frozen=True, eq=False)
class Hours:
    """Hourly rows, and how they were made.

    Attributes:
        rows: Sorted, whole hours apart; NaN where a part of the hour is missing.
        frequency: What the file held, such as "half-hourly, averaged to hourly".
        notes: What was done, one sentence each.
    """

    rows: Rows
    frequency: str
    notes: tuple[str, ...]


def to_hours(rows: Rows, source: DataSource, unit: str) -> Hours:
    """Makes hourly rows of finer rows, as `--resample` says; hourly rows stay as they are.

    Features are always averaged. If the step changes within the file, each hour is made of the
    rows that it has.

    Args:
        rows: Sorted, without duplicates, on a grid.
        source: `--resample`, and names for messages.
        unit: Unit of the target; "" if the file names none.

    Raises:
        DataError: If rows are finer than hourly and `--resample` is missing, if they are coarser
            than hourly, or if energy is to be averaged or power to be summed.
    """
    if len(rows) < 2:
        raise DataError(f"{source.file}: expected at least 2 rows, found {len(rows)}. Add rows.")
    step = usual_step(rows.instants.asi8)
    if step > HOUR:
        raise DataError(
            f"{source.file}: expected hourly rows, found {name_of(step)} ones "
            f"({places.clock(rows.local[0])}, then {places.clock(rows.local[1])}). Give hourly "
            f"data: finer values cannot be made from coarser ones."
        )
    finest = _finest(rows)
    if finest == HOUR:
        return Hours(rows, "hourly", ())
    name = name_of(finest) if finest == step else f"{name_of(finest)} and {name_of(step)}"
    if HOUR % finest:
        raise DataError(
            f"{source.file}: expected hourly rows, found {name_of(step)} ones, which do not fill "
            f"an hour. Average them to hours first."
        )
    how = "sum" if source.cumulative else source.resample
    if how is None:
        raise _ask(name, HOUR // finest, unit, source)
    if not source.cumulative:
        _check_unit(how, name, unit, source)
    hours, notes = _gather(rows, finest, how)
    if len(hours) < 2:
        raise DataError(f"{source.file}: expected at least 2 whole hours, found {len(hours)}.")
    return Hours(hours, f"{name}, {_DONE[how]}{' to hourly' if how != 'last' else ''}", notes)


def _finest(rows: Rows) -> int:
    """The finest step that occurs at least `_SEGMENT` times, if finer than the usual step."""
    steps = np.diff(rows.instants.asi8)
    sizes, counts = np.unique(steps, return_counts=True)
    usual = usual_step(rows.instants.asi8)
    return min(
        [
            usual,
            *(int(s) for s, c in zip(sizes, counts, strict=True) if c >= _SEGMENT and s < usual),
        ]
    )


def _ask(name: str, count: int, unit: str, source: DataSource) -> DataError:
    ways = []
    if not is_energy(unit):
        ways.append(Way({"resample": "mean"}, f"averages its {count} values, as of kW"))
    if not is_power(unit):
        ways.append(Way({"resample": "sum"}, f"adds them, as of kWh{_of(unit)}"))
    if _ENERGY.search(source.target) and not _POWER.search(source.target):
        ways.reverse()
    return DataError(
        f"{source.file}: expected hourly rows, found {name} ones. Say with --resample how to "
        f"combine the values of an hour.",
        ways,
    )


def _of(unit: str) -> str:
    return f": the file says {unit}" if unit else ""


def _check_unit(how: str, name: str, unit: str, source: DataSource) -> None:
    if how == "mean" and is_energy(unit):
        raise DataError(
            f"{source.file}: column {source.target!r} is in {unit}: the mean of {name} energy is "
            f"not the energy of an hour.",
            [
                Way({"resample": "sum"}, "the energy of each hour"),
                Way({"resample": "mean", "unit": unit[:-1]}, f"if it is power, in {unit[:-1]}"),
            ],
        )
    if how == "sum" and is_power(unit):
        raise DataError(
            f"{source.file}: column {source.target!r} is in {unit}: a sum of {name} power is no "
            f"power.",
            [
                Way({"resample": "mean"}, "the mean power of each hour"),
                Way({"resample": "sum", "unit": f"{unit}h"}, f"if it is energy, in {unit}h"),
            ],
        )


def _gather(rows: Rows, finest: int, how: str) -> tuple[Rows, tuple[str, ...]]:
    # The hour is that of the local clock, which in some zones is not a whole hour of UTC.
    within = rows.local.asi8 % HOUR
    starts = rows.instants.asi8 - within
    _, first, counts = np.unique(starts, return_index=True, return_counts=True)
    expected = _expected(starts[first], counts, HOUR // finest)
    values = np.add.reduceat(rows.values, first, axis=0) / counts[:, np.newaxis]
    if how == "sum":
        values[:, -1] *= counts
    elif how == "last":
        values[:, -1] = rows.values[first + counts - 1, -1]
    part = counts != expected
    values[part] = np.nan
    back = pd.to_timedelta(within[first], unit="us")
    hours = Rows(rows.instants[first] - back, rows.local[first] - back, values, rows.lines[first])
    done = {"mean": "averaged to", "sum": "summed to", "last": "reduced to the last of"}[how]
    notes = [f"{len(rows)} rows {done} {len(hours)} hours"]
    if len(np.unique(expected)) > 1:
        change = int(np.flatnonzero(np.diff(expected))[0]) + 1
        notes.append(f"the step changes at {places.clock(hours.local[change])}")
    whole = np.flatnonzero(~part)
    kept = slice(whole[0], whole[-1] + 1) if len(whole) else slice(0, 0)
    cut = len(hours) - (kept.stop - kept.start)
    if cut:
        notes.append(f"{cut} incomplete hours cut off at the ends")
    return hours.take(kept), tuple(notes)


def _expected(
    starts: NDArray[np.int64], counts: NDArray[np.int64], usual: int
) -> NDArray[np.int64]:
    """How many rows each hour should have: as many as the day around it."""
    expected = np.full(len(counts), usual, np.int64)
    known = np.zeros(len(counts), np.bool_)
    joined = np.concatenate(([False], (np.diff(counts) == 0) & (np.diff(starts) == HOUR)))
    for first, stop in places.runs(joined):
        count = int(counts[first])
        if stop - first + 1 >= _SEGMENT and count <= usual and usual % count == 0:
            expected[first - 1 : stop] = count
            known[first - 1 : stop] = True
    if known.any() and not known.all():
        # Between two parts with the same step, hours have that step; elsewhere the finer one.
        at = np.flatnonzero(known)
        before = np.clip(np.searchsorted(at, np.arange(len(counts)), "right") - 1, 0, len(at) - 1)
        after = np.clip(before + 1, 0, len(at) - 1)
        nearest = np.maximum(expected[at[before]], expected[at[after]])
        expected = np.where(known, expected, nearest)
    return expected
