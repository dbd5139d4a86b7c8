"""A study in its own stores, separate from the person's."""

import dataclasses
from pathlib import Path
from typing import Any

from search.common.drawing import OPTUNA, Drawing
from search.common.stores import Stores
from search.engine.opening import Session, open_study
from search.engine.plan import Plan
from search.tuning.storage import open_storage

PRUNER = "median"


class _Silent:
    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


# Replaces a mirror or a progress bar that nobody needs.
SILENT: Any = _Silent()


def private_study(plan: Plan, root: Path, sampler: str) -> Session:
    """Open a new study under the private folder `root`, ready to train."""
    root = root.absolute()
    (root / "locks").mkdir(parents=True)
    stores = Stores(
        storage=f"sqlite:///{root}/optuna.db",
        tracking=f"sqlite:///{root}/mlflow.db",
        artifacts=root / "artifacts",
        root=root,
    )
    storage = open_storage(stores.storage, stores.schema_lock)
    plan = dataclasses.replace(plan, drawing=Drawing(OPTUNA, sampler, PRUNER))
    return open_study(plan, "benchmark", storage, stores)
