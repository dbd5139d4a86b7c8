"""The served model as a folder: made, told from any other, and run in a process of its own."""

import hashlib
import importlib.metadata
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import data_pipeline
import models
from data_pipeline.framing import Framing
from data_pipeline.inputs import Inputs
from data_pipeline.public_holidays import HOLIDAY
from data_pipeline.raw_rows import columns_given
from data_pipeline.scaling import Scaler
from data_pipeline.series import HourlySeries
from search.common.errors import Refused
from search.serving.forecasting import save_forecast
from search.serving.own_process import run_apart
from search.serving.served import FACTS, NETWORK, NUMBERS, hours_needed, model_file, weights
from search.tracking.client import be_quiet

FloatArray = npt.NDArray[np.float64]

_REQUIRED = ("mlflow", "numpy", "pandas")
_REQUIRED_BY_NETWORKS = ("tensorflow", "keras")
_REQUIRED_FOR_HOLIDAYS = ("holidays",)
# MLflow keeps the folder under "data".
_DATA = "forecaster"
_SERVED = Path(__file__).with_name("served.py")
# What the served file imports, to be found there under the same names.
_COPIED: Mapping[ModuleType, Sequence[str]] = {
    models: ("__init__.py", "forecasters.py", "intervals.py"),
    data_pipeline: (
        "__init__.py",
        "calendar.py",
        "inputs.py",
        "known_ahead.py",
        "lengths.py",
        "public_holidays.py",
        "raw_rows.py",
    ),
}


def raw_rows(series: HourlySeries, time: str) -> pd.DataFrame:
    """A series as a person would hand it in.

    Args:
        series: n hours.
        time: name of the time column.

    Returns:
        n rows: ISO 8601 times, with the offset from UTC where the series knows it; covariates, but
        not the holidays, which follow from the times; target. Then, where the series knows them,
        rows of the coming hours without a target.
    """
    coming = pd.to_timedelta(np.arange(1, len(series.coming) + 1), unit="h")
    local = series.local.append(series.local[-1] + coming)
    stamps = [moment.isoformat() for moment in local]
    if series.index.tz is not None:
        # Coming hours have the last row's offset: it names the right instants all the same.
        offsets = list(series.local - series.index.tz_localize(None))
        offsets += offsets[-1:] * len(coming)
        stamps = [stamp + _offset(by) for stamp, by in zip(stamps, offsets, strict=True)]
    columns: dict[str, Any] = {time: stamps}
    given = np.vstack([series.covariates, series.coming]) if len(coming) else series.covariates
    columns |= dict(zip(series.covariate_names, given.T, strict=True))
    if series.holidays is not None:
        del columns[HOLIDAY]
    target = np.append(series.target, np.full(len(coming), np.nan))
    return pd.DataFrame(columns | {series.target_name: target})


def example_rows(rows: pd.DataFrame, facts: Mapping[str, Any]) -> pd.DataFrame:
    """The first rows, as many as a forecast needs; the target of coming hours is empty."""
    known = hours_needed(facts)
    if not facts.get("known_ahead"):
        return rows.iloc[:known]
    found = rows.iloc[: known + facts["horizon"]].copy()
    found.loc[found.index[known:], facts["target"]] = np.nan
    return found


def _offset(by: pd.Timedelta) -> str:
    minutes = round(by.total_seconds() / 60)
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def facts_of(
    series: HourlySeries,
    framing: Framing,
    scaler: Scaler,
    learned: int,
    time: str,
    zone: str | None,
    interval: Mapping[str, Any],
    inputs: Inputs = "cycles",
) -> dict[str, Any]:
    """What the served model must know; see `served.Forecaster`.

    Args:
        series: that it was trained on.
        framing: window and horizon.
        scaler: of the rows it learned from, with the columns of `inputs`.
        learned: how many rows those are.
        time: name of the time column.
        zone: IANA time zone of the local clock, None for plain clock times.
        interval: the 90 % interval as `served.Forecaster` takes it.
        inputs: columns of a network's input; plain numbers read none of them.
    """
    ahead = [name for name in series.known_ahead if series.holidays is None or name != HOLIDAY]
    return {
        "time": time,
        "target": series.target_name,
        "features": list(series.covariate_names),
        "unit": series.unit,
        "window": framing.window,
        "horizon": framing.horizon,
        "inputs": inputs,
        "zone": zone,
        "offsets": series.index.tz is not None,
        "minimum": scaler.minimum.tolist(),
        "range": scaler.range.tolist(),
        "learned_since": series.local[0].isoformat(),
        "learned_until": series.local[learned - 1].isoformat(),
        "interval": dict(interval),
        **({"known_ahead": ahead} if ahead else {}),
        **({"holidays": series.holidays} if series.holidays is not None else {}),
    }


def save(
    place: Path, parts: Sequence[Path], facts: Mapping[str, Any], example: pd.DataFrame
) -> None:
    """Write the MLflow model folder `place`: code, model and facts, no pickle.

    Args:
        place: does not exist yet.
        parts: the Keras file, the JSON file of plain numbers, or one of each.
        facts: see `facts_of`; with two parts, their weights under the names in this folder.
        example: raw rows, as many as a forecast needs.
    """
    be_quiet()
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    inputs = [ColSpec("string", facts["time"])]
    inputs += [ColSpec("double", name) for name in columns_given(facts)]
    outputs = [ColSpec("string", facts["time"])]
    outputs += [ColSpec("double", name) for name in ("forecast", "low", "high")]
    files = {file_name(part): part for part in parts}
    required = _REQUIRED + (_REQUIRED_BY_NETWORKS if NETWORK in files else ())
    required += _REQUIRED_FOR_HOLIDAYS if facts.get("holidays") else ()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / _DATA
        data.mkdir()
        for name, part in files.items():
            shutil.copy(part, data / name)
        (data / FACTS).write_text(json.dumps(facts, indent=2), encoding="utf-8")
        code = [_copy(package, names, Path(folder)) for package, names in _COPIED.items()]
        mlflow.pyfunc.save_model(
            path=str(place),
            loader_module=_SERVED.stem,
            code_paths=[str(_SERVED), *map(str, code)],
            data_path=str(data),
            signature=ModelSignature(Schema(inputs), Schema(outputs)),
            input_example=example,
            pip_requirements=[f"{n}=={importlib.metadata.version(n)}" for n in required],
        )


def file_name(part: Path) -> str:
    """What a part of a model is called in its folder."""
    return NETWORK if part.suffix == Path(NETWORK).suffix else NUMBERS


def _copy(package: ModuleType, names: Sequence[str], into: Path) -> Path:
    assert package.__file__ is not None  # none of ours is a namespace
    code = into / package.__name__
    code.mkdir()
    for name in names:
        shutil.copy(Path(package.__file__).with_name(name), code / name)
    return code


def digest(place: Path) -> str:
    """sha256 (hex) over names and contents of the files of a model folder that decide what it does.

    What MLflow adds when a registered model is loaded is not among them, nor is the bytecode that
    Python writes beside our file when it is served.
    """
    found = hashlib.sha256()
    for file in sorted(place.rglob("*")):
        inner = file.relative_to(place).as_posix()
        added = inner == "registered_model_meta" or "/__pycache__/" in f"/{inner}"
        if file.is_file() and not added:
            found.update(inner.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def forecast_windows(place: Path, rows: pd.DataFrame, origins: npt.NDArray[np.int64]) -> FloatArray:
    """Forecast many windows with the model in `place`, in a process of its own.

    Only our own code is run: of the folder the network, in Keras' safe mode, or the numbers, and
    the facts.

    Args:
        place: a model folder.
        rows: raw rows.
        origins: rows of the first hour of each forecast.

    Returns:
        float64 (n, horizon), in the model's unit.

    Raises:
        Refused: the model cannot be loaded or does not take the rows; the message says why.
    """
    model, facts = model_files(place)
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "rows.csv", Path(folder) / "forecast.npy"
        rows.to_csv(given, index=False)
        np.save(Path(folder) / "origins.npy", origins)
        words = [model, facts, given, Path(folder) / "origins.npy", out]
        run_apart(
            save_forecast,
            *words,
            failing=f"the model in {place} does not forecast",
        )
        return np.asarray(np.load(out, allow_pickle=False), np.float64)


def model_files(place: Path) -> tuple[Path, Path]:
    """The model, a Keras network or plain numbers, and the facts of a model folder.

    Of a weighted sum the model is one part, its network where it has one.

    Raises:
        Refused: one is missing, or something there could run code of its own.
    """
    pickles = [file.name for file in place.rglob("*") if file.suffix in (".pkl", ".pickle")]
    if pickles:
        raise Refused(f"the model in {place} holds {', '.join(pickles)}: a pickle may run any code")
    data = place / "data" / _DATA
    model, facts = model_file(data), data / FACTS
    needed = [model, facts]
    if facts.is_file():
        parts = weights(json.loads(facts.read_text(encoding="utf-8")), model.name)
        needed = [*map(model.with_name, parts), facts]
    missing = [file.name for file in needed if not file.is_file()]
    if missing:
        raise Refused(f"the model in {place} lacks {', '.join(missing)}")
    return model, facts
