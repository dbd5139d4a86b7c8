"""A Keras model trained by the kernels of `models/kernels/`: weights in, weights out.

Knows Keras by the models it is given; imports neither it nor TensorFlow.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from models.kernels.network import Network, Plan
from models.trainer import Array


class KernelTrainer:
    """A model that `build` made, trained by the kernels; it gets its weights from `restore`.

    Dropout masks follow from the seeds of the model's own dropout layers, so from the trial's.
    """

    backend = "kernels"

    def __init__(self, model: Any) -> None:
        """Begin with the model's weights; Adam begins anew."""
        self._model = model
        self._network = _network_of(model)
        self._averages = False

    @property
    def learning_rate(self) -> float:
        """Adam's, of the next step."""
        return self._network.learning_rate

    @property
    def parameter_count(self) -> int:
        """Trainable numbers of the network."""
        return sum(weight.size for weight in self._network.weights())

    def set_learning_rate(self, rate: float) -> None:
        """As `Trainer` says."""
        self._network.learning_rate = rate

    def average_weights(self, momentum: float) -> None:
        """As `Trainer` says."""
        self._network.average_weights(momentum)
        self._averages = True

    def train_epoch(
        self, x: Array, y: Array, order: npt.NDArray[np.int64], batch_size: int
    ) -> npt.NDArray[np.float64]:
        """As `Trainer` says; nothing of `x` is copied."""
        return self._network.train_epoch(x, y, order, batch_size)

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """As `Trainer` says."""
        if not self._averages:
            yield
            return
        self._network.swap_average()
        try:
            yield
        finally:
            self._network.swap_average()

    def predict(self, x: Array) -> npt.NDArray[np.float32]:
        """As `Trainer` says.

        Raises:
            ValueError: `x` holds no window.
        """
        if len(x) == 0:
            raise ValueError("there is no window to predict from: x has length 0")
        return self._network.predict(x)

    def penalty(self) -> float:
        """The L2 penalty of the present weights."""
        return self._network.penalty()

    def weights(self) -> list[Any]:
        """A copy of the present weights."""
        return list(self._network.weights())

    def restore(self, weights: list[Any]) -> None:
        """Give the network and the model `weights`."""
        self._network.set_weights(weights)
        for variable, weight in zip(self._model.trainable_variables, weights, strict=True):
            variable.assign(weight)


def reason_against(model: Any) -> str | None:
    """Why the kernels cannot train a model that `build` made; None if they can."""
    for layer in model.layers:
        if layer.compute_dtype != "float32":
            return f"the compute type is {layer.compute_dtype}, not float32"
        if getattr(layer, "recurrent_dropout", 0.0):
            return "recurrent dropout is on"
    return None


def gradients(
    model: Any, x: Array, y: Array
) -> tuple[npt.NDArray[np.float32], list[npt.NDArray[np.float32]]]:
    """What the kernels forecast, and the gradients of one batch by all weights of `model`.

    Args:
        model: that `build` made; it is left as it is.
        x: float32 (n, window, features).
        y: float32 (n, horizon).

    Returns:
        Forecasts without dropout, float32 (n, horizon); and the gradients of mean squared error
        and penalty, dropout on, shaped as the model's trainable weights.
    """
    network = _network_of(model)
    return network.predict(x), network.gradients(x, y)[1]


def _network_of(model: Any) -> Network:
    lstms = [layer for layer in model.layers if hasattr(layer, "recurrent_dropout")]
    dropouts = [layer for layer in model.layers if hasattr(layer, "rate")]
    regularizer = lstms[0].kernel_regularizer
    _, window, features = model.input_shape
    plan = Plan(
        window=window,
        features=features,
        units=tuple(layer.units for layer in lstms),
        dropout=tuple(layer.rate for layer in dropouts),
        horizon=model.output_shape[-1],
        l2=float(regularizer.l2) if regularizer else 0.0,
        learning_rate=float(model.optimizer.learning_rate),
        seed=tuple(_seed(layer) for layer in dropouts),
    )
    return Network(plan, [np.asarray(variable) for variable in model.trainable_variables])


def _seed(dropout: Any) -> int:
    """The first of the numbers that a Keras dropout layer draws its masks by."""
    if dropout.rate == 0:
        return 0  # it draws none
    return int(np.asarray(dropout.seed_generator.state)[0])
