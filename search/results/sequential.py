"""Verdicts that may be asked for again and again while seeds are added; pure functions.

Who adds seeds until something is significant will find something. So the comparisons are looked at
after fixed numbers of seeds alone, and each look may spend its share of the error: the alpha
spending of Lan and DeMets (1983), "Discrete sequential boundaries for clinical trials", in the form
that adds the shares up (the union bound). No independence or large sample is needed for that, only
that the paired t test is valid at each look.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from search.results.paired_tests import Difference, Expected, holm

FloatArray = npt.NDArray[np.float64]

# Seeds after which one looks, with the share of the error that may be spent there: little while
# there are few, most of it at the end. Large effects are still found after three.
LOOKS = {3: 0.02, 5: 0.04, 8: 0.09, 12: 0.25, 20: 0.60}
MOST_SEEDS = max(LOOKS)
# An effect below this share of the control's value is too small to matter to anybody.
MARGIN = 0.05
# Of all claims together. A verdict may be one of three; each has a third of it.
TOTAL_ERROR = 0.05
ERROR = TOTAL_ERROR / 3
POWER = 0.8


class Verdict(StrEnum):
    """What the numbers say of a claim."""

    HOLDS = "holds"
    NOT_HERE = "does not hold here"
    NO_DIFFERENCE = "no difference that matters"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Evidence:
    """Sequential p values of one comparison: each is at most a with probability a, if not so.

    Attributes:
        foretold: for a true difference in the foretold direction.
        opposite: for one in the other direction.
        none: for a true difference smaller than the margin either way.
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
) -> Evidence:
    """Compare two designs seed by seed, at every look that the seeds allow.

    Equivalence is shown by two one-sided tests (Schuirmann, 1987). The margin is a share of the
    control's true mean, so what is tested is the mean of treatment - (1 +- margin) x control; its
    paired t test needs no estimate of the margin. The differences over seeds are taken for normal.

    Args:
        treatment: a metric, one value a seed, in the order in which seeds were added.
        control: the same of the other design.
        expected: "lower" or "higher", as the claim has it.
        margin: share of the control's value, above 0.

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
    looks = [seeds for seeds in LOOKS if seeds <= len(ours)]
    if not looks:
        return Evidence(1.0, 1.0, 1.0, 0)
    lower, higher = _p_values(ours - theirs, looks)
    # The control's sign makes the margin positive; a bias, say, is below 0.
    reach = margin * theirs * (-1 if theirs.mean() < 0 else 1)
    below, _ = _p_values(ours - theirs - reach, looks)
    _, above = _p_values(ours - theirs + reach, looks)
    return Evidence(
        foretold=_spent(lower if expected == "lower" else higher, looks),
        opposite=_spent(higher if expected == "lower" else lower, looks),
        none=_spent(np.maximum(below, above), looks),
        seeds=looks[-1],
    )


def decide(claims: Mapping[str, Sequence[Evidence]]) -> dict[str, Verdict]:
    """Judge all claims at once; at most 5 % of such families get one wrong verdict or more.

    A claim holds if all its comparisons come out as foretold (the intersection-union test of
    Berger, 1982). There is no difference that matters if that is shown of all of them. It does not
    hold here if one of them goes the other way, or makes no difference that matters while another
    does. Each of the three statements is corrected over the claims by Holm's method (Holm, 1979).

    Args:
        claims: the comparisons of each, at least one.

    Returns:
        The verdict of each claim.
    """
    foretold = holm({name: max(one.foretold for one in found) for name, found in claims.items()})
    opposite = holm({name: _any([one.opposite for one in f]) for name, f in claims.items()})
    some = holm({name: _any([one.none for one in found]) for name, found in claims.items()})
    every = holm({name: max(one.none for one in found) for name, found in claims.items()})
    judged = {}
    for name in claims:
        # "All" only where "some" is shown, so that the two share one error.
        if some[name] <= ERROR and every[name] <= ERROR:
            judged[name] = Verdict.NO_DIFFERENCE
        elif foretold[name] <= ERROR:
            judged[name] = Verdict.HOLDS
        elif opposite[name] <= ERROR or some[name] <= ERROR:
            judged[name] = Verdict.NOT_HERE
        else:
            judged[name] = Verdict.UNDECIDED
    return judged


def seeds_needed(difference: Difference, claims: int) -> int | None:
    """Seeds from which a difference like this one would be found in four of five studies.

    The power of the one-sided t test at the share of a look, by the noncentral t distribution,
    taking the mean and standard deviation measured for the true ones, and the strictest level of
    Holm's method; earlier looks, which may find it too, are left out.

    Args:
        difference: as measured.
        claims: judged at once.

    Returns:
        The seeds of a look, or None if the last one is too early or it cannot be told.
    """
    if difference.pairs < 2 or difference.mean == 0:
        return None
    for seeds, share in LOOKS.items():
        if difference.sd == 0:
            return seeds
        effect = abs(difference.mean) / difference.sd * np.sqrt(seeds)
        critical = stats.t.ppf(1 - share * ERROR / claims, seeds - 1)
        if stats.nct.sf(critical, seeds - 1, effect) >= POWER:
            return seeds
    return None


def next_look(seeds: int) -> int | None:
    """The number of seeds at the first look after `seeds`; None after the last."""
    return next((look for look in LOOKS if look > seeds), None)


def _any(p_values: Sequence[float]) -> float:
    """The p value that one at least is so, by Bonferroni's bound."""
    return min(1.0, len(p_values) * min(p_values))


def _p_values(differences: FloatArray, looks: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    """One-sided p values at each look for a true mean below, and above, 0."""
    lower, higher = np.ones(len(looks)), np.ones(len(looks))
    for at, seeds in enumerate(looks):
        seen = differences[:seeds]
        mean, sd = float(seen.mean()), float(seen.std(ddof=1))
        if sd == 0:  # trained alike: there is nothing to estimate
            lower[at], higher[at] = float(mean >= 0), float(mean <= 0)
            continue
        statistic = mean / (sd / np.sqrt(seeds))
        # Student's distribution function; `scipy.stats` has the same behind a slower door.
        lower[at] = special.stdtr(seeds - 1, statistic)
        higher[at] = special.stdtr(seeds - 1, -statistic)
    return lower, higher


def _spent(p_values: FloatArray, looks: Sequence[int]) -> float:
    """The smallest error at which one of the looks would have been enough."""
    shares = np.array([LOOKS[seeds] for seeds in looks])
    return min(1.0, float((p_values / shares).min()))
