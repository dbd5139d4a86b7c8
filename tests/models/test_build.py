"""The builder, and the plain copy that loads without this project."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from models.build import build, mean_of, plain_copy
from models.fused_lstm import FusedLSTM
from models.parameters import TrialParameters


def _parameters(**changes: Any) -> TrialParameters:
    defaults: dict[str, Any] = {
        "units": (8, 4),
        "dropout": (0.2, 0.1),
        "l2": 1e-4,
        "learning_rate": 1e-3,
        "batch_size": 16,
        "patience": 2,
        "epochs": 3,
    }
    return TrialParameters(**(defaults | changes))


def _x(count: int = 20) -> Any:
    return np.random.default_rng(0).normal(size=(count, 12, 3)).astype("float32")


@pytest.mark.parametrize("units", [(5,), (8, 4), (7, 6, 5)])
def test_layers_sequences_and_parameter_count(units: tuple[int, ...]) -> None:
    model = build(_parameters(units=units, dropout=(0.1,) * len(units)), 12, 3, 24, seed=0)
    lstms = [layer for layer in model.layers if isinstance(layer, FusedLSTM)]
    assert [type(layer).__name__ for layer in model.layers] == [
        *["FusedLSTM", "LeanDropout"] * len(units),
        "Dense",
    ]
    assert [layer.units for layer in lstms] == list(units)
    assert [layer.return_sequences for layer in lstms] == [True] * (len(units) - 1) + [False]
    assert model.input_shape == (None, 12, 3)
    assert model.output_shape == (None, 24)
    expected, below = 0, 3
    for size in units:
        expected += 4 * size * (below + size + 1)
        below = size
    assert model.count_params() == expected + (below + 1) * 24


def test_dropout_rates_stand_after_their_layers() -> None:
    model = build(_parameters(dropout=(0.3, 0.0), recurrent_dropout=0.25), 12, 3, 1, seed=0)
    assert [layer.rate for layer in model.layers if hasattr(layer, "rate")] == [0.3, 0.0]
    assert [layer.recurrent_dropout for layer in model.layers if isinstance(layer, FusedLSTM)] == [
        0.25,
        0.25,
    ]


def test_the_penalty_covers_the_input_kernels_and_nothing_else() -> None:
    model = build(_parameters(l2=0.01), 12, 3, 1, seed=0)
    kernels = [layer.cell.kernel for layer in model.layers if isinstance(layer, FusedLSTM)]
    expected = 0.01 * sum(float(np.sum(np.square(kernel))) for kernel in kernels)
    assert sum(float(loss) for loss in model.losses) == pytest.approx(expected, rel=1e-5)
    assert build(_parameters(l2=0.0), 12, 3, 1, seed=0).losses == []


def test_it_is_compiled_with_adam_mse_and_a_metric_without_the_penalty() -> None:
    model = build(_parameters(l2=0.1, learning_rate=0.005), 12, 3, 1, seed=0)
    assert isinstance(model.optimizer, keras.optimizers.Adam)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.005)
    assert model.jit_compile is False
    x, y = _x(), np.ones((20, 1), np.float32)
    scores = model.evaluate(x, y, verbose=0, return_dict=True)
    error = float(np.mean(np.square(model.predict_on_batch(x) - y)))
    assert scores["mse"] == pytest.approx(error, rel=1e-5)
    penalty = sum(float(loss) for loss in model.losses)
    assert scores["loss"] == pytest.approx(error + penalty, rel=1e-5)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    first, second, other = (build(_parameters(), 12, 3, 1, seed) for seed in (7, 7, 8))
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(
        not np.array_equal(a, b)
        for a, b in zip(first.get_weights(), other.get_weights(), strict=True)
    )


@pytest.mark.parametrize("name", ["window", "features", "horizon"])
def test_sizes_below_one_are_refused_by_name(name: str) -> None:
    sizes = {"window": 12, "features": 3, "horizon": 1} | {name: 0}
    with pytest.raises(ValueError, match=f"{name} must be at least 1, found 0"):
        build(_parameters(), sizes["window"], sizes["features"], sizes["horizon"], seed=0)


def test_the_plain_copy_holds_stock_layers_and_leaves_the_model_alone() -> None:
    model = build(_parameters(), 12, 3, 2, seed=0)
    copy = plain_copy(model)
    assert {type(layer).__module__.split(".")[0] for layer in copy.layers} == {"keras"}
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]
    assert any(isinstance(layer, FusedLSTM) for layer in model.layers)
    np.testing.assert_allclose(
        copy.predict_on_batch(_x()), model.predict_on_batch(_x()), rtol=1e-5, atol=1e-6
    )


def test_a_saved_plain_copy_loads_in_safe_mode_without_this_project(tmp_path: Path) -> None:
    model = build(_parameters(recurrent_dropout=0.1), 12, 3, 2, seed=0)
    plain_copy(model).save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", _x())
    script = (
        "import sys, keras, numpy as np\n"
        "model = keras.saving.load_model('model.keras', safe_mode=True)\n"
        "np.save('forecast.npy', model.predict_on_batch(np.load('x.npy')))\n"
        "assert not any(name.split('.')[0] == 'models' for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-P", "-c", script], check=True, cwd=tmp_path, timeout=200)
    np.testing.assert_allclose(
        np.load(tmp_path / "forecast.npy"), model.predict_on_batch(_x()), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("count", [1, 3])
def test_the_mean_of_networks_forecasts_their_mean_and_loads_as_stock_keras(
    tmp_path: Path, count: int
) -> None:
    networks = [plain_copy(build(_parameters(), 12, 3, 2, seed)) for seed in range(count)]
    expected = np.mean([network.predict(_x(), verbose=0) for network in networks], axis=0)
    mean_of(networks).save(tmp_path / "mean.keras")
    loaded = keras.saving.load_model(tmp_path / "mean.keras", safe_mode=True)
    np.testing.assert_allclose(loaded.predict(_x(), verbose=0), expected, rtol=1e-5, atol=1e-6)
    modules = {type(layer).__module__.split(".")[0] for layer in loaded.layers}
    assert modules == {"keras"}
