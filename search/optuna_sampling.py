"""How points are drawn and hopeless trials pruned: Optuna's adapter over a declared space."""

import copy
import heapq
import math
import warnings
from collections.abc import Callable, Container
from operator import attrgetter
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from experiments.space import Choice, Dimension, Float, Space, Value

PRUNERS = ("median", "quartile", "halving", "hyperband", "patient", "none")
# Epochs that every trial gets before it may be pruned: LSTMs start slowly.
WARM_UP_EPOCHS = 8
# Completed trials before the median and the quartile mean something.
STARTUP_TRIALS = 5
# Ended trials that TPE is shown of a long study.
MOST_LESSONS = 500
# Epochs without improvement that the patient rule waits for.
PATIENT_EPOCHS = 3


# Once and for all: `warnings.catch_warnings` would also take back the filters that a thread which
# imports MLflow meanwhile has just set.
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)


def suggest(trial: optuna.Trial, space: Space) -> dict[str, Value]:
    """Draw a point of `space` from an Optuna trial: the adapter between the two."""
    flat: dict[str, Value] = {}
    for dimension in space.dimensions:
        if not space.present(dimension, flat):
            continue
        name = dimension.name
        if isinstance(dimension, Choice):
            drawn = trial.suggest_categorical(name, list(dimension.values))
            assert drawn is not None  # no choice has None among its values
            flat[name] = drawn
        elif isinstance(dimension, Float):
            flat[name] = trial.suggest_float(name, dimension.low, dimension.high, log=dimension.log)
        else:
            flat[name] = trial.suggest_int(name, dimension.low, dimension.high, log=dimension.log)
    return flat


def trial_seed(study_seed: int, stream: int) -> int:
    """The seed of one trial, from the study's seed and the trial's number (or its repeat's)."""
    return int(np.random.SeedSequence((study_seed, stream)).generate_state(1)[0])


class _SobolSampler(optuna.samplers.QMCSampler):
    """One Sobol sequence over all dimensions; a trial takes those that its conditions ask for.

    Optuna's own would cover only what the first completed trial has, with a new sequence for every
    other set of dimensions, and draw the rest alike in every trial, as it is made anew for each.
    """

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(seed=seed, scramble=True)
        self._whole = {d.name: _distribution(d) for d in space.dimensions}

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, optuna.distributions.BaseDistribution]:
        return self._whole


def _distribution(dimension: Dimension) -> optuna.distributions.BaseDistribution:
    if isinstance(dimension, Choice):
        return optuna.distributions.CategoricalDistribution(dimension.values)
    low, high, log = dimension.low, dimension.high, dimension.log
    if isinstance(dimension, Float):
        return optuna.distributions.FloatDistribution(low, high, log)
    return optuna.distributions.IntDistribution(int(low), int(high), log)


class Lessons:
    """The ended trials that a sampler is shown: all, beyond `MOST_LESSONS` a choice of them.

    Half of that are the latest and half the best of the earlier ones, those that completed before
    those that were pruned. The order in which trials are added makes no difference.
    """

    def __init__(self) -> None:
        # Two heaps: by number, and by merit.
        self._latest: list[tuple[int, FrozenTrial]] = []
        self._earlier: list[tuple[float, int, FrozenTrial]] = []

    def add(self, trial: FrozenTrial) -> None:
        """Take in a trial, once it has ended; one that failed is no lesson."""
        if trial.state not in (TrialState.COMPLETE, TrialState.PRUNED):
            return
        half = MOST_LESSONS // 2
        heapq.heappush(self._latest, (trial.number, trial))
        if len(self._latest) > half:
            number, earlier = heapq.heappop(self._latest)
            merit = -math.inf
            if earlier.state == TrialState.COMPLETE:
                assert earlier.value is not None
                merit = -earlier.value
            heapq.heappush(self._earlier, (merit, -number, earlier))
            if len(self._earlier) > half:
                heapq.heappop(self._earlier)

    def trials(self) -> list[FrozenTrial]:
        """Those to be shown, in no order."""
        latest = [trial for _, trial in self._latest]
        return latest + [trial for _, _, trial in self._earlier]


class _LongStudy(optuna.samplers.BaseSampler):
    """A sampler to which a long study shows a bounded choice of its trials.

    TPE looks at every trial for every draw, so the cost of a draw would grow with the study.
    """

    def __init__(self, sampler: optuna.samplers.BaseSampler, lessons: Lessons) -> None:
        self._inner = sampler
        self._lessons = lessons
        self._view: Any = None

    def _seen(self, study: optuna.Study) -> Any:
        self._view = self._view or _Thinned(study, self._lessons.trials())
        return self._view

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, optuna.distributions.BaseDistribution]:
        return self._inner.infer_relative_search_space(self._seen(study), trial)

    def sample_relative(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        search_space: dict[str, optuna.distributions.BaseDistribution],
    ) -> dict[str, Any]:
        return self._inner.sample_relative(self._seen(study), trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: optuna.distributions.BaseDistribution,
    ) -> Any:
        return self._inner.sample_independent(
            self._seen(study), trial, param_name, param_distribution
        )


class _Thinned:
    """A study of which few trials that ended are shown, and all that run; it lives for one draw.

    Samplers read trials by `Study._get_trials`, which has no public counterpart that they use.
    """

    def __init__(self, study: optuna.Study, ended: list[FrozenTrial]) -> None:
        self._whole = study
        running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        self._shown = sorted([*ended, *running], key=attrgetter("number"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)

    def _get_trials(
        self,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
        use_cache: bool = False,
    ) -> list[FrozenTrial]:
        shown = [trial for trial in self._shown if states is None or trial.state in states]
        return copy.deepcopy(shown) if deepcopy else shown


def make_sampler(
    name: str, space: Space, seed: int, trials_so_far: int, lessons: Lessons
) -> optuna.samplers.BaseSampler:
    """Build the sampler called `name`, seeded by the study's seed and its trials so far.

    `lessons` holds what has ended of them, for samplers that would look at them all.
    """
    drawn = trial_seed(seed, trials_so_far)
    makers: dict[str, Callable[[], optuna.samplers.BaseSampler]] = {
        # The groups make the joint model see dimensions that not every trial has.
        "tpe": lambda: _LongStudy(
            optuna.samplers.TPESampler(seed=drawn, multivariate=True, group=True), lessons
        ),
        # What not every trial has is drawn at random: said in the docs, not at every draw.
        "gp": lambda: optuna.samplers.GPSampler(seed=drawn, warn_independent_sampling=False),
        # A Sobol sequence goes on by itself; another seed would scramble it anew.
        "qmc": lambda: _SobolSampler(space, seed),
        "random": lambda: optuna.samplers.RandomSampler(seed=drawn),
    }
    return makers[name]()


def make_pruner(name: str, epochs: int, warm_up: int) -> optuna.pruners.BasePruner:
    """Build the pruner called `name`, one of `PRUNERS`.

    Args:
        name: of the rule.
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
