"""The claims of a designed experiment, judged by its trials; pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from experiments.comparison import Claim, Comparison
from search.common.records import State, TrialRecord, TrialResult
from search.results.paired_tests import (
    Difference,
    Foretold,
    Verdict,
    paired_difference,
    seeds_needed,
    verdicts,
)


@dataclass(frozen=True)
class Compared:
    """One comparison with what was measured; `difference` is None without a common seed."""

    comparison: Comparison
    difference: Difference | None
    seeds_needed: int | None


@dataclass(frozen=True)
class Judged:
    """A claim, its comparisons and its verdict; undecided where a comparison is missing."""

    claim: Claim
    compared: tuple[Compared, ...]
    verdict: Verdict


def judge(claims: Sequence[Claim], records: Iterable[TrialRecord]) -> list[Judged]:
    """Judge all claims by the completed trials of their designs, paired by seed."""
    by_design: dict[str, dict[int, TrialResult]] = {}
    for record in records:
        if record.state is State.COMPLETE and record.result is not None and record.design:
            by_design.setdefault(record.design, {})[record.seed] = record.result
    compared = {
        claim.id: tuple(_compare(one, by_design, len(claims)) for one in claim.comparisons)
        for claim in claims
    }
    foretold = {
        name: [Foretold(one.difference, one.comparison.expected) for one in found if one.difference]
        for name, found in compared.items()
        if all(one.difference is not None for one in found)
    }
    judged = verdicts(foretold)
    return [
        Judged(claim, compared[claim.id], judged.get(claim.id, Verdict.UNDECIDED))
        for claim in claims
    ]


def _compare(
    comparison: Comparison, by_design: dict[str, dict[int, TrialResult]], claims: int
) -> Compared:
    treatment = by_design.get(comparison.treatment, {})
    control = by_design.get(comparison.control, {})
    pairs = [
        (measured(treatment[seed], comparison), measured(control[seed], comparison))
        for seed in sorted(treatment.keys() & control.keys())
    ]
    defined = [(one, other) for one, other in pairs if one is not None and other is not None]
    if not defined:
        return Compared(comparison, None, None)
    difference = paired_difference([one for one, _ in defined], [other for _, other in defined])
    return Compared(comparison, difference, seeds_needed(difference, claims))


def measured(result: TrialResult, comparison: Comparison) -> float | None:
    """The value of the comparison's metric in a result; None where it is not defined."""
    if comparison.metric == "seconds":
        return result.seconds
    if comparison.metric == "gap":
        train = result.train["rmse"]
        return result.held_out["rmse"] / train if train > 0 else None
    scores = result.train if comparison.period == "train" else result.held_out
    return scores.get(comparison.metric)
