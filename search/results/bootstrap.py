"""Compares two forecasts of the same hours, hour by hour; pure functions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

ERROR = 0.05
CONFIDENCE = 0.95
# Errors of neighbouring hours are correlated; errors one day apart much less so.
_DAY = 24
# With fewer blocks, the variation of the difference is not known well enough.
FEWEST_BLOCKS = 8
# Another order of float32 operations may change an RMSE by this share.
ROUNDING = 1e-6
RESAMPLES = 5000


@dataclass(frozen=True)
class Compared:
    """The challenger and another forecast of the same hours; RMSE in the data's unit.

    Attributes:
        name: name of the other forecast.
        challenger, other: their RMSE.
        difference: challenger minus other, below 0 if the challenger is better.
        low, high: the 95 % bootstrap interval of the difference.
        p: the share of resamples in which the challenger was not better.
        blocks: number of bootstrap blocks in the hours.
    """

    name: str
    challenger: float
    other: float
    difference: float
    low: float
    high: float
    p: float
    blocks: int

    @property
    def beaten(self) -> bool:
        """True if the challenger's error is significantly lower, at 5 % one-sided."""
        enough = self.blocks >= FEWEST_BLOCKS
        return self.difference < 0 and self.p <= ERROR and enough and not self.alike

    @property
    def clearly_better(self) -> bool:
        """True if the 95 % interval of the difference lies below 0, with blocks enough to tell."""
        return self.high < 0 and self.blocks >= FEWEST_BLOCKS and not self.alike

    @property
    def clearly_worse(self) -> bool:
        """True if the 95 % interval of the difference lies above 0, with blocks enough to tell."""
        return self.low > 0 and self.blocks >= FEWEST_BLOCKS and not self.alike

    @property
    def alike(self) -> bool:
        """True if they differ by no more than rounding."""
        return max(abs(self.low), abs(self.high)) <= ROUNDING * self.other


def compare(name: str, challenger: FloatArray, other: FloatArray, seed: int = 0) -> Compared:
    """Compare two forecasts by the circular block bootstrap of Politis and Romano (1992).

    It draws blocks of consecutive windows, the same for both forecasts. This keeps the correlation
    of neighbouring hours and of the two forecasts. A block has 24 windows, or twice the horizon if
    that is more, because overlapping windows share hours.

    Args:
        name: name of the other forecast.
        challenger: float64 (n, horizon), forecast minus actual, windows oldest first.
        other: the same for the other forecast, on the same windows.
        seed: seed of the resampling.

    Raises:
        ValueError: the shapes differ, there is no window, or a value is not finite.
    """
    if challenger.shape != other.shape or len(challenger) == 0:
        raise ValueError(
            f"expected errors of the same windows, at least one; found {challenger.shape} and "
            f"{other.shape}"
        )
    if not (np.isfinite(challenger).all() and np.isfinite(other).all()):
        raise ValueError("expected finite errors, found NaN or infinity")
    squares = np.stack([np.mean(np.square(one), axis=1) for one in (challenger, other)])
    generator = np.random.default_rng(seed)
    count, block = squares.shape[1], block_length(challenger.shape[1])
    starts = generator.integers(0, count, (RESAMPLES, -(-count // block)))
    rows = (starts[:, :, None] + np.arange(block)).reshape(RESAMPLES, -1)[:, :count] % count
    own, others = (np.sqrt(one[rows].mean(axis=1)) for one in squares)
    drawn = own - others
    mine, theirs = (float(np.sqrt(one.mean())) for one in squares)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    p = float((1 + np.count_nonzero(drawn >= 0)) / (1 + RESAMPLES))
    blocks = count // block
    return Compared(name, mine, theirs, mine - theirs, float(low), float(high), p, blocks)


def block_length(horizon: int) -> int:
    """The number of windows in a block of the bootstrap."""
    return max(_DAY, 2 * horizon)
