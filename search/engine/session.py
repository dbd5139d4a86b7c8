"""The only entrance to a study, for every command: check, run, train, close, synchronise."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.experiment import Experiment
from models.fork_server import start_server
from search.common.drawing import KERAS_TUNER, Drawing
from search.common.records import State, StudyFacts
from search.common.resume_check import hold
from search.common.stores import Stores, missing_file
from search.engine.coordinator import Coordinator, Ending, finish, stopping_on_signals
from search.engine.facts import with_floor
from search.engine.naming import files_differ
from search.engine.payoff import with_payoff
from search.engine.plan import Plan, adapt, make_plan
from search.engine.progress import Progress
from search.results.claims import Judged
from search.results.summary import StudySummary
from search.training.pool import Crew, Pool
from search.training.pools import one_pool
from search.tuning.factory import keras_tuner_oracle
from search.tuning.kept_studies import (
    kept_contract,
    kept_file,
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

# Seconds that MLflow may take for thousands of trials. If it is away at first, nobody waits.
PATIENCE = 3600.0


@dataclass(frozen=True)
class Ended:
    """How a search ended, and the state of its study; `judged` are the claims under test."""

    facts: StudyFacts
    summary: StudySummary
    ending: Ending
    judged: tuple[Judged, ...] = ()


@dataclass(frozen=True)
class Synced:
    """What was done to make MLflow agree with a study.

    Attributes:
        attempts: number in the study. orphans: how many of them were ended now.
        made, ended, aside: runs that were created, completed with their end, and set aside.
        delivered: True if MLflow has everything now.
    """

    attempts: int
    orphans: int
    made: int
    ended: int
    aside: int
    delivered: bool


def foresee(plan: Plan, name: str, stores: Stores) -> None:
    """Check, without writing anything, that the study can be opened or resumed.

    Raises:
        Refused: it began with another contract, or the database cannot be read.
    """
    if missing_file(stores.storage):
        return
    with refusing_failures():
        storage = open_existing(stores.storage, stores.schema_lock)
        kept, file = kept_contract(storage, name), kept_file(storage, name)
    if kept is not None:
        hold(name, kept, plan.contract, files_differ(file, plan.experiment.source.path))


def as_begun(plan: Plan, name: str, stores: Stores) -> Plan:
    """The plan as an older study of this name began, before the built-in data had holidays.

    Raises:
        Refused: the database cannot be read.
    """
    if plan.experiment.source.holidays is None or missing_file(stores.storage):
        return plan
    with refusing_failures():
        kept = kept_contract(open_existing(stores.storage, stores.schema_lock), name)
    if kept is None or "holidays" in kept:
        return plan
    return make_plan(adapt(plan.experiment, {"source.holidays": None}), plan.drawing)


def run_study(plan: Plan, name: str, stores: Stores, crew: Crew, quiet: bool) -> Ended:
    """Search until the study has its total or is stopped. An existing study is resumed.

    Args:
        plan: what is tried on which data.
        name: the study's name.
        stores: the stores, which may not exist yet.
        crew: who trains.
        quiet: True shows no progress.

    Raises:
        Refused: another process holds it, or it began with another contract.
    """
    with hold_study(name, stores) as storage:
        if not crew.gpus and not crew.cluster and kept_contract(storage, name) is None:
            start_server()  # it imports TensorFlow while a new study's baselines are judged
        session = open_study(plan, name, storage, stores)
        progress = Progress(session.facts, session.study.finished, quiet)
        _say_where_it_stands(session, progress)
        _let_tuner_draw(plan.drawing, plan.experiment, session)
        with one_pool(plan.series, plan.experiment.framing, crew, progress.say) as pool:
            summary, ending, signum = conduct(pool(), session, progress, crew.timeout)
        ended = signum or ending.signum is not None
        facts = session.facts if ended else with_payoff(plan, session, summary)
    return Ended(facts, summary, ending)


def sync_study(name: str, stores: Stores, say: Callable[[str], None]) -> Synced:
    """Make MLflow agree with a study. The data are not needed, and nothing is trained.

    Args:
        name: the study's name.
        stores: the study's stores.
        say: gets a line for each problem.

    Raises:
        Refused: there is no such study, or another process holds it.
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
    """If KerasTuner shall draw another point, import it and tell it the whole study."""
    study = session.study
    due = experiment.sampled and study.finished < session.facts.total
    if due and drawing.tuner == KERAS_TUNER:
        directory = session.stores.keras_tuner(study.name, study.identity)
        study.draw_with(keras_tuner_oracle(drawing.sampler, experiment, directory))


def conduct(
    pool: Pool,
    session: Session,
    progress: Progress,
    timeout: float | None = None,
    goes_on: bool = False,
) -> tuple[StudySummary, Ending, int]:
    """Train until the study has its total, and deliver it to MLflow.

    Args:
        pool: trains.
        session: the open study.
        progress: shows every trial, and is closed.
        timeout: s after which no trial begins.
        goes_on: True if the command trains more with the pool, which is stopped otherwise.

    Returns:
        The state of the study, how the run ended, and the signal that asked for an end, also during
        the last delivery; 0 if there was none.
    """
    study = session.study
    mirror = session.mirror(progress.say)
    mirror.catch_up(study.records.values())
    coordinator = Coordinator(study, pool, mirror, progress, session.facts, session.spool)
    try:
        with stopping_on_signals(pool) as stop_asked:
            study.hurry_when(stop_asked)
            ending = coordinator.run(timeout)
            if not goes_on:
                pool.stop()  # before the delivery, where the workers have nothing to do
            summary = coordinator.summary()
            delivered = finish(summary, study, mirror, ending, stop_asked, goes_on=goes_on)
            signum = stop_asked()
    finally:
        if not goes_on:
            pool.stop()
        progress.close()
    if not delivered:
        progress.say("MLflow does not have everything yet; the next start delivers the rest.")
    return summary, ending, signum
