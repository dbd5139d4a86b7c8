"""How the learning rate falls while a network is trained."""

import math

from models.parameters import TrialParameters


def learning_rate(parameters: TrialParameters, epoch: int) -> float:
    """Adam's learning rate in one epoch, from 1.

    "cosine" is that of Loshchilov and Hutter (2017), equation 5, without restarts and down to 0:
    `rate * (1 + cos(pi * (epoch - 1) / epochs)) / 2`. So the first epoch has the whole rate, and
    the last one still learns.

    Args:
        parameters: the rate that training begins with, the schedule and the most epochs, over
            which the rate falls even if training stops before.
        epoch: from 1 to `parameters.epochs`.
    """
    if parameters.schedule == "constant":
        return parameters.learning_rate
    share = (epoch - 1) / parameters.epochs
    return parameters.learning_rate * (1 + math.cos(math.pi * share)) / 2
