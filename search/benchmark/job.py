"""The task of a contender, and its reports while it runs."""

import json
import sys
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from experiments.catalogue import CATALOGUE
from experiments.experiment import Experiment
from experiments.lstm_space import to_parameters
from experiments.space import Choice, Space, Value
from models.parameters import TrialParameters

_LATER = {
    name: TrialParameters.model_fields[name].default
    for name in ("target", "inputs", "lookback", "schedule")
}


class Job(BaseModel):
    """One contender's task. It is passed as JSON on the command line.

    Attributes:
        experiment: name in the catalogue; gives data, windows and space.
        epochs: maximum epochs of a trial.
        seed: the study's seed.
        points: train exactly these points, in this order, without pruning; None searches the space
            until stopped. No point stops early if `epochs` does not exceed its patience.
        folder: folder for the contender's own files.
        trials: the search ends after this many; None means only when it is stopped.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    experiment: str
    epochs: int
    seed: int
    points: tuple[dict[str, Value], ...] | None = None
    folder: Path
    trials: int | None = None

    @classmethod
    def from_command_line(cls) -> Self:
        """The job from this process's command line."""
        return cls.model_validate_json(sys.argv[1])

    def adapted(self) -> Experiment:
        """The experiment with this job's epochs and seed, in the space of `in_common`."""
        changes = {"epochs": self.epochs, "seed": self.seed}
        return in_common(CATALOGUE[self.experiment]).model_copy(update=changes)

    def parameters(self, point: dict[str, Value]) -> TrialParameters:
        """The network's parameters for a point of the space."""
        return to_parameters(point, self.epochs)


def in_common(experiment: Experiment) -> Experiment:
    """The experiment without what a stock Keras loop does not know.

    Those are the settings that came later: what is learned, from which inputs, how far back, by
    which schedule. All have their default.
    """
    dimensions = [one for one in experiment.space.dimensions if one.name not in _LATER]
    designs = [
        one
        for one in experiment.designs
        if all(getattr(one.parameters, name) == default for name, default in _LATER.items())
    ]
    space = Space(dimensions=tuple(dimensions))
    return experiment.model_copy(update={"space": space, "designs": tuple(designs)})


def say_epoch(trial: int | str, epoch: int, value: float, flops: float) -> None:
    """Report the end of an epoch (from 1), with its validation MSE, scaled, and its operations."""
    event = {"trial": str(trial), "epoch": epoch, "value": value, "flops": flops}
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def draw_points(space: Space, count: int, seed: int) -> list[dict[str, Value]]:
    """Draw points of `space`, uniform on each dimension's scale; equal for equal seeds."""
    rng = np.random.default_rng(seed)
    points = []
    for _ in range(count):
        flat: dict[str, Value] = {}
        for dimension in space.dimensions:
            if not space.present(dimension, flat):
                continue
            if isinstance(dimension, Choice):
                flat[dimension.name] = dimension.values[int(rng.integers(len(dimension.values)))]
                continue
            low, high = float(dimension.low), float(dimension.high)
            value = float(rng.uniform(low, high))
            if dimension.log:
                value = float(np.exp(rng.uniform(np.log(low), np.log(high))))
            value = min(max(value, low), high)
            flat[dimension.name] = round(value) if dimension.kind == "int" else value
        points.append(flat)
    return points
