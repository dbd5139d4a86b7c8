"""What training costs: arithmetic, and an estimate of the time on a CPU core."""

import math

from models.parameters import TrialParameters

# Fitted to 39 networks of 16 to 128 units on one core (docs/performance.md); most within a fifth.
SECONDS_A_GIGAFLOP = 0.045
SECONDS_A_STEP_AND_LAYER = 0.0086
# The stock layer, which alone has recurrent dropout, against the fused one, at units 64/32.
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


def epoch_seconds(parameters: TrialParameters, windows: int, length: int, features: int) -> float:
    """Estimated seconds of one training epoch on one core of a recent CPU.

    Args:
        parameters: of the network.
        windows: training windows.
        length: time steps of a window, of which the network may read fewer.
        features: columns of a time step that it reads.
    """
    length = min(length, parameters.lookback or length)
    gigaflops = epoch_flops(parameters, windows, length, features) / 1e9
    steps = math.ceil(windows / parameters.batch_size)
    seconds = (
        SECONDS_A_GIGAFLOP * gigaflops
        + SECONDS_A_STEP_AND_LAYER * steps * parameters.layers * length / 168
    )
    return seconds * (RECURRENT_DROPOUT if parameters.recurrent_dropout else 1.0)
