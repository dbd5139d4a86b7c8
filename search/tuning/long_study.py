"""Which trials of a long study a sampler sees, so that a draw does not cost more and more."""

import copy
import heapq
import math
from collections.abc import Container
from operator import attrgetter
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

# Ended trials that TPE is shown of a long study.
MOST_LESSONS = 500


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


class LongStudy(optuna.samplers.BaseSampler):
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
        """The dimensions that are drawn together."""
        return self._inner.infer_relative_search_space(self._seen(study), trial)

    def sample_relative(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        search_space: dict[str, optuna.distributions.BaseDistribution],
    ) -> dict[str, Any]:
        """The values of the dimensions that are drawn together."""
        return self._inner.sample_relative(self._seen(study), trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: optuna.distributions.BaseDistribution,
    ) -> Any:
        """The value of a dimension that is drawn by itself."""
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
