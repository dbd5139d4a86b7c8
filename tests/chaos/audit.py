"""Audits both stores after a study was killed and resumed, by reading the databases directly."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from search.common.records import Cause
from search.common.spool import FORECASTS, MODEL
from tests.search.command import query

_ENDED = {"COMPLETE": "FINISHED", "PRUNED": "KILLED", "FAIL": "FAILED"}


@dataclass(frozen=True)
class Audit:
    """The state of a study in both stores.

    Attributes:
        finished: trials that have ended, each counted once for all its attempts.
        lost: acknowledged attempts whose end is not in the study database.
        orphans: attempts and runs that are RUNNING although no process runs.
        duplicates: runs of an attempt after its first.
        missing: ended attempts without a run.
        contradictions: runs with another status than their attempt.
        without_files: completed attempts whose run lacks its model or its forecasts.
        repeated_retries: attempts that more than one other attempt repeats.
        left_over: files that still wait for delivery.
        broken: SQLite's messages on a damaged store.
    """

    finished: int
    lost: tuple[int, ...]
    orphans: tuple[str, ...]
    duplicates: tuple[int, ...]
    missing: tuple[int, ...]
    contradictions: tuple[int, ...]
    without_files: tuple[int, ...]
    repeated_retries: tuple[int, ...]
    left_over: tuple[str, ...]
    broken: tuple[str, ...]

    def faults(self) -> dict[str, tuple[object, ...]]:
        """All fields that should be empty and are not, by name."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        del found["finished"]
        return {name: what for name, what in found.items() if what}


def audit(root: Path, acknowledged: Mapping[int, str]) -> Audit:
    """Read the stores of the one study under `root`.

    Args:
        root: the folder of both stores.
        acknowledged: by number, attempts that were reported as ended, and their state in the
            database.
    """
    optuna, mlflow = root / "optuna.db", root / "mlflow.db"
    states: dict[int, str] = dict(query(optuna, "select number, state from trials"))
    attributes: dict[int, dict[str, object]] = {number: {} for number in states}
    for number, key, value in query(
        optuna,
        "select number, key, value_json from trials join trial_user_attributes using (trial_id)",
    ):
        attributes[number][key] = json.loads(value)
    repeated: list[Any] = [
        a["retry_of"] for a in attributes.values() if a.get("retry_of") is not None
    ]
    ended = {n for n, state in states.items() if state in _ENDED}
    # An attempt that was killed while its point was drawn is not a trial.
    never: set[int] = {n for n in ended if not attributes[n].keys() & {"seed", "planned"}}
    runs = _trial_runs(mlflow)
    status = {number: found[0]["status"] for number, found in runs.items()}
    running = query(mlflow, "select run_uuid from runs where status = 'RUNNING'")
    return Audit(
        finished=len(ended - never - set(repeated)),
        lost=tuple(n for n, state in acknowledged.items() if states.get(n) != state),
        orphans=(
            *(f"attempt {n}" for n, state in states.items() if state == "RUNNING"),
            *(f"run {run_id}" for (run_id,) in running),
        ),
        duplicates=tuple(n for n, found in runs.items() if len(found) > 1),
        missing=tuple(sorted(ended - runs.keys())),
        contradictions=tuple(
            n for n in ended & runs.keys() if status[n] != _expected(states[n], attributes[n])
        ),
        without_files=tuple(
            n
            for n in ended & runs.keys()
            if states[n] == "COMPLETE" and not _has_files(root, runs[n][0]["run_id"])
        ),
        repeated_retries=tuple({n for n in repeated if repeated.count(n) > 1}),
        left_over=tuple(str(path) for path in (root / "spool").rglob("*trial-*")),
        broken=tuple(
            line
            for store in (optuna, mlflow)
            for (line,) in query(store, "pragma integrity_check")
            if line != "ok"
        ),
    )


def running(root: Path) -> set[int]:
    """Attempts that are running according to the study database."""
    return {
        n for (n,) in query(root / "optuna.db", "select number from trials where state = 'RUNNING'")
    }


def _trial_runs(database: Path) -> dict[int, list[dict[str, str]]]:
    """The runs of each attempt."""
    found: dict[int, list[dict[str, str]]] = {}
    statement = """select value, run_uuid, status from tags join runs using (run_uuid)
                   where key = 'search.trial'"""
    for number, run_id, status in query(database, statement):
        found.setdefault(int(number), []).append({"run_id": run_id, "status": status})
    return found


def _expected(state: str, attributes: Mapping[str, object]) -> str:
    failure = attributes.get("failure")
    if state == "FAIL" and isinstance(failure, dict) and failure["cause"] == Cause.INTERRUPTED:
        return "KILLED"
    return _ENDED[state]


def _has_files(root: Path, run_id: str) -> bool:
    names = {path.name for path in root.glob(f"artifacts/*/{run_id}/artifacts/*/*")}
    return {MODEL, FORECASTS} <= names
