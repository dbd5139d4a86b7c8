"""What a tuner needs, and how a search ends without points."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from search import run
from search.common.errors import REFUSED_OR_FAILED, WRONG_INPUT
from search.common.records import State
from search.engine.coordinator import Ending
from search.results.summary import StudySummary
from tests.search.samples import record, result


@pytest.mark.parametrize(
    ("sampler", "package", "distribution"),
    [
        ("random", "keras_tuner", "keras-tuner"),
        ("bayesian", "sklearn", "scikit-learn"),
        ("bayesian", "scipy", "scipy"),
    ],
)
def test_a_missing_package_is_wrong_input_naming_it(
    sampler: str,
    package: str,
    distribution: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", _without(package))
    monkeypatch.chdir(tmp_path)
    options = ["--tuner", "keras-tuner", "--sampler", sampler, "--dry-run"]
    done = CliRunner().invoke(run.main, options)
    assert done.exit_code == WRONG_INPUT, done.output
    assert f"needs the package {distribution}, which is not installed" in done.stderr
    assert f"pip install {distribution}" in done.stderr


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_an_exhausted_oracle_ends_the_command_with_its_reason_and_exit_code_1(
    as_json: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def conducted(*_args: object) -> tuple[StudySummary, Ending, int]:
        best = record(0, result(0.02))
        ending = Ending(State.INTERRUPTED, "no further point.\nNext: less", exhausted=True)
        return StudySummary((best,), 1), ending, 0

    monkeypatch.setattr("search.engine.session.conduct", conducted)
    monkeypatch.chdir(tmp_path)
    options = ["--experiment", "smoke", "--tuner", "keras-tuner", "--quiet", *as_json]
    done = CliRunner().invoke(run.main, options)
    assert done.exit_code == REFUSED_OR_FAILED, done.output
    assert done.stderr == "Refused: no further point.\nNext: less\n"
    assert "trial 0" in done.stdout or '"trial": 0' in done.stdout


def _without(package: str) -> Callable[..., object]:
    found = importlib.util.find_spec

    def find_spec(name: str, *rest: str) -> object:
        return None if name == package else found(name, *rest)

    return find_spec
