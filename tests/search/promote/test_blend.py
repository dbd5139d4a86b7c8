"""A network that is promoted as a blend with the strongest baseline, and one that is refused."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from data_pipeline.load import load_series
from data_pipeline.windows import open_test
from experiments.catalogue import CATALOGUE
from models.metrics import scores
from search.common.errors import DONE
from search.promote import contender, promotion
from search.results import bootstrap
from search.results.baselines import FloorRetest, retest_floor
from search.serving.model_folder import forecast_windows, model_files, raw_rows
from tests.search.command import mlflow_runs, query
from tests.search.promote.commands import FITTED, PROMOTE, predict_here, promote_here, write_meter

FloatArray = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def blended(refused: tuple[Path, dict[str, Any]]) -> tuple[Path, dict[str, Any], str]:
    """The same study, as if its networks had missed where the baseline hit in the re-test.

    Everything is real but the re-test's errors: the networks are trained again, blended, judged on
    the test hours, and put into service by force.
    """
    place, floors = refused[0], list[FloorRetest]()
    real = retest_floor

    def watched(*given: Any) -> FloorRetest:
        floors.append(real(*given))
        return floors[-1]

    def opposite(*_: object) -> list[FloatArray]:
        return [-0.9 * fold for fold in floors[-1].residuals[floors[-1].strongest]]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(promotion, "retest_floor", watched)
        patch.setattr(contender, "fold_residuals", opposite)
        # Two folds of this study hold six days.
        patch.setattr(bootstrap, "FEWEST_BLOCKS", 6)
        done = promote_here(place, *PROMOTE, "--force", "--json")
    assert done.exit_code == DONE, done.stderr
    write_meter(place)
    return place, json.loads(done.stdout), done.stderr


def test_a_network_worse_than_the_baseline_is_judged_in_a_blend_that_is_better_than_it(
    refused: tuple[Path, dict[str, Any]],
) -> None:
    found = refused[1]
    combined, alone = found["retest_blend"], found["retest_network"]
    assert alone["low"] > 0, "these networks are measurably worse than the floor"
    assert alone["name"] == next(iter(found["retest_baselines"]))
    assert found["kind"] == "blend" and not found["promoted"]
    network, floor = found["parts"]
    assert network["name"] == found["retest"][0]["name"] and floor["name"] == alone["name"]
    assert found["winner"] == f"{network['name']} + {floor['name']}"
    assert network["weight"] == combined["weight"]
    from_network, from_floor = combined["compared"]
    assert (from_network["name"], from_floor["name"]) == (network["name"], floor["name"])
    assert from_network["high"] < 0 and not combined["pays"]
    assert not found["payoff"]["blend_pays"] and not found["payoff"]["blend_safer"]


def test_a_blend_that_is_better_than_both_is_what_is_judged(
    blended: tuple[Path, dict[str, Any], str],
) -> None:
    place, found, said = blended
    assert found["promoted"] and found["kind"] == "blend"
    network, floor = found["parts"]
    assert found["winner"] == f"{network['name']} + {floor['name']}" and floor["name"] in FITTED
    # The errors are opposite, the network's nine tenths of the baseline's.
    combined = found["retest_blend"]
    assert combined["pays"] and combined["fitted"]
    assert network["weight"] == combined["weight"] == pytest.approx(1 / 1.9, abs=5e-4)
    assert network["weight"] + floor["weight"] == pytest.approx(1.0)
    for part in found["parts"]:
        assert part["rmse"] == pytest.approx(found["scores"][part["name"]]["rmse"])
    assert "It is measurably better than both, so it is what may be promoted." in said
    assert f"is opened, for the second time, for {found['winner']}." in said
    assert "does not beat the best baseline" in found["objections"][0]
    # What the re-test says of an LSTM on these data is kept with the study.
    assert found["payoff"]["where"] == "retest" and found["payoff"]["folds"] == 2
    assert found["payoff"]["blend_pays"] and found["payoff"]["weight"] == network["weight"]
    page = next(r for r in mlflow_runs(place) if r.get("mlflow.runName") == "smoke")
    assert "what pays is a blend" in page["mlflow.note.content"]


def test_what_serves_forecasts_the_numbers_that_were_judged(
    blended: tuple[Path, dict[str, Any], str],
) -> None:
    place, found, _ = blended
    (kept,) = (place / "mlruns" / "artifacts").rglob("data/forecaster/model.keras")
    folder = kept.parents[2]
    facts = json.loads(model_files(folder)[1].read_text())
    assert [part["weight"] for part in facts["parts"]] == [p["weight"] for p in found["parts"]]
    smoke = CATALOGUE["smoke"]
    series, _ = load_series(smoke.source)
    opened = open_test(series, smoke.framing)
    origins = opened.held_out.origins
    forecast = forecast_windows(folder, raw_rows(series, facts["time"]), origins)
    judged = scores(series.target[origins][:, None], forecast, 1.0)
    assert judged.rmse == pytest.approx(found["scores"]["this model"]["rmse"], rel=1e-5)


def test_a_blends_card_run_and_history_name_its_parts(
    blended: tuple[Path, dict[str, Any], str],
) -> None:
    place, found, _ = blended
    database = place / "mlruns" / "mlflow.db"
    ((card, run),) = query(database, "select description, run_id from model_versions")
    network, floor = found["parts"]
    text = f"{network['weight']:g} x {network['name']} + {floor['weight']:g} x {floor['name']}"
    assert f"This model is a blend: {text}." in card
    assert f"plus {floor['weight']:g} times {floor['name']}, a baseline" in card
    assert "A blend of " in card and "Limits:" in card
    tags = dict(query(database, f"select key, value from tags where run_uuid = '{run}'"))
    assert tags["parts"] == text
    metrics = dict(
        query(database, f"select key, value from latest_metrics where run_uuid = '{run}'")
    )
    assert metrics["network_weight"] == network["weight"]
    assert metrics["test_rmse_network"] == pytest.approx(network["rmse"])
    assert metrics[f"test_rmse_{floor['name']}"] == pytest.approx(floor["rmse"])
    (event,) = json.loads(promote_here(place, "--history", "--json").stdout)
    assert event["details"]["parts"] == found["parts"]


def test_a_blend_predicts_and_is_judged_on_past_hours(
    blended: tuple[Path, dict[str, Any], str],
) -> None:
    place = blended[0]
    done = predict_here(place, "--data", "meter.csv")
    assert done.exit_code == DONE, done.stderr
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert float(row["low"]) < float(row["forecast"]) < float(row["high"])
    back = predict_here(place, "--data", "meter.csv", "--backtest")
    rows = list(csv.DictReader(io.StringIO(back.stdout)))
    assert back.exit_code == DONE and rows[0]["forecast"] == "champion"
