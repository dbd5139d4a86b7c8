"""Computes ratios with intervals from the contenders' reports."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from search.benchmark.turns import Contender, Epoch


@dataclass(frozen=True)
class Ratio:
    """A geometric mean of n paired ratios, with its 95 % t interval on the logarithms."""

    value: float
    low: float
    high: float
    pairs: int

    def __str__(self) -> str:
        """The ratio and its interval, for a person."""
        return f"{self.value:.2f}x (95 % {self.low:.2f} to {self.high:.2f}, n = {self.pairs})"


def paired_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Ratio:
    """Geometric mean of the ratios of pairs of positive numbers, with a 95 % interval.

    Raises:
        ValueError: fewer than two pairs, or a number that is not positive.
    """
    if len(numerators) != len(denominators) or len(numerators) < 2:
        raise ValueError(
            f"expected two or more pairs, found {len(numerators)} and {len(denominators)} numbers"
        )
    if min(*numerators, *denominators) <= 0:
        raise ValueError("ratios need positive numbers")
    logs = np.log(numerators) - np.log(denominators)
    low, high = stats.ttest_1samp(logs, 0.0).confidence_interval(0.95)
    return Ratio(
        float(np.exp(logs.mean())), float(np.exp(low)), float(np.exp(high)), len(numerators)
    )


def seconds_per_epoch(epochs: Sequence[Epoch]) -> dict[str, float]:
    """Median seconds between the ends of consecutive epochs, by trial.

    The first epoch of a trial is left out, because it includes building the graph.
    """
    found: dict[str, list[float]] = {}
    last: dict[str, Epoch] = {}
    for epoch in epochs:
        before = last.get(epoch.trial)
        if before is not None and epoch.epoch == before.epoch + 1:
            found.setdefault(epoch.trial, []).append(epoch.at - before.at)
        last[epoch.trial] = epoch
    return {trial: float(np.median(seconds)) for trial, seconds in found.items()}


def best_so_far(epochs: Sequence[Epoch]) -> list[tuple[float, float]]:
    """Pairs (seconds, lowest validation MSE so far), one for each improvement."""
    steps: list[tuple[float, float]] = []
    for epoch in epochs:
        if np.isfinite(epoch.value) and (not steps or epoch.value < steps[-1][1]):
            steps.append((epoch.at, epoch.value))
    return steps


def seconds_until(epochs: Sequence[Epoch], error: float) -> float | None:
    """Seconds until the validation MSE first was `error` or less; None if never."""
    return next((at for at, value in best_so_far(epochs) if value <= error), None)


def best_until(epochs: Sequence[Epoch], seconds: float) -> float | None:
    """The lowest validation MSE up to `seconds`; None if there was none."""
    return min((value for at, value in best_so_far(epochs) if at <= seconds), default=None)


def trial_seconds(epochs: Sequence[Epoch]) -> list[float]:
    """Seconds of each trial of a loop that trains one trial after the other.

    They count from the last epoch of the previous trial, or the start, to the trial's last epoch.
    """
    ends: dict[str, float] = {}
    for epoch in epochs:
        ends[epoch.trial] = epoch.at
    times = [0.0, *ends.values()]
    return [end - begin for begin, end in itertools.pairwise(times)]


def summary(contender: Contender) -> dict[str, object]:
    """The result of one contender, as plain values."""
    steps = best_so_far(contender.epochs)
    seconds = contender.seconds
    return {
        "seconds": seconds,
        "epochs": len(contender.epochs),
        "trials": len({epoch.trial for epoch in contender.epochs}),
        "epochs_per_second": len(contender.epochs) / seconds if seconds else None,
        "gflops": sum(e.flops for e in contender.epochs) / seconds / 1e9 if seconds else None,
        "best_val_mse": steps[-1][1] if steps else None,
    }
