"""Adam with an L2 penalty and a moving average of the weights, as Keras computes them."""

from typing import Any, NamedTuple

import numpy as np

from models.kernels.compiling import fast_part, part

# As float32, since Keras subtracts from 1 in double and rounds then.
_MEAN_SHARE, _SQUARE_SHARE = np.float32(1 - 0.9), np.float32(1 - 0.999)
_EPSILON = np.float32(1e-7)


class Optimiser(NamedTuple):
    """What is the same for all weights.

    Attributes:
        learning_rate: Adam's.
        l2: strength of the penalty `l2 * w**2` on each input weight of the LSTM layers.
        momentum: of the moving average of the weights, 0 without one.
    """

    learning_rate: np.float32
    l2: np.float32
    momentum: np.float32


@part
def step_size(learning_rate: Any, step: int) -> Any:
    """The learning rate with both corrections of Kingma & Ba (2015), section 2.

    Keras takes the powers in float32, where `1 - 0.999` is off by 1.3e-5. Computed in double, the
    weights would drift from Keras' by more than rounding does.

    Args:
        learning_rate: float32.
        step: from 1.
    """
    one = np.float32(1)
    mean_power = np.float32(np.float64(np.float32(0.9)) ** step)
    square_power = np.float32(np.float64(np.float32(0.999)) ** step)
    return learning_rate * np.sqrt(one - square_power) / (one - mean_power)


@fast_part
def add_penalty(weights: Any, gradient: Any, l2: Any, low: int, high: int) -> Any:
    """Add the penalty's gradient where `low <= index < high`; return the penalty, float32."""
    squares = np.float32(0)
    if l2 > 0:
        factor = np.float32(2) * l2
        for k in range(low, high):
            squares += weights[k] * weights[k]
            gradient[k] += factor * weights[k]
    return l2 * squares


@fast_part
def update(parameters: Any, size: Any, keep: Any) -> None:
    """Move the weights by one step of Adam; set the gradient to zero for the next one.

    Args:
        parameters: with the gradient of the loss, penalty included; changed in place.
        size: of `step_size`.
        keep: share of the moving average that stays, from 0 to 1; negative leaves it alone.
    """
    weights, gradient = parameters.weights, parameters.gradient
    mean, square, average = parameters.mean, parameters.square, parameters.average
    for k in range(weights.size):
        mean[k] += (gradient[k] - mean[k]) * _MEAN_SHARE
        square[k] += (gradient[k] * gradient[k] - square[k]) * _SQUARE_SHARE
        weights[k] -= mean[k] * size / (np.sqrt(square[k]) + _EPSILON)
        gradient[k] = np.float32(0)
    if keep >= 0:
        moves = np.float32(1) - keep
        for k in range(weights.size):
            average[k] = keep * average[k] + moves * weights[k]
