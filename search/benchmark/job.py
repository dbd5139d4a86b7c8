"""What a contender is asked to do, and what it says while doing it."""

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
    """One contender's task; travels as JSON on its command line.

    Attributes:
        experiment: name in the catalogue; gives data, windows and space.
        epochs: most epochs of a trial.
        seed: of the study.
        points: train exactly these, in this order, without pruning; None searches the space until
            stopped. None is stopped early as long as `epochs` does not exceed its patience.
        folder: for the contender's own files.
        trials: after which a search ends by itself; None: only when it is stopped.
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
        """The job that this process was started with."""
        return cls.model_validate_json(sys.argv[1])

    def adapted(self) -> Experiment:
        """The experiment with this job's epochs and seed, in the space of `in_common`."""
        changes = {"epochs": self.epochs, "seed": self.seed}
        return in_common(CATALOGUE[self.experiment]).model_copy(update=changes)

    def parameters(self, point: dict[str, Value]) -> TrialParameters:
        """What a point of the space stands for."""
        return to_parameters(point, self.epochs)


def in_common(experiment: Experiment) -> Experiment:
    """The experiment without what a stock Keras loop, or a measured curve, does not know.

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
    """Report the end of an epoch (from 1) of `trial`: its validation MSE, scaled, and its work."""
    event = {"trial": str(trial), "epoch": epoch, "value": value, "flops": flops}
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def draw_points(space: Space, count: int, seed: int) -> list[dict[str, Value]]:
    """Points of `space`, uniform on each dimension's own scale; the same for the same seed."""
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
