"""Underfit, balanced or overfit: a trial's fit regime from its train and validation error.

Both errors are RMSE in one unit, measured alike: inference mode, restored weights.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

# Validation RMSE over train RMSE from which a network has learned what does not carry over. The
# two periods differ by themselves, and a week of hours that depend on each other gives an RMSE to
# about a tenth: half as much again is more than both.
OVERFIT_GAP = 1.5
# Train RMSE over what is attainable, from which a network has left undone what others show can be
# done. 1.5 is a squared error of more than twice theirs.
UNDERFIT_EXCESS = 1.5


class Regime(StrEnum):
    """How a network stands between too stiff and too supple."""

    UNDERFIT = "underfit"
    BALANCED = "balanced"
    OVERFIT = "overfit"


@dataclass(frozen=True)
class Fit:
    """What decides a regime.

    Attributes:
        gap: validation RMSE over train RMSE; 1 where both are equal.
        excess: train RMSE over the attainable one, 1 or more.
        epochs_after_best: epochs trained after the restored one: how long it failed to improve.
    """

    gap: float
    excess: float
    epochs_after_best: int

    @property
    def regime(self) -> Regime:
        """The label; where both thresholds are passed, that of the larger ratio."""
        overfit, underfit = self.gap >= OVERFIT_GAP, self.excess >= UNDERFIT_EXCESS
        if overfit and (self.gap >= self.excess or not underfit):
            return Regime.OVERFIT
        return Regime.UNDERFIT if underfit else Regime.BALANCED


def attainable(train_rmse: Iterable[float], baseline_rmse: Iterable[float] = ()) -> float:
    """What train error can be reached on these data, as far as is known.

    The lowest train error of the trials, or the error of the best baseline where that is lower. The
    baselines' are of the validation windows, which they did not learn from, so they are rather too
    high than too low: without them a study of stiff networks alone would find all of them balanced.

    Args:
        train_rmse: of the completed trials, in the data's unit.
        baseline_rmse: of the baselines on the validation windows, in the same unit.

    Raises:
        ValueError: there is no trial, or an error is negative or not finite.
    """
    errors = list(train_rmse)
    if not errors:
        raise ValueError("the best attainable train error needs at least one completed trial")
    errors += baseline_rmse
    for error in errors:
        _check("train_rmse", error)
    return min(errors)


def measure_fit(
    train_rmse: float, validation_rmse: float, best_train_rmse: float, epochs: int, best_epoch: int
) -> Fit:
    """Measure a trial's fit.

    Args:
        train_rmse: of this trial, in any unit; `validation_rmse` and `best_train_rmse` in the same.
        validation_rmse: of this trial.
        best_train_rmse: from `attainable`.
        epochs: trained.
        best_epoch: restored, counted from 1.

    Returns:
        The fit. A ratio over 0 is 1 where its numerator is 0 too, else infinite.

    Raises:
        ValueError: an error is negative or not finite, or `best_epoch` lies outside the epochs.
    """
    for name, error in (
        ("train_rmse", train_rmse),
        ("validation_rmse", validation_rmse),
        ("best_train_rmse", best_train_rmse),
    ):
        _check(name, error)
    if not 1 <= best_epoch <= epochs:
        raise ValueError(f"best_epoch must lie in 1..{epochs}, found {best_epoch}")
    return Fit(
        gap=_over(validation_rmse, train_rmse),
        # A trial that was not counted among the completed ones may lie below their lowest.
        excess=max(1.0, _over(train_rmse, best_train_rmse)),
        epochs_after_best=epochs - best_epoch,
    )


def _over(numerator: float, denominator: float) -> float:
    if denominator == 0:
        return 1.0 if numerator == 0 else math.inf
    return numerator / denominator


def _check(name: str, error: float) -> None:
    if not (math.isfinite(error) and error >= 0):
        raise ValueError(f"{name} must be finite and not negative, found {error}")
