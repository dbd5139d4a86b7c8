"""One contract for both adapters of a declared space: Optuna's and KerasTuner's."""

import math
from collections.abc import Callable

import keras_tuner
import numpy as np
import optuna
import pytest

from experiments.catalogue import CATALOGUE
from experiments.experiment import Design
from experiments.lstm_space import stacked_lstm_space, to_flat, to_parameters
from experiments.space import Choice, Condition, Float, Int, Space, Value
from search.tuning import keras_tuner_space, optuna_space

POINTS = 400
Point = dict[str, Value]
LSTM_SPACES = [CATALOGUE[name].space for name in ("power_usage", "power_usage_large", "smoke")]
ODD = Space(
    dimensions=(
        Choice(name="kind", values=("a", "b", "c")),
        Int(name="one", low=3, high=3, log=True),
        Int(name="few", low=1, high=4, log=True, only_if=Condition(name="kind", values=("a", "b"))),
        Float(
            name="tiny", low=1e-9, high=1e-1, log=True, only_if=Condition(name="few", values=(2, 4))
        ),
        Choice(name="flag", values=(False, True)),
        Float(name="rate", low=-0.3, high=0.7, only_if=Condition(name="flag", values=(False,))),
    )
)


class WithOptuna:
    """Draws at random, and takes given points, by Optuna."""

    def draw(self, space: Space, count: int) -> list[Point]:
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=5))
        return [optuna_space.suggest(study.ask(), space) for _ in range(count)]

    def given(self, space: Space, flat: Point) -> Point:
        study = optuna.create_study()
        study.enqueue_trial(flat)
        return optuna_space.suggest(study.ask(), space)


class WithKerasTuner:
    """The same by KerasTuner."""

    def draw(self, space: Space, count: int) -> list[Point]:
        hyperparameters = keras_tuner.HyperParameters()
        keras_tuner_space.suggest(hyperparameters, space)
        oracle = keras_tuner.oracles.RandomSearchOracle(
            objective=keras_tuner.Objective("val_mse", "min"),
            max_trials=None,
            hyperparameters=hyperparameters,
            seed=5,
        )
        points = []
        for number in range(count):
            drawn = oracle.get_space()
            drawn.values = oracle.populate_space(str(number))["values"]
            points.append(keras_tuner_space.suggest(drawn, space))
        return points

    def given(self, space: Space, flat: Point) -> Point:
        hyperparameters = keras_tuner.HyperParameters()
        hyperparameters.values = keras_tuner_space.values_of(flat, space)
        return keras_tuner_space.suggest(hyperparameters, space)


Adapter = WithOptuna | WithKerasTuner


@pytest.fixture(params=[WithOptuna, WithKerasTuner], ids=["optuna", "keras-tuner"])
def adapter(request: pytest.FixtureRequest) -> Adapter:
    made: Callable[[], Adapter] = request.param
    return made()


@pytest.mark.parametrize("space", [*LSTM_SPACES, ODD])
def test_every_drawn_point_is_valid_conditions_included(adapter: Adapter, space: Space) -> None:
    points = adapter.draw(space, POINTS)
    for flat in points:
        assert space.problems(flat) == []
    for dimension in space.dimensions:
        there = sum(dimension.name in flat for flat in points)
        assert (there == POINTS) is (dimension.only_if is None)
        assert there > POINTS / 10


@pytest.mark.parametrize("space", [*LSTM_SPACES, ODD])
def test_bounds_are_reached_and_every_choice_is_taken(adapter: Adapter, space: Space) -> None:
    points = adapter.draw(space, POINTS)
    for dimension in space.dimensions:
        values = [flat[dimension.name] for flat in points if dimension.name in flat]
        if isinstance(dimension, Choice):
            assert {(type(v), v) for v in values} == {(type(v), v) for v in dimension.values}
            continue
        on_scale = math.log if dimension.log else float
        low, high = on_scale(dimension.low), on_scale(dimension.high)
        drawn = [on_scale(float(value)) for value in values]
        margin = 0.08 * (high - low)
        assert min(drawn) <= low + margin and max(drawn) >= high - margin
        if isinstance(dimension, Int) and dimension.high - dimension.low < 10:
            assert set(values) == set(range(dimension.low, dimension.high + 1))


def test_scales_are_sampled_as_declared(adapter: Adapter) -> None:
    space = Space(
        dimensions=(
            Float(name="log", low=1e-7, high=1e-2, log=True),
            Float(name="even", low=0.0, high=0.5),
            Int(name="log_int", low=16, high=512, log=True),
            Int(name="even_int", low=0, high=999),
        )
    )
    points = adapter.draw(space, POINTS)
    for dimension in space.dimensions:
        on_scale = math.log if dimension.log else float
        low, high = on_scale(dimension.low), on_scale(dimension.high)  # type: ignore[union-attr]
        drawn = np.sort([on_scale(float(flat[dimension.name])) for flat in points])
        # Kolmogorov's distance from an even spread on that scale; 0.095 is its limit at 0.1 %.
        spread = np.abs((drawn - low) / (high - low) - (np.arange(POINTS) + 0.5) / POINTS)
        assert spread.max() < 0.11, dimension.name


@pytest.mark.parametrize("space", [*LSTM_SPACES, ODD])
def test_a_given_point_comes_back_as_it_is(adapter: Adapter, space: Space) -> None:
    for flat in WithOptuna().draw(space, 40):
        back = adapter.given(space, flat)
        assert back == flat
        assert {name: type(value) for name, value in back.items()} == {
            name: type(value) for name, value in flat.items()
        }


def test_parameters_come_back_through_every_drawn_point(adapter: Adapter) -> None:
    space = CATALOGUE["power_usage"].space
    for flat in adapter.draw(space, 60):
        assert to_flat(to_parameters(flat, 50), space) == flat


@pytest.mark.parametrize("design", CATALOGUE["power_usage"].designs, ids=lambda one: str(one.name))
def test_the_designs_of_a_search_can_be_given(adapter: Adapter, design: Design) -> None:
    experiment = CATALOGUE["power_usage"]
    parameters = design.parameters
    back = adapter.given(experiment.space, to_flat(parameters, experiment.space))
    assert experiment.parameters_of(back, parameters.epochs, design.name) == parameters


def test_a_space_without_conditions_is_drawn_whole(adapter: Adapter) -> None:
    space = stacked_lstm_space(units=(2, 4), layers=(2, 2))
    unconditional = {d.name for d in space.dimensions if d.only_if is None}
    for flat in adapter.draw(space, 20):
        assert flat.keys() - {"l2"} == unconditional
