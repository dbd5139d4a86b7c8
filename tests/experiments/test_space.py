"""The declared space and the catalogue: what is refused at birth, what a point is, what is true."""

import importlib
import math
import re
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from data_pipeline.framing import Framing
from experiments.catalogue import CATALOGUE
from experiments.experiment import Design, Experiment
from experiments.lstm_space import (
    LOOKBACKS,
    MOST_LAYERS,
    fit_lookbacks,
    stacked_lstm_space,
    to_flat,
    to_parameters,
)
from experiments.space import Choice, Condition, Dimension, Float, Int, Space, Value
from experiments.teaching_notes import DOCUMENTED
from models.parameters import TrialParameters
from search.engine.plan import adapt
from search.run import main

A = Int(name="a", low=1, high=3)


@pytest.mark.parametrize("kind", [Float, Int])
@pytest.mark.parametrize(
    ("low", "high", "log", "said"),
    [
        (3, 2, False, "low <= high, found low=3"),
        (0, 2, True, "low > 0, found low=0"),
        (-1, 2, True, "low > 0, found low=-1"),
        (math.nan, 2, False, "finite"),
        (1, math.inf, False, "finite"),
        ("x", 2, False, "valid"),
    ],
)
def test_range_that_holds_nothing_is_refused_at_birth(
    kind: type[Float] | type[Int], low: float, high: float, log: bool, said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        kind.model_validate({"name": "x", "low": low, "high": high, "log": log})


@pytest.mark.parametrize("values", [(), (1, 1), (True, 1), ("a", "b", "a")])
def test_choice_without_values_or_with_equal_ones_is_refused(values: tuple[Value, ...]) -> None:
    with pytest.raises(ValidationError):
        Choice(name="x", values=values)


def test_unknown_field_is_refused_and_values_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Int.model_validate({"name": "x", "low": 1, "high": 2, "step": 2})
    with pytest.raises(ValidationError):
        A.low = 0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("dimensions", "said"),
    [
        ((), "at least 1"),
        ((A, Float(name="a", low=0, high=1)), "'a' is declared twice"),
        (
            (Float(name="b", low=0, high=1, only_if=Condition(name="a", values=(1,))), A),
            "'b' depends on 'a', which is not declared before it",
        ),
        (
            (A, Int(name="b", low=0, high=1, only_if=Condition(name="a", values=(2, 4)))),
            r"'b' depends on 'a' being \[4\], which that dimension never takes",
        ),
        (
            (A, Int(name="b", low=0, high=1, only_if=Condition(name="b", values=(1,)))),
            "'b' depends on 'b'",
        ),
    ],
)
def test_space_refuses_doubles_and_conditions_that_cannot_hold(
    dimensions: tuple[Dimension, ...], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        Space(dimensions=dimensions)


SPACE = stacked_lstm_space(units=(2, 16))
POINT: dict[str, Value] = {
    "layers": 2,
    "units_1": 4,
    "dropout_1": 0.0,
    "units_2": 16,
    "dropout_2": 0.5,
    "use_l2": False,
    "learning_rate": 1e-3,
    "batch_size": 32,
    "patience": 5,
}


def test_a_point_within_the_bounds_has_no_problems() -> None:
    assert SPACE.problems(POINT) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"units_1": 1}, "units_1"),
        ({"units_1": 17}, "units_1"),
        ({"units_1": 4.5}, "units_1"),
        ({"units_1": True}, "units_1"),
        ({"dropout_2": 0.51}, "dropout_2"),
        ({"dropout_2": math.nan}, "dropout_2"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"batch_size": 33}, "batch_size"),
        ({"batch_size": 32.0}, "batch_size"),
        ({"use_l2": 0}, "use_l2"),
        ({"l2": 1e-4}, "'l2' is set although its condition does not hold"),
        ({"use_l2": True}, "'l2' is missing"),
        ({"layers": 1}, "'units_2' is set although"),
        ({"layers": 3}, "'units_3' is missing"),
        ({"colour": "red"}, "'colour' is no dimension"),
    ],
)
def test_problems_name_the_parameter_that_is_wrong(change: dict[str, Value], named: str) -> None:
    problems = SPACE.problems(POINT | change)
    assert problems and any(named in problem for problem in problems)


def test_log_names_are_those_drawn_on_a_log_scale() -> None:
    assert set(SPACE.log_names) == {"units_1", "units_2", "units_3", "l2", "learning_rate"}


@st.composite
def trial_parameters(draw: st.DrawFn) -> TrialParameters:
    layers = draw(st.integers(1, MOST_LAYERS))
    return TrialParameters(
        units=tuple(draw(st.integers(2, 16)) for _ in range(layers)),
        dropout=tuple(draw(st.floats(0.0, 0.5)) for _ in range(layers)),
        l2=draw(st.just(0.0) | st.floats(1e-7, 1e-2)),
        learning_rate=draw(st.floats(3e-4, 2e-2)),
        batch_size=draw(st.sampled_from((32, 64, 128))),
        patience=draw(st.integers(5, 20)),
        epochs=draw(st.integers(1, 500)),
    )


@given(trial_parameters())
def test_parameters_and_points_map_onto_each_other(parameters: TrialParameters) -> None:
    flat = to_flat(parameters)
    assert SPACE.problems(flat) == []
    assert to_parameters(flat, parameters.epochs) == parameters
    assert to_flat(to_parameters(flat, 1)) == flat


def _with_design(**changes: object) -> Experiment:
    plain = to_parameters(POINT, 10).model_dump() | changes
    design = Design(name="cell", parameters=TrialParameters.model_validate(plain))
    return Experiment(name="x", summary="x", space=SPACE, designs=(design,), trials=1, epochs=10)


def test_design_outside_the_space_is_refused_by_name() -> None:
    assert _with_design().designs[0].name == "cell"
    with pytest.raises(ValidationError, match=r"design 'cell' .*'units_1' = 99"):
        _with_design(units=(99, 16))


def test_design_that_its_point_does_not_say_whole_is_refused() -> None:
    """The space has no recurrent dropout: the trial would silently train without it."""
    with pytest.raises(ValidationError, match=r"sets recurrent_dropout=0\.2, which no point"):
        _with_design(recurrent_dropout=0.2)
    with pytest.raises(ValidationError, match="sets weights=last, which no point"):
        _with_design(weights="last")


def test_drawn_trials_are_averaged_as_the_experiment_says_and_a_design_as_it_says() -> None:
    experiment = _with_design().model_copy(update={"ema_epochs": 1.0})
    assert experiment.parameters_of(POINT, 10, "").ema_epochs == 1.0
    assert experiment.parameters_of(POINT, 10, "cell") == experiment.designs[0].parameters
    averaged = _with_design(ema_epochs=2.0)
    assert averaged.parameters_of(POINT, 10, "cell").ema_epochs == 2.0
    assert averaged.parameters_of(POINT, 10, "").ema_epochs == 0.0


def test_a_space_with_recurrent_dropout_holds_it() -> None:
    space = stacked_lstm_space(units=(2, 16), recurrent_dropout=(0.0, 0.5))
    parameters = to_parameters(POINT, 10).model_copy(update={"recurrent_dropout": 0.25})
    flat = to_flat(parameters, space)
    assert space.problems(flat) == [] and to_parameters(flat, 10) == parameters


WIDE = stacked_lstm_space(
    units=(2, 16),
    targets=("level", "change"),
    inputs=("cycles", "changes"),
    lookbacks=LOOKBACKS,
    schedules=("constant", "cosine"),
)
CHANGED: dict[str, Any] = {
    "target": "change",
    "inputs": "changes",
    "lookback": 48,
    "schedule": "cosine",
}


def _wide(**changes: object) -> Experiment:
    """With a design that has these settings, on windows of 168 hours."""
    parameters = TrialParameters.model_validate(to_parameters(POINT, 10).model_dump() | changes)
    design = Design(name="cell", parameters=parameters)
    return Experiment(name="x", summary="x", space=WIDE, designs=(design,), trials=1, epochs=10)


@pytest.mark.parametrize(("name", "value"), CHANGED.items())
def test_a_space_holds_what_is_learned_and_how_only_if_it_is_a_dimension(
    name: str, value: object
) -> None:
    with pytest.raises(ValidationError, match=f"sets {name}={value}, which no point"):
        _with_design(**{name: value})
    experiment = _wide(**{name: value})
    parameters = experiment.designs[0].parameters
    flat = to_flat(parameters, WIDE)
    assert flat[name] == value and WIDE.problems(flat) == []
    assert experiment.parameters_of(flat, 10, "cell") == parameters
    assert getattr(to_parameters(POINT, 10), name) != value


def test_a_lookback_of_the_whole_window_is_none() -> None:
    experiment = _wide()
    flat = to_flat(experiment.designs[0].parameters, WIDE)
    assert flat["lookback"] == experiment.framing.window == 168
    assert experiment.parameters_of(flat, 10, "").lookback is None
    assert experiment.parameters_of(flat | {"lookback": 24}, 10, "").lookback == 24
    assert _wide(lookback=168).parameters_of(flat, 10, "cell").lookback is None


@pytest.mark.parametrize(
    ("window", "lookbacks", "design"),
    [
        (168, (24, 48, 168), 48),
        (336, (24, 48, 168, 336), 48),
        (48, (24, 48), None),
        (36, (24, 36), None),
        (12, (12,), None),
    ],
)
def test_lookbacks_follow_the_window(
    window: int, lookbacks: tuple[int, ...], design: int | None
) -> None:
    adapted = adapt(_wide(lookback=48), {"framing.window": window})
    (found,) = [one for one in adapted.space.dimensions if one.name == "lookback"]
    assert found == Choice(name="lookback", values=lookbacks)
    parameters = adapted.designs[0].parameters
    assert parameters.lookback == design
    flat = to_flat(parameters, adapted.space)
    assert adapted.parameters_of(flat, 10, "cell") == parameters


def test_a_range_of_lookbacks_follows_the_window_too() -> None:
    space = Space(dimensions=(Int(name="lookback", low=12, high=96),))
    for window, expected in ((168, (12, 96)), (48, (12, 48)), (6, (6, 6))):
        (found,) = fit_lookbacks(space, window).dimensions
        assert isinstance(found, Int) and (found.low, found.high) == expected


def test_lookbacks_beyond_the_window_are_refused() -> None:
    plain = _wide().model_dump() | {"framing": Framing(window=24).model_dump()}
    with pytest.raises(ValidationError, match="lookbacks up to 168 hours, the windows have 24"):
        Experiment.model_validate(plain)


def test_settings_that_came_later_are_not_dumped_at_their_defaults() -> None:
    plain = to_parameters(POINT, 10).model_dump(mode="json")
    assert plain.keys().isdisjoint(CHANGED)
    assert TrialParameters.model_validate(plain) == to_parameters(POINT, 10)
    changed = TrialParameters.model_validate(plain | CHANGED)
    assert changed.model_dump(mode="json") == plain | CHANGED


@pytest.mark.parametrize(
    "wrong", [{"target": "shift"}, {"inputs": "all"}, {"lookback": 0}, {"schedule": "step"}]
)
def test_settings_that_do_not_exist_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        TrialParameters.model_validate(to_parameters(POINT, 10).model_dump() | wrong)


@pytest.mark.parametrize("name", ["power_usage", "power_usage_large"])
def test_a_search_tries_the_documents_three_and_a_network_that_learns_the_change(name: str) -> None:
    experiment = CATALOGUE[name]
    assert experiment.designs[:3] == DOCUMENTED
    (change,) = experiment.designs[3:]
    assert change.parameters.model_dump().items() >= CHANGED.items()


@pytest.mark.parametrize("name", ["documents", "claims", "slips"])
def test_designed_experiments_have_the_space_of_before(name: str) -> None:
    names = {one.name for one in CATALOGUE[name].space.dimensions}
    assert names.isdisjoint(CHANGED)


def test_full_curves_are_those_of_the_default_search_without_early_stopping() -> None:
    whole, search = CATALOGUE["full_curves"], CATALOGUE["power_usage"]
    for own, theirs in zip(whole.space.dimensions, search.space.dimensions, strict=True):
        if own.name != "patience":
            assert own == theirs
    patience = next(one for one in whole.space.dimensions if one.name == "patience")
    assert isinstance(patience, Int) and patience.low == patience.high == whole.epochs
    assert (whole.source, whole.framing, whole.epochs, whole.ema_epochs) == (
        *(search.source, search.framing, search.epochs, search.ema_epochs),
    )
    for design, searched in zip(whole.designs, search.designs, strict=True):
        kept = searched.parameters.model_copy(update={"patience": whole.epochs})
        assert (design.name, design.parameters) == (searched.name, kept)


def test_design_on_other_hours_is_refused() -> None:
    plain = _with_design().model_dump()
    design = plain["designs"][0]
    slip = Framing(scaler_rows="all").model_dump()
    assert Experiment.model_validate(plain | {"designs": [design | {"framing": slip}]})
    other = design | {"framing": Framing(window=24).model_dump()}
    with pytest.raises(ValidationError, match="'cell' has window 24, the experiment 168"):
        Experiment.model_validate(plain | {"designs": [other]})


def test_total_that_designs_alone_cannot_fill_is_refused() -> None:
    plain = _with_design().model_dump() | {"sampled": False, "repeats": 2}
    assert Experiment.model_validate(plain | {"trials": 2}).trials == 2
    with pytest.raises(ValidationError, match=r"3 trials asked for.* = 2 trials"):
        Experiment.model_validate(plain | {"trials": 3})


@pytest.fixture(params=CATALOGUE)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_experiment_is_called_as_its_module(name: str) -> None:
    assert importlib.import_module(f"experiments.{name}").EXPERIMENT is CATALOGUE[name]
    assert CATALOGUE[name].name == name


def test_docstring_opens_with_the_command_that_runs_it(name: str) -> None:
    text = importlib.import_module(f"experiments.{name}").__doc__ or ""
    command = re.search(r"^    (python -m search\.run\b.*)$", text, re.MULTILINE)
    assert command is not None
    assert text.splitlines().index(command.group(0)) == 2
    options = shlex.split(command.group(1))[3:]
    given = main.make_context("search.run", options).params
    assert given["experiment_name"] == name
    assert given["trials"] in (None, CATALOGUE[name].trials)


def test_catalogue_experiment_stands_its_own_validation(name: str) -> None:
    experiment = CATALOGUE[name]
    assert Experiment.model_validate(experiment.model_dump()) == experiment
    names = [design.name for design in experiment.designs]
    assert len(set(names)) == len(names)
    assert len(names) * experiment.repeats <= experiment.trials
    for design in experiment.designs:
        assert experiment.space.problems(to_flat(design.parameters, experiment.space)) == []
