"""The adapter between a declared space and Optuna."""

import optuna

from experiments.space import Choice, Dimension, Float, Space, Value


def suggest(trial: optuna.Trial, space: Space) -> dict[str, Value]:
    """Draw a point of `space` from an Optuna trial: the adapter between the two."""
    flat: dict[str, Value] = {}
    for dimension in space.dimensions:
        if not space.present(dimension, flat):
            continue
        name = dimension.name
        if isinstance(dimension, Choice):
            drawn = trial.suggest_categorical(name, list(dimension.values))
            assert drawn is not None  # no choice has None among its values
            flat[name] = drawn
        elif isinstance(dimension, Float):
            flat[name] = trial.suggest_float(name, dimension.low, dimension.high, log=dimension.log)
        else:
            flat[name] = trial.suggest_int(name, dimension.low, dimension.high, log=dimension.log)
    return flat


def distribution(dimension: Dimension) -> optuna.distributions.BaseDistribution:
    """A dimension as Optuna declares it."""
    if isinstance(dimension, Choice):
        return optuna.distributions.CategoricalDistribution(dimension.values)
    low, high, log = dimension.low, dimension.high, dimension.log
    if isinstance(dimension, Float):
        return optuna.distributions.FloatDistribution(low, high, log)
    return optuna.distributions.IntDistribution(int(low), int(high), log)
