"""One trial, one way: series -> split -> scale -> windows -> build -> fit -> evaluate -> result.

Imports TensorFlow, so only a worker imports this module.
"""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np

from data_pipeline.windows import Prepared, Windows
from models.build import build
from models.device import Device
from models.fit import fit, mse, predict
from models.metrics import scores, seasonal_scale
from models.parameters import TrialParameters
from search.common.records import TrialResult

FloatArray = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True)
class Trained:
    """A trial's result, its model, and its forecasts in the data's unit.

    `actual` and `forecast` are float64 (n, horizon) over the validation windows; `origins` is
    int64 (n,), the row of each window's first target.
    """

    result: TrialResult
    model: keras.Model
    actual: FloatArray
    forecast: FloatArray
    origins: np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def run_trial(
    parameters: TrialParameters,
    prepared: Prepared,
    seed: int,
    device: Device,
    on_epoch: Callable[[int, float], bool],
) -> Trained:
    """Train and judge one network; no store, no tuner, no global state of ours.

    Args:
        parameters: of network and training.
        prepared: scaled train and validation windows; the test period is not in it.
        seed: of initial weights, dropout and shuffling.
        device: what is trained on, for the record.
        on_epoch: called with the epoch (from 1) and the penalty-free validation MSE; training
            stops when it returns True, with the best weights restored all the same.

    Raises:
        models.fit.TrainingDiverged: a NaN or infinite loss, in training or in validation.
    """
    train, validation = prepared.train, prepared.validation
    window, features = train.x.shape[1:]
    model = build(parameters, window, features, train.y.shape[1], seed)
    record = fit(model, parameters, train.x, train.y, validation.x, validation.y, on_epoch)
    judged = {
        name: _judge(model, windows, prepared)
        for name, windows in (("train", train), ("validation", validation))
    }
    objective, metrics, actual, forecast = judged["validation"]
    result = TrialResult(
        objective=objective,
        train_objective=judged["train"][0],
        history=record.history,
        best_epoch=record.best_epoch,
        epochs=record.epochs,
        stopped_by=record.stopped_by,
        train=judged["train"][1],
        validation=metrics,
        parameter_count=record.parameter_count,
        seconds=record.seconds,
        seconds_per_epoch=record.seconds_per_epoch,
        device=device.kind,
        device_name=device.name,
        device_notes=list(device.notes),
    )
    return Trained(result, model, actual, forecast, validation.origins)


def _judge(
    model: keras.Model, windows: Windows, prepared: Prepared
) -> tuple[float, dict[str, float], FloatArray, FloatArray]:
    output = predict(model, windows.x)
    actual = prepared.scaler.inverse_target(windows.y)
    forecast = prepared.scaler.inverse_target(output)
    scale = seasonal_scale(prepared.history.target[: prepared.train_rows])
    # On one scale for all designs of a study, also those whose scaler saw other rows.
    to_honest = float(prepared.scaler.range[prepared.target_column]) / prepared.target_range
    objective = mse(output, windows.y) * to_honest**2
    return objective, scores(actual, forecast, scale).as_dict(), actual, forecast
