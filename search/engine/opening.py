"""Holds a study and opens it: to search, to train fixed designs, or to repair its runs."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.experiment import Experiment
from search.common.drawing import KERAS_TUNER, OPTUNA, Drawing
from search.common.records import StudyFacts, TrialRecord
from search.common.stores import Stores
from search.engine.facts import baselines_of, facts_of_kept, keep_facts, study_facts
from search.engine.naming import files_differ
from search.engine.plan import Plan
from search.tuning.factory import keras_tuner_oracle
from search.tuning.kept_studies import (
    KeptStudy,
    explanations_of,
    kept_file,
)
from search.tuning.keras_tuner_project import claim
from search.tuning.lock import held
from search.tuning.pruners import WARM_UP_EPOCHS
from search.tuning.storage import (
    Storage,
    in_memory,
    open_storage,
    refusing_failures,
)
from search.tuning.study import Study

if TYPE_CHECKING:
    from search.tracking.mirror import Mirror

# For a study that draws nothing: one with fixed designs, or one whose runs are repaired.
DRAWS_NOTHING = Drawing(OPTUNA, "random", "none")


@dataclass(frozen=True)
class Session:
    """An open study: held by this process, reconciled, its facts collected.

    Attributes:
        study: the source of truth on its attempts. facts: what is the same for all of them.
        stores: the study's stores.
        orphans: attempts of an earlier run that had not ended when the study was opened.
    """

    study: Study
    facts: StudyFacts
    stores: Stores
    orphans: tuple[TrialRecord, ...] = ()

    @property
    def spool(self) -> Path:
        """Folder of files that MLflow does not have yet."""
        return self.stores.spool(self.study.name, self.facts.identity)

    def mirror(self, say: Callable[[str], None]) -> "Mirror":
        """Start the delivery to MLflow; `say` gets a message if MLflow does not answer."""
        # This imports Matplotlib, which a dry run does not need.
        from search.tracking.mirror import Mirror

        stores = self.stores
        return Mirror(
            *(stores.tracking, stores.artifacts, stores.tracking_lock, self.spool, self.facts, say)
        )


@contextlib.contextmanager
def hold_study(name: str, stores: Stores, storage: Storage | None = None) -> Iterator[Storage]:
    """Hold the study exclusively for this process.

    Args:
        name: the study's name; it need not exist.
        stores: the study's stores.
        storage: its database, if it is open. Else the database is opened or created.

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
    """Open or create the study, ready to train. The caller must hold it.

    This also stores what other commands need if the data file is gone.

    Args:
        plan: what is tried on which data.
        name: the study's name.
        storage: the study database.
        stores: the study's stores.
        wanted: design and repeat of each wanted training, including existing ones; None for all
            of the experiment.

    Raises:
        Refused: the study began with another contract.
    """
    study = _study(storage, name, plan.experiment, plan.drawing)
    files = files_differ(kept_file(storage, name), plan.experiment.source.path)
    study.hold_to(plan.contract, files)
    if plan.drawing.tuner == KERAS_TUNER:
        claim(stores.keras_tuner(name, study.identity), name, study.identity)
    openings = study.recall("openings") or []
    assert isinstance(openings, list)
    baselines = baselines_of(plan, study)
    facts = study_facts(plan, name, study.identity, baselines, len(openings))
    explanations = explanations_of(storage, name)
    payoff = study.recall("payoff")
    assert payoff is None or isinstance(payoff, dict)
    latest = explanations[-1] if explanations else None
    facts = dataclasses.replace(facts, explanation=latest, payoff=payoff)
    if wanted is None:
        keep_facts(study, plan.source_as_read, facts)
        return Session(study, facts, stores, tuple(study.reconcile()))
    orphans = tuple(study.reconcile(queue=False))
    study.want(wanted)
    facts = dataclasses.replace(facts, total=study.finished + study.waiting)
    keep_facts(study, plan.source_as_read, facts)
    return Session(study, facts, stores, orphans)


def open_fixed(
    plan: Plan,
    name: str,
    storage: Storage,
    stores: Stores,
    contract: Mapping[str, object],
    dropped: frozenset[str] = frozenset(),
    wanted: Sequence[tuple[str, int]] | None = None,
) -> Session:
    """Open or create a study of fixed designs, ready to train its queue.

    Re-tests and explanations are such studies. They have no baselines of their own: baselines are
    judged on other windows, or belong to the study that is re-tested or explained.

    Args:
        plan: gives the data, and the experiment with its designs.
        name: the study's name.
        storage: the study database.
        stores: the study's stores.
        contract: the contract for all its trials.
        dropped: designs for which no further seed is trained.
        wanted: design and repeat of each training, including existing ones; None for every design
            with all its seeds.

    Raises:
        Refused: the study began with another contract.
    """
    study = _study(storage, name, plan.experiment, DRAWS_NOTHING, dropped=dropped)
    study.hold_to(dict(contract))
    orphans = tuple(study.reconcile(queue=wanted is None))
    if wanted is not None:
        study.want(wanted)
    facts = study_facts(plan, name, study.identity, {})
    facts = dataclasses.replace(facts, total=study.finished + study.waiting)
    return Session(study, facts, stores, orphans)


def reopen_study(kept: KeptStudy, storage: Storage, stores: Stores) -> Session:
    """Open a kept study to repair its runs. Nothing new is queued."""
    experiment = kept.experiment()
    study = _study(storage, kept.name, experiment, DRAWS_NOTHING)
    orphans = tuple(study.reconcile(queue=False))
    facts = dataclasses.replace(facts_of_kept(kept, experiment), identity=study.identity)
    return Session(study, facts, stores, orphans)


def open_in_memory(
    experiment: Experiment, drawing: Drawing, oracle_place: Path, warm_up: int
) -> Study:
    """Create a study in memory, ready to ask. It ends with this process.

    Args:
        experiment: the experiment, with its seed and number of trials.
        drawing: the tuner, sampler and pruner.
        oracle_place: folder for KerasTuner's files, if KerasTuner draws.
        warm_up: no trial is pruned before this many epochs.
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
    # If an oracle draws, Optuna's sampler is not used: points come from the queue.
    sampler = drawing.sampler if drawing.tuner == OPTUNA else "random"
    places = storage, name, experiment, experiment.seed
    return Study(*places, sampler, drawing.pruner, warm_up, dropped)
