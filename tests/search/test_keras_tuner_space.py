"""KerasTuner's adapter draws points of the declared space."""

import keras_tuner
import pytest

from experiments.catalogue import CATALOGUE
from experiments.lstm_space import to_flat, to_parameters
from experiments.space import Space
from search.keras_tuner_space import suggest

SPACES = [CATALOGUE[name].space for name in ("power_usage", "power_usage_large", "smoke")]


@pytest.mark.parametrize("space", SPACES)
def test_every_drawn_point_lies_in_the_space(space: Space) -> None:
    oracle = keras_tuner.oracles.RandomSearchOracle(
        objective=keras_tuner.Objective("val_mse", "min"), max_trials=200, seed=0
    )
    hyperparameters = keras_tuner.HyperParameters()
    suggest(hyperparameters, space)
    oracle.update_space(hyperparameters)
    depths = set()
    for number in range(60):
        drawn = hyperparameters.copy()
        drawn.values = oracle.populate_space(str(number))["values"]
        flat = suggest(drawn, space)
        assert space.problems(flat) == []
        assert to_flat(to_parameters(flat, 50)) == flat
        depths.add(flat["layers"])
    assert len(depths) > 1


def test_the_whole_space_is_declared_at_once_conditions_included() -> None:
    space = CATALOGUE["power_usage"].space
    hyperparameters = keras_tuner.HyperParameters()
    suggest(hyperparameters, space)
    assert {p.name for p in hyperparameters.space} == {d.name for d in space.dimensions}
