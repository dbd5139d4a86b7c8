"""Train one model, stop early, restore its best weights; predict and score."""

import contextlib
import math
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.parameters import TrialParameters
from models.schedule import learning_rate
from models.target import LEVEL, Encoding
from models.trainer import Array, Trainer

# Windows a prediction step: on one CPU core 64 beats 256 by a fifth at 64/32 units and more at
# 128/64 (the activations stay in the cache), and memory stays small.
PREDICTION_BATCH = 64


class TrainingDiverged(ArithmeticError):
    """A loss became NaN or infinite; the message names the epoch and the loss."""


@dataclass(frozen=True)
class FitRecord:
    """What one training run did.

    Attributes:
        history: per epoch, under exactly these keys: "loss" (training, dropout on, mean over
            the epoch's steps, with L2 penalty), "val_loss" (inference mode, with penalty),
            "val_mse" (inference mode, without penalty; the objective), "learning_rate" (of the
            epoch). Losses are in scaled units, squared, whatever the network learns.
        best_epoch: the epoch whose weights the model has now, from 1: the one with the lowest
            "val_mse", or the last one where the parameters ask for that.
        epochs: epochs trained.
        stopped_by: "patience" (no better epoch for that long), "epochs" (all trained) or
            "pruner" (`on_epoch` said so).
        seconds: wall time of the whole call.
        seconds_per_epoch: median wall time of an epoch, `on_epoch` not counted.
        parameter_count: trainable numbers in the model.
    """

    history: dict[str, list[float]]
    best_epoch: int
    epochs: int
    stopped_by: Literal["patience", "epochs", "pruner"]
    seconds: float
    seconds_per_epoch: float
    parameter_count: int


def fit(
    trainer: Trainer,
    parameters: TrialParameters,
    x_train: Array,
    y_train: Array,
    x_validation: Array,
    y_validation: Array,
    on_epoch: Callable[[int, float], bool],
    encoding: Encoding = LEVEL,
) -> FitRecord:
    """Train until patience runs out, the epochs are used up or `on_epoch` says stop.

    The weights with the lowest penalty-free validation MSE are restored in each of these
    endings, so that `mse(encoding.decode(x_validation, trainer.predict(x_validation)),
    y_validation)` equals `min(history["val_mse"])`; with `parameters.weights` "last" those of the
    last epoch are. With `parameters.ema_epochs` the weights validated and restored are the moving
    average, while training goes on from the others. Windows are reshuffled every epoch, in an order
    that follows from the seed given to `build`.

    Args:
        trainer: of a model that `build` made; both are trained in place.
        parameters: batch size, learning rate, patience, epochs and which weights are kept.
        x_train: float32 (n, window, features), scaled; may be a view, only batches are copied.
        y_train: float32 (n, horizon), scaled.
        x_validation: as `x_train`.
        y_validation: as `y_train`.
        on_epoch: called after each epoch with its number (from 1) and the penalty-free
            validation MSE; returns True to stop now.
        encoding: from the targets to what the network learns.

    Returns:
        The record of the run.

    Raises:
        TrainingDiverged: a training or validation loss is NaN or infinite; weights are then
            those of the failed epoch.
        ValueError: inputs and targets differ in length, or there are none.
        tensorflow.errors.ResourceExhaustedError: out of memory; never swallowed.
    """
    _check_lengths("training", x_train, y_train)
    _check_lengths("validation", x_validation, y_validation)
    started = time.perf_counter()
    shuffle = np.random.default_rng(random.getrandbits(64))  # seeded by `build`
    if parameters.ema_epochs:
        steps = -(-len(x_train) // parameters.batch_size)
        trainer.average_weights(math.exp(-1 / (parameters.ema_epochs * steps)))
    course = _Course(trainer, parameters, encoding)
    learned = encoding.encode(x_train, y_train)
    epoch_seconds: list[float] = []
    stopped_by: Literal["patience", "epochs", "pruner"] = "epochs"

    for epoch in range(1, parameters.epochs + 1):
        epoch_started = time.perf_counter()
        course.train(epoch, x_train, learned, shuffle.permutation(len(x_train)))
        val_mse = course.validate(epoch, x_validation, y_validation)
        epoch_seconds.append(time.perf_counter() - epoch_started)
        if on_epoch(epoch, val_mse):
            stopped_by = "pruner"
            break
        if epoch - course.best_epoch >= parameters.patience:
            stopped_by = "patience"
            break

    trainer.restore(course.kept)
    return FitRecord(
        history=course.history,
        best_epoch=epoch if parameters.weights == "last" else course.best_epoch,
        epochs=epoch,
        stopped_by=stopped_by,
        seconds=time.perf_counter() - started,
        seconds_per_epoch=statistics.median(epoch_seconds),
        parameter_count=trainer.parameter_count,
    )


class _Course:
    """A training so far: its history, its best epoch and the weights to be kept."""

    def __init__(self, trainer: Trainer, parameters: TrialParameters, encoding: Encoding) -> None:
        self._trainer, self._parameters, self._encoding = trainer, parameters, encoding
        # Of the network's output, in scaled units squared.
        self._square = encoding.scale**2
        self.history: dict[str, list[float]] = {
            key: [] for key in ("loss", "val_loss", "val_mse", "learning_rate")
        }
        self.best_mse, self.best_epoch = math.inf, 0
        self.kept: list[Any] = []

    def train(self, epoch: int, x: Array, y: Array, order: npt.NDArray[np.int64]) -> None:
        """One epoch; `y` as the network learns them."""
        rate, size = learning_rate(self._parameters, epoch), self._parameters.batch_size
        self._trainer.set_learning_rate(rate)
        losses = self._trainer.train_epoch(x, y, order, size)
        self.history["loss"].append(_mean_loss(epoch, losses, size, len(x)) * self._square)
        self.history["learning_rate"].append(self._trainer.learning_rate)

    def validate(self, epoch: int, x: Array, y: Array) -> float:
        """The penalty-free MSE after an epoch, in scaled units squared; `y` scaled."""
        with self._trainer.averaged():
            val_mse = mse(self._encoding.decode(x, self._trainer.predict(x)), y)
            val_loss = val_mse + self._trainer.penalty() * self._square
            if not np.isfinite(val_loss):
                raise TrainingDiverged(f"epoch {epoch}: the validation loss is {val_loss}")
            if val_mse < self.best_mse or self._parameters.weights == "last":
                self.kept = self._trainer.weights()
        self.history["val_loss"].append(val_loss)
        self.history["val_mse"].append(val_mse)
        if val_mse < self.best_mse:
            self.best_mse, self.best_epoch = val_mse, epoch
        return val_mse


def predict(model: keras.Model, x: Array) -> npt.NDArray[np.float32]:
    """Run a network in inference mode, in large batches.

    Args:
        model: any model from (batch, window, features) to (batch, horizon).
        x: float32 (n, window, features), scaled; may be a view.

    Returns:
        float32 (n, horizon), contiguous: its output.

    Raises:
        ValueError: `x` holds no window.
    """
    if len(x) == 0:
        raise ValueError("there is no window to predict from: x has length 0")
    parts = [
        model.predict_on_batch(np.ascontiguousarray(x[at : at + PREDICTION_BATCH]))
        for at in range(0, len(x), PREDICTION_BATCH)
    ]
    return np.concatenate(parts).astype(np.float32, copy=False)


def mse(model_output: Array, y: Array) -> float:
    """Mean squared error over all windows and steps, accumulated in float64.

    Args:
        model_output: (n, horizon), scaled.
        y: (n, horizon), scaled.

    Returns:
        The error in scaled units, squared; NaN or infinite if an input is.

    Raises:
        ValueError: the shapes differ; they are never broadcast.
    """
    if model_output.shape != y.shape:
        raise ValueError(f"forecast and target differ in shape: {model_output.shape}, {y.shape}")
    difference = model_output.astype(np.float64) - y.astype(np.float64)
    return float(np.mean(np.square(difference)))


def training_step(model: keras.Model) -> Callable[[Array, Array], Any]:
    """One gradient step as one graph: what Keras' `train_step` does, less its metrics.

    A loop of our own over it costs less than Keras' `fit` and lets the batches be cut from a
    view, so that overlapping windows are never all copied.
    """
    model.optimizer.build(model.trainable_variables)
    x_spec, y_spec = (
        tf.TensorSpec(spec.shape, tf.float32) for spec in (model.inputs[0], model.outputs[0])
    )

    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x, y, model(x, training=True))
        variables = model.trainable_variables
        model.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    compiled: Callable[[Array, Array], Any] = tf.function(step, input_signature=(x_spec, y_spec))
    return compiled


class KerasTrainer:
    """A model that `build` made, trained by TensorFlow."""

    backend = "tensorflow"

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._step = training_step(model)
        self._averages = False

    @property
    def learning_rate(self) -> float:
        """Adam's, of the next step."""
        return float(self._model.optimizer.learning_rate)

    @property
    def parameter_count(self) -> int:
        """Trainable numbers of the model."""
        return sum(int(np.prod(v.shape)) for v in self._model.trainable_variables)

    def set_learning_rate(self, rate: float) -> None:
        """As `Trainer` says."""
        self._model.optimizer.learning_rate = rate

    def average_weights(self, momentum: float) -> None:
        """As `Trainer` says; the model must have been compiled with `use_ema`."""
        self._model.optimizer.ema_momentum = momentum
        self._averages = True

    def train_epoch(
        self, x: Array, y: Array, order: npt.NDArray[np.int64], batch_size: int
    ) -> npt.NDArray[np.float64]:
        """As `Trainer` says; a batch is copied, never all of `x`."""
        losses = [self._step(*batch) for batch in _batches(x, y, order, batch_size)]
        return np.asarray([float(loss) for loss in losses])

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """As `Trainer` says."""
        if not self._averages:
            yield
            return
        trained = self._model.get_weights()
        self._model.optimizer.finalize_variable_values(self._model.trainable_variables)
        try:
            yield
        finally:
            self._model.set_weights(trained)

    def predict(self, x: Array) -> npt.NDArray[np.float32]:
        """As `predict` does."""
        return predict(self._model, x)

    def penalty(self) -> float:
        """The model's own losses."""
        return float(sum(float(loss) for loss in self._model.losses))

    def weights(self) -> list[Any]:
        """A copy of all of the model's weights."""
        found: list[Any] = self._model.get_weights()
        return found

    def restore(self, weights: list[Any]) -> None:
        """Give the model `weights`."""
        self._model.set_weights(weights)


def _batches(
    x: Array, y: Array, order: npt.NDArray[np.int64], size: int
) -> Iterator[tuple[Array, Array]]:
    """The rows of `order` in batches; the last one holds the rest."""
    for at in range(0, len(order), size):
        chosen = order[at : at + size]
        yield x[chosen], y[chosen]


def _mean_loss(epoch: int, losses: npt.NDArray[np.float64], batch_size: int, windows: int) -> float:
    """The mean over windows of the losses of batches."""
    bad = np.flatnonzero(~np.isfinite(losses))
    if bad.size:
        raise TrainingDiverged(
            f"epoch {epoch}: the training loss is {losses[bad[0]]} "
            f"at step {bad[0] + 1} of {len(losses)}"
        )
    sizes = np.full(len(losses), batch_size)
    sizes[-1] = windows - batch_size * (len(losses) - 1)
    return float(np.average(losses, weights=sizes))


def _check_lengths(name: str, x: Array, y: Array) -> None:
    if len(x) != len(y) or len(x) == 0:
        raise ValueError(
            f"{name} needs as many windows as targets, and at least one: "
            f"found {len(x)} windows, {len(y)} targets"
        )
