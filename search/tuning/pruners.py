"""Optuna's pruners by name: how hopeless trials are stopped."""

from collections.abc import Callable

import optuna

# Epochs that every trial gets before it may be pruned: LSTMs start slowly.
WARM_UP_EPOCHS = 8
# Completed trials before the median and the quartile mean something.
STARTUP_TRIALS = 5
# Epochs without improvement that the patient rule waits for.
PATIENT_EPOCHS = 3


def make_pruner(name: str, epochs: int, warm_up: int) -> optuna.pruners.BasePruner:
    """Build a pruner.

    Args:
        name: of the rule: one of Optuna's in `search.common.drawing`.
        epochs: most epochs of a trial.
        warm_up: epochs that every trial gets before it may be pruned.
    """
    warm_up = min(warm_up, epochs)
    pruners = optuna.pruners
    makers: dict[str, Callable[[], optuna.pruners.BasePruner]] = {
        "hyperband": lambda: pruners.HyperbandPruner(min_resource=warm_up, max_resource=epochs),
        "halving": lambda: pruners.SuccessiveHalvingPruner(
            min_resource=warm_up, reduction_factor=2
        ),
        "median": lambda: pruners.MedianPruner(STARTUP_TRIALS, warm_up),
        # Keeps the best quarter, where the median keeps the better half.
        "quartile": lambda: pruners.PercentilePruner(25.0, STARTUP_TRIALS, warm_up),
        # The median rule, but only for trials that have stopped to improve.
        "patient": lambda: pruners.PatientPruner(
            pruners.MedianPruner(STARTUP_TRIALS, warm_up), PATIENT_EPOCHS
        ),
        "none": pruners.NopPruner,
    }
    return makers[name]()
