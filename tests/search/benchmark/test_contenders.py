"""Each contender as the program that it is: the same points, epochs reported as they end."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.catalogue import CATALOGUE
from search.benchmark.job import Job, draw_points

POINTS = tuple(draw_points(CATALOGUE["smoke"].space, 2, seed=1))


def _said(folder: Path, *words: str, points: bool, most: int) -> list[dict[str, Any]]:
    """The first `most` epochs that a contender reports, or all of them."""
    job = Job(
        experiment="smoke", epochs=2, seed=0, points=POINTS if points else None, folder=folder
    )
    command = [sys.executable, "-m", f"search.benchmark.{words[0]}", *words[1:]]
    said: list[dict[str, Any]] = []
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [*command, job.model_dump_json()], stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{"):
                said.append(json.loads(line))
            if len(said) == most:
                process.kill()
                break
    assert said, (folder / "log").read_text()
    return said


@pytest.mark.parametrize("contender", ["ours", "stock"])
def test_both_train_exactly_the_points_for_all_epochs(contender: str, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    said = _said(folder, contender, points=True, most=99)
    assert sorted((one["trial"], one["epoch"]) for one in said) == [
        ("0", 1),
        ("0", 2),
        ("1", 1),
        ("1", 2),
    ]
    assert all(0 < one["value"] < 10 and one["flops"] > 0 for one in said)


@pytest.mark.parametrize("tuner", ["hyperband", "bayesian"])
def test_keras_tuners_loops_report_their_epochs(tuner: str, tmp_path: Path) -> None:
    said = _said(tmp_path, "keras_tuner_loop", tuner, points=False, most=2)
    assert said[0]["epoch"] == 1 and 0 < said[0]["value"] < 10


def test_the_command_refuses_what_it_does_not_know() -> None:
    command = [sys.executable, "-m", "search.benchmark", "--experiment", "nothing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "'nothing' is not one of" in done.stderr
