"""A space written for KerasTuner becomes the declared space it means, or an error that says why."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras_tuner
import pytest

from experiments.experiment import Experiment
from experiments.hp_space import SpaceError, space_from
from experiments.lstm_space import stacked_lstm_space, to_parameters
from experiments.space import Choice, Condition, Float
from search.tuning.keras_tuner_space import suggest, values_of


def loops(hp: Any) -> None:
    """As most are written: conditions are a loop and an `if`."""
    for layer in range(1, hp.Int("layers", 1, 3) + 1):
        hp.Int(f"units_{layer}", 16, 128, sampling="log")
        hp.Float(f"dropout_{layer}", 0.0, 0.5)
    if hp.Boolean("use_l2"):
        hp.Float("l2", 1e-7, 1e-2, sampling="log")
    hp.Float("learning_rate", 3e-4, 2e-2, sampling="log")
    hp.Choice("batch_size", [32, 64, 128])
    hp.Int("patience", 5, 20)


def scopes(hp: Any) -> None:
    """The same with KerasTuner's own conditions."""
    hp.Int("layers", 1, 3)
    for layer in (1, 2, 3):
        with hp.conditional_scope("layers", list(range(layer, 4))):
            hp.Int(f"units_{layer}", min_value=16, max_value=128, step=None, sampling="log")
            hp.Float(f"dropout_{layer}", 0, 0.5, default=0.1)
    hp.Choice("use_l2", [True, False])
    hp.Float("l2", 1e-7, 1e-2, sampling="log", parent_name="use_l2", parent_values=[True])
    hp.Float("learning_rate", 3e-4, 2e-2, sampling="log")
    hp.Choice("batch_size", [32, 64, 128])
    hp.Int("patience", 5, 20, step=1)


def fixed(hp: Any) -> None:
    """What is not searched is fixed; one thing depends on another that depends on a third."""
    hp.Fixed("layers", 2)
    for layer in (1, 2):
        hp.Choice(f"units_{layer}", [16, 32, 64])
        hp.Fixed(f"dropout_{layer}", 0.2)
    hp.Fixed("use_l2", False)
    hp.Float("learning_rate", 1e-3, 1e-2)
    hp.Fixed("batch_size", 64)
    hp.Fixed("patience", 7)


def _rest(hp: Any, *but: str) -> None:
    """Whatever else a stacked LSTM needs."""
    for name, value in {
        "layers": 1,
        "units_1": 8,
        "dropout_1": 0.1,
        "use_l2": False,
        "learning_rate": 1e-3,
        "batch_size": 64,
        "patience": 5,
    }.items():
        if name not in but:
            hp.Fixed(name, value)


@pytest.mark.parametrize("function", [loops, scopes])
def test_loops_and_scopes_declare_the_projects_own_space(function: Callable[[Any], None]) -> None:
    read = {d.name: d for d in space_from(function).dimensions}
    own = {d.name: d for d in stacked_lstm_space(units=(16, 128)).dimensions}
    flags = {"use_l2"}
    assert read.keys() == own.keys()
    assert all(read[name] == own[name] for name in own.keys() - flags)
    use_l2 = read["use_l2"]
    assert isinstance(use_l2, Choice) and set(use_l2.values) == {True, False}


def test_what_is_fixed_is_a_choice_of_one() -> None:
    space = space_from(fixed)
    by_name = {d.name: d for d in space.dimensions}
    assert by_name["layers"] == Choice(name="layers", values=(2,))
    assert by_name["learning_rate"] == Float(name="learning_rate", low=1e-3, high=1e-2)
    assert "l2" not in by_name
    hyperparameters = keras_tuner.HyperParameters()
    parameters = to_parameters(suggest(hyperparameters, space), epochs=3)
    assert parameters.units == (16, 16) and parameters.patience == 7


@pytest.mark.parametrize("function", [loops, scopes, fixed])
def test_at_drawn_points_the_function_asks_kerastuner_for_the_same(
    function: Callable[[Any], None],
) -> None:
    space = space_from(function)
    declared = keras_tuner.HyperParameters()
    suggest(declared, space)
    oracle = keras_tuner.oracles.RandomSearchOracle(
        objective=keras_tuner.Objective("val_mse", "min"), hyperparameters=declared, seed=1
    )
    for number in range(30):
        drawn = oracle.get_space()
        drawn.values = oracle.populate_space(str(number))["values"]
        point = suggest(drawn, space)
        asked = keras_tuner.HyperParameters()
        asked.values = dict(values_of(point, space))
        function(asked)
        assert {hp.name for hp in asked.space if asked.is_active(hp)} == point.keys()
        assert asked.values == point


def test_an_experiment_takes_it() -> None:
    experiment = Experiment(
        name="mine", summary="Mine.", space=space_from(loops), trials=3, epochs=2
    )
    assert experiment.space.log_names == ("units_1", "learning_rate", "units_2", "units_3", "l2")


def test_a_condition_of_a_condition_is_on_the_nearest() -> None:
    def function(hp: Any) -> None:
        _rest(hp, "use_l2", "patience")
        if hp.Choice("patience", [5, 7, 9]) > 5 and hp.Boolean("use_l2"):
            hp.Float("l2", 1e-5, 1e-3)
        elif hp.Choice("patience", [5, 7, 9]) == 5:
            hp.Boolean("use_l2")
            hp.Fixed("l2", 1e-4)

    with pytest.raises(SpaceError, match="'l2'"):
        space_from(function)  # it is there at two values for two reasons

    def nested(hp: Any) -> None:
        _rest(hp, "layers", "use_l2")
        if hp.Int("layers", 1, 2) == 2:
            hp.Fixed("units_2", 4)
            hp.Fixed("dropout_2", 0.1)
        if hp.Boolean("use_l2"):
            hp.Float("l2", 1e-5, 1e-3)

    only_if = {d.name: d.only_if for d in space_from(nested).dimensions}
    assert only_if["units_2"] == Condition(name="layers", values=(2,))
    assert only_if["l2"] == Condition(name="use_l2", values=(True,))
    assert only_if["layers"] is None


def _asks(ask: Callable[[Any], object], *instead_of: str) -> Callable[[Any], None]:
    def function(hp: Any) -> None:
        _rest(hp, *instead_of)
        ask(hp)

    return function


REFUSED: dict[str, tuple[Callable[[Any], None], str]] = {
    "steps": (
        _asks(lambda hp: hp.Int("units_1", 32, 128, step=32), "units_1"),
        r"list\(range\(32, 129, 32\)\)",
    ),
    "steps of reals": (
        _asks(lambda hp: hp.Float("dropout_1", 0, 0.5, step=0.1), "dropout_1"),
        "'dropout_1'.*step=0.1",
    ),
    "a scale": (
        _asks(
            lambda hp: hp.Float("learning_rate", 1e-4, 1e-2, sampling="reverse_log"),
            "learning_rate",
        ),
        "'reverse_log', expected 'linear' or 'log'",
    ),
    "a wrong range": (_asks(lambda hp: hp.Int("patience", 9, 5), "patience"), "low <= high"),
    "an unknown name": (_asks(lambda hp: hp.Int("filters", 1, 5)), "'filters'.*expected layers"),
    "a missing name": (
        _asks(lambda hp: None, "patience"),
        "does not ask for 'patience', which it needs.*\n.*hp.Fixed",
    ),
    "a missing layer": (_asks(lambda hp: hp.Int("layers", 1, 2), "layers"), "'units_2' is missing"),
    "half an epoch": (
        _asks(lambda hp: hp.Fixed("patience", 7.5), "patience"),
        "'patience' = 7.5 would be 7 in a stacked LSTM.\nNext: ask for whole numbers",
    ),
    "a layer too many": (_asks(lambda hp: hp.Fixed("units_2", 4)), "units_2.*stands for nothing"),
    "a value beyond": (_asks(lambda hp: hp.Fixed("dropout_1", 1.5), "dropout_1"), "less than 1"),
    "a scope too early": (
        _asks(lambda hp: hp.Int("l2", 0, 1, parent_name="later", parent_values=[1])),
        r"'later'.*\nNext: ask for the parent first",
    ),
    "a name's scope": (_asks(lambda hp: hp.name_scope("a")), "hp.name_scope cannot be declared"),
    "two ranges": (
        _asks(lambda hp: (hp.Int("patience", 1, 5), hp.Int("patience", 1, 6)), "patience"),
        "'patience' is asked for in two ways",
    ),
    "a range that moves": (
        _asks(lambda hp: hp.Int("units_1", 1, 8 * hp.Int("patience", 1, 3)), "patience", "units_1"),
        "'units_1' is asked for in two ways",
    ),
    "no rule": (
        _asks(
            lambda hp: (
                hp.Boolean("use_l2")
                and hp.Float("learning_rate", 1e-4, 1e-2) > 5e-3
                and hp.Float("l2", 1e-5, 1e-3)
            ),
            "use_l2",
            "learning_rate",
        ),
        "'l2'|learning_rate",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_declared_is_an_error_that_says_what_and_why(case: str) -> None:
    function, expected = REFUSED[case]
    with pytest.raises(SpaceError, match=expected) as error:
        space_from(function)
    assert "Next: " in str(error.value) or case in ("a wrong range", "a value beyond")


def test_the_example_of_the_readme_is_an_experiment() -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    example = readme.split("```python\n")[1].split("```")[0]
    made: dict[str, Any] = {}
    exec(example, made)
    experiment = made["EXPERIMENT"]
    assert experiment.space.log_names == ("units_1", "learning_rate", "units_2", "l2")
    assert to_parameters(suggest(keras_tuner.HyperParameters(), experiment.space), 30).patience == 7


def test_a_bug_in_the_function_comes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        space_from(lambda hp: 1 / 0)
