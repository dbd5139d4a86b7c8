"""Settings between networks, and the networks on the way."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.lstm_space import stacked_lstm_space, to_flat
from experiments.teaching_notes import MAIN2
from models.parameters import TrialParameters
from search.common.errors import Refused
from search.explain.settings import mixed, settings_between

WINDOW = 168
SPACE = stacked_lstm_space(
    units=(4, 128),
    learning_rate=(1e-4, 1e-1),
    targets=("level", "change"),
    inputs=("cycles", "changes"),
    lookbacks=(24, 48, WINDOW),
    schedules=("constant", "cosine"),
)


@st.composite
def networks(draw: st.DrawFn) -> TrialParameters:
    layers = draw(st.integers(1, 3))
    return TrialParameters(
        units=tuple(draw(st.sampled_from([16, 32, 64])) for _ in range(layers)),
        dropout=tuple(draw(st.sampled_from([0.0, 0.2])) for _ in range(layers)),
        l2=draw(st.sampled_from([0.0, 1e-3, 1e-5])),
        learning_rate=draw(st.sampled_from([1e-3, 1e-2])),
        batch_size=draw(st.sampled_from([32, 64])),
        patience=draw(st.sampled_from([7, 20])),
        epochs=draw(st.sampled_from([50, 100])),
        ema_epochs=draw(st.sampled_from([0.0, 1.0])),
        target=draw(st.sampled_from(["level", "change"])),
        inputs=draw(st.sampled_from(["cycles", "changes"])),
        lookback=draw(st.sampled_from([24, 48, None])),
        schedule=draw(st.sampled_from(["constant", "cosine"])),
    )


@given(start=networks(), goal=networks())
def test_every_subset_of_the_settings_is_a_network_and_all_of_them_are_the_goal(
    start: TrialParameters, goal: TrialParameters
) -> None:
    if start == goal:
        with pytest.raises(Refused, match="same settings"):
            settings_between(start, goal, SPACE)
        return
    settings = settings_between(start, goal, SPACE)
    names = [setting.name for setting in settings]
    assert mixed(start, settings, frozenset(), SPACE, WINDOW) == start
    assert mixed(start, settings, frozenset(names), SPACE, WINDOW) == goal
    seen = set()
    for count in range(len(names) + 1):
        for changed in itertools.islice(itertools.combinations(names, count), 4):
            network = mixed(start, settings, frozenset(changed), SPACE, WINDOW)
            assert not SPACE.problems(to_flat(network, SPACE))
            seen.add(network)
    assert len(seen) > len(names)


def test_a_layer_goes_with_its_units_and_its_dropout() -> None:
    goal = MAIN2.parameters.model_copy(
        update={"units": (39,), "dropout": (0.026,), "l2": 0.0, "ema_epochs": 1.0}
    )
    settings = {one.name: one for one in settings_between(MAIN2.parameters, goal, SPACE)}
    assert list(settings) == ["layers", "units_1", "dropout_1", "use_l2", "ema_epochs"]
    assert settings["layers"].before == {"layers": 2, "units_2": 32, "dropout_2": 0.2}
    assert settings["layers"].after == {"layers": 1}
    assert settings["use_l2"].before == {"use_l2": True, "l2": 1e-3}
    assert settings["use_l2"].after == {"use_l2": False}


def test_a_network_outside_the_space_is_refused() -> None:
    goal = MAIN2.parameters.model_copy(update={"units": (512, 32)})
    with pytest.raises(Refused, match="no point"):
        settings_between(MAIN2.parameters, goal, SPACE)
