"""Adds seeds to the designs of open claims until each claim is decided or the budget is used.

A look after each round says which claims are still open. The looks are at fixed numbers of seeds,
so that repeated looks do not raise the error rate; see `search.results.sequential`.
"""

import time

from search.common.stores import Stores
from search.engine.opening import Session, hold_study, open_study
from search.engine.plan import Plan
from search.engine.progress import Progress
from search.engine.session import Ended, conduct
from search.results.claims import judge, open_designs
from search.results.sequential import next_look
from search.training.pool import Crew, Pool
from search.training.pools import one_pool


def run_until_decided(plan: Plan, name: str, stores: Stores, crew: Crew, quiet: bool) -> Ended:
    """Train the experiment's designs until its claims are decided. An existing study is resumed.

    Args:
        plan: the plan of an experiment with claims; a design has at most `repeats` seeds.
        name: the study's name.
        stores: the stores, which may not exist yet.
        crew: who trains; its timeout is for all rounds together.
        quiet: True shows no progress.

    Raises:
        Refused: another process holds it, or it began with another contract.
    """
    began = time.monotonic()
    experiment = plan.experiment
    still_open = {design.name for design in experiment.designs}
    looks = {seeds for claim in experiment.claims for seeds in claim.looks}
    wanted: dict[tuple[str, int], None] = {}
    framing = experiment.framing
    with hold_study(name, stores) as storage, one_pool(plan.series, framing, crew) as pool:
        seeds = 0
        while True:
            # The budget may end before the next look; the requested seeds are still trained.
            seeds = min(next_look(seeds, looks) or experiment.repeats, experiment.repeats)
            names = [one.name for one in experiment.designs if one.name in still_open]
            wanted |= {(design, repeat): None for repeat in range(seeds) for design in names}
            session = open_study(plan, name, storage, stores, list(wanted))
            left = None if crew.timeout is None else crew.timeout - (time.monotonic() - began)
            ended, stopped = _round(
                plan, session, pool(), left, quiet, goes_on=seeds < experiment.repeats
            )
            complete = ended.summary.finished >= session.facts.total
            still_open = open_designs(experiment.claims, ended.summary.records)
            if stopped or not complete or not still_open or seeds >= experiment.repeats:
                return ended


def _round(
    plan: Plan, session: Session, pool: Pool, seconds: float | None, quiet: bool, goes_on: bool
) -> tuple[Ended, bool]:
    """Train the queue and judge the claims; True if a signal asked for an end."""
    progress = Progress(session.facts, session.study.finished, quiet)
    summary, ending, signum = conduct(pool, session, progress, seconds, goes_on)
    judged = tuple(judge(plan.experiment.claims, summary.records))
    return Ended(session.facts, summary, ending, judged), bool(signum)
