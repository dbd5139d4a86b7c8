"""Forecasts of a served model, made in a process of its own."""

from pathlib import Path

import numpy as np
import pandas as pd

from models.tensorflow_start import tensorflow_start
from search.serving.served import Forecaster


def save_forecast(model: Path, facts: Path, rows: Path, origins: Path, out: Path) -> None:
    """Forecast the windows at `origins` (int64 .npy) of `rows` (CSV), and save them to `out`."""
    with tensorflow_start():
        served = Forecaster(model, facts)
    _, local, values = served.read(pd.read_csv(rows))
    np.save(out, served.forecast(local, values, np.load(origins, allow_pickle=False)))
