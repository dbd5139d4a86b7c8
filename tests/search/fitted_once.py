"""Baselines that are fitted once for equal rows and windows, by all processes of the tests.

Commands that start afresh fit their own, as a person's do. What is shared has been pickled.
"""

import hashlib
import os
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

from filelock import FileLock

import models.baselines
from models.forecasters import Forecaster, IntArray, Rows

Fitting = Callable[[Rows, IntArray, int, int], Forecaster]
# Names the folder that they share. Not set: each process fits for itself.
FOLDER = "PYTEST_FITTED"
_FITTING = dict(models.baselines._FITTED)
_fitted: dict[str, Forecaster] = {}


def remembering() -> Mapping[str, Fitting]:
    """What fits each baseline, and remembers it."""
    return {name: _remembering(name, fitting) for name, fitting in _FITTING.items()}


def _remembering(name: str, fitting: Fitting) -> Fitting:
    def fitted(rows: Rows, origins: IntArray, window: int, horizon: int) -> Forecaster:
        given = b"".join(map(bytes, (rows.values, rows.clock, origins)))
        sizes = repr((rows.values.shape, origins.shape, window, horizon)).encode()
        key = f"{name}-{hashlib.sha256(given + sizes).hexdigest()}"
        if key not in _fitted:
            _fitted[key] = _read_or_fit(key, lambda: fitting(rows, origins, window, horizon))
        return _fitted[key]

    return fitted


def _read_or_fit(key: str, fit: Callable[[], Forecaster]) -> Forecaster:
    if FOLDER not in os.environ:
        return fit()
    file = Path(os.environ[FOLDER]) / key
    with FileLock(file.with_suffix(".lock")):
        if not file.exists():
            written = file.with_suffix(".new")
            written.write_bytes(pickle.dumps(fit()))
            written.replace(file)  # a process that is killed leaves no half of it
        forecaster: Forecaster = pickle.loads(file.read_bytes())
    return forecaster
