"""Dropout's masks, seeds, odd numbers and wrong input."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from models.kernels.network import Network, Plan
from models.kernels.vectors import GROUP
from tests.search.command import REPOSITORY


def _plan(**changes: Any) -> Plan:
    defaults: dict[str, Any] = {
        "window": 6,
        "features": 2,
        "units": (8, 4),
        "dropout": (0.3, 0.2),
        "horizon": 1,
        "l2": 1e-4,
        "learning_rate": 0.01,
        "seed": (3, 4),
    }
    return Plan(**(defaults | changes))


def _network(**changes: Any) -> Network:
    plan = _plan(**changes)
    random = np.random.default_rng(0)
    weights, below = [], plan.features
    for units in plan.units:
        shapes = ((below, 4 * units), (units, 4 * units), (4 * units,))
        weights += [random.normal(0, 0.4, shape).astype(np.float32) for shape in shapes]
        below = units
    weights.append(random.normal(size=(below, plan.horizon)).astype(np.float32))
    weights.append(random.normal(size=(plan.horizon,)).astype(np.float32))
    return Network(plan, weights)


def _data(count: int, window: int = 6) -> tuple[Any, Any]:
    random = np.random.default_rng(1)
    x = random.normal(size=(count, window, 2)).astype(np.float32)
    return x, random.normal(size=(count, 1)).astype(np.float32)


def _masks(rate: float, groups: int) -> Any:
    """Bool (groups, time, units, GROUP): what one layer dropped in so many calls."""
    network = _network(window=40, units=(20, 3), dropout=(rate, 0.0))
    x, y = _data(GROUP, 40)
    found = []
    for _ in range(groups):
        network.gradients(x, y)
        outputs = network.dropped_inputs()[0]
        found.append(np.signbit(outputs) & (outputs == 0))
    return np.array(found)


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5, 0.9])
def test_dropout_has_the_stated_rate(rate: float) -> None:
    masks = _masks(rate, 20)
    deviation = np.sqrt(rate * (1 - rate))
    assert abs(masks.mean() - rate) < 4 * deviation / np.sqrt(masks.size)
    # And in every lane, unit, time step and call: chi-squared with as many degrees of freedom.
    for axis in range(4):
        others = tuple(one for one in range(4) if one != axis)
        shares = masks.mean(axis=others)
        z = (shares - rate) / (deviation / np.sqrt(masks.size / len(shares)))
        assert abs(np.square(z).sum() - len(z)) < 5 * np.sqrt(2 * len(z))


def test_masks_are_independent_of_their_neighbours() -> None:
    masks = _masks(0.5, 20) * 2.0 - 1.0
    for axis in range(4):
        for distance in (1, 2, masks.shape[axis] // 2):
            moved = np.take(masks, range(distance, masks.shape[axis]), axis)
            kept = np.take(masks, range(masks.shape[axis] - distance), axis)
            correlation = float((moved * kept).mean())
            assert abs(correlation) < 4.5 / np.sqrt(kept.size), (axis, distance)


def test_no_two_calls_have_masks_that_are_shifted_copies() -> None:
    masks = _masks(0.5, 6).reshape(6, -1, GROUP) * 2.0 - 1.0
    for first in range(6):
        for second in range(first + 1, 6):
            for shift in range(-30, 31):
                moved = np.roll(masks[second], shift, axis=0)
                correlation = float((masks[first] * moved).mean())
                assert abs(correlation) < 6 / np.sqrt(moved.size)


def test_dropout_is_off_in_forecasts() -> None:
    x, _ = _data(50)
    network, without = _network(), _network(dropout=(0.0, 0.0))
    np.testing.assert_array_equal(network.predict(x), without.predict(x))


def _fingerprint() -> str:
    network = _network()
    x, y = _data(70)
    order = np.random.default_rng(2).permutation(70)
    losses = network.train_epoch(x, y, order, 16)
    return losses.tobytes().hex() + network.predict(x).tobytes().hex()


def test_the_same_seed_gives_the_same_bits_here_and_in_another_process() -> None:
    here = _fingerprint()
    assert here == _fingerprint()
    code = "from tests.models.kernels.test_network import _fingerprint; print(_fingerprint())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == here
    x, y = _data(70)
    other = _network(seed=(5, 6)).train_epoch(x, y, np.arange(70), 16)
    assert not np.array_equal(other, _network().train_epoch(x, y, np.arange(70), 16))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_reach_the_loss_and_the_forecast(value: float) -> None:
    x, y = _data(20)
    targets = y.copy()
    targets[3] = value
    assert not np.isfinite(_network().train_epoch(x, targets, np.arange(20), 20)).any()
    x[5, 2, 1] = np.nan
    forecasts = _network().predict(x)
    assert np.isnan(forecasts[5]).all()
    assert np.isfinite(np.delete(forecasts, 5)).all()


def test_a_view_a_read_only_array_and_a_copy_give_the_same() -> None:
    series = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    view = np.lib.stride_tricks.sliding_window_view(series, 6, axis=0).transpose(0, 2, 1)
    assert not view.flags.c_contiguous and not view.flags.writeable
    np.testing.assert_array_equal(_network().predict(view), _network().predict(view.copy()))


def test_rows_beyond_the_windows_are_refused() -> None:
    x, y = _data(10)
    for order in (np.array([10]), np.array([-1])):
        with pytest.raises(ValueError, match="order names rows beyond the 10"):
            _network().train_epoch(x, y, order, 4)


def test_numbers_that_underflow_are_taken_for_zero_and_the_mode_is_put_back() -> None:
    x, y = _data(20)
    tiny = np.float32(1e-39)
    _network().train_epoch(x * tiny, y, np.arange(20), 8)
    assert np.array([tiny], np.float32)[0] * np.float32(0.5) > 0
