"""Which library draws the points, and which of its rules: what the command takes together."""

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from search.errors import WrongInput

if TYPE_CHECKING:
    from experiments.experiment import Experiment
    from search.oracle import Oracle

OPTUNA = "optuna"
KERAS_TUNER = "keras-tuner"
# The first of each is the default.
SAMPLERS = {
    OPTUNA: ("tpe", "gp", "qmc", "random"),
    KERAS_TUNER: ("bayesian", "random", "hyperband"),
}
# Packages that not every way of drawing needs: as imported, and as installed.
_KERAS_TUNER = {"keras_tuner": "keras-tuner"}
_NEEDED: dict[tuple[str, str], dict[str, str]] = {
    (OPTUNA, "gp"): {"torch": "torch"},
    (KERAS_TUNER, "random"): _KERAS_TUNER,
    (KERAS_TUNER, "hyperband"): _KERAS_TUNER,
    (KERAS_TUNER, "bayesian"): _KERAS_TUNER | {"sklearn": "scikit-learn", "scipy": "scipy"},
}
PRUNERS = {OPTUNA: ("median", "hyperband", "patient", "none"), KERAS_TUNER: ("none",)}


@dataclass(frozen=True)
class Drawing:
    """How a study draws its points: the library, its sampler (or oracle), and the pruner."""

    tuner: str = OPTUNA
    sampler: str = SAMPLERS[OPTUNA][0]
    pruner: str = PRUNERS[OPTUNA][0]

    @property
    def contract(self) -> dict[str, object]:
        """What of it must stay the same for a study.

        Optuna's samplers learn from trials that another has drawn, so theirs may change. An oracle
        has its own project directory, and Hyperband's trials have epochs of their own.
        """
        kept: dict[str, object] = {"tuner": self.tuner}
        return kept | ({"sampler": self.sampler} if self.tuner == KERAS_TUNER else {})


BY_OPTUNA = Drawing()


def choose(tuner: str, sampler: str | None, pruner: str | None) -> Drawing:
    """Return what was asked for, with the tuner's defaults for what was not.

    Raises:
        WrongInput: the tuner has no such sampler, or takes no such pruner.
    """
    for option, asked, known in (
        ("--sampler", sampler, SAMPLERS[tuner]),
        ("--pruner", pruner, PRUNERS[tuner]),
    ):
        if asked is None or asked in known:
            continue
        message = (
            f"{option} {asked} does not go with --tuner {tuner}: expected {' or '.join(known)}"
        )
        if option == "--pruner":
            message += (
                ".\nKerasTuner has no pruners: its Hyperband decides before a trial how many "
                "epochs it gets.\nNext: leave --pruner out, or try --sampler hyperband."
            )
        else:
            other = next(name for name in SAMPLERS if name != tuner)
            message += f".\nNext: give one of those, or --tuner {other}."
        raise WrongInput(message)
    return Drawing(tuner, sampler or SAMPLERS[tuner][0], pruner or PRUNERS[tuner][0])


def missing_packages(drawing: Drawing) -> list[str]:
    """What `drawing` needs and is not installed, by the names to install."""
    needed = _NEEDED.get((drawing.tuner, drawing.sampler), {})
    return [
        distribution
        for package, distribution in needed.items()
        if importlib.util.find_spec(package) is None
    ]


def drawn_by(contract: dict[str, object]) -> str:
    """Who draws the points of a study with that contract, as a person says it."""
    if contract.get("tuner", OPTUNA) == OPTUNA:
        return "Optuna"
    return f"KerasTuner's {contract['sampler']} oracle"


def keras_tuner_oracle(sampler: str, experiment: "Experiment", directory: Path) -> "Oracle":
    """KerasTuner's oracle of that name; imports TensorFlow, without what that says of itself.

    Args:
        sampler: which.
        experiment: whose space it draws from.
        directory: where it writes what it knows.
    """
    from search.tensorflow_start import native_messages_dropped

    # Before any thread of ours could say something meanwhile.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with native_messages_dropped():  # KerasTuner uses what Keras does not
        from search.keras_tuner_oracle import KerasTunerOracle
    return KerasTunerOracle(sampler, experiment.space, experiment.epochs, directory)
