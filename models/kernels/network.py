"""A network of the kernels: weights in, epochs and forecasts, weights out. Knows no Keras."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.kernels.adam import Optimiser
from models.kernels.arrays import as_keras, make_memory, read_keras
from models.kernels.layer import Layer
from models.kernels.stack import FloatArray
from models.kernels.steps import arrange, forecast, train_epoch
from models.kernels.vectors import GROUP


@dataclass(frozen=True)
class Plan:
    """What a network is.

    Attributes:
        window: time steps of an input window. features: columns of a time step.
        units: LSTM units of each layer. dropout: rate after each.
        horizon: time steps forecast.
        l2: of the penalty on the input weights of the LSTM layers.
        learning_rate: Adam's, of the first step.
        seed: numbers, not negative, from which the dropout masks follow.
    """

    window: int
    features: int
    units: tuple[int, ...]
    dropout: tuple[float, ...]
    horizon: int
    l2: float
    learning_rate: float
    seed: tuple[int, ...]


class Network:
    """Stacked LSTM with dropout, a dense layer, mean squared error, L2 and Adam, on one thread.

    Attributes:
        plan: what it is.
        learning_rate: Adam's, of the next step; may be changed between epochs.
    """

    def __init__(self, plan: Plan, weights: Sequence[FloatArray]) -> None:
        """Begin with `weights`, in the order of `arrays.read_keras`."""
        self.plan = plan
        self.learning_rate = plan.learning_rate
        self._memory = make_memory(
            plan.window, plan.features, plan.units, plan.dropout, plan.horizon
        )
        self._random = np.random.default_rng(plan.seed)
        self._momentum = 0.0
        self._steps = 0
        self.set_weights(weights)

    def set_weights(self, weights: Sequence[FloatArray]) -> None:
        """Take `weights`; Adam goes on from what it has seen."""
        read_keras(self._memory, weights)
        arrange(*self._memory)

    def weights(self) -> list[FloatArray]:
        """Copies of the weights."""
        return as_keras(self._memory, self._memory.parameters.weights)

    def average_weights(self, momentum: float) -> None:
        """From the first step on, keep a moving average that moves by `1 - momentum` a step."""
        self._momentum = momentum

    def swap_average(self) -> None:
        """Exchange the weights and their moving average; a second call exchanges them back."""
        weights, average = self._memory.parameters.weights, self._memory.parameters.average
        weights[:], average[:] = average.copy(), weights.copy()
        arrange(*self._memory)

    def train_epoch(
        self,
        x: FloatArray,
        y: FloatArray,
        order: npt.NDArray[np.int64],
        batch_size: int,
    ) -> npt.NDArray[np.float64]:
        """Take one gradient step for every batch.

        Args:
            x: float32 (n, window, features); a view will do.
            y: float32 (n, horizon).
            order: int64 (m,), the rows to train on, in this order; the last batch holds the rest.
            batch_size: windows of a batch.

        Returns:
            float64 (batches,): the loss of each batch, penalty included.
        """
        losses = self._run(x, y, order, batch_size, learn=True)
        self._steps += len(losses)
        return losses

    def gradients(self, x: FloatArray, y: FloatArray) -> tuple[float, list[FloatArray]]:
        """The loss of one batch, with dropout and penalty, and its gradients."""
        gradient = self._memory.parameters.gradient
        gradient[:] = 0
        (loss,) = self._run(x, y, np.arange(len(x)), len(x), learn=False)
        found = as_keras(self._memory, gradient)
        gradient[:] = 0
        return float(loss), found

    def _run(
        self,
        x: FloatArray,
        y: FloatArray,
        order: npt.NDArray[np.int64],
        batch_size: int,
        learn: bool,
    ) -> npt.NDArray[np.float64]:
        plan = self.plan
        losses = np.empty(-(-len(order) // batch_size))
        keys = self._keys(len(losses) * -(-batch_size // GROUP))
        settings = (self.learning_rate, plan.l2, self._momentum)
        optimiser = Optimiser(*map(np.float32, settings))
        x, y = _as_float32(x), _as_float32(y)
        _check_rows(order, len(x), len(y))
        train_epoch(
            *self._memory, optimiser, x, y, order, batch_size, keys, self._steps, learn, losses
        )
        return losses

    def predict(self, x: FloatArray) -> FloatArray:
        """Forecast without dropout: float32 (n, horizon) of x float32 (n, window, features)."""
        out = np.empty((len(x), self.plan.horizon), np.float32)
        forecast(*self._memory, _as_float32(x), out)
        return out

    def dropped_inputs(self) -> list[FloatArray]:
        """What the last group of windows of `gradients` gave from each layer to the next.

        Returns:
            float32 (time, units, GROUP) for each LSTM layer after its dropout, the last one's last
            step alone, (1, units, GROUP). Minus zero marks what was dropped.
        """
        work, _, stack = self._memory
        found = []
        for above in stack.layers[1:]:
            one = Layer(*map(int, above))
            inputs = work[one.inputs :][: stack.steps * one.rows * GROUP]
            rows = slice(one.padded, one.padded + one.features)
            found.append(inputs.reshape(stack.steps, one.rows, GROUP)[:, rows].copy())
        units = stack.dense.units
        last = work[stack.dense.inputs :][: units * GROUP]
        return [*found, last.reshape(1, units, GROUP).copy()]

    def penalty(self) -> float:
        """The L2 penalty of the present weights."""
        kernels = self.weights()[: 3 * len(self.plan.units) : 3]
        return self.plan.l2 * sum(float(np.sum(np.square(k), dtype=np.float64)) for k in kernels)

    def _keys(self, groups: int) -> npt.NDArray[np.uint32]:
        return self._random.integers(2**32, size=(groups, len(self.plan.units)), dtype=np.uint32)


def _as_float32(values: FloatArray) -> FloatArray:
    return np.asarray(values, np.float32)


def _check_rows(order: npt.NDArray[np.int64], *lengths: int) -> None:
    """Compiled code does not check an index."""
    if len(order) and not 0 <= int(order.min()) <= int(order.max()) < min(lengths):
        raise ValueError(f"order names rows beyond the {min(lengths)} there are")
