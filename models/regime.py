"""Underfit, balanced or overfit: a trial's fit regime from its train and validation error.

Both errors are RMSE in the same unit, measured in inference mode with restored weights.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

# From this ratio of validation RMSE to train RMSE on, a network is overfit. The two periods differ
# anyway, and a week of dependent hours gives an RMSE only to about a tenth; 1.5 is more than both.
OVERFIT_GAP = 1.5
# From this ratio of train RMSE to the attainable RMSE on, a network is underfit: others show that
# less is possible. 1.5 means more than twice their squared error.
UNDERFIT_EXCESS = 1.5


class Regime(StrEnum):
    """How well the capacity of a network fits the data."""

    UNDERFIT = "underfit"
    BALANCED = "balanced"
    OVERFIT = "overfit"


@dataclass(frozen=True)
class Fit:
    """The values that decide a regime.

    Attributes:
        gap: validation RMSE over train RMSE; 1 if both are equal.
        excess: train RMSE over the attainable RMSE, 1 or more.
        epochs_after_best: epochs trained after the restored one, without improvement.
    """

    gap: float
    excess: float
    epochs_after_best: int

    @property
    def regime(self) -> Regime:
        """The regime; if both thresholds are reached, that of the larger ratio."""
        overfit, underfit = self.gap >= OVERFIT_GAP, self.excess >= UNDERFIT_EXCESS
        if overfit and (self.gap >= self.excess or not underfit):
            return Regime.OVERFIT
        return Regime.UNDERFIT if underfit else Regime.BALANCED


def attainable(trials: Iterable[tuple[float, float]], baseline_rmse: Iterable[float] = ()) -> float:
    """The attainable train error on these data, as far as known.

    It is the lowest train error of the trials that do not overfit, or the error of the best
    baseline if that is lower. A network that overfits has learned its training windows by heart:
    its train error says nothing about others. Only if there is no other error, it counts, too.
    The baselines' errors are on the validation windows, on which they were not fitted, so they are
    too high rather than too low. Without them, a study with only simple networks would call all of
    them balanced.

    Args:
        trials: train and validation RMSE of each completed trial, in the data's unit.
        baseline_rmse: RMSE of the baselines on the validation windows, in the same unit.

    Raises:
        ValueError: there is no trial, or an error is negative or not finite.
    """
    pairs, baselines = list(trials), list(baseline_rmse)
    if not pairs:
        raise ValueError("the best attainable train error needs at least one completed trial")
    for error in (*(train for train, _ in pairs), *baselines):
        _check("train_rmse", error)
    for _, validation in pairs:
        _check("validation_rmse", validation)
    learned = [train for train, validation in pairs if _over(validation, train) < OVERFIT_GAP]
    return min([*learned, *baselines], default=min(train for train, _ in pairs))


def measure_fit(
    train_rmse: float, validation_rmse: float, best_train_rmse: float, epochs: int, best_epoch: int
) -> Fit:
    """Measure a trial's fit.

    Args:
        train_rmse: this trial's train RMSE, in the same unit as the other two.
        validation_rmse: this trial's validation RMSE.
        best_train_rmse: the result of `attainable`.
        epochs: number of trained epochs.
        best_epoch: the restored epoch, counted from 1.

    Returns:
        The fit. A ratio over 0 is 1 if its numerator is 0, too, else infinite.

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
        # A trial that has not completed may lie below the lowest completed one.
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
