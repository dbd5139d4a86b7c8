"""Differences between paired trials, with intervals and p values; pure functions."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special  # `scipy.stats` takes half a second to import

CONFIDENCE = 0.95

Expected = Literal["lower", "higher"]


@dataclass(frozen=True)
class Difference:
    """Treatment minus control over seeds.

    Attributes:
        mean: in the metric's unit. low, high: its 95 % t interval, not corrected; infinite for a
            single pair.
        sd: standard deviation of the differences (n - 1); NaN for a single pair.
        pairs: number of seeds.
        control: the control's mean.
        p_lower, p_higher: one-sided p values of the paired t test for a true difference below, or
            above, 0; 1 for a single pair.
    """

    mean: float
    low: float
    high: float
    sd: float
    pairs: int
    control: float
    p_lower: float
    p_higher: float

    def p(self, expected: Expected) -> float:
        """The one-sided p value for a difference in the expected direction."""
        return self.p_lower if expected == "lower" else self.p_higher


def paired_difference(treatment: Sequence[float], control: Sequence[float]) -> Difference:
    """Compare two designs, seed by seed.

    This is Student's paired t test. It assumes that the differences over seeds are normal.

    Args:
        treatment: a metric, one value per seed.
        control: the same for the other design, in the same order of seeds.

    Raises:
        ValueError: the lengths differ, there is no pair, or a value is not finite.
    """
    if len(treatment) != len(control) or len(treatment) == 0:
        raise ValueError(
            f"expected as many values of treatment as of control, and at least one: found "
            f"{len(treatment)} and {len(control)}"
        )
    if not (np.isfinite(treatment).all() and np.isfinite(control).all()):
        raise ValueError("expected finite values, found NaN or infinity")
    differences = np.asarray(treatment, np.float64) - np.asarray(control, np.float64)
    count, mean = len(differences), float(differences.mean())
    base = float(np.mean(control))
    if count == 1:
        return Difference(mean, -math.inf, math.inf, math.nan, 1, base, 1.0, 1.0)
    sd = float(differences.std(ddof=1))
    if sd == 0:  # both designs trained identically: there is nothing to estimate
        lower, higher = float(mean >= 0), float(mean <= 0)
        return Difference(mean, mean, mean, 0.0, count, base, lower, higher)
    error = sd / math.sqrt(count)
    reach = float(special.stdtrit(count - 1, 0.5 + CONFIDENCE / 2)) * error
    p_lower = float(special.stdtr(count - 1, mean / error))
    return Difference(mean, mean - reach, mean + reach, sd, count, base, p_lower, 1 - p_lower)


def t_interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % t interval of the mean of two or more values."""
    mean, sd = statistics.fmean(values), statistics.stdev(values)
    quantile = float(special.stdtrit(len(values) - 1, 0.5 + CONFIDENCE / 2))
    reach = quantile * sd / math.sqrt(len(values))
    return mean - reach, mean + reach


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjust the p values of hypotheses that are tested together.

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure".
    """
    ordered = sorted(p_values, key=lambda name: p_values[name])
    adjusted: dict[str, float] = {}
    highest = 0.0
    for rank, name in enumerate(ordered):
        highest = max(highest, min(1.0, (len(ordered) - rank) * p_values[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}
