"""Scaling of each column, fitted on training rows only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

# Below this a spread is rounding noise: dividing by it would blow noise up to full scale.
SMALLEST_RANGE: Final = 1e-12


@dataclass(frozen=True, eq=False)
class Scaler:
    """Column-wise scaling: min-max to 0..1 over the rows it was fitted on, unless told otherwise.

    Attributes:
        minimum: float64 (F,), in each column's unit; 0 for an unscaled or standardised column.
        range: float64 (F,), maximum - minimum; 1 for a constant column, which so scales to 0. Of an
            unscaled column 1, of a standardised one its standard deviation.
        target_column: Position of the target among the F columns.
    """

    minimum: NDArray[np.float64]
    range: NDArray[np.float64]
    target_column: int

    def __post_init__(self) -> None:
        for name in ("minimum", "range"):
            frozen = np.array(getattr(self, name), dtype=np.float64)
            frozen.setflags(write=False)
            object.__setattr__(self, name, frozen)
        if self.minimum.ndim != 1 or self.minimum.shape != self.range.shape:
            raise ValueError(
                f"minimum and range must be two vectors of one length, "
                f"found shapes {self.minimum.shape} and {self.range.shape}"
            )
        if not (np.isfinite(self.minimum).all() and np.isfinite(self.range).all()):
            raise ValueError("minimum and range must be finite")
        if not (self.range > 0).all():
            raise ValueError("every range must be positive (1 for a constant column)")
        if not 0 <= self.target_column < len(self.minimum):
            raise ValueError(
                f"target_column must be 0..{len(self.minimum) - 1}, found {self.target_column}"
            )

    @classmethod
    def fit(
        cls,
        rows: NDArray[np.float64],
        target_column: int,
        unscaled: Sequence[int] = (),
        standardised: Sequence[int] = (),
    ) -> Self:
        """Takes minimum and range of each column.

        Args:
            rows: float64 (n, F), n >= 1, finite; training rows only.
            target_column: Position of the target.
            unscaled: Positions of columns that are left as they are.
            standardised: Positions of columns that lie around 0 and are divided by their standard
                deviation (that of a population, over the rows), not shifted.

        Returns:
            The scaler of these rows.

        Raises:
            ValueError: If rows is empty or not two-dimensional.
        """
        if rows.ndim != 2 or len(rows) == 0:
            raise ValueError(f"rows must be (n >= 1, F), found {rows.shape}")
        minimum, maximum = rows.min(axis=0), rows.max(axis=0)
        spread = maximum - minimum
        magnitude = np.maximum(np.abs(minimum), np.abs(maximum))
        constant = spread <= SMALLEST_RANGE * np.maximum(1.0, magnitude)
        around_zero, as_is = list(standardised), list(unscaled)
        spread[around_zero] = rows[:, around_zero].std(axis=0)
        spread[as_is] = 1.0
        minimum[around_zero + as_is] = 0.0
        return cls(minimum, np.where(constant, 1.0, spread), target_column)

    def transform(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scales rows: (rows - minimum) / range.

        Args:
            rows: float64 (..., F), in each column's unit.

        Returns:
            float64 of the same shape; 0..1 on the fitted rows, outside it where later rows are.
        """
        return (rows - self.minimum) / self.range

    def inverse_target(self, y: NDArray[np.floating]) -> NDArray[np.float64]:
        """Turns scaled targets back into the unit: y * range + minimum, of the target column.

        Exact in float64 to a few rounding steps: the error of a round trip stays below
        1e-15 * 4 * max(|value|, |minimum|, range). Through float32 it stays below 1e-7 * range.

        Args:
            y: Scaled targets or forecasts, any shape.

        Returns:
            float64 of the same shape, in the target's unit.
        """
        column = self.target_column
        scaled = np.asarray(y, dtype=np.float64)
        return np.asarray(scaled * self.range[column] + self.minimum[column])
