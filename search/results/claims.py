"""Judges the claims of a designed experiment by its trials; pure functions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from experiments.comparison import Claim, Comparison
from search.common.records import State, TrialRecord, TrialResult
from search.results.paired_tests import Difference, paired_difference
from search.results.sequential import Verdict, decide, evidence, seeds_needed


@dataclass(frozen=True)
class Compared:
    """One comparison and its measured difference, which is None without a common seed."""

    comparison: Comparison
    difference: Difference | None
    seeds_needed: int | None


@dataclass(frozen=True)
class Judged:
    """A claim, its comparisons and its verdict, which is undecided if a comparison is missing.

    `looked` is the number of seeds at the last look; 0 before the first.
    """

    claim: Claim
    compared: tuple[Compared, ...]
    verdict: Verdict
    looked: int


def judge(claims: Sequence[Claim], records: Iterable[TrialRecord]) -> list[Judged]:
    """Judge all claims by the completed trials of their designs, paired by seed.

    Claims may be judged again and again while seeds are added; see `search.results.sequential`.
    """
    by_design, order = _results(records)
    pairs = {
        claim.id: [_pairs(one, by_design, order) for one in claim.comparisons] for claim in claims
    }
    found = {
        claim.id: [
            evidence(
                [t for t, _ in measured],
                [c for _, c in measured],
                one.expected,
                looks=claim.looks,
            )
            for one, measured in zip(claim.comparisons, pairs[claim.id], strict=True)
        ]
        for claim in claims
    }
    judged = decide(found)
    return [
        Judged(
            claim,
            tuple(
                _compared(one, measured, len(claims), claim.looks)
                for one, measured in zip(claim.comparisons, pairs[claim.id], strict=True)
            ),
            judged[claim.id],
            min(one.seeds for one in found[claim.id]),
        )
        for claim in claims
    ]


def open_designs(claims: Sequence[Claim], records: Iterable[TrialRecord]) -> set[str]:
    """The designs of the claims that are not decided yet."""
    return {
        name
        for one in judge(claims, records)
        if one.verdict is Verdict.UNDECIDED
        for comparison in one.claim.comparisons
        for name in (comparison.treatment, comparison.control)
    }


def _results(
    records: Iterable[TrialRecord],
) -> tuple[dict[str, dict[int, TrialResult]], list[int]]:
    """Results by design and seed, and the seeds in the order in which they were added.

    The order does not depend on the results; else the results would affect which seeds come first.
    """
    by_design: dict[str, dict[int, TrialResult]] = {}
    order: dict[int, None] = {}
    for record in sorted(records, key=lambda one: one.number):
        if not record.design:
            continue
        order.setdefault(record.seed)
        if record.state is State.COMPLETE and record.result is not None:
            by_design.setdefault(record.design, {})[record.seed] = record.result
    return by_design, list(order)


def _pairs(
    comparison: Comparison, by_design: dict[str, dict[int, TrialResult]], order: Sequence[int]
) -> list[tuple[float, float]]:
    """Treatment and control for each seed that has both, in the order of the seeds."""
    treatment = by_design.get(comparison.treatment, {})
    control = by_design.get(comparison.control, {})
    pairs = [
        (measured(treatment[seed], comparison), measured(control[seed], comparison))
        for seed in order
        if seed in treatment and seed in control
    ]
    return [(one, other) for one, other in pairs if one is not None and other is not None]


def _compared(
    comparison: Comparison,
    pairs: Sequence[tuple[float, float]],
    claims: int,
    looks: Mapping[int, float],
) -> Compared:
    if not pairs:
        return Compared(comparison, None, None)
    difference = paired_difference([one for one, _ in pairs], [other for _, other in pairs])
    return Compared(comparison, difference, seeds_needed(difference, claims, looks))


def measured(result: TrialResult, comparison: Comparison) -> float | None:
    """The value of the comparison's metric in a result; None if it is not defined."""
    if comparison.metric == "seconds":
        return result.seconds
    if comparison.metric == "gap":
        train = result.train["rmse"]
        return result.held_out["rmse"] / train if train > 0 else None
    scores = result.train if comparison.period == "train" else result.held_out
    return scores.get(comparison.metric)


def claim_lines(judged: Sequence[Judged]) -> list[str]:
    """One line per claim with its verdict and number of seeds; no lines without claims."""
    lines = [
        f"{one.claim.id:<4}{one.verdict:<27}{one.looked:>3} seeds  {one.claim.says}"
        for one in judged
    ]
    return [*lines, ""] if lines else []


def claims_json(judged: Sequence[Judged]) -> list[dict[str, object]]:
    """Verdicts as plain values, for a program."""
    return [
        {"id": one.claim.id, "verdict": str(one.verdict), "seeds": one.looked} for one in judged
    ]
