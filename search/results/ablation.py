"""The way from one configuration to another, one setting at a time; pure functions.

Source: Fawcett and Hoos (2016), "Analysing differences between algorithm configurations through
ablation". Each step tries every setting that is not changed yet, and takes the one that helps most.
Clear losers are dropped early, as in Birattari et al. (2002), "A racing algorithm for configuring
metaheuristics". Other seeds than those of the race then measure the steps, so that no step looks
better because it was chosen.
"""

import itertools
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from search.results.paired_tests import Difference, holm, paired_difference

# A configuration: the settings that have the goal's value. All others have the start's value.
Changed = frozenset[str]
Run = tuple[Changed, int]
# Errors of runs, above 0, in the order of the runs; infinite for a failed run.
Evaluate = Callable[[Sequence[Run]], Sequence[float]]

# One-sided error rate for dropping candidates from a race, for all candidates together.
GIVEN_UP = 0.05
_FEWEST_SEEDS = 2


@dataclass(frozen=True)
class Step:
    """One changed setting.

    Attributes:
        setting: its name.
        difference: error after the change minus error before it, paired by seed.
        tried: settings that were tried in this step, including this one.
    """

    setting: str
    difference: Difference
    tried: tuple[str, ...]


@dataclass(frozen=True)
class Ablation:
    """The way from start to goal, and the worth of each setting at the goal.

    Attributes:
        start, goal: mean error over the measuring seeds.
        steps: the steps in order; the means of their differences add up to goal - start.
        back: for each setting, the error of the goal with only that setting taken back, minus the
            goal's error. It is above 0 if the goal needs the change.
        seeds: measuring seeds that count: those with a result for every configuration on the way.
    """

    start: float
    goal: float
    steps: tuple[Step, ...]
    back: Mapping[str, Difference]
    seeds: tuple[int, ...]

    @property
    def path(self) -> tuple[Changed, ...]:
        """The configurations from start to goal."""
        return path_of([step.setting for step in self.steps])


class NoResult(Exception):
    """Too many runs failed to find or measure the way. The message names them."""


def ablate(
    settings: Sequence[str],
    evaluate: Evaluate,
    choosing: Sequence[int],
    measuring: Sequence[int],
) -> Ablation:
    """Find the way from no changed setting to all changed settings, and measure it.

    A second call with the same results asks for the same runs, so `evaluate` may return results
    that it has kept.

    Args:
        settings: one or more names.
        evaluate: returns the error of each (configuration, seed). Runs that it gets in one call may
            run in parallel.
        choosing: one or more seeds for the races, used in this order.
        measuring: two or more seeds that measure the way, none of them in `choosing`.

    Raises:
        ValueError: there is no setting, too few seeds, or a seed in both lists.
        NoResult: no candidate of a step has a result, or fewer than two seeds have a result for
            every configuration on the way.
    """
    if not settings or not choosing or len(measuring) < _FEWEST_SEEDS:
        raise ValueError("an ablation needs a setting, a seed that chooses and two that measure")
    if set(choosing) & set(measuring):
        raise ValueError(f"seeds {sorted(set(choosing) & set(measuring))} would choose and measure")
    order: list[str] = []
    tried: list[tuple[str, ...]] = []
    while len(order) < len(settings):
        left = [name for name in settings if name not in order]
        tried.append(tuple(left))
        order.append(
            left[0] if len(left) == 1 else _race(frozenset(order), left, evaluate, choosing)
        )
    return _measure(order, tried, evaluate, measuring)


def path_of(order: Sequence[str]) -> tuple[Changed, ...]:
    """The configurations on the way if settings are changed in this order."""
    return tuple(frozenset(order[:count]) for count in range(len(order) + 1))


def losers(errors: Mapping[str, Sequence[float]]) -> set[str]:
    """Candidates of a race that are significantly worse than the best one.

    This is a t test on log errors, because their spread does not grow with the error. It uses the
    residual variance of the candidate x seed layout for all candidates, so two seeds are enough.
    It is one-sided at 5 % for all candidates together, by Holm's method.

    Args:
        errors: errors of each candidate, one per seed, above 0; equal numbers for all candidates.
    """
    seeds = len(next(iter(errors.values()), ()))
    if len(errors) < 2 or seeds < _FEWEST_SEEDS:
        return set()
    logs = np.log(np.array([errors[name] for name in errors], dtype=np.float64))
    means = logs.mean(axis=1)
    residuals = logs - means[:, None] - logs.mean(axis=0) + logs.mean()
    freedom = (len(errors) - 1) * (seeds - 1)
    spread = math.sqrt(float(np.square(residuals).sum()) / freedom * 2 / seeds)
    behind = dict(zip(errors, means - means.min(), strict=True))
    leader = min(behind, key=lambda name: behind[name])
    found = {
        name: float(special.stdtr(freedom, -gap / spread)) if spread else float(gap == 0)
        for name, gap in behind.items()
        if name != leader
    }
    return {name for name, p in holm(found).items() if p <= GIVEN_UP}


def most_runs(settings: int, choosing: int, measuring: int) -> tuple[int, int]:
    """The fewest and the most runs of an ablation with this many settings.

    The fewest if all losers are dropped after two seeds, the most if none is dropped.
    """
    measured = (settings + 1) * measuring + settings * measuring
    if settings == 1:
        return 2 * measuring, 2 * measuring
    # The goal with its last setting taken back is the configuration before the last step.
    candidates = sum(range(2, settings + 1))
    quick = min(_FEWEST_SEEDS, choosing)
    return candidates * quick + measured - measuring, candidates * choosing + measured - measuring


def _race(
    current: Changed, left: Sequence[str], evaluate: Evaluate, choosing: Sequence[int]
) -> str:
    """The setting of `left` whose change has the lowest mean error over the choosing seeds."""
    errors: dict[str, list[float]] = {name: [] for name in left}
    # No candidate can be dropped before the second seed, so the first two run at once.
    for seeds in (choosing[:_FEWEST_SEEDS], *((seed,) for seed in choosing[_FEWEST_SEEDS:])):
        runs = [(current | {name}, seed) for seed in seeds for name in errors]
        for (_, name), error in zip(itertools.product(seeds, errors), evaluate(runs), strict=True):
            errors[name].append(error)
        errors = {name: found for name, found in errors.items() if all(map(math.isfinite, found))}
        if not errors:
            raise NoResult(
                f"none of {', '.join(left)} could be changed after {_named(current)}: every "
                "training failed"
            )
        gone = losers(errors)
        errors = {name: found for name, found in errors.items() if name not in gone}
        if len(errors) == 1:
            break
    return min(errors, key=lambda name: statistics.fmean(errors[name]))


def _measure(
    order: Sequence[str],
    tried: Sequence[tuple[str, ...]],
    evaluate: Evaluate,
    measuring: Sequence[int],
) -> Ablation:
    path = path_of(order)
    goal = path[-1]
    without = {name: goal - {name} for name in order}
    configurations = list(dict.fromkeys([*path, *without.values()]))
    runs = [(one, seed) for seed in measuring for one in configurations]
    errors: dict[Changed, dict[int, float]] = {one: {} for one in configurations}
    for (one, seed), error in zip(runs, evaluate(runs), strict=True):
        if math.isfinite(error):
            errors[one][seed] = error
    seeds = tuple(seed for seed in measuring if all(seed in errors[one] for one in path))
    if len(seeds) < _FEWEST_SEEDS:
        failed = [_named(one) for one in path if len(errors[one]) < len(measuring)]
        raise NoResult(
            f"expected {_FEWEST_SEEDS} seeds or more with a result for every configuration on the "
            f"way, found {len(seeds)}; trainings failed with {'; '.join(failed)} changed"
        )

    def compare(after: Changed, before: Changed, among: Sequence[int]) -> Difference:
        return paired_difference(
            [errors[after][seed] for seed in among], [errors[before][seed] for seed in among]
        )

    steps = tuple(
        Step(name, compare(after, before, seeds), candidates)
        for name, before, after, candidates in zip(order, path[:-1], path[1:], tried, strict=True)
    )
    back = {}
    for name, configuration in without.items():
        common = [seed for seed in seeds if seed in errors[configuration]]
        if common:
            back[name] = compare(configuration, goal, common)
    mean = {one: statistics.fmean(errors[one][seed] for seed in seeds) for one in (path[0], goal)}
    return Ablation(mean[path[0]], mean[goal], steps, back, seeds)


def _named(changed: Changed) -> str:
    return ", ".join(sorted(changed)) or "nothing"
