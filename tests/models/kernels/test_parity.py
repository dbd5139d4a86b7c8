"""The kernels against stock Keras: forecasts, every gradient, whole trainings."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.build import plain_copy
from models.fit import FitRecord, KerasTrainer, fit
from models.kernel_trainer import KernelTrainer, _network_of, gradients
from models.kernels.vectors import GROUP
from models.target import encoding_of
from tests.models.kernels.reference import (
    NEAR_ZERO,
    TOLERANCE,
    distance,
    model,
    parameters,
    stock_gradients,
)

SIZES = st.lists(st.one_of(st.just(1), st.integers(1, 21)), min_size=1, max_size=3)


def _windows(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    units=SIZES,
    batch=st.sampled_from([1, 2, GROUP - 1, GROUP, GROUP + 1, 2 * GROUP + 5]),
    window=st.integers(1, 12),
    features=st.integers(1, 9),
    horizon=st.sampled_from([1, 2, 24]),
    l2=st.sampled_from([0.0, 1e-2]),
)
def test_forecasts_and_all_gradients_of_any_stack_agree_with_stock_keras(
    units: list[int], batch: int, window: int, features: int, horizon: int, l2: float
) -> None:
    made = model(parameters(tuple(units), l2=l2), window, features, horizon, seed=len(units))
    x, y = _windows(1, batch, window, features), _windows(2, batch, horizon)
    forecasts, found = gradients(made, x, y)
    _, expected = stock_gradients(made, x, y)
    # Called, not predicted: every stack would be compiled anew for one batch.
    assert distance(forecasts, plain_copy(made)(x), NEAR_ZERO) < TOLERANCE
    assert len(found) == 3 * len(units) + 2
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        assert distance(one, other, NEAR_ZERO) < TOLERANCE


@pytest.mark.parametrize(("units", "batch"), [((39,), 32), ((64, 32), 20)])
def test_a_week_of_hours_agrees_too(units: tuple[int, ...], batch: int) -> None:
    made = model(parameters(units), 168, 6, 1)
    x, y = _windows(1, batch, 168, 6), _windows(2, batch, 1)
    _, expected = stock_gradients(made, x, y)
    for one, other in zip(gradients(made, x, y)[1], expected, strict=True):
        assert distance(one, other) < TOLERANCE


@pytest.mark.parametrize("zeros", [0, 3], ids=["normal", "begins with zeros"])
def test_gradients_with_dropout_agree_with_keras_under_the_same_masks(zeros: int) -> None:
    # Where inputs and biases are zero so are the first outputs, kept or not.
    found = parameters((13, 6, 5), dropout=(0.4, 0.3, 0.2), l2=1e-3)
    made = model(found, 9, 2, 3)
    if zeros:
        for variable in made.trainable_variables:
            if "bias" in variable.path:
                variable.assign(0 * variable.value)
    x, y = _windows(1, GROUP, 9, 2), _windows(2, GROUP, 3)
    x[:, :zeros] = 0
    network = _network_of(made)
    loss, ours = network.gradients(x, y)
    kept = []
    for one, rate in zip(network.dropped_inputs(), found.dropout, strict=True):
        dropped = np.signbit(one) & (one == 0)
        assert 0.5 * rate < dropped.mean() < 1.5 * rate
        kept.append(np.where(dropped, 0, 1 / (1 - round(rate * 2**16) / 2**16)).astype(np.float32))
    kept = [one.transpose(2, 0, 1) for one in kept]
    expected_loss, expected = stock_gradients(made, x, y, [*kept[:-1], kept[-1][:, 0]])
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    for one, other in zip(ours, expected, strict=True):
        assert distance(one, other) < TOLERANCE


def test_saturated_gates_agree() -> None:
    made = model(parameters((7, 4)), 60, 2, 1)
    x, y = 100 * _windows(1, 5, 60, 2), _windows(2, 5, 1)
    forecasts, _ = gradients(made, x, y)
    assert distance(forecasts, plain_copy(made).predict_on_batch(x)) < TOLERANCE


def _train(kind: Any, **changes: Any) -> tuple[FitRecord, Any]:
    """Train on 150 overlapping windows, which no batch of 16 divides."""
    found = parameters((11, 6), **changes)
    made = model(found, 10, 3, 2, seed=4)
    series = _windows(5, 200, 3)
    view = np.lib.stride_tricks.sliding_window_view(series, 10, axis=0).transpose(0, 2, 1)
    x, y = view[:150], series[10:160, :2]
    random.seed(7)
    trainer = kind(made)
    encoding = encoding_of(found.target, x, y, column=0)
    held_out = view[150:190], series[160:200, :2]
    record = fit(trainer, found, x, y, *held_out, lambda epoch, value: False, encoding)
    return record, made.trainable_variables


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"l2": 1e-3},
        {"ema_epochs": 1.5},
        {"ema_epochs": 0.5, "weights": "last", "l2": 1e-4},
        {"schedule": "cosine"},
        {"schedule": "cosine", "target": "change", "ema_epochs": 1.0, "l2": 1e-4},
    ],
    ids=str,
)
def test_a_whole_training_gives_the_curves_and_weights_of_tensorflow(
    changes: dict[str, Any],
) -> None:
    found, weights = _train(KernelTrainer, **changes)
    expected, other_weights = _train(KerasTrainer, **changes)
    for key, values in expected.history.items():
        np.testing.assert_allclose(found.history[key], values, rtol=1e-5, err_msg=key)
    assert found.history["loss"][-1] < 0.97 * found.history["loss"][0]
    assert (found.best_epoch, found.parameter_count) == (
        expected.best_epoch,
        expected.parameter_count,
    )
    for one, other in zip(weights, other_weights, strict=True):
        assert distance(one, other) < 1e-4


def test_what_is_restored_is_what_keras_then_has() -> None:
    made = model(parameters((5,), dropout=(0.3,)), 6, 2, 1)
    trainer = KernelTrainer(made)
    x, y = _windows(1, 40, 6, 2), _windows(2, 40, 1)
    trainer.train_epoch(x, y, np.arange(40), 8)
    trainer.restore(trainer.weights())
    assert distance(plain_copy(made).predict_on_batch(x), trainer.predict(x)) < TOLERANCE
