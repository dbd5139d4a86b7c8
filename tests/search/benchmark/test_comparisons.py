"""Tuners and pruners compared by replay: all play, the numbers decide, the command writes it."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from click.testing import CliRunner

from experiments.lstm_space import to_flat
from models.parameters import TrialParameters
from search.benchmark import __main__ as benchmark
from search.benchmark.comparisons import (
    DEFAULT,
    DEFAULT_PRUNER,
    TUNERS,
    UNPRUNED,
    WARM_UPS,
    advise,
    figure,
    pruner_lines,
    pruner_table,
    tuner_lines,
    tuner_table,
    tuners_here,
    with_pruner,
)
from search.benchmark.curves import FloatArray
from search.benchmark.replay import Replayed, ReplayPool, replay
from search.benchmark.replay_contest import Contest, Contestant
from search.common.drawing import KERAS_TUNER, OPTUNA, PRUNERS, SAMPLERS
from search.common.errors import DONE, WRONG_INPUT
from search.figures import png
from search.tuning.factory import missing_packages
from tests.search.command import environment
from tests.search.samples import EPOCHS, error_of, experiment, facts

OTHER, THIRD = (one for one in TUNERS if one.name in ("optuna random", "keras-tuner hyperband"))


def train(point: TrialParameters, seed: int) -> tuple[FloatArray, float]:
    """A curve that falls to the point's error; one second an epoch."""
    del seed
    return error_of(to_flat(point)) * (1 + 3 / np.arange(1, EPOCHS + 1)), 1.0


def test_all_samplers_and_oracles_are_compared_and_the_default_is_among_them() -> None:
    drawn = {(one.drawing.tuner, one.drawing.sampler) for one in TUNERS}
    assert drawn == {(tuner, name) for tuner, names in SAMPLERS.items() for name in names}
    assert DEFAULT.drawing.pruner == PRUNERS[OPTUNA][0] and DEFAULT in TUNERS
    assert len({one.name for one in TUNERS}) == len(TUNERS)
    there, absent = tuners_here()
    assert len(there) + len(absent) == len(TUNERS)


@pytest.mark.parametrize("one", TUNERS, ids=lambda one: one.name)
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
    rows, advice = tuner_table(played, (1.0,)), advise(played, 1.0)
    assert (advice.leader, advice.equal, advice.recommended) == (OTHER.name, (), OTHER.name)
    assert [row.rank for row in rows] == [1.0, 2.5, 2.5]
    assert (rows[0].rank_low, rows[0].rank_high) == (1.0, 1.0)
    assert rows[1].rank_low < 2.5 < rows[1].rank_high
    by_name = {row.name: row for row in rows}
    assert by_name[DEFAULT.name].ratio is None
    ratio = by_name[OTHER.name].ratio
    assert ratio is not None and ratio.value == pytest.approx(0.512, abs=0.001)
    assert ratio.low < ratio.value < ratio.high < 1
    text = "\n".join(tuner_lines(played, rows, advice, (1.0,), 3))
    assert f"Recommended: {OTHER.name}, not {DEFAULT.name}." in text
    assert "300 measured curves of 25 epochs; on unseen trials: r2 0.900" in text


def test_a_default_that_is_not_measurably_worse_stays() -> None:
    played = contest({DEFAULT: [4.0, 2.0, 3.0], OTHER: [2.0, 3.0, 2.5], THIRD: [9.0, 9.0, 9.1]})
    advice = advise(played, 1.0)
    assert advice.leader == OTHER.name and advice.recommended == DEFAULT.name
    assert advice.equal == (DEFAULT.name,)


@pytest.mark.parametrize("dashed", [DEFAULT, DEFAULT_PRUNER])
def test_the_figure_has_a_panel_for_each_and_copes_with_a_late_start(dashed: Contestant) -> None:
    played = contest({dashed: [4.0, 4.2], OTHER: [2.0, 2.1], THIRD: [4.0, 4.3]})
    drawn = figure(played, 2.0)
    assert [axes.get_title(loc="left") for axes in drawn.axes if axes.get_visible()] == [
        dashed.name,
        OTHER.name,
        THIRD.name,
    ]
    assert [line.get_label() for line in drawn.axes[1].lines][1:] == [dashed.name]
    assert png(drawn).startswith(b"\x89PNG")


def test_the_table_of_pruners_pairs_by_seed() -> None:
    def of(best: float, missed: float) -> Replayed:
        return Replayed(tuple((30.0 * n, best) for n in range(1, 51)), 10, missed)

    better = with_pruner("median", 4)
    short = Replayed(of(9e-4, np.inf).steps[:30], 0, np.inf)
    played = {
        DEFAULT_PRUNER: [of(4e-4, np.inf), of(1e-4, np.inf)],
        UNPRUNED: [short, short],
        better: [of(1e-4, 2e-4), of(0.26e-4, 1e-5)],
    }
    played_all = Contest(played, 1000.0, "MW", 30, 25, {"r2": 0.9})
    rows = pruner_table(played_all, (10.0, 20.0))
    assert rows[0].ratios == (None, None)
    none = rows[1].ratios[1]
    assert none is not None and none.value == pytest.approx(np.sqrt(9 / 2))
    assert (rows[1].minutes_50, rows[1].at_50, rows[1].ratio_50) == (None, None, None)
    ratio, ratio_50 = rows[2].ratios[1], rows[2].ratio_50
    assert ratio is not None and ratio.value == pytest.approx(0.505, abs=0.001)
    assert rows[0].errors[0] == pytest.approx(np.sqrt(200))
    assert rows[2].missed == 0.5 and rows[2].minutes_50 == pytest.approx(25.0)
    assert rows[2].at_50 == pytest.approx(1000 * (1e-4 * 0.26e-4) ** 0.25)
    assert rows[0].ratio_50 is None
    assert ratio_50 is not None and ratio_50.value == pytest.approx(0.505, abs=0.001)
    said, *text = pruner_lines(played_all, rows, (10.0, 20.0))
    assert said.startswith("30 measured curves of 25 epochs")
    assert text[2].startswith("| median, 8 epochs | 50 | 20% |") and "| 14.1 |" in text[2]
    assert text[3].startswith("| none | 30 | 0% |") and "| longer |" in text[3]
    assert "median, 4 epochs" in text[4] and "0.505" in text[4]
    assert len({line.count("|") for line in text}) == 1


def run(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "search.benchmark", *words]
    return subprocess.run(
        command, cwd=place, env=environment(), capture_output=True, text=True, check=False
    )


def test_the_command_compares_them_all_and_writes_table_figure_and_facts(tmp_path: Path) -> None:
    words = ["--tuners", "--seeds", "2", "--minutes", "0.5,0.6", "--out", "here"]
    # In this process, which has TensorFlow; one of pruners below is played by processes.
    with contextlib.chdir(tmp_path), joblib.parallel_config(backend="sequential"):
        done = CliRunner().invoke(benchmark.main, words)
    assert done.exit_code == DONE, done.stderr
    there, absent = tuners_here()
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


def test_the_command_compares_a_pruner_with_the_default_and_with_none(tmp_path: Path) -> None:
    words = (
        "--pruners",
        "--pruner",
        "halving",
        "--seeds",
        "2",
        "--minutes",
        "0.5",
        "--out",
        "here",
    )
    done = run(tmp_path, *words)
    assert done.returncode == DONE, done.stderr
    found = json.loads((tmp_path / "here" / "pruners.json").read_text())
    names = ["median, 8 epochs", "none", *(f"halving, {n} epochs" for n in WARM_UPS)]
    assert [row["pruner"] for row in found["table"]] == names == list(found["searches"])
    assert (tmp_path / "here" / "pruners.txt").read_text() == done.stdout
    assert (tmp_path / "here" / "pruners.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--tuners", "--budget", "full"), "--budget goes without --tuners"),
        (("--tuners", "--pruners"), "give one of them"),
        (("--tuners", "--pruner", "median"), "--pruner goes with --pruners"),
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
