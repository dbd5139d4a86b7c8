"""What `--until-decided` and `search.explain` refuse, and what they foresee, as commands."""

import re
from pathlib import Path

import pytest

import search.run
from search.common.errors import DONE, REFUSED_OR_FAILED, WRONG_INPUT
from search.explain import __main__ as explain
from tests.search.command import here, run


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--experiment", "smoke"),
            r"experiments with claims \(slips, claims, open_claims, open_claim_c4\); 'smoke' has",
        ),
        (("--experiment", "claims", "--trials", "9"), "takes no --trials"),
    ],
)
def test_seeds_are_added_to_claims_alone(
    options: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = here(tmp_path, search.run.main, "--until-decided", *options)
    assert done.exit_code == WRONG_INPUT and re.search(said, done.stderr), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_plan_foresees_the_most_seeds(tmp_path: Path) -> None:
    options = ("--until-decided", "--experiment", "slips", "--seeds", "7", "--dry-run")
    done = here(tmp_path, search.run.main, *options)
    assert done.exit_code == DONE, done.stderr
    assert "28 trials of experiment slips" in done.stdout and "x 7 seed(s)" in done.stdout


def test_an_explanation_is_foreseen_without_training(
    smoke_study: tuple[Path, str, str],
) -> None:
    place, _, _ = smoke_study
    options = ("--study", "smoke", "--from", "small", "--to", "trial_1", "--dry-run")
    done = run(place, *options, module="search.explain", afresh=True)
    assert done.returncode == DONE, done.stderr
    assert "3 seeds choose, 3 others measure" in done.stderr and done.stdout == ""
    refused = here(place, explain.main, "--study", "nobody")
    assert refused.exit_code == REFUSED_OR_FAILED
    assert "there is no study 'nobody'" in refused.stderr
