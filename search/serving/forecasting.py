"""A process that forecasts with a served model: `python -m search.serving.forecasting FILES`."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from models.tensorflow_start import tensorflow_start
from search.serving.served import Forecaster


def main(model: str, facts: str, rows: str, origins: str, out: str) -> None:
    """Forecast the windows at `origins` (int64 .npy) of `rows` (CSV), and save them to `out`."""
    with tensorflow_start():
        served = Forecaster(Path(model), Path(facts))
    _, local, values = served.read(pd.read_csv(rows))
    np.save(out, served.forecast(local, values, np.load(origins, allow_pickle=False)))


if __name__ == "__main__":
    main(*sys.argv[1:])
