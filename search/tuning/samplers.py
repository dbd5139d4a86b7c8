"""Optuna's samplers by name: how points are drawn."""

import warnings
from collections.abc import Callable

import optuna
from optuna.trial import FrozenTrial

from experiments.space import Space
from search.common.seeds import trial_seed
from search.tuning.long_study import Lessons, LongStudy
from search.tuning.optuna_space import distribution

# Once and for all: `warnings.catch_warnings` would also take back the filters that a thread which
# imports MLflow meanwhile has just set.
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)


class _SobolSampler(optuna.samplers.QMCSampler):
    """One Sobol sequence over all dimensions; a trial takes those that its conditions ask for.

    Optuna's own would cover only what the first completed trial has, with a new sequence for every
    other set of dimensions, and draw the rest alike in every trial, as it is made anew for each.
    """

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(seed=seed, scramble=True)
        self._whole = {d.name: distribution(d) for d in space.dimensions}

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, optuna.distributions.BaseDistribution]:
        return self._whole


def make_sampler(
    name: str, space: Space, seed: int, trials_so_far: int, lessons: Lessons
) -> optuna.samplers.BaseSampler:
    """Build the sampler called `name`, seeded by the study's seed and its trials so far.

    `lessons` holds what has ended of them, for samplers that would look at them all.
    """
    drawn = trial_seed(seed, trials_so_far)
    makers: dict[str, Callable[[], optuna.samplers.BaseSampler]] = {
        # The groups make the joint model see dimensions that not every trial has.
        "tpe": lambda: LongStudy(
            optuna.samplers.TPESampler(seed=drawn, multivariate=True, group=True), lessons
        ),
        # What not every trial has is drawn at random: said in the docs, not at every draw.
        "gp": lambda: optuna.samplers.GPSampler(seed=drawn, warn_independent_sampling=False),
        # A Sobol sequence goes on by itself; another seed would scramble it anew.
        "qmc": lambda: _SobolSampler(space, seed),
        "random": lambda: optuna.samplers.RandomSampler(seed=drawn),
    }
    return makers[name]()
