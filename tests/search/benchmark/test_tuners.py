"""Tuners compared by replay: every one plays, the numbers decide, and the command writes it all."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments.lstm_space import to_flat
from models.parameters import TrialParameters
from search.benchmark.curves import FloatArray
from search.benchmark.replay import Replayed, ReplayPool, replay
from search.benchmark.replay_contest import Contest, Contestant
from search.benchmark.tuners import ALL, DEFAULT, advise, contestants, figure, lines, table
from search.common.drawing import KERAS_TUNER, OPTUNA, PRUNERS, SAMPLERS
from search.common.errors import DONE, WRONG_INPUT
from search.figures import png
from search.tuning.factory import missing_packages
from tests.search.command import environment
from tests.search.samples import EPOCHS, error_of, experiment, facts

OTHER, THIRD = (one for one in ALL if one.name in ("optuna random", "keras-tuner hyperband"))


def train(point: TrialParameters, seed: int) -> tuple[FloatArray, float]:
    """A curve that falls to the point's error; one second an epoch."""
    del seed
    return error_of(to_flat(point)) * (1 + 3 / np.arange(1, EPOCHS + 1)), 1.0


def test_all_samplers_and_oracles_are_compared_and_the_default_is_among_them() -> None:
    drawn = {(one.drawing.tuner, one.drawing.sampler) for one in ALL}
    assert drawn == {(tuner, name) for tuner, names in SAMPLERS.items() for name in names}
    assert DEFAULT.drawing.pruner == PRUNERS[OPTUNA][0] and DEFAULT in ALL
    assert len({one.name for one in ALL}) == len(ALL)
    there, absent = contestants()
    assert len(there) + len(absent) == len(ALL)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_every_contestant_plays_and_finds_something_better(one: Contestant) -> None:
    if missing_packages(one.drawing):
        pytest.skip("needs " + ", ".join(missing_packages(one.drawing)))
    pool = ReplayPool(train, 2, 0.5, 1e9)
    drawn = experiment(trials=24).model_copy(update={"designs": ()})
    found = replay(drawn, facts(), pool, one.drawing)
    best = [error for _, error in found.steps]
    assert len(found.steps) == 24
    assert best == sorted(best, reverse=True) and best[-1] < best[0]
    # Hyperband's first trials get fewer epochs, so the same number of trials takes less time.
    whole = all(at % (EPOCHS + 0.5) == 0 for at, _ in found.steps)
    assert whole is not (one.drawing.sampler == "hyperband" or found.pruned > 0)


def contest(errors: dict[Contestant, list[float]]) -> Contest:
    """Searches that find their error in the first minute and nothing after."""
    return Contest(
        {
            one: [Replayed(((30.0, best**2),), 0, np.inf) for best in of]
            for one, of in errors.items()
        },
        1.0,
        "MW",
        300,
        25,
        {"r2": 0.9},
    )


def test_the_better_tuner_leads_and_is_recommended() -> None:
    played = contest({DEFAULT: [4.0, 4.2, 4.1], OTHER: [2.0, 2.1, 2.2], THIRD: [4.0, 4.3, 4.0]})
    rows, advice = table(played, (1.0,)), advise(played, 1.0)
    assert (advice.leader, advice.equal, advice.recommended) == (OTHER.name, (), OTHER.name)
    assert [row.rank for row in rows] == [1.0, 2.5, 2.5]
    assert (rows[0].rank_low, rows[0].rank_high) == (1.0, 1.0)
    assert rows[1].rank_low < 2.5 < rows[1].rank_high
    by_name = {row.name: row for row in rows}
    assert by_name[DEFAULT.name].ratio is None
    ratio = by_name[OTHER.name].ratio
    assert ratio is not None and ratio.value == pytest.approx(0.512, abs=0.001)
    assert ratio.low < ratio.value < ratio.high < 1
    text = "\n".join(lines(played, rows, advice, (1.0,), 3))
    assert f"Recommended: {OTHER.name}, not {DEFAULT.name}." in text
    assert "300 measured curves of 25 epochs; on trials not seen: r2 0.900" in text


def test_a_default_that_is_not_measurably_worse_stays() -> None:
    played = contest({DEFAULT: [4.0, 2.0, 3.0], OTHER: [2.0, 3.0, 2.5], THIRD: [9.0, 9.0, 9.1]})
    advice = advise(played, 1.0)
    assert advice.leader == OTHER.name and advice.recommended == DEFAULT.name
    assert advice.equal == (DEFAULT.name,)


def test_the_figure_has_a_panel_for_each_and_copes_with_a_late_start() -> None:
    played = contest({DEFAULT: [4.0, 4.2], OTHER: [2.0, 2.1], THIRD: [4.0, 4.3]})
    drawn = figure(played, 2.0)
    assert [axes.get_title(loc="left") for axes in drawn.axes if axes.get_visible()] == [
        DEFAULT.name,
        OTHER.name,
        THIRD.name,
    ]
    assert png(drawn).startswith(b"\x89PNG")


def run(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "search.benchmark", *words]
    return subprocess.run(
        command, cwd=place, env=environment(), capture_output=True, text=True, check=False
    )


def test_the_command_compares_them_all_and_writes_table_figure_and_facts(tmp_path: Path) -> None:
    done = run(tmp_path, "--tuners", "--seeds", "2", "--minutes", "4,6", "--out", "here")
    assert done.returncode == DONE, done.stderr
    there, absent = contestants()
    for one in there:
        assert f"| {one.name} |" in done.stdout
    for line in absent:
        assert line in done.stderr
    found = json.loads((tmp_path / "here" / "tuners.json").read_text())
    assert [row["name"] for row in found["table"]] != []
    assert set(found["searches"]) == {one.name for one in there}
    assert found["advice"]["recommended"] in done.stdout
    assert (tmp_path / "here" / "tuners.txt").read_text() == done.stdout
    assert (tmp_path / "here" / "tuners.png").read_bytes().startswith(b"\x89PNG")
    assert KERAS_TUNER in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--tuners", "--budget", "full"), "--budget goes without --tuners"),
        (("--seeds", "3"), "--seeds goes with --tuners"),
        (("--tuners", "--minutes", "5,x"), "expected minutes with commas"),
        (("--tuners", "--minutes", "nan"), "expected minutes above 0"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = run(tmp_path, *words)
    assert done.returncode == WRONG_INPUT and said in done.stderr
    assert "Traceback" not in done.stderr and list(tmp_path.iterdir()) == []
