"""Replays searches with measured curves: which finds the lowest validation error in equal time?

The default search is replayed with the learning curves of `curves.csv` and their number of epochs.
It uses the real coordinator, sampler and pruner, and two workers. The clock takes the seconds of an
epoch from `models.cost`, for the kernels that train on a CPU.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from data_pipeline.inputs import added_columns
from experiments.catalogue import CATALOGUE
from experiments.experiment import Experiment
from models.cost import epoch_seconds
from models.parameters import TrialParameters
from search.benchmark.curves import FloatArray, Surrogate, read_curves
from search.benchmark.measures import Ratio, paired_ratio
from search.benchmark.replay import Replayed, ReplayPool, Trainer, replay
from search.common.drawing import Drawing
from search.common.records import StudyFacts
from search.engine.facts import study_facts
from search.engine.plan import make_plan
from search.tuning.pruners import WARM_UP_EPOCHS

WORKERS = 2
# More trials than any search reaches in the time.
MANY_TRIALS = 10_000
EXPERIMENT = CATALOGUE["power_usage"]


@dataclass(frozen=True)
class Contestant:
    """A way to search, and the epochs before a trial may be pruned."""

    name: str
    drawing: Drawing
    warm_up: int = WARM_UP_EPOCHS


@dataclass(frozen=True)
class Contest:
    """The searches of every contestant, one per seed, with the same seeds for all.

    Attributes:
        played: searches by contestant.
        to_unit: a scaled 1 in the data's unit. unit: the unit's name.
        curves: number of measured learning curves. epochs: epochs of each.
        errors: how well the curves predict unseen trials, see `Surrogate.errors`.
    """

    played: dict[Contestant, list[Replayed]]
    to_unit: float
    unit: str
    curves: int
    epochs: int
    errors: dict[str, float]

    def rmse(self, contestant: Contestant, minutes: float) -> FloatArray:
        """Lowest validation RMSE after `minutes`, by seed; infinite if no trial completed."""
        best = [one.best_after(60 * minutes) for one in self.played[contestant]]
        return np.asarray(np.sqrt(best) * self.to_unit)

    def mean_rmse(self, contestant: Contestant, minutes: float) -> float:
        """The geometric mean over the seeds."""
        return float(np.exp(np.log(self.rmse(contestant, minutes)).mean()))

    def ratio(self, one: Contestant, other: Contestant, minutes: float) -> Ratio:
        """RMSE of `one` over that of `other`, paired by seed."""
        return paired_ratio(list(self.rmse(one, minutes)), list(self.rmse(other, minutes)))

    def as_dict(self) -> dict[str, Any]:
        """The basis, and every search's best error by trial, as plain values."""
        return {
            "unit": self.unit,
            "curves": self.curves,
            "epochs": self.epochs,
            "surrogate": self.errors,
            "searches": {
                one.name: [[list(step) for step in found.steps] for found in played]
                for one, played in self.played.items()
            },
        }


def play(contestants: Sequence[Contestant], seeds: int, minutes: float, overhead: float) -> Contest:
    """Replay the default search with every contestant for `minutes`, once per seed.

    Args:
        contestants: the ways to search.
        seeds: number of searches of each.
        minutes: time on the replayed clock.
        overhead: seconds of a trial outside its epochs.
    """
    plan = make_plan(EXPERIMENT)
    facts = study_facts(plan, "replay", "replay", {})
    surrogate = Surrogate(read_curves())
    experiment = EXPERIMENT.model_copy(
        update={"epochs": surrogate.curves.epochs, "trials": MANY_TRIALS}
    )
    windows, length, _ = plan.prepared.train.x.shape
    own = len(plan.series.covariate_names) + 1

    def train(parameters: TrialParameters, seed: int) -> tuple[FloatArray, float]:
        columns = own + len(added_columns(parameters.inputs))
        seconds = epoch_seconds(parameters, windows, length, columns)
        return surrogate.predict(parameters, seed), seconds

    # joblib replaces processes that have grown, which costs a second and changes nothing.
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
    pairs = [(contestant, seed) for seed in range(seeds) for contestant in contestants]
    done = tqdm(
        Parallel(n_jobs=-1, return_as="generator")(
            delayed(_replay)(train, experiment, facts, contestant, seed, 60 * minutes, overhead)
            for contestant, seed in pairs
        ),
        total=len(pairs),
        desc="searches replayed",
        disable=None,
    )
    played: dict[Contestant, list[Replayed]] = {contestant: [] for contestant in contestants}
    for (contestant, _), one in zip(pairs, done, strict=True):
        played[contestant].append(one)
    return Contest(
        played,
        plan.prepared.target_range,
        plan.series.unit,
        len(surrogate.curves.parameters),
        surrogate.curves.epochs,
        surrogate.errors(),
    )


def _replay(
    train: Trainer,
    experiment: Experiment,
    facts: StudyFacts,
    contestant: Contestant,
    seed: int,
    limit: float,
    overhead: float,
) -> Replayed:
    pool = ReplayPool(train, WORKERS, overhead, limit)
    seeded = experiment.model_copy(update={"seed": seed})
    return replay(seeded, facts, pool, contestant.drawing, contestant.warm_up)


def surrogate_line(contest: Contest) -> str:
    """The basis of the replays, in one line."""
    errors = ", ".join(f"{name} {value:.3f}" for name, value in contest.errors.items())
    return (
        f"{contest.curves} measured curves of {contest.epochs} epochs; on unseen trials: {errors}"
    )


def shown(ratio: Ratio) -> str:
    """A ratio near 1, as text for a table."""
    return f"{ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f})"
