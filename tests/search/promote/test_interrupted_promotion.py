"""A promotion that is killed or stopped goes on, and opens the test period once."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from search.common.errors import DONE, INTERRUPTED, TERMINATED
from tests.search.command import mlflow_runs, query, start
from tests.search.promote.commands import PROMOTE, promote


def _openings(place: Path) -> int:
    statement = "select value_json from study_user_attributes where key = 'openings'"
    return sum(
        len(json.loads(kept)) for (kept,) in query(place / "mlruns" / "optuna.db", statement)
    )


@pytest.fixture(scope="module")
def gone_on(refused: tuple[Path, dict[str, Any]]) -> tuple[dict[str, Any], str]:
    """What a promotion found and said that was killed after the opening, and ran again."""
    place = refused[0]
    options = (*PROMOTE, "--name", "other", "--force", "--no-blend")
    process = start(place, *options, module="search.promote")
    before = _openings(place)
    assert process.stderr is not None
    assert any("is opened" in line for line in process.stderr)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert _openings(place) == before + 1
    registered = "select version from model_versions where name = 'other'"
    assert query(place / "mlruns" / "mlflow.db", registered) == []

    again = promote(place, *options, "--json")
    assert again.returncode == DONE, again.stderr
    found = json.loads(again.stdout)
    assert found["opening"] == _openings(place) == before + 1
    return found, again.stderr


def test_p2_a_promotion_killed_after_the_opening_goes_on_with_the_same_one(
    refused: tuple[Path, dict[str, Any]], gone_on: tuple[dict[str, Any], str]
) -> None:
    place = refused[0]
    assert gone_on[0]["promoted"]
    registered = "select version from model_versions where name = 'other'"
    assert query(place / "mlruns" / "mlflow.db", registered) == [(1,)]
    runs = [run for run in mlflow_runs(place) if run.get("search.kind") == "promotion"]
    assert [run["status"] for run in runs if run["model"] == "other"] == ["FINISHED"]


def test_without_a_blend_the_network_stands_alone(gone_on: tuple[dict[str, Any], str]) -> None:
    found, said = gone_on
    assert found["kind"] == "network" and found["retest_blend"] is None
    assert "A blend of" not in said


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, TERMINATED)]
)
def test_a_promotion_that_is_stopped_says_so_and_opens_nothing(
    refused: tuple[Path, dict[str, Any]], number: signal.Signals, code: int
) -> None:
    place = refused[0]
    before = _openings(place)
    options = ("--study", "smoke", "--top", "1", "--seeds", "9", "--folds", "2", "--workers", "1")
    process = start(place, *options, module="search.promote", warm_trainers=False)
    assert process.stderr is not None
    assert any(line.startswith("trial") for line in process.stderr)
    os.killpg(process.pid, number)  # as a terminal does, and `timeout`
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Run the same command again to continue." in said and "Traceback" not in said
    assert _openings(place) == before
