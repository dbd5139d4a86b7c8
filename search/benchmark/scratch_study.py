"""A study in stores of its own, apart from the person's."""

from pathlib import Path
from typing import Any

from search.common.records import StudyFacts
from search.common.stores import Stores
from search.engine.facts import baselines_of, study_facts
from search.engine.plan import Plan
from search.tuning.storage import open_storage
from search.tuning.study import Study

PRUNER = "median"


class _Silent:
    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


# Stands for a mirror or a progress bar where nobody looks.
SILENT: Any = _Silent()


def private_study(plan: Plan, root: Path, sampler: str) -> tuple[Study, StudyFacts, Stores]:
    """Open a new study under the folder `root`, ready for a coordinator."""
    root = root.absolute()
    (root / "locks").mkdir(parents=True)
    stores = Stores(
        storage=f"sqlite:///{root}/optuna.db",
        tracking=f"sqlite:///{root}/mlflow.db",
        artifacts=root / "artifacts",
        root=root,
    )
    storage = open_storage(stores.storage, stores.schema_lock)
    study = Study(storage, "benchmark", plan.experiment, plan.experiment.seed, sampler, PRUNER)
    study.hold_to(plan.contract)
    study.reconcile()
    return study, study_facts(plan, study.name, study.identity, baselines_of(plan, study)), stores
