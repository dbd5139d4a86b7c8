"""Each column of the inputs is what a plain computation says, and none knows a later value."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipeline.framing import Framing
from data_pipeline.inputs import (
    CHANGES,
    INDICATORS,
    INPUTS,
    Inputs,
    added_columns,
    hours_before,
    input_rows,
)
from data_pipeline.series import HourlySeries
from data_pipeline.windows import feature_rows, open_test, prepare
from tests.data_pipeline.files import series


def _in_berlin(hours: int) -> HourlySeries:
    """Hours around the spring of 2024, in which 2:00 to 3:00 on 31 March does not exist."""
    index = pd.date_range("2024-03-20", periods=hours, freq="h", tz="UTC")
    plain = series(hours, seed=3)
    return HourlySeries(
        index=index,
        local=index.tz_convert("Europe/Berlin").tz_localize(None),
        target=plain.target,
        covariates=plain.covariates,
        target_name="Usage",
        covariate_names=("c0",),
        unit="MW",
        name="Berlin",
    )


def _change(target: list[float], row: int) -> float:
    return target[row] - target[row - 1] if row >= 1 else 0.0


def _slowly(whole: HourlySeries, row: int, horizon: int) -> dict[str, float]:
    """The columns of one row, by their definition."""
    target, clock = whole.target.tolist(), whole.local[row + horizon]
    expected = {f"hour_{hour}": float(hour == clock.hour) for hour in range(24)}
    return expected | {
        "weekend": float(clock.day_name() in ("Saturday", "Sunday")),
        "change": _change(target, row),
        "change_day": _change(target, row + horizon - 24 * math.ceil(horizon / 24)),
        "change_week": _change(target, row + horizon - 168 * math.ceil(horizon / 168)),
    }


@pytest.mark.parametrize("horizon", [1, 5, 24, 25, 168])
def test_the_columns_of_changes_are_those_of_a_plain_computation(horizon: int) -> None:
    whole = _in_berlin(700)
    rows = feature_rows(whole, Framing(horizon=horizon), "changes")
    assert rows.shape == (700, 2 + 28)
    np.testing.assert_array_equal(rows[:, 0], whole.covariates[:, 0])
    np.testing.assert_array_equal(rows[:, 1], whole.target)
    for row in range(700 - horizon):
        expected = _slowly(whole, row, horizon)
        assert tuple(expected) == added_columns("changes")
        np.testing.assert_array_equal(rows[row, 2:], list(expected.values()))


def test_one_hour_ahead_the_lagged_changes_are_those_of_the_coming_hour() -> None:
    whole = series(800)
    rows = feature_rows(whole, Framing(), "changes")
    change, day, week = rows[:, -3:].T
    np.testing.assert_array_equal(change[1:], np.diff(whole.target))
    np.testing.assert_array_equal(day[23:-1], change[: 800 - 24])
    np.testing.assert_array_equal(week[167:-1], change[: 800 - 168])
    assert not day[:24].any() and not week[:168].any()


def test_the_hour_that_is_forecast_follows_a_clock_that_changes() -> None:
    whole = _in_berlin(700)
    rows = feature_rows(whole, Framing(), "changes")
    # The hour after 1:00 is 3:00 when the clock goes forward.
    before = whole.local.get_loc(pd.Timestamp("2024-03-31 01:00"))
    hours = dict(zip(added_columns("changes"), rows[before, 2:], strict=True))
    assert (hours["hour_2"], hours["hour_3"], hours["weekend"]) == (0.0, 1.0, 1.0)


@given(
    row=st.integers(1, 499),
    horizon=st.integers(1, 168),
    seed=st.integers(0, 99),
    inputs=st.sampled_from(INPUTS),
)
@settings(max_examples=60, deadline=None)
def test_no_row_knows_a_later_value(row: int, horizon: int, seed: int, inputs: Inputs) -> None:
    whole = series(500, seed=seed)
    values = np.column_stack([whole.covariates, whole.target])
    later = values.copy()
    later[row:] += np.random.default_rng(seed).normal(0.0, 1e6, later[row:].shape)
    one, other = (input_rows(v, whole.local, horizon, inputs) for v in (values, later))
    assert one[:row].tobytes() == other[:row].tobytes()
    assert one[row:].tobytes() != other[row:].tobytes()
    # Nor does it depend on how many rows follow, as long as the clock is known.
    short = input_rows(values[:row], whole.local[: row + horizon], horizon, inputs)
    known = min(row, 500 - horizon)
    assert short[:known].tobytes() == one[:known].tobytes()


@pytest.mark.parametrize("horizon", [1, 24])
def test_indicators_stay_and_changes_have_the_standard_deviation_one(horizon: int) -> None:
    framing = Framing(window=24, horizon=horizon)
    for prepared in (split(series(900), framing, "changes") for split in (prepare, open_test)):
        rows = feature_rows(prepared.history, framing, "changes")[: prepared.train_rows]
        scaled, at = prepared.scaler.transform(rows), prepared.columns.index
        for name in INDICATORS:
            np.testing.assert_array_equal(scaled[:, at(name)], rows[:, at(name)])
        for name in CHANGES:
            assert prepared.scaler.minimum[at(name)] == 0.0
            assert scaled[:, at(name)].std() == pytest.approx(1.0)
        assert (scaled[:, :2].min(axis=0), scaled[:, :2].max(axis=0)) == (
            pytest.approx([0.0, 0.0]),
            pytest.approx([1.0, 1.0]),
        )


def test_what_is_held_out_and_learned_is_the_same_whatever_the_inputs() -> None:
    whole, framing = series(900), Framing(horizon=24)
    for split in (prepare, open_test):
        cycles, changes = (split(whole, framing, inputs) for inputs in INPUTS)
        assert cycles.columns[:2] == changes.columns[:2] == ("c0", "Usage")
        assert len(changes.columns) == changes.train.x.shape[2] == 30
        assert cycles.target_range == changes.target_range
        for one, other in ((cycles.train, changes.train), (cycles.held_out, changes.held_out)):
            assert one.y.tobytes() == other.y.tobytes()
            assert one.origins.tobytes() == other.origins.tobytes()
            np.testing.assert_array_equal(one.x[..., :2], other.x[..., :2])


def test_a_constant_target_is_scaled_to_no_change() -> None:
    whole = series(500)
    values = np.column_stack([whole.covariates, np.full(500, 7.0)])
    constant = HourlySeries(
        index=whole.index,
        local=whole.local,
        target=values[:, 1],
        covariates=whole.covariates,
        target_name="Usage",
        covariate_names=("c0",),
        unit="MW",
        name="constant",
    )
    prepared = prepare(constant, Framing(window=24), "changes")
    assert not prepared.train.x[..., -3:].any()
    assert (prepared.scaler.range[-3:] == 1.0).all()


def test_rows_that_must_precede_a_window_are_enough_for_every_lag() -> None:
    assert [hours_before("cycles", horizon) for horizon in (1, 168)] == [0, 0]
    assert [hours_before("changes", horizon) for horizon in (1, 24, 168)] == [168, 168, 168]
    whole = series(600)
    values = np.column_stack([whole.covariates, whole.target])
    for horizon in (1, 24, 168):
        every = input_rows(values, whole.local, horizon, "changes")
        needed = hours_before("changes", horizon)
        late = input_rows(values[100:], whole.local[100:], horizon, "changes")
        np.testing.assert_array_equal(late[needed:], every[100 + needed :])
