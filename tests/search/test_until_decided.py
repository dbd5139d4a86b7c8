"""What `--until-decided` and `search.explain` refuse, and what they foresee, as commands."""

import re
from pathlib import Path

import pytest

from tests.search.command import run


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--experiment", "smoke"), r"experiments with claims \(slips, claims\); 'smoke' has none"),
        (("--experiment", "claims", "--trials", "9"), "takes no --trials"),
    ],
)
def test_seeds_are_added_to_claims_alone(
    options: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = run(tmp_path, "--until-decided", *options)
    assert done.returncode == 2 and re.search(said, done.stderr), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_plan_foresees_the_most_seeds(tmp_path: Path) -> None:
    done = run(tmp_path, "--until-decided", "--experiment", "slips", "--seeds", "7", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "28 trials of experiment slips" in done.stdout and "x 7 seed(s)" in done.stdout


def test_an_explanation_is_foreseen_without_training(
    smoke_study: tuple[Path, str, str],
) -> None:
    place, _, _ = smoke_study
    options = ("--study", "smoke", "--from", "small", "--to", "trial_1", "--dry-run")
    done = run(place, *options, module="search.explain")
    assert done.returncode == 0, done.stderr
    assert "3 seeds choose, 3 others measure" in done.stderr and done.stdout == ""
    done = run(place, "--study", "nobody", module="search.explain")
    assert done.returncode == 1 and "there is no study 'nobody'" in done.stderr
