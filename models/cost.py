"""What training costs: arithmetic, and an estimate of the time on a CPU core."""

import math
from dataclasses import dataclass

from models.parameters import TrialParameters


@dataclass(frozen=True)
class Speed:
    """What a gradient step costs on one core.

    Attributes:
        gigaflop: seconds a gigaflop of matrix products.
        layer: seconds a layer, for windows of 168 hours.
    """

    gigaflop: float
    layer: float


# Both are fits to networks of 16 to 128 units, see docs/performance.md.
KERNELS = Speed(gigaflop=0.0088, layer=0.0005)
TENSORFLOW = Speed(gigaflop=0.045, layer=0.0086)
# The stock layer, which alone has recurrent dropout, against TensorFlow's fused one at 64/32 units.
RECURRENT_DROPOUT = 3.1


def epoch_flops(parameters: TrialParameters, windows: int, length: int, features: int) -> float:
    """Floating-point operations of the matrix products of one training epoch.

    A layer of u units over inputs of width f multiplies (f + u) by 4 u numbers a step, two
    operations each; the backward pass takes twice the forward pass. Element-wise work, the dense
    layer and validation are left out.

    Args:
        parameters: of the network.
        windows: training windows.
        length: time steps of a window, of which the network may read fewer.
        features: columns of a time step that it reads.
    """
    wide, total = features, 0
    length = min(length, parameters.lookback or length)
    for units in parameters.units:
        total += 2 * 4 * units * (wide + units)
        wide = units
    return 3.0 * total * length * windows


def epoch_seconds(
    parameters: TrialParameters,
    windows: int,
    length: int,
    features: int,
    speed: Speed = KERNELS,
) -> float:
    """Estimated seconds of one training epoch on one core of a recent CPU.

    Recurrent dropout is trained by TensorFlow, whatever `speed` says.

    Args:
        parameters: of the network.
        windows: training windows.
        length: time steps of a window, of which the network may read fewer.
        features: columns of a time step that it reads.
        speed: of what trains.
    """
    if parameters.recurrent_dropout:
        speed = TENSORFLOW
    length = min(length, parameters.lookback or length)
    gigaflops = epoch_flops(parameters, windows, length, features) / 1e9
    steps = math.ceil(windows / parameters.batch_size)
    seconds = speed.gigaflop * gigaflops + speed.layer * steps * parameters.layers * length / 168
    return seconds * (RECURRENT_DROPOUT if parameters.recurrent_dropout else 1.0)
