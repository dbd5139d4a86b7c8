"""What goes with which tuner, and whose a project directory is."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from search import run
from search.coordinator import Ending
from search.errors import REFUSED_OR_FAILED, WRONG_INPUT, Refused, WrongInput
from search.keras_tuner_project import claim
from search.records import State
from search.summary import StudySummary
from search.tuners import KERAS_TUNER, OPTUNA, PRUNERS, SAMPLERS, Drawing, choose, drawn_by
from tests.search.samples import record, result

HERE, OTHER = "a" * 32, "b" * 32


def test_defaults_follow_the_tuner() -> None:
    assert choose(OPTUNA, None, None) == Drawing(OPTUNA, "tpe", "median")
    assert choose(KERAS_TUNER, None, None) == Drawing(KERAS_TUNER, "bayesian", "none")


@pytest.mark.parametrize("tuner", SAMPLERS)
def test_a_tuner_takes_its_own_samplers_and_pruners_and_no_others(tuner: str) -> None:
    for sampler in {name for names in SAMPLERS.values() for name in names}:
        if sampler in SAMPLERS[tuner]:
            assert choose(tuner, sampler, None).sampler == sampler
            continue
        with pytest.raises(WrongInput, match=f"--sampler {sampler}.*expected.*\n.*--tuner"):
            choose(tuner, sampler, None)
    for pruner in PRUNERS[OPTUNA]:
        if pruner in PRUNERS[tuner]:
            assert choose(tuner, None, pruner).pruner == pruner
            continue
        with pytest.raises(WrongInput, match=f"--pruner {pruner}.*expected none"):
            choose(tuner, None, pruner)


def test_only_an_oracles_name_is_part_of_the_contract() -> None:
    assert choose(OPTUNA, "qmc", None).contract == {"tuner": "optuna"}
    contract = choose(KERAS_TUNER, "random", None).contract
    assert contract == {"tuner": "keras-tuner", "sampler": "random"}
    assert drawn_by(contract) == "KerasTuner's random oracle"
    assert drawn_by({}) == drawn_by({"tuner": "optuna"}) == "Optuna"


def test_a_project_directory_is_claimed_once_and_found_again(tmp_path: Path) -> None:
    place = tmp_path / "keras_tuner" / "mine"
    claim(place, "mine", HERE)
    (place / "oracle.json").write_text("{}")
    claim(place, "mine", HERE)
    assert (place / "oracle.json").exists()


def test_a_directory_of_another_study_is_refused_by_name_and_kept(tmp_path: Path) -> None:
    claim(tmp_path / "theirs", "theirs", OTHER)
    with pytest.raises(Refused) as refusal:
        claim(tmp_path / "theirs", "mine", HERE)
    for expected in ("'theirs'", "'mine'", str(tmp_path / "theirs"), "Next: move"):
        assert expected in str(refusal.value)
    claim(tmp_path / "theirs", "theirs", OTHER)


def test_a_directory_of_nobody_is_refused_unless_it_is_empty(tmp_path: Path) -> None:
    (tmp_path / "oracle.json").write_text("{}")
    with pytest.raises(Refused, match="of no study"):
        claim(tmp_path, "mine", HERE)
    (tmp_path / "oracle.json").unlink()
    (tmp_path / "study.json.part").write_text('{"stu')  # killed at the first attempt
    claim(tmp_path, "mine", HERE)
    claim(tmp_path, "mine", HERE)


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

    monkeypatch.setattr("search.conduct.conduct", conducted)
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
