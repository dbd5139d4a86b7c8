"""One trial, one way: series -> split -> scale -> windows -> build -> fit -> evaluate -> result.

Imports TensorFlow, so only a worker imports this module.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import keras
import numpy as np

from data_pipeline.windows import Prepared, Windows
from models.backend import make_trainer
from models.build import build
from models.device import Device
from models.fit import fit, mse
from models.metrics import scores, seasonal_scale
from models.parameters import TrialParameters
from models.target import Encoding, encoding_of
from models.trainer import Trainer
from search.common.records import TrialResult

FloatArray = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True)
class Trained:
    """A trial's result, its model, and its forecasts in the data's unit.

    The model gives what it has learned, which `encoding` makes scaled forecasts of.
    `actual` and `forecast` are float64 (n, horizon) over the held-out windows; `origins` is
    int64 (n,), the row of each window's first target.
    """

    result: TrialResult
    model: keras.Model
    encoding: Encoding
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
        prepared: scaled windows with the columns that `parameters.inputs` names; of the test
            period only where promotion has opened it.
        seed: of initial weights, dropout and shuffling.
        device: what is trained on, and by what.
        on_epoch: called with the epoch (from 1) and the penalty-free held-out MSE; training
            stops when it returns True, with the best weights restored all the same.

    Raises:
        models.fit.TrainingDiverged: a NaN or infinite loss, on either windows.
        ValueError: the network is to look back further than the windows reach.
    """
    train, held_out = _seen(prepared.train, parameters), _seen(prepared.held_out, parameters)
    window, features = train.x.shape[1:]
    encoding = encoding_of(parameters.target, train.x, train.y, prepared.target_column)
    model = build(parameters, window, features, train.y.shape[1], seed)
    trainer = make_trainer(model, device)
    record = fit(trainer, parameters, train.x, train.y, held_out.x, held_out.y, on_epoch, encoding)
    train_objective, train_metrics, _, _ = _judge(trainer, encoding, train, prepared)
    objective, metrics, actual, forecast = _judge(trainer, encoding, held_out, prepared)
    result = TrialResult(
        objective=objective,
        train_objective=train_objective,
        history=record.history,
        best_epoch=record.best_epoch,
        epochs=record.epochs,
        stopped_by=record.stopped_by,
        train=train_metrics,
        held_out=metrics,
        period=prepared.period,
        parameter_count=record.parameter_count,
        seconds=record.seconds,
        seconds_per_epoch=record.seconds_per_epoch,
        device=device.kind,
        device_name=device.name,
        device_notes=list(device.notes),
        backend=trainer.backend,
    )
    return Trained(result, model, encoding, actual, forecast, held_out.origins)


def _seen(windows: Windows, parameters: TrialParameters) -> Windows:
    """The same windows as far back as the network reads them, as a view."""
    length = windows.x.shape[1]
    lookback = parameters.lookback or length
    if lookback > length:
        raise ValueError(f"lookback is {lookback} hours, but the windows have {length}")
    return replace(windows, x=windows.x[:, length - lookback :])


def _judge(
    trainer: Trainer, encoding: Encoding, windows: Windows, prepared: Prepared
) -> tuple[float, dict[str, float], FloatArray, FloatArray]:
    output = encoding.decode(windows.x, trainer.predict(windows.x))
    actual = prepared.scaler.inverse_target(windows.y)
    forecast = prepared.scaler.inverse_target(output)
    scale = seasonal_scale(prepared.history.target[: prepared.train_rows])
    # On one scale for all designs of a study, also those whose scaler saw other rows.
    to_honest = float(prepared.scaler.range[prepared.target_column]) / prepared.target_range
    objective = mse(output, windows.y) * to_honest**2
    return objective, scores(actual, forecast, scale).as_dict(), actual, forecast
