"""Networks of stock Keras layers to compare the kernels with, and random ones."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models.build import build
from models.parameters import TrialParameters

TOLERANCE = 1e-5  # relative, in the norm; both sides compute in float32
# A value near zero may be a difference of larger ones. Forecasts of either side are up to 8e-8 off
# those in float64, however small they are, and how they are rounded depends on the processor.
NEAR_ZERO = 1e-2


def parameters(units: tuple[int, ...], **changes: Any) -> TrialParameters:
    defaults: dict[str, Any] = {
        "units": units,
        "dropout": (0.0,) * len(units),
        "l2": 0.0,
        "learning_rate": 0.01,
        "batch_size": 16,
        "patience": 50,
        "epochs": 5,
    }
    return TrialParameters(**(defaults | changes))


def model(found: TrialParameters, window: int, features: int, horizon: int, seed: int = 0) -> Any:
    """What `build` makes, with biases that are not zero."""
    made = build(found, window, features, horizon, seed)
    random = np.random.default_rng(seed)
    for variable in made.trainable_variables:
        variable.assign_add(0.1 * random.normal(size=variable.shape).astype(np.float32))
    return made


def distance(found: Any, expected: Any, least: float = 1e-30) -> float:
    """Relative to `expected`, in the norm; relative to `least` where that is larger."""
    expected = np.asarray(expected, np.float64)
    error = np.linalg.norm(np.asarray(found, np.float64) - expected)
    return float(error / max(float(np.linalg.norm(expected)), least))


def stock_gradients(made: Any, x: Any, y: Any, kept: list[Any] | None = None) -> tuple[Any, Any]:
    """Loss and gradients of stock layers with the weights of `made`, penalty included.

    Args:
        made: of `model`.
        x: float32 (n, window, features).
        y: float32 (n, horizon).
        kept: factors of each layer's outputs, (n, time, units), or (n, units) for the last layer;
            None: no dropout.
    """
    lstms = [layer for layer in made.layers if hasattr(layer, "recurrent_dropout")]
    stock = [keras.layers.LSTM(one.units, return_sequences=one.return_sequences) for one in lstms]
    dense = keras.layers.Dense(made.output_shape[-1])
    value = tf.constant(x)
    for layer in stock:
        value = layer(value)
    dense(value)
    weights = [variable for layer in [*stock, dense] for variable in layer.trainable_variables]
    for variable, origin in zip(weights, made.trainable_variables, strict=True):
        variable.assign(origin)
    regularizer = lstms[0].kernel_regularizer
    l2 = float(regularizer.l2) if regularizer else 0.0
    with tf.GradientTape() as tape:
        value = tf.constant(x)
        for number, layer in enumerate(stock):
            value = layer(value)
            value = value if kept is None else value * kept[number]
        loss = tf.reduce_mean(tf.square(dense(value) - y))
        loss += l2 * sum(tf.reduce_sum(tf.square(layer.cell.kernel.value)) for layer in stock)
    gradients = tape.gradient(loss, [variable.value for variable in weights])
    return float(loss), [np.asarray(one) for one in gradients]
