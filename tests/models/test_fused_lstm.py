"""The fused layer against the stock layer: outputs, every gradient, a whole training run."""

import logging
import re
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from models import fused_lstm
from models.build import plain_copy
from models.fused_lstm import FusedLSTM

# batch, time, features, units, return_sequences
SHAPES = [
    (1, 1, 1, 1, False),
    (1, 1, 3, 4, True),
    (2, 5, 1, 3, True),
    (7, 24, 6, 8, False),
    (64, 11, 6, 32, True),
    (28, 168, 6, 16, False),
    (5, 50, 17, 13, True),
]
TOLERANCE = 1e-5  # relative, in the norm; both sides compute in float32


@pytest.fixture(autouse=True)
def _forget_announcements() -> None:
    fused_lstm._announce.cache_clear()


def _pair(features: int, units: int, **options: Any) -> tuple[Any, Any]:
    """A fused and a stock layer with the same random weights."""
    fused, stock = FusedLSTM(units, **options), keras.layers.LSTM(units, **options)
    for layer in (fused, stock):
        layer.build((None, None, features))
    generator = np.random.default_rng(units)
    weights = [generator.normal(0, 0.4, w.shape).astype("float32") for w in stock.get_weights()]
    fused.set_weights(weights)
    stock.set_weights(weights)
    return fused, stock


def _normal(*shape: int) -> Any:
    return tf.constant(np.random.default_rng(sum(shape)).normal(size=shape), tf.float32)


def _distance(found: Any, expected: Any) -> float:
    expected = np.asarray(expected, np.float64)
    error = np.linalg.norm(np.asarray(found, np.float64) - expected)
    return float(error / max(float(np.linalg.norm(expected)), 1e-30))


def _ran_fused(layer: Any, x: Any, **call: Any) -> bool:
    graph = tf.function(lambda: layer(x, **call)).get_concrete_function().graph
    return "BlockLSTM" in {op.type for op in graph.get_operations()}


@pytest.mark.parametrize(("batch", "time", "features", "units", "sequences"), SHAPES)
def test_outputs_and_all_gradients_agree_with_the_stock_layer(
    batch: int, time: int, features: int, units: int, sequences: bool
) -> None:
    fused, stock = _pair(features, units, return_sequences=sequences, return_state=True)
    x, hidden, cell = _normal(batch, time, features), _normal(batch, units), _normal(batch, units)

    def run(layer: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch((x, hidden, cell))
            output, last_hidden, last_cell = layer(x, initial_state=[hidden, cell])
            weight = tf.reshape(
                tf.cos(tf.range(tf.size(output), dtype=tf.float32)), tf.shape(output)
            )
            loss = tf.reduce_sum(output * weight) + tf.reduce_sum(last_hidden * last_cell)
        weights = [v.value for v in layer.trainable_variables]
        return (output, last_hidden, last_cell), tape.gradient(loss, [*weights, x, hidden, cell])

    outputs, gradients = run(fused)
    expected_outputs, expected_gradients = run(stock)

    assert _ran_fused(fused, x)
    assert not _ran_fused(stock, x)
    for name, found, expected in zip(
        ("output", "hidden", "cell"), outputs, expected_outputs, strict=True
    ):
        assert found.shape == expected.shape, name
        assert _distance(found, expected) < TOLERANCE, name
    names = ("kernel", "recurrent kernel", "bias", "input", "hidden state", "cell state")
    for name, found, expected in zip(names, gradients, expected_gradients, strict=True):
        assert found is not None, name
        assert _distance(found, expected) < TOLERANCE, name


def test_saturated_gates_and_long_memory_agree() -> None:
    fused, stock = _pair(2, 4, return_sequences=True)
    x = 100.0 * _normal(3, 60, 2)
    assert _distance(fused(x), stock(x)) < TOLERANCE


def test_nan_in_the_input_reaches_the_output() -> None:
    fused, _ = _pair(2, 4)
    x = np.zeros((1, 5, 2), np.float32)
    x[0, 2, 1] = np.nan
    assert np.isnan(np.asarray(fused(x))).any()


def test_weights_config_and_shapes_are_those_of_the_stock_layer() -> None:
    fused, stock = _pair(6, 8, return_sequences=True, kernel_regularizer="l2", name="one")
    assert fused.get_config() == stock.get_config()
    assert [w.path for w in fused.weights] == [w.path for w in stock.weights]
    assert fused.compute_output_shape((4, 9, 6)) == stock.compute_output_shape((4, 9, 6))
    assert isinstance(FusedLSTM.from_config(fused.get_config()), FusedLSTM)


def test_a_stateful_layer_carries_its_state() -> None:
    x = _normal(3, 10, 6)
    whole, _ = _pair(6, 8)
    halves = FusedLSTM(8, stateful=True)
    halves.build((3, 5, 6))
    halves.set_weights(whole.get_weights())
    halves(x[:, :5])
    assert _distance(halves(x[:, 5:]), whole(x)) < TOLERANCE


FALLBACKS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("mask", {}, {"mask": np.array([[1, 1, 0, 1], [1, 0, 0, 0]], bool)}),
    ("recurrent dropout", {"recurrent_dropout": 0.3, "seed": 1}, {"training": True}),
    ("input dropout", {"dropout": 0.3, "seed": 1}, {"training": True}),
    ("activation is not tanh", {"activation": "relu"}, {}),
    ("recurrent activation", {"recurrent_activation": "hard_sigmoid"}, {}),
    ("no bias", {"use_bias": False}, {}),
    ("float16", {"dtype": "float16"}, {}),
    ("bfloat16", {"dtype": "mixed_bfloat16"}, {}),
    ("float64", {"dtype": "float64"}, {}),
    ("backwards", {"go_backwards": True, "return_sequences": True}, {}),
]


@pytest.mark.parametrize(("reason", "options", "call"), FALLBACKS, ids=[f[0] for f in FALLBACKS])
def test_fallbacks_equal_the_stock_layer_and_are_announced_once(
    reason: str, options: dict[str, Any], call: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    x = _normal(2, 4, 3)
    fused, stock = _pair(3, 5, **options)
    with caplog.at_level(logging.WARNING, logger="models.fused_lstm"):
        found = fused(x, **call)
        assert not _ran_fused(fused, x, **call)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(stock(x, **call)))
    assert len(caplog.messages) == 1
    assert re.search(reason, caplog.messages[0])


@pytest.mark.parametrize("options", [{"recurrent_dropout": 0.3}, {"dropout": 0.3}])
def test_dropout_inside_the_layer_leaves_inference_fused(options: dict[str, Any]) -> None:
    x = _normal(2, 4, 3)
    fused, stock = _pair(3, 5, **options)
    assert _ran_fused(fused, x)
    assert _distance(fused(x), stock(x)) < TOLERANCE


def test_use_cudnn_true_is_refused_as_by_the_stock_layer() -> None:
    fused, _ = _pair(3, 5, use_cudnn=True)
    if tf.config.get_visible_devices("GPU"):
        pytest.skip("cuDNN is there")
    with pytest.raises(ValueError, match="use_cudnn=True"):
        fused(_normal(2, 4, 3))


def test_a_visible_gpu_means_the_stock_layer_without_a_message(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fused, _ = _pair(3, 5)
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [kind])
    assert not _ran_fused(fused, _normal(2, 4, 3))
    assert caplog.messages == []


def test_training_a_whole_model_gives_the_same_loss_curve() -> None:
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((20, 3)),
            FusedLSTM(12, return_sequences=True, kernel_regularizer=keras.regularizers.L2(1e-4)),
            FusedLSTM(6),
            keras.layers.Dense(2),
        ]
    )
    curves = []
    for each in (plain_copy(model), model):
        each.compile(keras.optimizers.Adam(0.01), loss="mse", jit_compile=False)
        x = np.asarray(_normal(96, 20, 3))
        history = each.fit(x, x[:, -1, :2], batch_size=32, epochs=8, shuffle=False, verbose=0)
        curves.append(history.history["loss"])
    assert curves[0][-1] < 0.95 * curves[0][0]
    # Rounding differs in the last bits and 24 Adam steps spread it; 1e-4 is far below any
    # difference that a wrong gradient would make.
    np.testing.assert_allclose(curves[1], curves[0], rtol=1e-4)
