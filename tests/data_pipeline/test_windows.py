"""No window sees a later split, and nothing of the test period reaches a trial."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipeline.calendar import cycles
from data_pipeline.errors import DataError
from data_pipeline.framing import Framing
from data_pipeline.series import HourlySeries
from data_pipeline.windows import (
    MINIMUM_WINDOWS,
    Prepared,
    check_length,
    feature_rows,
    open_test,
    prepare,
    split_origins,
)
from tests.data_pipeline.files import series


@st.composite
def framings(draw: st.DrawFn) -> Framing:
    validation = draw(st.sampled_from([0.08, 0.1, 0.3]))
    test = draw(st.sampled_from([0.1, 0.2, 0.35]))
    return Framing(
        window=draw(st.integers(1, 200)),
        horizon=draw(st.integers(1, 168)),
        train=1.0 - validation - test,
        validation=validation,
        test=test,
    )


def changed_from(whole: HourlySeries, row: int) -> HourlySeries:
    """The same series with every value from this row on replaced."""
    target, covariates = whole.target.copy(), whole.covariates.copy()
    target[row:] = -1e6
    covariates[row:] = 1e6
    return dataclasses.replace(whole, target=target, covariates=covariates)


def same_training(one: Prepared, other: Prepared) -> bool:
    return (
        one.train.x.tobytes() == other.train.x.tobytes()
        and one.train.y.tobytes() == other.train.y.tobytes()
        and one.scaler.minimum.tobytes() == other.scaler.minimum.tobytes()
        and one.scaler.range.tobytes() == other.scaler.range.tobytes()
        and one.scaler.target_column == other.scaler.target_column
    )


@given(rows=st.integers(0, 20_000), framing=framings())
@settings(max_examples=200, deadline=None)
def test_no_window_sees_a_target_of_a_later_split(rows: int, framing: Framing) -> None:
    try:
        train, validation, test = split_origins(rows, framing)
    except DataError:
        return
    reach = framing.horizon - 1
    assert train.start == framing.window
    assert train[-1] + reach < validation[0]
    assert validation[-1] + reach < test[0]
    assert test[-1] + reach == rows - 1
    assert min(len(train), len(validation), len(test)) >= MINIMUM_WINDOWS


@given(rows=st.integers(0, 20_000), framing=framings())
@settings(max_examples=200, deadline=None)
def test_enough_rows_are_always_enough(rows: int, framing: Framing) -> None:
    try:
        check_length(rows, framing)
    except DataError as error:
        needed = int(str(error).split("at least ")[1].split()[0])
        assert rows < needed
        check_length(needed, framing)


def test_the_documented_shares_of_april_to_june() -> None:
    train, validation, test = split_origins(2184, Framing())
    assert (len(train), len(validation), len(test)) == (1451, 161, 404)
    assert validation == range(168 + 1451, 168 + 1612)


def test_a_share_is_not_lost_to_rounding() -> None:
    # 500 windows: 0.72 + 0.08 is 0.7999999999999999, whose floor would be 399.
    _, validation, test = split_origins(500 + 168, Framing())
    assert (validation.start, test.start) == (168 + 360, 168 + 400)


@given(
    rows=st.integers(760, 900),
    window=st.integers(1, 60),
    horizon=st.integers(1, 30),
    covariates=st.integers(0, 2),
)
@settings(max_examples=25, deadline=None)
def test_later_rows_change_nothing_earlier(
    rows: int, window: int, horizon: int, covariates: int
) -> None:
    framing = Framing(window=window, horizon=horizon)
    whole = series(rows, seed=rows, covariates=covariates)
    before = prepare(whole, framing)
    assert same_training(before, prepare(changed_from(whole, before.train_rows), framing))
    after = prepare(changed_from(whole, len(before.history)), framing)
    assert same_training(before, after)
    assert before.held_out.x.tobytes() == after.held_out.x.tobytes()
    assert before.held_out.y.tobytes() == after.held_out.y.tobytes()
    assert before.history.fingerprint == after.history.fingerprint


@pytest.mark.parametrize(("window", "horizon"), [(1, 1), (24, 1), (30, 24)])
def test_windows_hold_the_rows_they_name(window: int, horizon: int) -> None:
    whole = series(800)
    framing = Framing(window=window, horizon=horizon)
    prepared = prepare(whole, framing)
    scaled = prepared.scaler.transform(feature_rows(whole, Framing())).astype(np.float32)
    for windows in (prepared.train, prepared.held_out):
        assert windows.x.dtype == windows.y.dtype == np.float32
        assert windows.x.shape == (len(windows), window, 6)
        for i in (0, len(windows) // 2, len(windows) - 1):
            origin = windows.origins[i]
            np.testing.assert_array_equal(windows.x[i], scaled[origin - window : origin])
            np.testing.assert_array_equal(windows.y[i], scaled[origin : origin + horizon, 1])
    starts = [w.origins[0] for w in (prepared.train, prepared.held_out)]
    assert starts == [window, prepared.train_rows]


def test_columns_and_target_column() -> None:
    whole = series(800, covariates=2)
    prepared = prepare(whole, Framing())
    assert prepared.columns[:3] == ("c0", "c1", "Usage")
    assert prepared.columns[3:] == ("hour_sin", "hour_cos", "weekday_sin", "weekday_cos")
    assert prepared.target_column == prepared.scaler.target_column == 2
    rows = feature_rows(whole, Framing())
    np.testing.assert_array_equal(rows[:, 2], whole.target)
    np.testing.assert_array_equal(rows[:, 3:], cycles(whole.local))


def test_all_columns_of_the_training_rows_are_scaled_to_0_to_1() -> None:
    prepared = prepare(series(800), Framing())
    x = prepared.train.x.reshape(-1, 6)
    np.testing.assert_array_equal(x.min(axis=0)[2:], 0.0)
    np.testing.assert_array_equal(x.max(axis=0)[2:], 1.0)
    assert x.min() >= 0.0
    assert x.max() <= 1.0


def test_windows_are_views() -> None:
    whole = series(5_000)
    x = prepare(whole, Framing()).train.x
    assert not x.flags.owndata
    assert not x.flags.writeable
    assert x.strides[0] == x.strides[1] == 6 * 4


@pytest.mark.parametrize("horizon", [1, 24])
def test_an_opened_test_period_is_learned_up_to_and_judged_on(horizon: int) -> None:
    whole, framing = series(800), Framing(horizon=horizon)
    closed, opened = prepare(whole, framing), open_test(whole, framing)
    assert (closed.period, opened.period) == ("validation", "test")
    first = len(closed.history)
    assert opened.train_rows == opened.held_out.origins[0] == first
    assert opened.train.origins[-1] + horizon == first
    assert opened.held_out.origins[-1] + horizon == len(whole)
    rows = feature_rows(whole, framing)
    assert opened.target_range == np.ptp(whole.target[:first])
    np.testing.assert_array_equal(opened.scaler.minimum, rows[:first].min(axis=0))
    scaled = opened.scaler.transform(rows).astype(np.float32)
    np.testing.assert_array_equal(opened.held_out.x[0], scaled[first - 168 : first])
    np.testing.assert_array_equal(opened.held_out.y[0], scaled[first : first + horizon, 1])


def test_what_is_learned_before_an_opening_does_not_depend_on_the_test_period() -> None:
    whole, framing = series(800), Framing()
    opened = open_test(whole, framing)
    after = open_test(changed_from(whole, opened.train_rows), framing)
    assert same_training(opened, after)
    assert opened.held_out.y.tobytes() != after.held_out.y.tobytes()


def test_framing_is_checked_at_birth() -> None:
    with pytest.raises(ValueError, match="must be 1"):
        Framing(train=0.7)
    for wrong in ({"horizon": 169}, {"horizon": 0}, {"window": 0}, {"windows": 3}):
        with pytest.raises(ValueError):
            Framing.model_validate(wrong)


def test_the_slips_of_the_notes_change_what_they_say_and_nothing_else() -> None:
    whole = series(800)
    # A peak in the test period that training never saw.
    target = whole.target.copy()
    target[-5] = 10 * target.max()
    whole = dataclasses.replace(whole, target=target)
    honest, leaking, short = (
        prepare(whole, Framing(scaler_rows=rows, cycle_lengths=lengths))
        for rows, lengths in (("train", (24, 7)), ("all", (24, 7)), ("train", (23, 6)))
    )
    assert honest.scaler.range[1] == honest.target_range == leaking.target_range
    assert leaking.scaler.range[1] == pytest.approx(np.ptp(target))
    assert leaking.train.x[..., 1].max() < 0.2
    np.testing.assert_allclose(honest.train.x[..., 2:], leaking.train.x[..., 2:])
    np.testing.assert_array_equal(honest.train.x[..., :2], short.train.x[..., :2])
    rows = feature_rows(whole, Framing(cycle_lengths=(23, 6)))
    hour = whole.local.hour
    np.testing.assert_allclose(rows[hour == 0][:, 2:4][0], rows[hour == 23][:, 2:4][0], atol=1e-12)
    for other in (leaking, short):
        np.testing.assert_array_equal(other.held_out.origins, honest.held_out.origins)


@pytest.mark.parametrize(("split", "learned"), [(prepare, 0.72), (open_test, 0.80)])
def test_fewer_weeks_are_the_latest_training_windows(
    split: Callable[[HourlySeries, Framing], Prepared], learned: float
) -> None:
    whole = series(24 + 1000)
    every = split(whole, Framing(window=24))
    few = split(whole, Framing(window=24, train_weeks=2))
    assert len(every.train) == 1000 * learned
    assert few.train.origins.tolist() == every.train.origins[-336:].tolist()
    assert few.train.x.tobytes() == every.train.x[-336:].tobytes()
    assert few.train.y.tobytes() == every.train.y[-336:].tobytes()
    # All but the amount of data stays as it was.
    assert few.scaler.range.tobytes() == every.scaler.range.tobytes()
    assert few.scaler.minimum.tobytes() == every.scaler.minimum.tobytes()
    assert few.held_out.y.tobytes() == every.held_out.y.tobytes()
    more = split(whole, Framing(window=24, train_weeks=9))
    assert more.train.x.tobytes() == every.train.x.tobytes()


def test_a_framing_of_before_is_written_as_before() -> None:
    """Else studies and re-tests of earlier versions would not be found again."""
    assert "train_weeks" not in Framing().model_dump(mode="json")
    few = Framing(train_weeks=1)
    assert Framing.model_validate(few.model_dump(mode="json")) == few
