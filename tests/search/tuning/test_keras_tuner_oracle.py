"""KerasTuner's oracles behind a study: what they are told, Hyperband's epochs, how they end."""

import json
import shutil
from pathlib import Path

import pytest

from experiments.catalogue import CATALOGUE
from experiments.experiment import Experiment
from experiments.lstm_space import stacked_lstm_space
from search.common.errors import Refused
from search.common.records import Cause, Failure, State, TrialRecord
from search.tuning.keras_tuner_oracle import KerasTunerOracle
from search.tuning.study import Study
from tests.search.samples import error_of, experiment, of_two_points, result
from tests.search.studies import KERAS_TUNER, complete, open_study

DIED = Failure(Cause.WORKER_DIED, "its process ended with code -9")
DIVERGED = Failure(Cause.DIVERGED, "the loss is NaN")
BUG = Failure(Cause.OUR_BUG, "KeyError: 'x'", "Traceback: here it is")
NINE_EPOCHS = experiment(designs=(), trials=60).model_copy(update={"epochs": 9})


def _told(place: Path) -> dict[str, tuple[str, float | None]]:
    """Status and score of each trial, as the project directory shows them."""
    found = {}
    for path in (place / "project").glob("trial_*/trial.json"):
        trial = json.loads(path.read_text())
        found[trial["trial_id"]] = (trial["status"], trial["score"])
    return found


def _open(place: Path, oracle: str, what: Experiment | None = None) -> Study:
    return open_study(place, what, sampler=KERAS_TUNER + oracle)


def test_the_documents_designs_are_told_as_completed_trials(tmp_path: Path) -> None:
    study = _open(tmp_path, "bayesian", CATALOGUE["power_usage"])
    told = complete(study, 5)
    assert [record.design for record in told] == ["main", "main2", "main3", "change", ""]
    scores = [record.result.objective for record in told if record.result]
    names = ["design-0", "design-1", "design-2", "design-3", "0004"]
    expected = {name: ("COMPLETED", score) for name, score in zip(names, scores, strict=True)}
    assert _told(tmp_path) == expected


def test_failures_are_told_as_such_once_no_attempt_follows(tmp_path: Path) -> None:
    study = _open(tmp_path, "random", experiment(designs=()))
    first, second = study.ask(), study.ask()
    study.tell(first.number, DIVERGED)
    study.tell(second.number, DIED)
    assert _told(tmp_path) == {"0000": ("FAILED", None), "0001": ("RUNNING", None)}
    again = study.ask()
    assert again.retry_of == second.number and again.proposal == "0001"
    study.tell(again.number, result(0.02))
    assert _told(tmp_path)["0001"] == ("COMPLETED", 0.02)


def test_many_failures_in_a_row_do_not_make_the_oracle_give_up(tmp_path: Path) -> None:
    study = _open(tmp_path, "random", experiment(designs=()))
    for _ in range(8):
        told = study.tell(study.ask().number, BUG)
        assert told.failure == BUG and told.state is State.FAILED
    assert study.ready()


def test_the_bayesian_oracle_learns_and_goes_on_after_a_resume(tmp_path: Path) -> None:
    what = experiment(designs=(), trials=60).model_copy(
        update={
            "space": stacked_lstm_space(
                units=(2, 64), layers=(1, 1), dropout=(0.1, 0.1), batch_sizes=(32,)
            )
        }
    )
    random_points = 3 * len(what.space.dimensions)
    study = _open(tmp_path, "bayesian", what)
    errors = sorted(error_of(record.flat) for record in complete(study, random_points))
    shutil.copytree(tmp_path, tmp_path / "later")
    learnt = study.ask()
    assert what.space.problems(learnt.flat) == []
    assert error_of(learnt.flat) < errors[len(errors) // 2]
    # Opened again it draws what it would have drawn; KerasTuner's own resume would not.
    assert _open(tmp_path / "later", "bayesian", what).ask().flat == learnt.flat


def _epochs(record: TrialRecord) -> int:
    assert record.parameters is not None
    return record.parameters.epochs


def test_hyperband_trains_the_best_of_a_round_again_for_longer(tmp_path: Path) -> None:
    told = complete(_open(tmp_path, "hyperband", NINE_EPOCHS), 13)
    rounds = {epochs: [r for r in told if _epochs(r) == epochs] for epochs in (1, 3, 9)}
    assert [len(found) for found in rounds.values()] == [9, 3, 1]
    for shorter, longer in ((1, 3), (3, 9)):
        ranked = sorted(rounds[shorter], key=lambda record: error_of(record.flat))
        best = ranked[: len(rounds[longer])]
        assert [r.flat for r in rounds[longer]] == [r.flat for r in best]
        # The same seed: it passes through the epochs of the shorter training.
        assert [r.seed for r in rounds[longer]] == [r.seed for r in best]
    assert len({record.seed for record in rounds[1]}) == 9


def test_hyperbands_longer_training_is_no_repeat(tmp_path: Path) -> None:
    study = _open(tmp_path, "hyperband", NINE_EPOCHS)
    complete(study, 9)
    longer = study.ask()
    assert _epochs(longer) == 3 and study.known(longer) is None


@pytest.mark.parametrize("cut", [4, 11])
def test_hyperband_goes_on_in_its_brackets_after_any_end(tmp_path: Path, cut: int) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    expected = complete(_open(whole, "hyperband", NINE_EPOCHS), 15)
    resumed = complete(_open(tmp_path, "hyperband", NINE_EPOCHS), cut)
    (tmp_path / "project" / "oracle.json").write_text("{torn")  # nobody reads it
    resumed += complete(_open(tmp_path, "hyperband", NINE_EPOCHS), 15 - cut)
    assert [(r.flat, r.seed, _epochs(r)) for r in resumed] == [
        (r.flat, r.seed, _epochs(r)) for r in expected
    ]


def test_a_proposal_lost_between_bracket_and_queue_is_drawn_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = _open(tmp_path, "hyperband", NINE_EPOCHS)
    complete(study, 3)

    def crash(*_args: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(study._study, "enqueue_trial", crash)
        with pytest.raises(KeyboardInterrupt):
            study.ask()
    told = complete(_open(tmp_path, "hyperband", NINE_EPOCHS), 10)
    assert [_epochs(record) for record in told] == [1] * 6 + [3] * 3 + [9]


def test_a_queued_proposal_outlives_the_process(tmp_path: Path) -> None:
    what = experiment(designs=())
    study = _open(tmp_path, "random", what)
    complete(study, 1)
    assert study.ready()
    again = _open(tmp_path, "random", what)
    names = [again.ask().proposal for _ in range(3)]
    assert names == ["0001", "0002", "0003"]


def test_hyperband_in_parallel_neither_waits_for_ever_nor_repeats_a_running_trial(
    tmp_path: Path,
) -> None:
    study = _open(tmp_path, "hyperband", NINE_EPOCHS)
    running: list[TrialRecord] = []
    for _ in range(20):
        while len(running) < 4 and study.ready():
            running.append(study.ask())
        points = [(tuple(sorted(r.flat.items())), _epochs(r)) for r in running]
        assert len(set(points)) == len(points) == 4
        ended = running.pop(0)
        study.tell(ended.number, result(error_of(ended.flat)))
    assert study.finished == 20


def test_a_space_of_two_points_is_exhausted_with_a_message(tmp_path: Path) -> None:
    study = _open(tmp_path, "random", of_two_points())
    complete(study, 2)
    assert not study.ready()
    with pytest.raises(Refused, match=r"random oracle proposes no further point.*after 2") as error:
        study.ask()
    assert "--trials" in str(error.value) and "--study NAME" in str(error.value)
    assert study.finished == 2 and study.running == 0


def test_an_error_inside_an_oracle_is_not_swallowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_named: object) -> None:
        raise ZeroDivisionError("ours")

    study = _open(tmp_path, "random", experiment(designs=()))
    asked = study.ask()
    monkeypatch.setattr("search.tuning.keras_tuner_oracle.suggest", broken)
    with pytest.raises(ZeroDivisionError):
        study.ask()
    monkeypatch.setattr(KerasTunerOracle, "end", broken)
    with pytest.raises(ZeroDivisionError):
        study.tell(asked.number, result())


@pytest.mark.parametrize("oracle", ["random", "bayesian", "hyperband"])
def test_nothing_is_printed(tmp_path: Path, oracle: str, capfd: pytest.CaptureFixture[str]) -> None:
    study = _open(tmp_path, oracle, experiment(designs=()))
    complete(study, 2)
    study.tell(study.ask().number, DIVERGED)
    assert capfd.readouterr() == ("", "")


def test_a_directory_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "project").write_text("a file, where the directory should be")
    study = _open(tmp_path, "random", experiment(designs=()))
    with pytest.raises(OSError, match="project"):
        study.ask()
