"""The adapter between a declared space and `keras_tuner.HyperParameters`."""

import contextlib

import keras_tuner

from experiments.space import Choice, Float, Space, Value


def suggest(hyperparameters: keras_tuner.HyperParameters, space: Space) -> dict[str, Value]:
    """Draw a point of `space` from KerasTuner's hyperparameters, conditions included."""
    flat: dict[str, Value] = {}
    for dimension in space.dimensions:
        condition = dimension.only_if
        scope: contextlib.AbstractContextManager[object] = contextlib.nullcontext()
        if condition is not None:
            scope = hyperparameters.conditional_scope(condition.name, list(condition.values))
        with scope:
            sampling = "log" if dimension.log else "linear"
            name = dimension.name
            if isinstance(dimension, Choice):
                chosen = hyperparameters.Choice(name, list(dimension.values), ordered=False)
                # It may give 1 for True, which is no value of the space.
                drawn = next(value for value in dimension.values if value == chosen)
            elif isinstance(dimension, Float):
                low, high = dimension.low, dimension.high
                drawn = hyperparameters.Float(name, low, high, sampling=sampling)
            else:
                low, high = int(dimension.low), int(dimension.high)
                drawn = hyperparameters.Int(name, low, high, sampling=sampling)
        # Declared in any case, so that the oracle knows the whole space; drawn where it applies.
        if space.present(dimension, flat):
            flat[name] = drawn
    return flat
