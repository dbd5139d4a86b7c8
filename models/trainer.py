"""The interface behind which a network is trained: by TensorFlow, or by the kernels."""

from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]


class Trainer(Protocol):
    """One network while it is trained.

    Attributes:
        backend: what trains: "kernels" or "tensorflow".
        learning_rate: of the next step.
        parameter_count: trainable numbers of the network.
    """

    backend: str

    @property
    def learning_rate(self) -> float:
        """Adam's, of the next step."""

    @property
    def parameter_count(self) -> int:
        """Trainable numbers of the network."""

    def set_learning_rate(self, rate: float) -> None:
        """Take `rate` as Adam's from the next step on."""

    def average_weights(self, momentum: float) -> None:
        """Keep a moving average of the weights that moves by `1 - momentum` a gradient step."""

    def train_epoch(
        self, x: Array, y: Array, order: npt.NDArray[np.int64], batch_size: int
    ) -> npt.NDArray[np.float64]:
        """Take one gradient step for every batch.

        Args:
            x: float32 (n, window, features), scaled; may be a view.
            y: float32 (n, horizon), as the network learns them.
            order: int64 (m,), rows to train on, in this order; the last batch holds the rest.
            batch_size: windows of a batch.

        Returns:
            float64 (batches,): the loss of each batch, dropout on, penalty included.
        """

    def averaged(self) -> AbstractContextManager[None]:
        """Meanwhile the network has the moving average of its weights, if one is kept."""

    def predict(self, x: Array) -> npt.NDArray[np.float32]:
        """The network's output in inference mode: float32 (n, horizon), of at least one window."""

    def penalty(self) -> float:
        """The L2 penalty of the present weights."""

    def weights(self) -> list[Any]:
        """A copy of the present weights, for `restore`."""

    def restore(self, weights: list[Any]) -> None:
        """Give network and Keras model weights that `weights` returned."""
