"""Verdicts that stay valid while seeds are added; pure functions.

If seeds are added until something is significant, something always will be. So looks happen only
after fixed numbers of seeds, and each look may spend a share of the error rate. This is the alpha
spending of Lan and DeMets (1983), "Discrete sequential boundaries for clinical trials", in the form
that adds the shares up (the union bound). It needs no independence and no large sample. The paired
t test only has to be valid at each look.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import special  # `scipy.stats` takes half a second to import

from experiments.comparison import LOOKS
from search.results.paired_tests import Difference, Expected, holm

FloatArray = npt.NDArray[np.float64]

# An effect below this share of the control's value is too small to matter.
MARGIN = 0.05
# Error rate for all claims together. Each of the three possible verdicts has a third of it.
TOTAL_ERROR = 0.05
ERROR = TOTAL_ERROR / 3
POWER = 0.8


class Verdict(StrEnum):
    """What the numbers say about a claim."""

    HOLDS = "holds"
    NOT_HERE = "does not hold here"
    NO_DIFFERENCE = "no difference that matters"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Evidence:
    """Sequential p values of one comparison.

    If a statement is false, its p value is at most a with probability at most a.

    Attributes:
        foretold: for a true difference in the foretold direction.
        opposite: for a true difference in the other direction.
        none: for a true difference smaller than the margin in both directions.
        seeds: pairs at the last look; 0 before the first.
    """

    foretold: float
    opposite: float
    none: float
    seeds: int


def evidence(
    treatment: Sequence[float],
    control: Sequence[float],
    expected: Expected,
    margin: float = MARGIN,
    looks: Mapping[int, float] = LOOKS,
) -> Evidence:
    """Compare two designs seed by seed, at every look that the seeds allow.

    Equivalence is shown by two one-sided tests (Schuirmann, 1987). The margin is a share of the
    control's true mean. So the tests are on the mean of treatment - (1 +- margin) x control, and
    need no estimate of the margin. They assume that the differences over seeds are normal.

    Args:
        treatment: a metric, one value per seed, in the order in which seeds were added.
        control: the same for the other design.
        expected: "lower" or "higher", as the claim says.
        margin: share of the control's value, above 0.
        looks: numbers of seeds, with the share of the error rate of each.

    Raises:
        ValueError: the lengths differ, or a value is not finite.
    """
    if len(treatment) != len(control):
        raise ValueError(
            f"expected as many values of treatment as of control, found {len(treatment)} and "
            f"{len(control)}"
        )
    ours, theirs = np.asarray(treatment, np.float64), np.asarray(control, np.float64)
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        raise ValueError("expected finite values, found NaN or infinity")
    taken = {seeds: share for seeds, share in looks.items() if seeds <= len(ours)}
    if not taken:
        return Evidence(1.0, 1.0, 1.0, 0)
    difference = ours - theirs
    # The control's sign makes the margin positive, because a bias, for example, may be below 0.
    reach = margin * theirs * (-1 if theirs.mean() < 0 else 1)
    lower, higher = _p_values(np.array([difference, difference - reach, difference + reach]), taken)
    return Evidence(
        foretold=_spent(lower[0] if expected == "lower" else higher[0], taken),
        opposite=_spent(higher[0] if expected == "lower" else lower[0], taken),
        none=_spent(np.maximum(lower[1], higher[2]), taken),
        seeds=max(taken),
    )


def decide(claims: Mapping[str, Sequence[Evidence]]) -> dict[str, Verdict]:
    """Judge all claims together. At most 5 % of such families get one or more wrong verdicts.

    A claim holds if all its comparisons have the foretold direction (the intersection-union test of
    Berger, 1982). There is no difference that matters if this is shown for all comparisons. The
    claim does not hold here if a comparison has the other direction, or if one shows no difference
    that matters while another shows one. Each of the three statements is corrected over the claims
    by Holm's method (Holm, 1979). Of several that are shown, no difference that matters counts
    first, then that the claim holds.

    Args:
        claims: the comparisons of each claim, at least one.

    Returns:
        The verdict of each claim.
    """
    foretold = holm({name: max(one.foretold for one in found) for name, found in claims.items()})
    opposite = holm({name: _any([one.opposite for one in f]) for name, f in claims.items()})
    some = holm({name: _any([one.none for one in found]) for name, found in claims.items()})
    every = holm({name: max(one.none for one in found) for name, found in claims.items()})
    judged = {}
    for name in claims:
        # "All" requires "some", so that the two share one error rate.
        if some[name] <= ERROR and every[name] <= ERROR:
            judged[name] = Verdict.NO_DIFFERENCE
        elif foretold[name] <= ERROR:
            judged[name] = Verdict.HOLDS
        elif opposite[name] <= ERROR or some[name] <= ERROR:
            judged[name] = Verdict.NOT_HERE
        else:
            judged[name] = Verdict.UNDECIDED
    return judged


def seeds_needed(
    difference: Difference, claims: int, looks: Mapping[int, float] = LOOKS
) -> int | None:
    """The number of seeds with which four of five studies find a difference like this one.

    It is the power of the one-sided t test at the share of a look, from the noncentral t
    distribution. The measured mean and standard deviation are taken as the true ones, at the
    strictest level of Holm's method. Earlier looks, which may also find the difference, are
    ignored.

    Args:
        difference: the measured difference.
        claims: number of claims that are judged together.
        looks: numbers of seeds, with the share of the error rate of each.

    Returns:
        The seeds of a look. None if the last look is too early or the number is not known.
    """
    if difference.pairs < 2 or difference.mean == 0:
        return None
    for seeds, share in looks.items():
        if difference.sd == 0:
            return seeds
        effect = abs(difference.mean) / difference.sd * np.sqrt(seeds)
        critical = special.stdtrit(seeds - 1, 1 - share * ERROR / claims)
        if 1 - special.nctdtr(seeds - 1, effect, critical) >= POWER:
            return seeds
    return None


def next_look(seeds: int, looks: Iterable[int] = LOOKS) -> int | None:
    """The number of seeds at the first look after `seeds`; None after the last."""
    return min((look for look in looks if look > seeds), default=None)


def _any(p_values: Sequence[float]) -> float:
    """The p value for "at least one is true", by Bonferroni's bound."""
    return min(1.0, len(p_values) * min(p_values))


def _p_values(differences: FloatArray, looks: Collection[int]) -> tuple[FloatArray, FloatArray]:
    """One-sided p values for a true mean below, and above, 0.

    Args:
        differences: float64 (rows, seeds).
        looks: how many of the seeds each look has.

    Returns:
        Two arrays, float64 (rows, looks).
    """
    lower, higher = np.empty((2, len(differences), len(looks)))
    for at, seeds in enumerate(looks):
        seen = differences[:, :seeds]
        mean, sd = seen.mean(axis=1), seen.std(axis=1, ddof=1)
        known = sd != 0  # otherwise both trained identically: there is nothing to estimate
        statistic = mean / np.where(known, sd / np.sqrt(seeds), 1.0)
        lower[:, at] = np.where(known, special.stdtr(seeds - 1, statistic), mean >= 0)
        higher[:, at] = np.where(known, special.stdtr(seeds - 1, -statistic), mean <= 0)
    return lower, higher


def _spent(p_values: FloatArray, looks: Mapping[int, float]) -> float:
    """The smallest error rate at which one of the looks is significant."""
    return min(1.0, float((p_values / np.array(list(looks.values()))).min()))
