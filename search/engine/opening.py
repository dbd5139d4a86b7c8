"""Hold a study and open it: to search, to train fixed designs, or to bring it in order."""

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
from search.engine.plan import Plan
from search.tuning.factory import keras_tuner_oracle
from search.tuning.kept_studies import (
    KeptStudy,
    explanations_of,
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

# For a study that draws nothing: one of fixed designs, or one that is brought in line.
DRAWS_NOTHING = Drawing(OPTUNA, "random", "none")


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
    """Open a study of fixed designs, or make it, ready to train what waits in it.

    Such is a re-test, and the trainings of an explanation. It has no baselines: they are judged on
    other windows, or stand beside the study that it is about.

    Args:
        plan: gives the data, and the experiment with its designs.
        name: of the study.
        storage: the study database.
        stores: where it is.
        contract: that holds for all its trials.
        dropped: designs of which no further seed is trained.
        wanted: design and repeat of each training, those that are there included; None for every
            design with all its seeds.

    Raises:
        Refused: it was begun under another contract.
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
