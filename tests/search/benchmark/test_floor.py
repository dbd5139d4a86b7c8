"""The floor over the built-in year: measured by the real commands, kept, and shown honestly."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from experiments.smoke import SMALL
from models.baselines import BASELINES
from search.benchmark import floor
from search.benchmark.__main__ import main
from search.benchmark.floor import Cell, Networks, measure
from search.benchmark.floor_report import figure, lines
from search.common.errors import DONE, WRONG_INPUT
from search.figures import png
from tests.search.benchmark.samples import cell
from tests.search.mlflow_stores import empty_store


def test_a_table_marks_the_strongest_and_gives_a_network_with_its_interval() -> None:
    shown = lines([cell("q1", 1), cell("q2", 24, networks=False)])
    assert "| q1, 1 h | 300.0 | **48.0** |" in shown
    assert "| q2, 24 h | 300.0 | **48.0** |" in shown
    assert "| q1, 1 h | 52.0 (+4, -1 to +9) | 50, 50; 5 x 3 x 3 |" in shown
    assert "| q2, 24 h | - | - |" in shown
    assert "| q1, 1 h | 85.0%, 84.0% | 85.0%, 84.0% | 91.0%, 88.0% |" in shown
    both = "85.0%, 84.0%, 80.0% to 90.0%"
    assert f"| q2, 24 h | {both} | {both} | - |" in shown
    assert len(png(figure([cell("q1", 1), cell("q2", 24, networks=False)]))) > 10_000


def test_baselines_are_measured_once_and_shown_again(tmp_path: Path) -> None:
    options = ["--floor", "--period", "q2", "--horizons", "1", "--out", str(tmp_path), "--json"]
    done = CliRunner().invoke(main, options)
    assert done.exit_code == DONE, done.output
    (found,) = json.loads(done.stdout)
    assert list(found["baselines"]) == list(BASELINES) and found["windows"] == 404
    by_hour = found["baselines"]["ridge_by_hour"]
    assert by_hour["rmse"] == pytest.approx(48.7, rel=0.03)
    assert 0.85 < by_hour["covered"]["share"] < 0.95
    assert 0.85 < by_hour["covered"]["last_quarter"] < 0.95
    (kept,) = (tmp_path / "floor").iterdir()
    before = kept.stat().st_mtime_ns
    again = CliRunner().invoke(main, options)
    assert again.stdout == done.stdout and kept.stat().st_mtime_ns == before
    assert "**48" in (tmp_path / "floor.md").read_text()


def test_a_search_and_its_promotion_stand_beside_the_baselines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mlruns").mkdir()
    empty_store(tmp_path / "mlruns")
    monkeypatch.setattr(floor, "EXPERIMENT", "smoke")
    monkeypatch.setattr(floor, "PERIODS", {"six": ("six weeks", "2014-04-01", "2014-05-12")})
    monkeypatch.setattr(floor, "DOCUMENTED", (SMALL,))
    command = floor._command
    monkeypatch.setattr(  # each worker pays for TensorFlow's start
        *(floor, "_command"),
        lambda out, module, *words, allowed: command(
            *(out, module, *words, "--workers", "1"), allowed=allowed
        ),
    )
    said: list[str] = []

    def measured(networks: Networks) -> dict[str, Any]:
        *_, last = measure([Cell("six", 1)], networks, tmp_path, said.append)
        return last

    found = measured(Networks(trials=4, retest=(1, 1, 1)))
    assert found["made"] == {"trials": 4, "epochs": None, "retest": [1, 1, 1]}
    assert set(found["networks"]) == {"small", "search"}
    strongest = min(row["rmse"] for row in found["baselines"].values())
    for row in found["networks"].values():
        apart = row["difference"]
        assert apart["other"] == pytest.approx(strongest)
        assert apart["challenger"] == pytest.approx(row["rmse"], rel=1e-4)
        assert apart["low"] < apart["difference"] < apart["high"]
    assert 0.5 < found["networks"]["search"]["covered"]["share"] <= 1
    # What was measured is shown again without a search, and trained no second time.
    assert measured(Networks()) == found
    assert said == ["six-1h: baselines", "six-1h: a search of 4 trials, and its promotion"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--floor", "--tuners"), "give one of them"),
        (("--floor", "--budget", "full"), "--budget goes without --tuners or --pruners or --floor"),
        (("--trials", "5"), "--trials goes with --floor"),
        (("--floor", "--seeds", "3"), "--seeds goes with --tuners"),
        (("--floor", "--horizons", "0"), "whole numbers above 0"),
        (("--floor", "--retest", "5,3"), "finalists,seeds,folds"),
        (("--floor", "--period", "q5"), "q5"),
    ],
)
def test_options_of_another_comparison_are_refused(options: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(main, options)
    assert done.exit_code == WRONG_INPUT and said in done.stderr
