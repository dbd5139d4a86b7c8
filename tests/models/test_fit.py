"""Training: its endings, its record, its failures; prediction and score."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models import fit as fit_module
from models.build import build
from models.fit import FitRecord, KerasTrainer, TrainingDiverged, fit, mse, predict
from models.kernel_trainer import KernelTrainer
from models.parameters import TrialParameters

WINDOW, FEATURES = 6, 2

trainer_of: Any = KerasTrainer
# Of tests that are about one trainer, or about none.
once = pytest.mark.parametrize("_each_trainer", [KerasTrainer], indirect=True)


@pytest.fixture(params=[KerasTrainer, KernelTrainer], autouse=True)
def _each_trainer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "trainer_of", request.param)


def _parameters(**changes: Any) -> TrialParameters:
    defaults: dict[str, Any] = {
        "units": (6,),
        "dropout": (0.1,),
        "l2": 1e-2,
        "learning_rate": 0.02,
        "batch_size": 16,
        "patience": 3,
        "epochs": 6,
    }
    return TrialParameters(**(defaults | changes))


def _windows(count: int, seed: int = 0) -> tuple[Any, Any]:
    """Overlapping windows as a view, and the mean of each window's first column."""
    series = np.random.default_rng(seed).normal(size=(count + WINDOW - 1, FEATURES))
    view = np.lib.stride_tricks.sliding_window_view(series.astype("float32"), WINDOW, axis=0)
    x = view.transpose(0, 2, 1)
    return x, np.ascontiguousarray(x[:, :, :1].mean(axis=1))


def _never(epoch: int, value: float) -> bool:
    return False


def _train(
    parameters: TrialParameters,
    on_epoch: Callable[[int, float], bool] = _never,
    seed: int = 0,
) -> tuple[Any, FitRecord, float]:
    """Train on 40 windows; also the validation MSE of the weights left in the model."""
    model = build(parameters, WINDOW, FEATURES, 1, seed)
    x, y = _windows(40)
    x_validation, y_validation = _windows(24, seed=1)
    trainer = trainer_of(model)
    record = fit(trainer, parameters, x, y, x_validation, y_validation, on_epoch)
    return model, record, mse(trainer.predict(x_validation), y_validation)


def test_all_epochs_end_with_the_best_weights() -> None:
    _, record, final = _train(_parameters(epochs=4, patience=4))
    assert (record.stopped_by, record.epochs) == ("epochs", 4)
    assert final == min(record.history["val_mse"])


def test_the_last_weights_are_left_where_they_are_asked_for() -> None:
    offset = -3.0
    parameters = _parameters(epochs=6, patience=6, weights="last")
    model = build(parameters, WINDOW, FEATURES, 1, 0)
    x, y = _windows(40)
    x_validation, y_validation = _windows(24, seed=1)
    shifted = y_validation + np.float32(offset)
    trainer = trainer_of(model)
    record = fit(trainer, parameters, x, y - offset, x_validation, shifted, _never)
    assert record.best_epoch == record.epochs == 6
    assert record.history["val_mse"][-1] > min(record.history["val_mse"])
    assert mse(trainer.predict(x_validation), shifted) == record.history["val_mse"][-1]


def test_the_moving_average_is_validated_and_kept_while_training_goes_on_without_it() -> None:
    plain, averaged = _parameters(epochs=6, patience=6), _parameters(epochs=6, ema_epochs=2.0)
    _, without, _ = _train(plain)
    _, record, final = _train(averaged.model_copy(update={"weights": "last"}))
    assert record.history["loss"] == without.history["loss"]  # trained alike
    assert record.history["val_mse"] != without.history["val_mse"]
    assert final == record.history["val_mse"][-1]
    _, best, final = _train(averaged)
    assert best.history == record.history
    assert final == min(record.history["val_mse"])


@once
def test_the_moving_average_is_that_of_all_steps() -> None:
    # Three steps an epoch, the average's time constant half an epoch.
    parameters = _parameters(epochs=1, batch_size=16, ema_epochs=0.5, weights="last")
    x, y = _windows(40)
    model = build(parameters, WINDOW, FEATURES, 1, 0)
    seen: list[list[np.ndarray]] = []
    apply = model.optimizer.apply

    def note(*values: Any) -> np.float32:
        seen.append([np.asarray(value).copy() for value in values])
        return np.float32(0)

    def watched(*arguments: object) -> None:
        apply(*arguments)
        weights = [variable.value for variable in model.trainable_variables]
        tf.numpy_function(note, weights, tf.float32)

    model.optimizer.apply = watched
    fit(KerasTrainer(model), parameters, x, y, x, y, _never)
    momentum = np.exp(-1 / 1.5)
    expected = seen[0]
    for step in seen[1:]:
        pairs = zip(expected, step, strict=True)
        expected = [momentum * kept + (1 - momentum) * new for kept, new in pairs]
    assert len(seen) == 3
    for found, wanted in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


def test_patience_is_respected_and_ends_with_the_best_weights() -> None:
    # Validation targets far from the training ones: what training learns makes them worse.
    offset = -3.0
    model = build(_parameters(), WINDOW, FEATURES, 1, 0)
    x, y = _windows(40)
    x_validation, y_validation = _windows(24, seed=1)
    shifted = y_validation + np.float32(offset)
    parameters = _parameters(epochs=30, patience=2)
    trainer = trainer_of(model)
    record = fit(trainer, parameters, x, y - offset, x_validation, shifted, _never)
    assert record.stopped_by == "patience"
    assert record.epochs == record.best_epoch + 2 < 30
    assert record.history["val_mse"][-1] > min(record.history["val_mse"])
    assert mse(trainer.predict(x_validation), shifted) == min(record.history["val_mse"])


def test_the_pruner_ends_with_the_best_weights_too() -> None:
    seen: list[tuple[int, float]] = []

    def on_epoch(epoch: int, value: float) -> bool:
        seen.append((epoch, value))
        return epoch >= 2 and value > min(v for _, v in seen)

    # A step far too large makes validation go up and down.
    _, record, final = _train(_parameters(epochs=40, patience=40, learning_rate=0.5), on_epoch)
    assert record.stopped_by == "pruner"
    assert record.best_epoch < record.epochs < 40
    assert seen == list(enumerate(record.history["val_mse"], start=1))
    assert final == min(record.history["val_mse"])
    assert final < record.history["val_mse"][-1]


def test_the_record_is_complete() -> None:
    model, record, _ = _train(_parameters(epochs=3, learning_rate=0.02))
    assert list(record.history) == ["loss", "val_loss", "val_mse", "learning_rate"]
    assert {len(values) for values in record.history.values()} == {3}
    assert record.history["learning_rate"] == pytest.approx([0.02] * 3)
    assert record.best_epoch == 1 + int(np.argmin(record.history["val_mse"]))
    assert record.parameter_count == model.count_params() == 4 * 6 * (2 + 6 + 1) + 7
    assert 0 < record.seconds_per_epoch < record.seconds


def test_val_mse_excludes_the_penalty_and_val_loss_includes_it() -> None:
    model, record, _ = _train(_parameters(epochs=1, l2=0.1))
    penalty = sum(float(loss) for loss in model.losses)
    assert penalty > 0.01
    difference = record.history["val_loss"][0] - record.history["val_mse"][0]
    assert difference == pytest.approx(penalty, rel=1e-5)


def test_the_same_seed_gives_the_same_bits() -> None:
    first, second, other = (_train(_parameters(epochs=2), seed=seed) for seed in (5, 5, 6))
    assert first[1].history == second[1].history
    for a, b in zip(first[0].get_weights(), second[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert other[1].history != first[1].history


def test_the_step_is_that_of_keras_fit() -> None:
    parameters = _parameters(epochs=3, patience=3, batch_size=40, dropout=(0.0,))
    ours, record, _ = _train(parameters)
    theirs = build(parameters, WINDOW, FEATURES, 1, 0)
    x, y = _windows(40)
    history = theirs.fit(np.ascontiguousarray(x), y, batch_size=40, epochs=3, verbose=0)
    np.testing.assert_allclose(record.history["loss"], history.history["loss"], rtol=1e-5)
    if record.best_epoch == 3:
        for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@once
def test_every_window_is_seen_once_an_epoch_in_a_new_order() -> None:
    x = y = np.arange(10, dtype=np.float32).reshape(10, 1)
    shuffle = np.random.default_rng(0)
    orders = []
    for _ in range(2):
        batches = list(fit_module._batches(x, y, shuffle.permutation(len(x)), 4))
        assert [len(part) for part, _ in batches] == [4, 4, 2]
        orders.append(np.concatenate([part for part, _ in batches]).ravel().tolist())
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(10))
    assert orders[0] != orders[1]


def test_t1_nan_in_training_is_a_failure_that_names_epoch_and_step() -> None:
    parameters = _parameters()
    model = build(parameters, WINDOW, FEATURES, 1, 0)
    x, y = _windows(40)
    y[17] = np.nan
    with pytest.raises(TrainingDiverged, match=r"epoch 1: the training loss is nan at step \d of"):
        fit(trainer_of(model), parameters, x, y, *_windows(24), _never)


def test_t1_infinity_only_in_validation_is_a_failure() -> None:
    parameters = _parameters()
    model = build(parameters, WINDOW, FEATURES, 1, 0)
    x_validation, y_validation = _windows(24)
    y_validation[3] = np.inf
    with pytest.raises(TrainingDiverged, match="epoch 1: the validation loss is inf"):
        fit(trainer_of(model), parameters, *_windows(40), x_validation, y_validation, _never)


@once
def test_t2_out_of_memory_passes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: Any) -> Any:
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(fit_module, "training_step", lambda model: exhausted)
    monkeypatch.setattr(sys.modules[__name__], "trainer_of", KerasTrainer)
    with pytest.raises(tf.errors.ResourceExhaustedError, match="OOM"):
        _train(_parameters())


@once
def test_t2_no_memory_for_the_kernels_passes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: Any) -> Any:
        raise MemoryError("Unable to allocate")

    monkeypatch.setattr("models.kernels.network.make_memory", exhausted)
    monkeypatch.setattr(sys.modules[__name__], "trainer_of", KernelTrainer)
    with pytest.raises(MemoryError):
        _train(_parameters())


def test_an_error_in_on_epoch_passes_through() -> None:
    def broken(epoch: int, value: float) -> bool:
        raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        _train(_parameters(), broken)


@pytest.mark.parametrize(("windows", "targets"), [(0, 0), (40, 39)])
def test_windows_and_targets_must_match(windows: int, targets: int) -> None:
    parameters = _parameters()
    model = build(parameters, WINDOW, FEATURES, 1, 0)
    x, y = _windows(40)
    with pytest.raises(ValueError, match=f"found {windows} windows, {targets} targets"):
        fit(trainer_of(model), parameters, x[:windows], y[:targets], *_windows(24), _never)


@once
def test_predictions_do_not_depend_on_the_batching(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build(_parameters(), WINDOW, FEATURES, 3, 0)
    x, _ = _windows(50)
    whole = predict(model, x)
    monkeypatch.setattr(fit_module, "PREDICTION_BATCH", 7)
    parts = predict(model, x)
    assert whole.shape == (50, 3)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="length 0"):
        predict(model, x[:0])


@once
def test_mse_accumulates_in_float64_and_never_broadcasts() -> None:
    output = np.full((1_000_000, 1), 1e-4, np.float32)
    output[0] = 1e4
    expected = (1e8 + 999_999 * float(np.float32(1e-4)) ** 2) / 1e6
    assert mse(output, np.zeros_like(output)) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match="differ in shape"):
        mse(np.zeros((3, 1), np.float32), np.zeros(3, np.float32))
