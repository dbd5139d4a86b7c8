"""What a network learns: encoded, decoded, trained by both trainers, and saved to forecast so."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from models.build import build, mean_of, plain_copy
from models.fit import KerasTrainer, fit, mse
from models.kernel_trainer import KernelTrainer
from models.target import LEVEL, Encoding, encoding_of
from tests.models.kernels.reference import parameters

FEATURES, COLUMN = 5, 1


def _windows(window: int, horizon: int, count: int = 60) -> tuple[Any, Any]:
    """Overlapping windows of a random walk beside noise, as read-only views."""
    random = np.random.default_rng(3)
    rows = random.normal(size=(count + window + horizon - 1, FEATURES)).astype(np.float32)
    rows[:, COLUMN] = 0.5 + 0.02 * np.cumsum(rows[:, COLUMN])
    x = np.lib.stride_tricks.sliding_window_view(rows, window, axis=0)[:count].transpose(0, 2, 1)
    y = np.lib.stride_tricks.sliding_window_view(rows[window:, COLUMN], horizon)[:count]
    return x, y


def test_the_change_by_hand() -> None:
    x = np.array([[[9, 2], [9, 4]], [[9, 6], [9, 7]]], np.float32)
    y = np.array([[5, 8], [7, 3]], np.float32)
    encoding = encoding_of("change", x, y, column=1)
    changes = np.array([[1, 4], [0, -4]])
    assert encoding.scale == pytest.approx(changes.std())
    encoded = encoding.encode(x, y)
    assert encoded.dtype == np.float32
    np.testing.assert_allclose(encoded, changes / changes.std(), rtol=1e-6)
    np.testing.assert_allclose(encoding.decode(x, np.zeros((2, 2), np.float32)), [[4, 4], [7, 7]])


@pytest.mark.parametrize("horizon", [1, 3, 24])
def test_what_is_decoded_is_what_was_encoded(horizon: int) -> None:
    x, y = _windows(7, horizon)
    encoding = encoding_of("change", x, y, COLUMN)
    assert float(np.std(encoding.encode(x, y))) == pytest.approx(1, rel=1e-5)
    back = encoding.decode(x, encoding.encode(x, y))
    assert back.dtype == np.float32 and back.shape == y.shape
    np.testing.assert_allclose(back, y, atol=1e-6)


def test_the_level_is_left_as_it_is() -> None:
    x, y = _windows(7, 3)
    assert encoding_of("level", x, y, COLUMN) == LEVEL
    assert LEVEL.encode(x, y) is y and LEVEL.decode(x, y) is y


def test_a_target_that_never_changes_is_not_divided_by_zero() -> None:
    x, y = np.full((4, 3, 2), 0.5, np.float32), np.full((4, 1), 0.5, np.float32)
    assert encoding_of("change", x, y, 0) == Encoding(0, 1.0)


@pytest.mark.parametrize("kind", [KerasTrainer, KernelTrainer])
@pytest.mark.parametrize("target", ["level", "change"])
@pytest.mark.parametrize(("window", "horizon"), [(1, 1), (12, 3), (8, 24)])
def test_the_saved_model_forecasts_as_the_trainer_does(
    kind: Any, target: Any, window: int, horizon: int, tmp_path: Path
) -> None:
    x, y = _windows(window, horizon)
    found = parameters((6, 4), target=target, epochs=3, ema_epochs=0.5, l2=1e-4, dropout=(0.1, 0))
    encoding = encoding_of(target, x, y, COLUMN)
    model = build(found, window, FEATURES, horizon, seed=1)
    trainer = kind(model)
    record = fit(trainer, found, x[:40], y[:40], x[40:], y[40:], lambda *_: False, encoding)
    forecast = encoding.decode(x, trainer.predict(x))
    assert mse(forecast[40:], y[40:]) == pytest.approx(min(record.history["val_mse"]), rel=1e-6)

    plain_copy(model, encoding).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.input_shape == (None, window, FEATURES)
    assert loaded.output_shape == (None, horizon)
    np.testing.assert_allclose(loaded.predict_on_batch(x), forecast, rtol=1e-5, atol=1e-6)


def test_losses_are_in_level_units_whatever_is_learned() -> None:
    x, y = _windows(6, 2)
    found = parameters((5,), target="change", epochs=1, l2=0.05, batch_size=60, learning_rate=1e-9)
    encoding = encoding_of("change", x, y, COLUMN)
    model = build(found, 6, FEATURES, 2, seed=1)
    record = fit(KerasTrainer(model), found, x, y, x, y, lambda *_: False, encoding)
    output = plain_copy(model).predict_on_batch(x)
    change = y - x[:, -1, COLUMN, None]
    error = float(np.mean(np.square(output * encoding.scale - change)))
    penalty = sum(float(loss) for loss in model.losses) * encoding.scale**2
    assert penalty > 1e-4 * error
    (loss,), (val_loss,), (val_mse,) = (
        record.history[key] for key in ("loss", "val_loss", "val_mse")
    )
    assert val_mse == pytest.approx(error, rel=1e-4)
    assert loss == pytest.approx(error + penalty, rel=1e-4)
    assert val_loss == pytest.approx(error + penalty, rel=1e-4)


def test_a_mean_of_networks_that_learned_the_change_loads_without_this_project(
    tmp_path: Path,
) -> None:
    x, y = _windows(12, 3)
    found, encoding = parameters((5,), target="change"), encoding_of("change", x, y, COLUMN)
    files = [tmp_path / f"{seed}.keras" for seed in range(3)]
    for seed, file in enumerate(files):
        plain_copy(build(found, 12, FEATURES, 3, seed), encoding).save(file)
    networks = [keras.saving.load_model(file, compile=False) for file in files]
    counts = (1, 3)
    for count in counts:
        mean_of(networks[:count]).save(tmp_path / f"mean-{count}.keras")
    np.save(tmp_path / "x.npy", x)
    script = (
        "import sys, keras, numpy as np\n"
        "for count in sys.argv[1:]:\n"
        "    model = keras.saving.load_model(f'mean-{count}.keras', safe_mode=True)\n"
        "    np.save(f'forecast-{count}.npy', model.predict_on_batch(np.load('x.npy')))\n"
        "assert not any(name.split('.')[0] == 'models' for name in sys.modules)\n"
    )
    words = [sys.executable, "-P", "-c", script, *map(str, counts)]
    subprocess.run(words, check=True, cwd=tmp_path, timeout=200)
    forecasts = [network.predict_on_batch(x) for network in networks]
    for count in counts:
        found_forecast = np.load(tmp_path / f"forecast-{count}.npy")
        expected = np.mean(forecasts[:count], axis=0)
        np.testing.assert_allclose(found_forecast, expected, rtol=1e-5, atol=1e-6)
