"""What a network learns of the target: its level, or its change since the last known hour."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.trainer import Array

Target = Literal["level", "change"]


@dataclass(frozen=True)
class Encoding:
    """The way from scaled targets to what the network learns, and back from its output.

    The change is that since the last hour of the window, for every step of the horizon. Divided by
    `scale` it has about the size that weights and learning rates suit.

    Attributes:
        column: place of the target among the features of a time step, not negative; None if the
            network learns the level, which nothing is done to.
        scale: scaled units in one unit of the network's output, above 0.
    """

    column: int | None = None
    scale: float = 1.0

    def encode(self, x: Array, y: Array) -> Array:
        """What the network learns.

        Args:
            x: float32 (n, window, features), scaled; only its last time step is read.
            y: float32 (n, horizon), scaled.

        Returns:
            float32 (n, horizon): `y` itself where the level is learned.
        """
        if self.column is None:
            return y
        return (y - x[:, -1, self.column, None]) / np.float32(self.scale)

    def decode(self, x: Array, output: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The forecast that a network's output stands for: the inverse of `encode`.

        Args:
            x: float32 (n, window, features), scaled, that the network read.
            output: float32 (n, horizon).

        Returns:
            float32 (n, horizon), scaled: `output` itself where the level is learned.
        """
        if self.column is None:
            return output
        forecast = x[:, -1, self.column, None] + output * np.float32(self.scale)
        return forecast.astype(np.float32, copy=False)


LEVEL = Encoding()


def encoding_of(target: Target, x: Array, y: Array, column: int) -> Encoding:
    """The encoding of a target, learned from the training windows.

    Args:
        target: "level" or "change".
        x: float32 (n, window, features), scaled, of the training windows.
        y: float32 (n, horizon), scaled, of the training windows.
        column: place of the target among the features.

    Returns:
        For "change", with the standard deviation of the change over all windows and steps as its
        scale, or 1 if the target never changes.
    """
    if target == "level":
        return LEVEL
    spread = float(np.std(y - x[:, -1, column, None], dtype=np.float64))
    return Encoding(column, spread or 1.0)
