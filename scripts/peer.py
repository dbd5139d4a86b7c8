"""Search an LSTM with neuralforecast's AutoLSTM on the built-in data, to compare with this project.

    python3 -m venv peer && peer/bin/pip install neuralforecast
    peer/bin/python scripts/peer.py --seconds 150

It uses the hours and the split of the default search. A network reads demand and temperature of the
hours before, and the calendar of the hour that it forecasts. The search minimises the RMSE in MW of
the one-hour-ahead forecasts over all validation windows. The clock includes start-up.
"""

import argparse
import json
import logging
import math
import sys
import time
import warnings
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

DATA = Path(__file__).parent.parent / "data_pipeline/builtin/victoria_2014_hourly.csv"
DAYS = slice("2014-04-01", "2014-06-30")
WINDOW, EPOCHS = 168, 50
CALENDAR = {"hour": 24, "weekday": 7, "weekend": 2}
FIXED = {
    "hist_exog_list": ["temperature"],
    "futr_exog_list": list(CALENDAR),
    "cat_exog_list": list(CALENDAR),
    "categorical_cardinalities": CALENDAR,
    **dict.fromkeys(("logger", "enable_progress_bar", "enable_model_summary"), False),
}


def read_hours() -> pd.DataFrame:
    """Three months in the columns that neuralforecast expects, and the calendar."""
    table = pd.read_csv(DATA, parse_dates=["Date"], index_col="Date").loc[DAYS].reset_index()
    table.columns = ["ds", "temperature", "y"]
    weekday = table["ds"].dt.dayofweek
    calendar = {"hour": table["ds"].dt.hour, "weekday": weekday, "weekend": weekday // 5}
    return table.assign(unique_id="victoria", **calendar)


def split(hours: int) -> tuple[int, int]:
    """Numbers of training and validation windows: 72 % and 8 %, as in docs/data.md."""
    train, both = (math.floor((hours - WINDOW) * share + 1e-6) for share in (0.72, 0.80))
    return train, both - train


def our_space(trial: Any, windows: int, seed: int) -> dict[str, Any]:
    """The ranges of experiments/power_usage.py, for the settings that AutoLSTM has, too."""
    from torch.optim import Adam
    from torch.optim.lr_scheduler import CosineAnnealingLR as Cosine

    batch = trial.suggest_categorical("windows_batch_size", [32, 64])
    # neuralforecast calls this once with a mock trial, which returns no numbers.
    epoch = math.ceil(windows / batch) if isinstance(batch, int) else 1
    chosen = {
        "encoder_n_layers": trial.suggest_int("encoder_n_layers", 1, 2),
        "windows_batch_size": batch,
        "encoder_hidden_size": trial.suggest_int("encoder_hidden_size", 16, 128, log=True),
        "input_size": trial.suggest_categorical("input_size", [24, 48, 168]),
        "learning_rate": trial.suggest_float("learning_rate", 1e-3, 3e-2, log=True),
        "early_stop_patience_steps": trial.suggest_int("early_stop_patience_steps", 5, 20),
        "max_steps": EPOCHS * epoch,
        "val_check_steps": epoch,
        "random_seed": seed,
    }
    if chosen["encoder_n_layers"] == 2:  # PyTorch's LSTM has dropout between layers only.
        chosen["encoder_dropout"] = trial.suggest_float("encoder_dropout", 0.0, 0.3)
    if trial.suggest_categorical("use_l2", [True, False]) is True:
        decay = 2 * trial.suggest_float("l2", 1e-7, 1e-2, log=True)
        chosen |= {"optimizer": Adam, "optimizer_kwargs": {"weight_decay": decay}}
    if trial.suggest_categorical("schedule", ["constant", "cosine"]) == "cosine":
        chosen |= {"lr_scheduler": Cosine, "lr_scheduler_kwargs": {"T_max": EPOCHS * epoch}}
    return chosen


def search(options: argparse.Namespace, began: float) -> dict[str, Any]:
    """Search, train the best trial again as AutoLSTM does, and forecast the validation hours."""
    import optuna
    import torch
    from neuralforecast import NeuralForecast
    from neuralforecast.auto import AutoLSTM, OptunaOptions
    from neuralforecast.losses.pytorch import MAE, MSE

    torch.set_num_threads(max(1, torch.get_num_threads() // options.jobs))
    hours = read_hours()
    train, validation = split(len(hours))
    sys.stdout.write(f"Windows: {train} for training, {validation} for validation\n")
    ours = partial(our_space, windows=train, seed=options.seed)
    space = ours if options.space == "ours" else AutoLSTM.get_default_config(1, "optuna")
    ended = []

    def report(study: Any, trial: Any) -> None:
        ended.append(time.monotonic() - began)
        errors = [math.sqrt(one.value) for one in study.trials if one.value is not None]
        error, took = math.sqrt(trial.value or math.nan), trial.duration.total_seconds()
        sys.stdout.write(
            f"trial {trial.number:<4}RMSE {error:8.1f} MW, {took:6.1f} s, "
            f"best {min(errors, default=math.nan):8.1f} MW after {ended[-1]:6.1f} s\n"
        )

    model = AutoLSTM(
        h=1,
        loss=MSE() if options.loss == "mse" else MAE(),
        valid_loss=MSE(),  # In MW squared, over all validation windows.
        config=lambda trial: space(trial) | FIXED,
        search_alg=optuna.samplers.TPESampler(seed=options.seed),
        num_samples=100_000,
        time_budget=options.seconds - (time.monotonic() - began),
        refit_with_val=True,  # Else the last training would include the validation hours.
        backend="optuna",
        callbacks=[report],
        optuna_options=OptunaOptions({"n_jobs": options.jobs, "catch": (Exception,)}),
    )
    forecaster = NeuralForecast(models=[model], freq="h")
    forecaster.fit(hours[: WINDOW + train + validation], val_size=validation)
    found = forecaster.predict_insample(step_size=1).tail(validation)
    again = float(((found["AutoLSTM"] - found["y"]) ** 2).mean() ** 0.5)
    study = forecaster.models[0].results
    return {
        **vars(options),
        "trials": len(study.trials),
        "failed": sum(trial.value is None for trial in study.trials),
        "seconds_of_search": round(ended[-1], 1),
        "seconds_of_all": round(time.monotonic() - began, 1),
        "validation_rmse_mw": round(math.sqrt(study.best_value), 2),
        "rmse_mw_trained_again": round(again, 2),
        "config": study.best_params,
        "versions": {name: version(name) for name in ("neuralforecast", "optuna", "torch")},
    }


if __name__ == "__main__":
    start = time.monotonic()
    sys.stdout.reconfigure(line_buffering=True)
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=150, help="start no trial after these")
    parser.add_argument("--space", choices=("own", "ours"), default="own")
    parser.add_argument("--loss", choices=("mse", "mae"), default="mse", help="of the training")
    parser.add_argument("--jobs", type=int, default=1, help="trials at a time, on all cores")
    parser.add_argument("--seed", type=int, default=0)
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    sys.stdout.write(json.dumps(search(parser.parse_args(), start)) + "\n")
