"""What paired trials say for or against a claim: differences, intervals, verdicts; pure functions.

A claim foretells one or more differences, treatment minus control, paired by seed. It holds if all
of them come out as foretold; a correction guards the ten claims that are tested at once.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
# Half of the 5 % of error that all claims share is for "holds", half for "does not hold here".
ERROR = (1 - CONFIDENCE) / 2
# An effect below this share of the control's value is too small to matter to anybody.
NEGLIGIBLE = 0.02
POWER = 0.8
MOST_SEEDS = 200

Expected = Literal["lower", "higher"]


class Verdict(StrEnum):
    """What the numbers say of a claim."""

    HOLDS = "holds"
    NOT_HERE = "does not hold here"
    UNDECIDED = "undecided"


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

    def largest(self, expected: Expected) -> float:
        """The largest effect in the expected direction that the interval leaves possible."""
        return -self.low if expected == "lower" else self.high


def paired_difference(treatment: Sequence[float], control: Sequence[float]) -> Difference:
    """Compare two designs, seed by seed.

    Student's paired t test; the differences over seeds are taken for normal.

    Args:
        treatment: a metric, one value a seed.
        control: the same of the other design, in the same order of seeds.

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
    if sd == 0:  # designs that trained alike: there is nothing to estimate
        lower, higher = float(mean >= 0), float(mean <= 0)
        return Difference(mean, mean, mean, 0.0, count, base, lower, higher)
    error = sd / math.sqrt(count)
    reach = float(stats.t.ppf(0.5 + CONFIDENCE / 2, count - 1)) * error
    p_lower = float(stats.t.cdf(mean / error, count - 1))
    return Difference(mean, mean - reach, mean + reach, sd, count, base, p_lower, 1 - p_lower)


@dataclass(frozen=True)
class Foretold:
    """One difference of a claim, and the direction that the claim gives it."""

    difference: Difference
    expected: Expected

    @property
    def p_for(self) -> float:
        """One-sided p value for the expected direction."""
        return self.difference.p(self.expected)

    @property
    def p_against(self) -> float:
        """One-sided p value for the opposite direction."""
        return self.difference.p("higher" if self.expected == "lower" else "lower")

    @property
    def negligible(self) -> bool:
        """True if the interval leaves no effect possible that would matter."""
        difference = self.difference
        return difference.largest(self.expected) < NEGLIGIBLE * abs(difference.control)


def verdicts(claims: Mapping[str, Sequence[Foretold]]) -> dict[str, Verdict]:
    """Judge all claims at once.

    A claim of several differences holds only if each does, so its p value is the largest of theirs
    (the intersection-union test of Berger, 1982); it fails if any goes the other way, each tested
    at its share of the error. Over the claims both are corrected by Holm's step-down method (Holm,
    1979), which keeps the chance of one wrong verdict or more at 5 %. A claim also fails where the
    95 % interval of one of its differences leaves no effect of 2 % of the control's value possible.

    Args:
        claims: the differences of each, at least one.

    Returns:
        The verdict of each claim; never other than undecided from a single seed.
    """
    supported = holm({name: max(one.p_for for one in found) for name, found in claims.items()})
    opposed = holm(
        {
            name: min(1.0, len(found) * min(one.p_against for one in found))
            for name, found in claims.items()
        }
    )
    judged = {}
    for name, found in claims.items():
        several = all(one.difference.pairs > 1 for one in found)
        if several and supported[name] <= ERROR:
            judged[name] = Verdict.HOLDS
        elif several and (opposed[name] <= ERROR or any(one.negligible for one in found)):
            judged[name] = Verdict.NOT_HERE
        else:
            judged[name] = Verdict.UNDECIDED
    return judged


def t_interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % t interval of the mean of two values or more."""
    mean, sd = statistics.fmean(values), statistics.stdev(values)
    reach = float(stats.t.ppf(0.5 + CONFIDENCE / 2, len(values) - 1)) * sd / math.sqrt(len(values))
    return mean - reach, mean + reach


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjust p values of hypotheses tested at once.

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure".
    """
    ordered = sorted(p_values, key=lambda name: p_values[name])
    adjusted: dict[str, float] = {}
    highest = 0.0
    for rank, name in enumerate(ordered):
        highest = max(highest, min(1.0, (len(ordered) - rank) * p_values[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}


def seeds_needed(difference: Difference, claims: int) -> int | None:
    """Seeds from which a difference like this one would be found in four of five studies.

    The power of the one-sided t test at Holm's strictest level, by the noncentral t distribution,
    taking the mean and standard deviation measured for the true ones.

    Args:
        difference: as measured.
        claims: tested at once.

    Returns:
        The number, or None if it is above `MOST_SEEDS` or cannot be told.
    """
    if difference.pairs < 2 or difference.mean == 0:
        return None
    if difference.sd == 0:
        return 2
    effect = abs(difference.mean) / difference.sd
    for seeds in range(2, MOST_SEEDS + 1):
        critical = stats.t.ppf(1 - ERROR / claims, seeds - 1)
        if stats.nct.sf(critical, seeds - 1, effect * math.sqrt(seeds)) >= POWER:
            return seeds
    return None
