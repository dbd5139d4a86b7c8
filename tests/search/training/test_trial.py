"""One trial on real data: what the network reads and learns, and in which units it is judged."""

from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from data_pipeline.windows import Prepared
from experiments.catalogue import CATALOGUE
from models.build import plain_copy
from models.device import Backend, Device
from search.engine.plan import adapt, make_plan
from search.training.trial import Trained, run_trial
from tests.search.samples import parameters


@cache
def _prepared(horizon: int) -> Prepared:
    return make_plan(adapt(CATALOGUE["smoke"], {"framing.horizon": horizon})).prepared


def _trained(prepared: Prepared, backend: Backend = "kernels", **changes: Any) -> Trained:
    found = parameters((5,)).model_copy(update={"epochs": 2, "ema_epochs": 1.0, **changes})
    device = Device("cpu", "a processor", (), backend)
    return run_trial(found, prepared, seed=3, device=device, on_epoch=lambda *_: False)


@pytest.mark.parametrize("backend", ["kernels", "tensorflow"])
@pytest.mark.parametrize("target", ["level", "change"])
@pytest.mark.parametrize(("horizon", "lookback"), [(1, None), (1, 1), (3, 6), (24, 24)])
def test_the_saved_model_gives_the_forecasts_that_were_judged(
    backend: Backend, target: str, horizon: int, lookback: int | None, tmp_path: Path
) -> None:
    prepared = _prepared(horizon)
    trained = _trained(prepared, backend, target=target, lookback=lookback)
    assert trained.result.backend == backend
    plain_copy(trained.model, trained.encoding).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    x = prepared.held_out.x
    read = x.shape[1] if lookback is None else lookback
    assert loaded.input_shape == (None, read, x.shape[2])
    scaled = loaded.predict(np.ascontiguousarray(x[:, -read:]), verbose=0)
    forecast = prepared.scaler.inverse_target(scaled)
    np.testing.assert_allclose(forecast, trained.forecast, rtol=1e-5)


@pytest.mark.parametrize("target", ["level", "change"])
def test_objective_and_scores_are_those_of_the_level(target: str) -> None:
    prepared = _prepared(3)
    trained = _trained(prepared, target=target, lookback=12)
    actual = prepared.scaler.inverse_target(prepared.held_out.y)
    np.testing.assert_array_equal(trained.actual, actual)
    rmse = float(np.sqrt(np.mean(np.square(trained.forecast - actual))))
    assert trained.result.held_out["rmse"] == pytest.approx(rmse)
    assert trained.result.objective == pytest.approx((rmse / prepared.target_range) ** 2, rel=1e-4)
    assert trained.result.objective == pytest.approx(min(trained.result.history["val_mse"]))


def test_a_network_that_learns_nothing_forecasts_the_last_value_as_its_change() -> None:
    prepared = _prepared(3)
    trained = _trained(prepared, target="change", epochs=1, learning_rate=1e-12, l2=0.0)
    model = trained.model
    model.layers[-1].set_weights([np.zeros_like(w) for w in model.layers[-1].get_weights()])
    copy = plain_copy(model, trained.encoding)
    scaled = copy.predict(np.ascontiguousarray(prepared.held_out.x), verbose=0)
    last = prepared.history.target[prepared.held_out.origins - 1]
    forecast = prepared.scaler.inverse_target(scaled)
    np.testing.assert_allclose(forecast, np.repeat(last[:, None], 3, axis=1), rtol=1e-5)


def test_only_the_last_hours_of_the_window_are_read() -> None:
    prepared = _prepared(1)
    trained = _trained(prepared, lookback=6)
    assert trained.model.input_shape[1] == 6
    assert trained.origins.tolist() == prepared.held_out.origins.tolist()


def test_a_lookback_beyond_the_window_is_refused() -> None:
    with pytest.raises(ValueError, match="lookback is 25 hours, but the windows have 24"):
        _trained(_prepared(1), lookback=25)
