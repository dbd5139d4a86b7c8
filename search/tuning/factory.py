"""Makes the tuner that a study asks for, and says what it needs."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from search.common.drawing import KERAS_TUNER, OPTUNA, Drawing

if TYPE_CHECKING:
    from experiments.experiment import Experiment
    from search.tuning.oracle import Oracle


# Packages that not every way of drawing needs: as imported, and as installed.
_KERAS_TUNER = {"keras_tuner": "keras-tuner"}
_NEEDED: dict[tuple[str, str], dict[str, str]] = {
    (OPTUNA, "gp"): {"torch": "torch"},
    (KERAS_TUNER, "random"): _KERAS_TUNER,
    (KERAS_TUNER, "hyperband"): _KERAS_TUNER,
    (KERAS_TUNER, "bayesian"): _KERAS_TUNER | {"sklearn": "scikit-learn", "scipy": "scipy"},
}


def missing_packages(drawing: Drawing) -> list[str]:
    """What `drawing` needs and is not installed, by the names to install."""
    needed = _NEEDED.get((drawing.tuner, drawing.sampler), {})
    return [
        distribution
        for package, distribution in needed.items()
        if importlib.util.find_spec(package) is None
    ]


def keras_tuner_oracle(sampler: str, experiment: "Experiment", directory: Path) -> "Oracle":
    """KerasTuner's oracle of that name; imports TensorFlow, without what that says of itself.

    Args:
        sampler: which.
        experiment: whose space it draws from.
        directory: where it writes what it knows.
    """
    from models.tensorflow_start import native_messages_dropped, quiet_start

    # Before any thread of ours could say something meanwhile.
    quiet_start()
    with native_messages_dropped():  # KerasTuner uses what Keras does not
        from search.tuning.keras_tuner_oracle import KerasTunerOracle
    return KerasTunerOracle(sampler, experiment.space, experiment.epochs, directory)
