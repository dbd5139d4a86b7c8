"""The lean dropout against what dropout means, and against the stock layer."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from models.lean_dropout import LeanDropout

RATES = st.floats(min_value=0.001, max_value=0.95)
SHAPES = st.sampled_from([(64, 33, 5), (4001, 3), (9, 11, 13, 7), (10_001,)])


@settings(deadline=None, max_examples=30)
@given(rate=RATES, shape=SHAPES, seed=st.integers(0, 2**31 - 1))
def test_about_the_rate_is_dropped_and_the_rest_scaled_to_keep_the_mean(
    rate: float, shape: tuple[int, ...], seed: int
) -> None:
    out = np.asarray(LeanDropout(rate, seed=seed)(np.ones(shape, np.float32), training=True))
    assert out.shape == shape and out.dtype == np.float32
    exact = round(rate * 2**16) / 2**16
    assert set(np.unique(out)) <= {np.float32(0), np.float32(1 / (1 - exact))}
    spread = np.sqrt(rate * (1 - rate) / out.size)
    assert abs(np.mean(out == 0) - rate) < 6 * spread + 2**-16


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_neighbours_are_dropped_independently(axis: int) -> None:
    dropped = np.asarray(LeanDropout(0.5, seed=1)(np.ones((64, 64, 64), "f"), training=True)) == 0
    first, second = (np.delete(dropped, at, axis).ravel() for at in (0, -1))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.01


@pytest.mark.parametrize(("rate", "training"), [(0.0, True), (0.3, False)])
def test_nothing_is_dropped_without_rate_or_training(rate: float, training: bool) -> None:
    x = np.random.default_rng(0).normal(size=(5, 7, 3)).astype("float32")
    assert_array_equal(LeanDropout(rate)(x, training=training), x)


@pytest.mark.parametrize("rate", [1 - 1e-9, 1e-9])
def test_rates_at_the_ends_stay_finite(rate: float) -> None:
    assert np.all(np.isfinite(LeanDropout(rate, seed=0)(np.ones((100, 100), "f"), training=True)))


def test_the_gradient_passes_where_the_value_did() -> None:
    x = tf.Variable(np.random.default_rng(0).normal(size=(8, 20, 6)).astype("float32"))
    with tf.GradientTape() as tape:
        out = LeanDropout(0.4, seed=3)(x, training=True)
    gradient = np.asarray(tape.gradient(out, x))
    assert_array_equal(gradient == 0, np.asarray(out) == 0)
    assert np.unique(gradient).size == 2


def test_the_same_seed_draws_the_same_masks_and_each_call_a_new_one() -> None:
    def masks(seed: int) -> list[Any]:
        layer = LeanDropout(0.5, seed=seed)
        return [np.asarray(layer(np.ones((50, 50), "f"), training=True)) for _ in range(2)]

    first, again, other = masks(1), masks(1), masks(2)
    assert_array_equal(first, again)
    assert np.any(first[0] != first[1]) and np.any(first[0] != other[0])


def test_a_noise_shape_is_left_to_the_stock_layer() -> None:
    x = np.ones((4, 9, 30), "f")
    out, stock = (
        np.asarray(kind(0.5, noise_shape=(None, 1, None), seed=0)(x, training=True))
        for kind in (LeanDropout, keras.layers.Dropout)
    )
    assert np.all(out == out[:, :1])
    assert_array_equal(out, stock)


def test_a_visible_gpu_means_the_stock_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.ones((4, 9, 30), "f")
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: ["one"])
    out = LeanDropout(0.5, seed=0)(x, training=True)
    assert_array_equal(out, keras.layers.Dropout(0.5, seed=0)(x, training=True))
