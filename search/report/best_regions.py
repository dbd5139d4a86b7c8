"""The region of a search's best trials, and where the space was too small."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.space import Choice, Float, Int, Space, Value
from search.common.records import State, TrialRecord

# The best tenth of the completed trials, but at least five.
BEST_SHARE = 0.1
FEWEST_BEST = 5
# Share of a dimension, on its own scale, that counts as its edge.
EDGE = 0.05
FEWEST_AT_EDGE = 3


@dataclass(frozen=True)
class Region:
    """Where the best trials lie in one dimension.

    Attributes:
        name: the dimension's name. low, high: its bounds; None for a choice.
        best_low, best_high: the range of the best trials that have the dimension; None for a
            choice.
        counts: for a choice, how many of them have each value, most frequent first; else empty.
        edge: "low" or "high" if at least half of them, and at least three, lie at that end, so that
            the dimension should be widened there; else "". A lower end of 0 never counts, because
            there is nothing below it.
        trials: how many of the best trials have the dimension.
    """

    name: str
    low: float | None
    high: float | None
    best_low: float | None
    best_high: float | None
    counts: tuple[tuple[str, int], ...]
    edge: str
    trials: int


def best_trials(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The best tenth, but at least five, of the completed trials that a sampler drew."""
    drawn = [
        (record.result.objective, record.number, record)
        for record in records
        if record.state is State.COMPLETE and record.result is not None and not record.design
    ]
    count = max(FEWEST_BEST, math.ceil(BEST_SHARE * len(drawn)))
    return [record for _, _, record in sorted(drawn)[:count]]


def regions(records: Sequence[TrialRecord], space: Space) -> list[Region]:
    """One region per dimension, in the order of the space; empty without five drawn trials.

    A dimension with a single value has no edge. Neither has an end that cannot be widened: a rate
    of 0, one layer, one unit.
    """
    best = best_trials(records)
    if len(best) < FEWEST_BEST:
        return []
    found = []
    for dimension in space.dimensions:
        values = [record.flat[dimension.name] for record in best if dimension.name in record.flat]
        if not values:
            continue
        if isinstance(dimension, Choice):
            counts = tuple(Counter(map(str, values)).most_common())
            edge = _edge_of_choice(values, dimension)
            found.append(Region(dimension.name, None, None, None, None, counts, edge, len(values)))
            continue
        numbers = [float(value) for value in values]
        low, high = float(dimension.low), float(dimension.high)
        found.append(
            Region(
                dimension.name,
                low,
                high,
                min(numbers),
                max(numbers),
                (),
                _edge(numbers, dimension),
                len(numbers),
            )
        )
    return found


def _edge(values: Sequence[float], dimension: Int | Float) -> str:
    low, high = float(dimension.low), float(dimension.high)
    if low == high:
        return ""
    scale = math.log if dimension.log else float
    places = [(scale(value) - scale(low)) / (scale(high) - scale(low)) for value in values]
    widest = 1.0 if isinstance(dimension, Int) else 0.0
    if low > widest and _many(sum(place <= EDGE for place in places), places):
        return "low"
    return "high" if _many(sum(place >= 1 - EDGE for place in places), places) else ""


def _edge_of_choice(values: Sequence[Value], choice: Choice) -> str:
    numbers = [one for one in choice.values if isinstance(one, int | float)]
    if len(numbers) < len(choice.values) or any(isinstance(one, bool) for one in numbers):
        return ""
    if _many(sum(value == min(numbers) for value in values), values):
        return "low"
    return "high" if _many(sum(value == max(numbers) for value in values), values) else ""


def _many(count: int, values: Sequence[object]) -> bool:
    return 2 * count >= len(values) and count >= FEWEST_AT_EDGE
