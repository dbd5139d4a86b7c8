"""What only KerasTuner's adapter has to mind; the common contract is in test_space_adapters."""

import keras_tuner
import pytest

from experiments.catalogue import CATALOGUE
from experiments.space import Choice, Float, Int, Space
from search.common.errors import WrongInput
from search.tuning.keras_tuner_space import suggest


def test_the_whole_space_is_declared_at_once_conditions_included() -> None:
    space = CATALOGUE["power_usage"].space
    hyperparameters = keras_tuner.HyperParameters()
    suggest(hyperparameters, space)
    assert {p.name for p in hyperparameters.space} == {d.name for d in space.dimensions}


def test_the_very_end_of_a_scale_is_the_bound_and_not_beyond_it() -> None:
    # Its Bayesian oracle looks for points up to a probability of exactly 1.
    space = Space(
        dimensions=(
            Int(name="units", low=16, high=128, log=True),
            Float(name="l2", low=1e-7, high=1e-2, log=True),
            Float(name="rate", low=0.1, high=0.7),
        )
    )
    hyperparameters = keras_tuner.HyperParameters()
    suggest(hyperparameters, space)
    beyond = {p.name: p.prob_to_value(1.0) for p in hyperparameters.space}
    assert beyond["units"] == 129  # what makes this needed
    hyperparameters.values = beyond
    flat = suggest(hyperparameters, space)
    assert space.problems(flat) == []
    assert flat["units"] == 128


def test_a_choice_among_several_types_is_wrong_input_naming_it() -> None:
    space = Space(dimensions=(Choice(name="size", values=(1, "two")),))
    with pytest.raises(WrongInput, match=r"'size'.*int, str.*\n.*--tuner optuna"):
        suggest(keras_tuner.HyperParameters(), space)
