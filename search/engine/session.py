"""The one entrance to a study for every command: foresee, run, train, close, bring in line."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.experiment import Experiment
from search.common.drawing import KERAS_TUNER, Drawing
from search.common.records import State, StudyFacts
from search.common.resume_check import hold
from search.common.stores import Stores, missing_file
from search.engine.coordinator import Coordinator, Ending, finish, stopping_on_signals
from search.engine.facts import with_floor
from search.engine.payoff import with_payoff
from search.engine.plan import Plan
from search.engine.progress import Progress
from search.results.claims import Judged
from search.results.summary import StudySummary
from search.training.pool import Crew, Pool
from search.training.pools import open_pool
from search.tuning.factory import keras_tuner_oracle
from search.tuning.kept_studies import (
    kept_contract,
    need_study,
    read_study,
)
from search.tuning.storage import (
    open_existing,
    refusing_failures,
)

if TYPE_CHECKING:
    pass

from search.engine.opening import Session, hold_study, open_study, reopen_study

# Seconds that MLflow may take for thousands of trials; one that is away at first is not waited for.
PATIENCE = 3600.0


@dataclass(frozen=True)
class Ended:
    """How a search ended, and how its study stands; `judged` are claims that it was to decide."""

    facts: StudyFacts
    summary: StudySummary
    ending: Ending
    judged: tuple[Judged, ...] = ()


@dataclass(frozen=True)
class Synced:
    """What was done to bring MLflow in line with a study.

    Attributes:
        attempts: of the study. orphans: of these, the ones that were ended now.
        made, ended, aside: runs that were made, whose end was written, and that were set aside.
        delivered: True if MLflow has everything now.
    """

    attempts: int
    orphans: int
    made: int
    ended: int
    aside: int
    delivered: bool


def foresee(plan: Plan, name: str, stores: Stores) -> None:
    """See, without writing anything, that the study could be opened to go on.

    Raises:
        Refused: it was begun under another contract, or the database cannot be read.
    """
    if missing_file(stores.storage):
        return
    with refusing_failures():
        kept = kept_contract(open_existing(stores.storage, stores.schema_lock), name)
    if kept is not None:
        hold(name, kept, plan.contract)


def run_study(plan: Plan, name: str, stores: Stores, crew: Crew, quiet: bool) -> Ended:
    """Search until the study has its total, or is stopped; begun earlier, it goes on.

    Args:
        plan: what is tried on which data.
        name: of the study.
        stores: where it is, or will be.
        crew: who trains.
        quiet: True shows no progress.

    Raises:
        Refused: another process is at it, or it was begun under another contract.
    """
    with hold_study(name, stores) as storage:
        session = open_study(plan, name, storage, stores)
        progress = Progress(session.facts, session.study.finished, quiet)
        _say_where_it_stands(session, progress)
        _let_tuner_draw(plan.drawing, plan.experiment, session)
        summary, ending, signum = conduct(plan, session, crew, progress)
        ended = signum or ending.signum is not None
        facts = session.facts if ended else with_payoff(plan, session, summary)
    return Ended(facts, summary, ending)


def sync_study(name: str, stores: Stores, say: Callable[[str], None]) -> Synced:
    """Bring MLflow in line with a study; its data are not needed, and nothing is trained.

    Args:
        name: of the study.
        stores: where it is.
        say: is told what goes wrong, a line at a time.

    Raises:
        Refused: there is no such study, or another process is at it.
    """
    with refusing_failures():
        storage = open_existing(stores.storage, stores.schema_lock)
        need_study(storage, name)
    with hold_study(name, stores, storage):
        kept = with_floor(read_study(storage, name), say)
        session = reopen_study(kept, storage, stores)
        study, facts = session.study, session.facts
        records = tuple(record for _, record in sorted(study.records.items()))
        mirror = session.mirror(say)
        mirror.catch_up(records)
        whole = 0 < facts.total <= study.finished
        ending = Ending(State.COMPLETE if whole else State.INTERRUPTED, "")
        summary = StudySummary(records, study.finished)
        delivered = finish(summary, study, mirror, ending, lambda: 0, PATIENCE)
    return Synced(len(records), len(session.orphans), *mirror.written, delivered)


def _say_where_it_stands(session: Session, progress: Progress) -> None:
    study, done, total = session.study, session.study.finished, session.facts.total
    if session.orphans:
        progress.say(
            f"{len(session.orphans)} trial(s) of an earlier run had not ended; queued again."
        )
    if done >= total:
        progress.say(
            f"Study {study.name} already has {done} finished trials, {total} were asked "
            "for: nothing to do. Ask for more with --trials."
        )
    elif done:
        progress.say(f"Resuming study {study.name} after {done} finished trials.")


def _let_tuner_draw(drawing: Drawing, experiment: Experiment, session: Session) -> None:
    """Import KerasTuner, and tell it all that is known, if it is to draw another point."""
    study = session.study
    due = experiment.sampled and study.finished < session.facts.total
    if due and drawing.tuner == KERAS_TUNER:
        directory = session.stores.keras_tuner(study.name, study.identity)
        study.draw_with(keras_tuner_oracle(drawing.sampler, experiment, directory))


def conduct(
    plan: Plan, session: Session, crew: Crew, progress: Progress
) -> tuple[StudySummary, Ending, int]:
    """Train until the study has its total, and bring MLflow in line; see `conduct_with`.

    Args:
        plan: gives the series and how it is framed.
        session: the open study.
        crew: who trains.
        progress: is told of every trial, and closed.
    """
    pool = open_pool(plan.series, plan.experiment.framing, crew, progress.say)
    return conduct_with(pool, session, progress, crew.timeout)


def conduct_with(
    pool: Pool, session: Session, progress: Progress, timeout: float | None = None
) -> tuple[StudySummary, Ending, int]:
    """Train with `pool`, which is stopped at the end, until the study has its total.

    Returns:
        How the study stands, how the run ended, and the signal that asked for an end, be it during
        the last delivery; 0 without one.
    """
    study = session.study
    mirror = session.mirror(progress.say)
    mirror.catch_up(study.records.values())
    coordinator = Coordinator(study, pool, mirror, progress, session.facts, session.spool)
    try:
        with stopping_on_signals(pool) as stop_asked:
            study.hurry_when(stop_asked)
            ending = coordinator.run(timeout)
            pool.stop()
            # Before the delivery, whose time is not the workers'.
            summary = coordinator.summary()
            delivered = finish(summary, study, mirror, ending, stop_asked)
            signum = stop_asked()
    finally:
        pool.stop()
        progress.close()
    if not delivered:
        progress.say("MLflow does not have everything yet; the next start delivers the rest.")
    return summary, ending, signum
