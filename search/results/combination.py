"""Two forecasts blended: the weight by least squares, judged on folds it was not fitted to.

A fitted weight often errs more on new data than equal weights do, the forecast combination puzzle
(Stock and Watson, 2004; Smith and Wallis, 2009). So equal weights stay unless the fitted one is
measurably better. Pure functions.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from search.results.bootstrap import Compared, compare

FloatArray = npt.NDArray[np.float64]

EQUAL = 0.5
# Of a fitted weight: more digits than this say nothing.
_DIGITS = 3


@dataclass(frozen=True)
class Combined:
    """A blend of two forecasts, w times the first and 1 - w times the second, on rolling origins.

    Attributes:
        weight: of the first, 0 to 1, as the blend is to be used.
        fitted: True of a fitted weight, False of equal weights.
        residuals: a fold each and oldest first, float64 (n, horizon), forecast minus actual in the
            data's unit; with a fitted weight each fold's is fitted to the other folds.
        against_first, against_second: this blend compared with either forecast alone.
    """

    weight: float
    fitted: bool
    residuals: Sequence[FloatArray]
    against_first: Compared
    against_second: Compared

    @property
    def rmse(self) -> float:
        """Over the windows of all folds, in the data's unit."""
        return self.against_first.challenger

    @property
    def pays(self) -> bool:
        """True if its error is measurably lower than that of either forecast alone."""
        return self.against_first.clearly_better and self.against_second.clearly_better

    @property
    def preferred(self) -> bool:
        """True if it is a blend, and the interval does not say that it is worse than the first.

        The interval may be of few blocks: a first forecast that is better on few hours stays. Where
        the folds cannot tell the blend from the first forecast, it is the safer of the two:
        new hours differ from those of the folds, and it depends on the first by its weight alone.
        This holds all the more where the first is worse than the second.
        """
        return 0 < self.weight < 1 and self.against_first.low <= 0

    @property
    def safer(self) -> bool:
        """True if it is preferred, and measurably better than the second but not than both."""
        return self.preferred and self.against_second.clearly_better and not self.pays

    def as_dict(self) -> dict[str, Any]:
        """All of it but the residuals, as plain values."""
        return {
            "weight": self.weight,
            "fitted": self.fitted,
            "rmse": self.rmse,
            "pays": self.pays,
            "preferred": self.preferred,
            "compared": [asdict(self.against_first), asdict(self.against_second)],
        }


def best_weight(first: FloatArray, second: FloatArray) -> float:
    """The weight w, 0 to 1, of the lowest squared error of w * first + (1 - w) * second.

    In closed form, without a constant (Bates and Granger, 1969, from the errors themselves):
    sum(second * (second - first)) / sum((second - first)**2), cut to 0..1.

    Args:
        first: errors, forecast minus actual, in the data's unit.
        second: the same of the other forecast, of the same shape.

    Returns:
        0.5 where the forecasts do not differ.
    """
    apart = second - first
    spread = float(np.sum(np.square(apart)))
    if spread == 0:
        return EQUAL
    return float(np.clip(np.sum(second * apart) / spread, 0.0, 1.0))


def cross_fitted(first: Sequence[FloatArray], second: Sequence[FloatArray]) -> list[FloatArray]:
    """Errors of a blend whose weight for each fold is fitted to all the others.

    Args:
        first: errors, a fold each, float64 (n, horizon); two folds or more.
        second: the same of the other forecast.
    """
    found = []
    for left_out in range(len(first)):
        others = [at for at in range(len(first)) if at != left_out]
        weight = best_weight(
            np.concatenate([first[at] for at in others]),
            np.concatenate([second[at] for at in others]),
        )
        found.append(weight * first[left_out] + (1 - weight) * second[left_out])
    return found


def combine(
    names: tuple[str, str], first: Sequence[FloatArray], second: Sequence[FloatArray]
) -> Combined:
    """Blend two forecasts, and compare the blend with either of them.

    Equal weights, unless a fitted weight is measurably better on the folds that it was not fitted
    to. Of a single fold there are no others, so the weights are equal.

    Args:
        names: of the two.
        first: errors, forecast minus actual in the data's unit, a fold each and oldest first,
            float64 (n, horizon).
        second: the same of the other forecast, on the same windows.

    Raises:
        ValueError: the folds do not have the same windows, or an error is not finite.
    """
    weight, fitted = EQUAL, False
    residuals = [
        EQUAL * one + (1 - EQUAL) * other for one, other in zip(first, second, strict=True)
    ]
    whole = np.concatenate(first), np.concatenate(second)
    if len(first) > 1:
        crossed = cross_fitted(first, second)
        beside = compare("equal weights", np.concatenate(crossed), np.concatenate(residuals))
        if beside.clearly_better:
            weight, fitted = round(best_weight(*whole), _DIGITS), True
            residuals = crossed
    blended = np.concatenate(residuals)
    against = [compare(name, blended, one) for name, one in zip(names, whole, strict=True)]
    return Combined(weight, fitted, residuals, *against)
