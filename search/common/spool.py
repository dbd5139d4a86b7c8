"""A trial's files on their way from the worker to MLflow.

Each attempt has a folder. It is kept until it is delivered, so nothing is lost while MLflow cannot
be reached.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

FORECASTS = "forecasts.npz"
MODEL = "model.keras"


@dataclass(frozen=True)
class Forecasts:
    """A trial's forecasts of the held-out windows, in the data's unit.

    `times` (n,) is the local clock time of each window's first target; `actual` and `forecast`
    are float64 (n, horizon).
    """

    times: pd.DatetimeIndex
    actual: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    forecast: np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def folder(root: Path, number: int) -> Path:
    """The folder of attempt `number` in the study's spool `root`."""
    return root / f"trial-{number}"


def discard(root: Path, number: int) -> None:
    """Remove the files of attempt `number`, and incomplete files of a killed worker."""
    path = folder(root, number)
    for stale in (path, _unfinished(path)):
        shutil.rmtree(stale, ignore_errors=True)


def _unfinished(path: Path) -> Path:
    return path.with_name(f".{path.name}.unfinished")


def write_spool(
    path: Path,
    save_model: Callable[[Path], None],
    times: pd.DatetimeIndex,
    actual: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    forecast: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> None:
    """Write model and forecasts to the folder `path`, whole or not at all."""
    unfinished = _unfinished(path)
    for stale in (unfinished, path):
        if stale.exists():
            shutil.rmtree(stale)
    unfinished.mkdir(parents=True)
    save_model(unfinished / MODEL)
    np.savez_compressed(
        unfinished / FORECASTS,
        times=times.to_numpy().astype("datetime64[s]").astype(np.int64),
        actual=actual,
        forecast=forecast,
    )
    unfinished.rename(path)


def put_whole(path: Path, files: Mapping[str, bytes]) -> None:
    """Write `files`, by name, to the folder `path`, whole or not at all."""
    unfinished = _unfinished(path)
    for stale in (unfinished, path):
        shutil.rmtree(stale, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for name, content in files.items():
        (unfinished / name).write_bytes(content)
    unfinished.rename(path)


def read_forecasts(path: Path) -> Forecasts | None:
    """Return the forecasts in the folder `path`, or None if there are none."""
    file = path / FORECASTS
    if not file.exists():
        return None
    with np.load(file, allow_pickle=False) as arrays:
        times = pd.DatetimeIndex(arrays["times"].astype("datetime64[s]"))
        return Forecasts(times, arrays["actual"], arrays["forecast"])
