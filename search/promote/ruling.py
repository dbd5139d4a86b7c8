"""Who is let through: the network, the baseline, or nobody; pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

from search.engine.plan import Plan
from search.promote.contender import Contender
from search.promote.judging import Judged
from search.promote.ranking import Ranked
from search.results.baselines import FloorRetest
from search.tuning.kept_studies import KeptStudy


@dataclass(frozen=True)
class Case:
    """What a decision is made of, beside the entrants.

    Attributes:
        plan: of the study. kept: the study.
        ranked: the re-test of the networks; empty if there was none. floor: that of the baselines.
        opening: number of this opening of the test period.
        force: promote the network against the gate.
        serve_best: promote the baseline where the gate refuses the network.
        contender: the winner of the re-test as the re-test judged it; None without one.
    """

    plan: Plan
    kept: KeptStudy
    ranked: Sequence[Ranked]
    floor: FloorRetest
    opening: int
    force: bool
    serve_best: bool
    contender: Contender | None = None

    @property
    def unit(self) -> str:
        """Of the target."""
        return self.plan.series.unit


@dataclass(frozen=True)
class Ruling:
    """Who it is about, and what speaks against it.

    Attributes:
        judged: the one that is promoted or, if none is, that was to be.
        against: what speaks against it.
        promoted: True if it is promoted.
        passed_over: the network or blend that was refused where a baseline is promoted, and why.
    """

    judged: Judged
    against: list[str]
    promoted: bool
    passed_over: tuple[Judged, list[str]] | None = None


def rule(entrants: Sequence[Judged], case: Case) -> Ruling:
    """Let the first entrant through against whom nothing speaks: the network, then the baseline."""
    against = [one.objections(case.unit) for one in entrants]
    first, *rest = entrants
    if not against[0] or (case.force and first.entrant.network):
        return Ruling(first, against[0], promoted=True)
    if not rest:
        return Ruling(first, against[0], promoted=False)
    second = rest[0]
    return Ruling(second, against[1], not against[1], passed_over=(first, against[0]))
