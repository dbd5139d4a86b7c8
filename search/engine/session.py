"""The one entrance to a study: foresee, hold, open, train, and close it."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.experiment import Experiment
from search.common.drawing import KERAS_TUNER, OPTUNA, Drawing
from search.common.records import State, StudyFacts, TrialRecord
from search.common.resume_check import hold
from search.common.stores import Stores, missing_file
from search.engine.coordinator import Coordinator, Ending, finish, stopping_on_signals
from search.engine.facts import baselines_of, facts_of_kept, keep_facts, study_facts, with_floor
from search.engine.plan import Plan
from search.engine.progress import Progress
from search.results.claims import Judged
from search.results.summary import StudySummary
from search.training.pool import Crew, Pool
from search.training.pools import open_pool
from search.tuning.factory import keras_tuner_oracle
from search.tuning.kept_studies import (
    KeptStudy,
    explanations_of,
    kept_contract,
    need_study,
    read_study,
)
from search.tuning.keras_tuner_project import claim
from search.tuning.lock import held
from search.tuning.pruners import WARM_UP_EPOCHS
from search.tuning.storage import (
    Storage,
    in_memory,
    open_existing,
    open_storage,
    refusing_failures,
)
from search.tuning.study import Study

if TYPE_CHECKING:
    from search.tracking.mirror import Mirror

# For a study that draws nothing: one of fixed designs, or one that is brought in line.
DRAWS_NOTHING = Drawing(OPTUNA, "random", "none")
# Seconds that MLflow may take for thousands of trials; one that is away at first is not waited for.
PATIENCE = 3600.0


@dataclass(frozen=True)
class Session:
    """An open study: held by this process, reconciled, its facts collected.

    Attributes:
        study: the truth about its attempts. facts: what is the same for all of them.
        stores: where it is.
        orphans: attempts of an earlier run that had not ended when it was opened.
    """

    study: Study
    facts: StudyFacts
    stores: Stores
    orphans: tuple[TrialRecord, ...] = ()

    @property
    def spool(self) -> Path:
        """Folder of the files that MLflow does not have yet."""
        return self.stores.spool(self.study.name, self.facts.identity)

    def mirror(self, say: Callable[[str], None]) -> "Mirror":
        """Start the delivery to MLflow; `say` is told where it does not answer."""
        # It imports Matplotlib, which a dry run does not need.
        from search.tracking.mirror import Mirror

        stores = self.stores
        return Mirror(
            *(stores.tracking, stores.artifacts, stores.tracking_lock, self.spool, self.facts, say)
        )


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


# -- what the doors call ---------------------------------------------------------------------------


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
        summary, ending, _ = conduct(plan, session, crew, progress)
    return Ended(session.facts, summary, ending)


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


# -- hold and open ---------------------------------------------------------------------------------


@contextlib.contextmanager
def hold_study(name: str, stores: Stores, storage: Storage | None = None) -> Iterator[Storage]:
    """Hold the study for this process alone.

    Args:
        name: of the study; it need not exist.
        stores: where it is.
        storage: its database, if it is open; else it is opened, and made if there is none.

    Raises:
        Refused: another process holds it, or the database cannot be used.
    """
    with refusing_failures(), held(stores, name):
        yield storage or open_storage(stores.storage, stores.schema_lock)


def open_study(
    plan: Plan,
    name: str,
    storage: Storage,
    stores: Stores,
    wanted: Sequence[tuple[str, int]] | None = None,
) -> Session:
    """Open the study, or make it, ready to train; by its holder alone.

    What other commands need of it when the data file is gone is kept with it.

    Args:
        plan: what is tried on which data.
        name: of the study.
        storage: the study database.
        stores: where it is.
        wanted: design and repeat of each training that is wanted, those that are there included;
            None for what the experiment says.

    Raises:
        Refused: it was begun under another contract.
    """
    study = _study(storage, name, plan.experiment, plan.drawing)
    study.hold_to(plan.contract)
    if plan.drawing.tuner == KERAS_TUNER:
        claim(stores.keras_tuner(name, study.identity), name, study.identity)
    openings = study.recall("openings") or []
    assert isinstance(openings, list)
    baselines = baselines_of(plan, study)
    facts = study_facts(plan, name, study.identity, baselines, len(openings))
    explanations = explanations_of(storage, name)
    facts = dataclasses.replace(facts, explanation=explanations[-1] if explanations else None)
    if wanted is None:
        keep_facts(study, plan.experiment.source, facts)
        return Session(study, facts, stores, tuple(study.reconcile()))
    orphans = tuple(study.reconcile(queue=False))
    study.want(wanted)
    facts = dataclasses.replace(facts, total=study.finished + study.waiting)
    keep_facts(study, plan.experiment.source, facts)
    return Session(study, facts, stores, orphans)


def open_retest(
    plan: Plan,
    name: str,
    storage: Storage,
    stores: Stores,
    contract: Mapping[str, object],
    dropped: frozenset[str],
) -> Session:
    """Open the study of a re-test, or make it, ready to train as many trials as it waits for.

    It has no baselines: they are judged on other windows than each of its folds.

    Args:
        plan: of the study that is tested again, with the re-test's experiment.
        name: of the re-test's study.
        storage: the study database.
        stores: where it is.
        contract: that holds for all trials of the re-test.
        dropped: designs of which no further seed is trained.

    Raises:
        Refused: it was begun under another contract.
    """
    study = _study(storage, name, plan.experiment, DRAWS_NOTHING, dropped=dropped)
    study.hold_to(dict(contract))
    orphans = tuple(study.reconcile())
    facts = study_facts(plan, name, study.identity, {})
    facts = dataclasses.replace(facts, total=study.finished + study.waiting)
    return Session(study, facts, stores, orphans)


def open_repeats(
    plan: Plan,
    name: str,
    storage: Storage,
    stores: Stores,
    contract: Mapping[str, object],
    wanted: Sequence[tuple[str, int]],
) -> Session:
    """Open a study of fixed designs, or make it, ready to train just what is wanted of them.

    It has no baselines of its own: those of the study that it is about stand beside it.

    Args:
        plan: gives the data, and the experiment with its designs.
        name: of the study.
        storage: the study database.
        stores: where it is.
        contract: that holds for all its trials.
        wanted: design and repeat of each training; those that are there are not trained again.

    Raises:
        Refused: it was begun under another contract.
    """
    study = _study(storage, name, plan.experiment, DRAWS_NOTHING)
    study.hold_to(dict(contract))
    orphans = tuple(study.reconcile(queue=False))
    study.want(wanted)
    facts = study_facts(plan, name, study.identity, {})
    facts = dataclasses.replace(facts, total=study.finished + study.waiting)
    return Session(study, facts, stores, orphans)


def reopen_study(kept: KeptStudy, storage: Storage, stores: Stores) -> Session:
    """Open a study as it was kept, to bring it in order; nothing more is queued in it."""
    experiment = kept.experiment()
    study = _study(storage, kept.name, experiment, DRAWS_NOTHING)
    orphans = tuple(study.reconcile(queue=False))
    facts = dataclasses.replace(facts_of_kept(kept, experiment), identity=study.identity)
    return Session(study, facts, stores, orphans)


def open_in_memory(
    experiment: Experiment, drawing: Drawing, oracle_place: Path, warm_up: int
) -> Study:
    """A new study that is gone with this process, ready to ask.

    Args:
        experiment: with its seed and number of trials.
        drawing: who draws and prunes.
        oracle_place: where KerasTuner, if it draws, writes what it knows.
        warm_up: epochs before which nothing is pruned.
    """
    study = _study(in_memory(), "replay", experiment, drawing, warm_up)
    study.reconcile()
    if drawing.tuner == KERAS_TUNER:
        study.draw_with(keras_tuner_oracle(drawing.sampler, experiment, oracle_place))
    return study


def _study(
    storage: Storage,
    name: str,
    experiment: Experiment,
    drawing: Drawing,
    warm_up: int = WARM_UP_EPOCHS,
    dropped: frozenset[str] = frozenset(),
) -> Study:
    # Where an oracle draws, Optuna's sampler only takes from the queue.
    sampler = drawing.sampler if drawing.tuner == OPTUNA else "random"
    places = storage, name, experiment, experiment.seed
    return Study(*places, sampler, drawing.pruner, warm_up, dropped)


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


# -- train and close -------------------------------------------------------------------------------


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
