"""Promotion and forecast on a study of tiny networks: as processes, or in this one."""

import subprocess
from pathlib import Path
from typing import Any

from click.testing import Result

from data_pipeline.source import BUILTIN_PATH
from models.baselines import BASELINES
from search import predict as predict_command
from search.promote import __main__ as promote_command
from tests.search.command import here, query, run

FITTED = BASELINES[3:]
PROMOTE = ("--study", "smoke", "--top", "2", "--seeds", "2", "--folds", "2", "--workers", "1")


def promote(place: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return run(place, *options, module="search.promote", afresh=True)


def predict(place: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return run(place, *options, module="search.predict", afresh=True)


def predict_here(place: Path, *options: str) -> Result:
    return here(place, predict_command.main, *options)


def promote_here(place: Path, *options: str) -> Result:
    return here(place, promote_command.main, *options)


def state(place: Path) -> dict[str, list[tuple[Any, ...]] | int]:
    """Rows of all that a promotion may change, and the number of files."""
    mlflow, optuna = place / "mlruns" / "mlflow.db", place / "mlruns" / "optuna.db"
    found: dict[str, list[tuple[Any, ...]] | int] = {
        table: query(mlflow, f"select * from {table}")
        for table in ("runs", "tags", "registered_models", "model_versions", "latest_metrics")
    }
    for table in ("studies", "trials", "study_user_attributes"):
        found[table] = query(optuna, f"select * from {table}")
    return found | {"artifacts": len(list((place / "mlruns" / "artifacts").rglob("*")))}


def write_meter(place: Path) -> None:
    """Put 400 hours of the built-in series into `meter.csv`."""
    lines = BUILTIN_PATH.read_text().splitlines()
    (place / "meter.csv").write_text("\n".join([lines[0], *lines[2700:3100]]) + "\n")
