"""The best baseline in service where the gate refuses the network: the real commands."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from search.common.errors import DONE, REFUSED_OR_FAILED
from search.promote import entrants
from tests.search.command import environment, query
from tests.search.promote.commands import FITTED, PROMOTE, promote_here, write_meter


@pytest.fixture(scope="module")
def served_best(refused: tuple[Path, dict[str, Any]]) -> tuple[Path, dict[str, Any]]:
    """A folder with a smoke study whose network was re-tested and refused, and a baseline served.

    The networks learn next to nothing, so without more ado none would be trained again.
    """
    place = refused[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entrants, "FAR", 1e9)
        done = promote_here(place, *PROMOTE, "--serve-best", "--json")
    assert done.exit_code == DONE, done.stderr
    write_meter(place)
    return place, json.loads(done.stdout)


def test_the_best_baseline_is_served_where_the_network_is_refused(
    served_best: tuple[Path, dict[str, Any]],
) -> None:
    place, found = served_best
    assert found["promoted"] and found["kind"] == "baseline" and found["winner"] in FITTED
    assert found["winner"] == next(iter(found["retest_baselines"]))
    (objection,) = found["network_objections"]
    assert "does not beat the best baseline" in objection and found["objections"] == []
    assert len(found["retest"]) == 2 and found["retest"][0]["name"] in found["scores"]
    (event,) = json.loads(promote_here(place, "--history", "--json").stdout)
    assert event["details"]["winner"] == found["winner"] and not event["details"]["objections"]
    ((card,),) = query(place / "mlruns" / "mlflow.db", "select description from model_versions")
    assert f"by {found['winner']}, a baseline" in card and "Limits:" in card
    (kept,) = (place / "mlruns" / "artifacts").rglob("data/forecaster/model.json")
    assert json.loads(kept.read_text())["kind"] in ("linear", "trees", "mean")


def test_a_served_baseline_forecasts_without_tensorflow(
    served_best: tuple[Path, dict[str, Any]],
) -> None:
    place = served_best[0]
    code = (
        "import sys; from search import predict\n"
        "sys.argv[1:] = ['--data', 'meter.csv']\n"
        "try: predict.main()\n"
        "finally: print('tensorflow' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=place,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == DONE, done.stderr
    assert done.stderr.splitlines()[-1] == "False"
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert float(row["low"]) < float(row["forecast"]) < float(row["high"])
    assert "by force" not in done.stderr


def test_who_is_far_behind_is_told_before_anything_is_trained(
    served_best: tuple[Path, dict[str, Any]],
) -> None:
    place = served_best[0]
    done = promote_here(place, *PROMOTE, "--dry-run")
    assert done.exit_code == DONE
    assert "the finalist is far behind, and the gate will most likely refuse it" in done.stdout
    assert "--study smoke --serve-best" in done.stdout


def test_without_a_network_in_reach_none_is_trained_and_the_champion_is_not_replaced_by_itself(
    served_best: tuple[Path, dict[str, Any]],
) -> None:
    place = served_best[0]
    again = promote_here(place, *PROMOTE, "--serve-best", "--quiet")
    assert again.exit_code == REFUSED_OR_FAILED
    assert "no network is trained again" in again.stderr
    assert "it forecasts the same as the champion" in again.stdout
    assert "What is in service stays there." in again.stdout
