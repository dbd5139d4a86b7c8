"""Two forecasts of the same hours, compared hour by hour; pure functions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

ERROR = 0.05
CONFIDENCE = 0.95
# Errors of neighbouring hours go together, those of the same hour of two days much less.
_DAY = 24
# Fewer blocks tell too little of how much the difference varies.
FEWEST_BLOCKS = 8
# Of an RMSE: what float32 arithmetic in another order may change.
ROUNDING = 1e-6
RESAMPLES = 5000


@dataclass(frozen=True)
class Compared:
    """The challenger against another forecast of the same hours; RMSE in the data's unit.

    Attributes:
        name: of the other one.
        challenger, other: their RMSE.
        difference: challenger minus other, below 0 where the challenger is better.
        low, high: the 95 % bootstrap interval of the difference.
        p: the share of resamples in which the challenger was not better.
        blocks: how many blocks of the bootstrap the hours hold.
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
        """True if the challenger's error is lower beyond chance, at 5 % one-sided."""
        enough = self.blocks >= FEWEST_BLOCKS
        return self.difference < 0 and self.p <= ERROR and enough and not self.alike

    @property
    def clearly_better(self) -> bool:
        """True if the challenger's error is lower and the 95 % interval excludes 0."""
        return self.high < 0 and self._tells

    @property
    def clearly_worse(self) -> bool:
        """True if the challenger's error is higher and the 95 % interval excludes 0."""
        return self.low > 0 and self._tells

    @property
    def _tells(self) -> bool:
        return self.blocks >= FEWEST_BLOCKS and not self.alike

    @property
    def alike(self) -> bool:
        """True if they differ by no more than rounding does."""
        return max(abs(self.low), abs(self.high)) <= ROUNDING * self.other


def compare(name: str, challenger: FloatArray, other: FloatArray, seed: int = 0) -> Compared:
    """Compare two forecasts by the circular block bootstrap of Politis and Romano (1992).

    Blocks of windows in a row are drawn, the same for both, so that neither the likeness of
    neighbouring hours nor that of the two forecasts is lost: 24 windows, or twice the horizon where
    that is more, since windows that overlap share hours.

    Args:
        name: of the other one.
        challenger: float64 (n, horizon), forecast minus actual, windows oldest first.
        other: the same of the other forecast, on the same windows.
        seed: of the resampling.

    Raises:
        ValueError: the shapes differ, there is no window, or a value is not finite.
    """
    if challenger.shape != other.shape or len(challenger) == 0:
        raise ValueError(
            f"expected errors of the same windows, one at least; found {challenger.shape} and "
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
    """Windows in a block of the bootstrap."""
    return max(_DAY, 2 * horizon)
