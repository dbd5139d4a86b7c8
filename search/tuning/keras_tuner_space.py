"""The adapter between a declared space and `keras_tuner.HyperParameters`."""

import contextlib

import keras_tuner

from experiments.space import Choice, Condition, FlatParameters, Float, Space, Value
from search.common.errors import WrongInput


def suggest(hyperparameters: keras_tuner.HyperParameters, space: Space) -> dict[str, Value]:
    """Draw a point of `space` from KerasTuner's hyperparameters, conditions included.

    Raises:
        WrongInput: a choice is among values of several types, which KerasTuner does not take.
    """
    flat: dict[str, Value] = {}
    conditions: dict[str, list[Condition]] = {}
    for dimension in space.dimensions:
        only_if = dimension.only_if
        # KerasTuner finds a parent only within that parent's own scopes.
        outer = [] if only_if is None else [*conditions[only_if.name], only_if]
        conditions[dimension.name] = outer
        with contextlib.ExitStack() as scopes:
            for condition in outer:
                values = list(condition.values)
                scopes.enter_context(hyperparameters.conditional_scope(condition.name, values))
            sampling = "log" if dimension.log else "linear"
            name = dimension.name
            if isinstance(dimension, Choice):
                _check_types(dimension)
                chosen = hyperparameters.Choice(name, list(dimension.values), ordered=False)
                # It may give 1 for True, which is no value of the space; None where not present.
                drawn = next((value for value in dimension.values if value == chosen), None)
            elif isinstance(dimension, Float):
                low, high = dimension.low, dimension.high
                drawn = hyperparameters.Float(name, low, high, sampling=sampling)
            else:
                low, high = int(dimension.low), int(dimension.high)
                drawn = hyperparameters.Int(name, low, high, sampling=sampling)
        # Declared in any case, so that the oracle knows the whole space; drawn where it applies.
        if space.present(dimension, flat):
            assert drawn is not None
            # At the very end of a log scale KerasTuner gives a whole number one above the bound,
            # and rounding may put any number just beyond it.
            flat[name] = drawn if isinstance(dimension, Choice) else min(max(drawn, low), high)
    return flat


def values_of(flat: FlatParameters, space: Space) -> dict[str, Value]:
    """A point of `space` as KerasTuner holds it: the inverse of `suggest`."""
    held = {}
    for dimension in space.dimensions:
        if dimension.name in flat:
            value = flat[dimension.name]
            # KerasTuner keeps the booleans of a choice as 1 and 0.
            is_flag = isinstance(dimension, Choice) and isinstance(value, bool)
            held[dimension.name] = int(value) if is_flag else value
    return held


def _check_types(choice: Choice) -> None:
    types = sorted({type(value).__name__ for value in choice.values})
    if len(types) > 1:
        raise WrongInput(
            f"--tuner keras-tuner: the choice {choice.name!r} is among values of several types, "
            f"{', '.join(types)}; KerasTuner expects one.\n"
            "Next: declare values of one type, or use --tuner optuna."
        )
