import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models import intervals
from models.intervals import FloatArray, Tracker, begin, covered, follow, from_plain


def residuals(horizon: int, windows: int = 40, fewest: int = 0) -> st.SearchStrategy[FloatArray]:
    # Zeros and ties too, and NaN: a residual not known.
    value = st.one_of(st.floats(-1e6, 1e6), st.integers(-2, 2).map(float), st.just(math.nan))
    shape = st.tuples(st.integers(fewest, windows), st.just(horizon))
    return shape.flatmap(lambda size: arrays(np.float64, size, elements=value))


@st.composite
def followed(draw: st.DrawFn, fewest: int = 0) -> tuple[Tracker, FloatArray]:
    horizon = draw(st.integers(1, 5))
    calibration = draw(
        arrays(np.float64, (draw(st.integers(9, 15)), horizon), elements=st.floats(-1e6, 1e6))
    )
    return begin(calibration), draw(residuals(horizon, fewest=fewest))


def noise(seed: int, windows: int, horizon: int) -> FloatArray:
    return np.random.default_rng(seed).normal(0, 100, (windows, horizon))


def test_it_starts_from_the_split_conformal_half_width() -> None:
    calibration = np.column_stack([np.arange(1.0, 20.0), -10 * np.arange(1.0, 20.0)])
    # 19 residuals: k = ceil(20 * 0.9) = 18.
    assert begin(calibration).half_width == pytest.approx([18.0, 180.0])
    assert begin(calibration, 0.5).half_width == pytest.approx([10.0, 100.0])


def test_two_hours_by_hand() -> None:
    start = Tracker(0.9, (2.0, 2.0), (10.0, 10.0), ((), ()))
    seen = np.array([[30.0, 30.0], [0.0, 0.0]])
    widths, after = follow(start, seen)
    # Step 0 learns of its miss an hour later: multiplier 2 + 0.3 * 0.9, scale 10 + 20 / 72.
    # Step 1 of the first window is not known by then.
    assert widths == pytest.approx(np.array([[20.0, 20.0], [2.27 * (10 + 20 / 72), 20.0]]))
    assert after.multiplier == pytest.approx((2.27 - 0.03, 2.27))
    assert after.pending == ((), ((0.0, 20.0),))


def test_a_residual_is_judged_by_the_half_width_it_was_forecast_with() -> None:
    # 15 lies outside the 10 of its own hour, though inside the 20 of now.
    start = Tracker(0.9, (2.0, 2.0), (10.0, 10.0), ((), ((15.0, 10.0),)))
    after = follow(start, np.array([[0.0, 0.0]]))[1]
    assert after.multiplier == pytest.approx((1.97, 2.27))


@given(followed())
@settings(max_examples=40)
def test_half_widths_are_finite_and_never_negative(case: tuple[Tracker, FloatArray]) -> None:
    widths, after = follow(*case)
    assert widths.shape == case[1].shape
    for values in (widths, after.half_width):
        assert np.isfinite(values).all()
        assert (values >= 0).all()


@given(followed(), st.integers(0, 40))
@settings(max_examples=40)
def test_following_in_two_pieces_equals_following_in_one(
    case: tuple[Tracker, FloatArray], cut: int
) -> None:
    start, seen = case
    widths, after = follow(start, seen)
    first, between = follow(start, seen[:cut])
    second, last = follow(from_plain(json.loads(json.dumps(between.as_plain()))), seen[cut:])
    np.testing.assert_array_equal(np.concatenate([first, second]), widths)
    assert last == after


@given(followed(fewest=1), st.data())
@settings(max_examples=40)
def test_no_residual_is_used_before_its_hour(
    case: tuple[Tracker, FloatArray], data: st.DataObject
) -> None:
    start, seen = case
    window = data.draw(st.integers(0, len(seen) - 1))
    other = data.draw(
        arrays(np.float64, seen.shape, elements=st.floats(-1e6, 1e6) | st.just(math.nan))
    )
    row, step = np.indices(seen.shape)
    # Step k of window j is seen k + 1 hours later: when window j + k + 1 is forecast.
    later = np.where(row + step + 1 > window, other, seen)
    np.testing.assert_array_equal(
        follow(start, later)[0][: window + 1], follow(start, seen)[0][: window + 1]
    )
    np.testing.assert_array_equal(
        follow(start, later[:window])[1].half_width, follow(start, seen)[0][window]
    )


def test_a_residual_is_used_in_its_hour_and_not_later() -> None:
    start, seen = begin(noise(0, 50, 4)), noise(1, 12, 4)
    before = follow(start, seen)[0]
    for step in range(4):
        other = seen.copy()
        other[3, step] = 1e5
        changed = np.flatnonzero(follow(start, other)[0][:, step] != before[:, step])
        assert changed[0] == 3 + step + 1


def test_hours_of_which_nothing_is_known_leave_the_half_width_as_it_was() -> None:
    start = begin(noise(0, 50, 3))
    widths, after = follow(start, np.full((10, 3), np.nan))
    np.testing.assert_array_equal(widths, np.tile(start.half_width, (10, 1)))
    np.testing.assert_array_equal(after.half_width, start.half_width)


@given(followed(fewest=1))
@example((Tracker(0.9, (1.0,), (1e-308,), ((),)), np.full((3, 1), 1e6)))
@settings(max_examples=40)
def test_the_share_missed_keeps_its_bound(case: tuple[Tracker, FloatArray]) -> None:
    tracker, seen = case
    horizon = seen.shape[1]
    scales = []
    widths = follow(tracker, seen)[0]
    for window in range(len(seen)):
        scales.append(tracker.scale)
        tracker = follow(tracker, seen[window : window + 1])[1]
    for step in range(horizon):
        used = slice(0, max(0, len(seen) - step))
        known = ~np.isnan(seen[used, step])
        absolute, scale = np.abs(seen[used, step])[known], np.array(scales)[used, step][known]
        if not known.any() or not (scale > 0).all():
            continue
        missed = np.mean(absolute > widths[used, step][known])
        rate = min(intervals.RATE, intervals.RATE_DELAY / (step + 1))
        with np.errstate(over="ignore"):  # of a scale next to 0 the bound is beyond any number
            bound = 0.1 + ((absolute / scale).max() / rate + step + 1) / known.sum()
        assert missed <= bound + 1e-9


def heavy(generator: np.random.Generator, windows: int) -> FloatArray:
    return generator.standard_t(2, windows)


def doubled(generator: np.random.Generator, windows: int) -> FloatArray:
    return generator.normal(size=windows) * np.where(np.arange(windows) < windows // 2, 1, 2)


def drifting(generator: np.random.Generator, windows: int) -> FloatArray:
    return generator.normal(size=windows) * np.linspace(1, 3, windows)


def calming(generator: np.random.Generator, windows: int) -> FloatArray:
    return generator.normal(size=windows) * np.linspace(1, 0.2, windows)


def exchangeable(generator: np.random.Generator, windows: int) -> FloatArray:
    return generator.normal(size=windows)


@pytest.mark.parametrize("series", [exchangeable, heavy, doubled, drifting, calming])
def test_coverage_holds_whatever_the_scale_does(
    series: Callable[[np.random.Generator, int], FloatArray],
) -> None:
    generator = np.random.default_rng(0)
    horizon, windows = 24, 1000
    calibration = generator.standard_t(2, 300) if series is heavy else generator.normal(size=300)
    hours = series(generator, windows + horizon - 1)
    # An hour's residual is the same whichever window forecasts it: the delay at its worst.
    seen = np.lib.stride_tricks.sliding_window_view(hours, horizon)
    start = begin(np.tile(calibration[:, None], (1, horizon)))
    result = covered(seen, follow(start, seen)[0])
    for share in (*result.steps, *result.last_quarter_steps):
        assert 0.85 <= share <= 0.95


def test_a_constant_half_width_loses_what_the_tracker_holds() -> None:
    generator = np.random.default_rng(0)
    start, seen = begin(generator.normal(size=(300, 1))), doubled(generator, 1000)[:, None]
    assert covered(seen, start.half_width).last_quarter < 0.65
    assert covered(seen, follow(start, seen)[0]).last_quarter > 0.85


def test_exchangeable_residuals_cost_little_width() -> None:
    generator = np.random.default_rng(0)
    start, seen = begin(generator.normal(size=(1000, 1))), generator.normal(size=(2000, 1))
    assert follow(start, seen)[0].mean() == pytest.approx(1.645, rel=0.06)


def test_a_long_horizon_does_not_swing() -> None:
    generator = np.random.default_rng(0)
    horizon = 168
    hours = generator.normal(size=1500 + horizon - 1)
    seen = np.lib.stride_tricks.sliding_window_view(hours, horizon)
    start = begin(np.tile(generator.normal(size=(300, 1)), (1, horizon)))
    widths = follow(start, seen)[0]
    assert widths.max() < 2 * 1.645


def test_a_perfect_forecast_has_no_width_and_recovers_when_it_fails() -> None:
    start = begin(np.zeros((50, 2)))
    widths, after = follow(start, np.zeros((2000, 2)))
    np.testing.assert_array_equal(widths, 0.0)
    seen = noise(0, 1000, 2)
    assert 0.85 <= covered(seen, follow(after, seen)[0]).last_quarter <= 0.95


def test_residuals_that_vanish_take_the_width_with_them() -> None:
    widths, _ = follow(begin(noise(0, 100, 1)), np.zeros((1000, 1)))
    assert widths[-1, 0] < 0.001 * widths[0, 0]
    assert (widths >= 0).all()


def test_half_widths_follow_the_unit() -> None:
    calibration, seen = noise(0, 60, 3), noise(1, 100, 3)
    widths = follow(begin(calibration), seen)[0]
    # A power of two scales without rounding.
    np.testing.assert_array_equal(follow(begin(1024 * calibration), 1024 * seen)[0], 1024 * widths)


def test_what_is_covered_by_hand() -> None:
    seen = np.array([[1.0, -1.0], [3.0, 1.0], [1.0, 5.0], [-2.0, math.nan]])
    result = covered(seen, np.array([2.0, 1.0]))
    assert result.share == pytest.approx(5 / 7)
    assert result.last_quarter == 1.0
    assert result.steps == pytest.approx((3 / 4, 2 / 3))
    assert result.last_quarter_steps[0] == 1.0
    assert math.isnan(result.last_quarter_steps[1])
    assert covered(seen, np.tile([2.0, 1.0], (4, 1))).steps == result.steps


@pytest.mark.parametrize(
    ("calibration", "coverage", "message"),
    [
        (np.ones((8, 1)), 0.9, "8 residuals are too few for an interval of 90%"),
        (np.ones(20), 0.9, r"expected residuals \(n, horizon\)"),
        (np.ones((20, 0)), 0.9, r"expected residuals \(n, horizon\)"),
        (np.full((20, 1), np.nan), 0.9, "expected finite calibration residuals"),
        (np.ones((20, 1)), 1.0, "expected a coverage between 0 and 1"),
    ],
)
def test_a_start_that_cannot_be_is_refused(
    calibration: FloatArray, coverage: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        begin(calibration, coverage)


def test_residuals_that_do_not_fit_are_refused() -> None:
    start = begin(np.ones((20, 2)))
    with pytest.raises(ValueError, match="expected residuals of 2 steps, found 3"):
        follow(start, np.ones((4, 3)))
    with pytest.raises(ValueError, match="found infinity"):
        follow(start, np.full((4, 2), np.inf))
    with pytest.raises(ValueError, match="expected at least one window"):
        covered(np.ones((0, 2)), np.ones(2))
    with pytest.raises(ValueError, match="expected half widths of residuals"):
        covered(np.ones((4, 2)), np.ones(4))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"coverage": 1.5}, "expected a coverage between 0 and 1"),
        ({"coverage": True}, "expected a number in coverage"),
        ({"scale": [1.0, math.nan]}, "expected a finite number of 0 or more in scale"),
        ({"scale": [1.0, 10**400]}, "expected a finite number of 0 or more in scale"),
        ({"scale": [1.0, 1e200], "multiplier": [1.0, 1e200]}, "expected finite half widths"),
        ({"multiplier": [1.0, -1.0]}, "expected a finite number of 0 or more in multiplier"),
        ({"multiplier": "12"}, "expected a list as multiplier"),
        ({"scale": [1.0]}, "of one length"),
        ({"pending": [[], [[1.0, 2.0]] * 2]}, r"expected 1 windows in pending\[1\], found 2"),
        ({"pending": [[], [[1.0]]]}, r"expected a residual and a half width in pending\[1\]"),
        ({"pending": [[], [[1.0, None]]]}, r"expected a number in pending\[1\]"),
        ({"more": 1}, "expected a tracker with coverage, multiplier, scale, pending; found"),
    ],
)
def test_a_broken_state_is_refused(changed: dict[str, object], message: str) -> None:
    plain = follow(begin(noise(0, 20, 2)), noise(1, 5, 2))[1].as_plain()
    assert from_plain(plain).as_plain() == plain
    with pytest.raises(ValueError, match=message):
        from_plain(plain | changed)


def test_a_state_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(ValueError, match="found list"):
        from_plain([])


def test_the_file_imports_nothing_of_the_project() -> None:
    imported = [
        line.split()[1].split(".")[0]
        for line in Path(intervals.__file__).read_text(encoding="utf-8").splitlines()
        if line.startswith(("import ", "from "))
    ]
    assert set(imported) <= {"math", "sys", "collections", "dataclasses", "numpy"}
