"""A winner, trained again by real workers, is registered with the inputs that it learned from."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data_pipeline.framing import Framing
from data_pipeline.load import load_series
from data_pipeline.source import DataSource
from data_pipeline.windows import prepare
from models.intervals import begin
from search.common.errors import DONE, WRONG_INPUT, Refused
from search.common.stores import Stores
from search.engine.opened_period import open_period
from search.engine.plan import Plan
from search.promote.candidates import Candidate
from search.promote.entrants import Entrant
from search.promote.final_test import refit
from search.promote.judging import judge
from search.promote.ranking import Ranked
from search.promote.registering import register
from search.serving.champion import champions_forecast
from search.serving.model_folder import model_files, raw_rows
from search.serving.registry import Registry
from search.serving.served import Forecaster
from search.training.pool import Crew
from search.training.pools import one_pool
from tests.search.mlflow_stores import empty_store
from tests.search.promote.commands import predict_here
from tests.search.samples import experiment, parameters

FRAMING = Framing(window=24, horizon=2)
SOURCE = DataSource(start="2014-04-01", end="2014-05-12")


def test_a_network_of_changes_is_promoted_with_the_numbers_it_was_judged_by(
    tmp_path: Path,
) -> None:
    from mlflow.tracking import MlflowClient

    series, report = load_series(SOURCE)
    tiny = experiment().model_copy(update={"source": SOURCE, "framing": FRAMING})
    plan = Plan(tiny, series, report, prepare(series, FRAMING))
    update = {"inputs": "changes", "target": "change", "lookback": 12}
    changes = parameters().model_copy(update=update)
    candidate = Candidate("trial_0", changes, 90.0, reference=False)
    chosen = Ranked(candidate, 95.0, 90.0, 99.0, seeds=2, epochs=2, luck=-2.0)
    (tmp_path / "networks").mkdir()
    begins = begin(np.full((40, 2), 40.0))
    with one_pool(series, FRAMING, Crew(2)) as pool:
        network = refit(plan, chosen, pool(), tmp_path / "networks", lambda line: None)
    entrant = Entrant(network.name, (network,), begins)
    assert entrant.inputs == "changes"

    uri = empty_store(tmp_path)
    stores = Stores(f"sqlite:///{tmp_path}/optuna.db", uri, tmp_path / "artifacts", tmp_path)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    kept = client.create_experiment("e", (tmp_path / "artifacts").as_uri())
    run = client.create_run(kept).info.run_id
    registry, judged = Registry(stores, "meter"), judge(entrant, open_period(plan), None)
    origins = judged.opened.prepared.held_out.origins
    with registry.held():
        version = register(plan, judged, registry, run, "a card", tmp_path)
        registry.put_in_service(version, None, {})
    found = champions_forecast(series, FRAMING, registry, origins)
    assert found is not None and found[0] == version
    np.testing.assert_allclose(found[1], entrant.forecast, rtol=1e-4)
    served = Forecaster(*model_files(tmp_path / "model"))
    assert served.facts["inputs"] == "changes" and len(served.facts["range"]) == 30
    coming = served.coming(raw_rows(series, SOURCE.time_name).iloc[: origins[-1]].tail(24 + 168))
    np.testing.assert_allclose(coming["forecast"], entrant.forecast[-1], rtol=1e-4)

    rows = raw_rows(series, SOURCE.time_name)
    asked = ("--data", "meter.csv", "--tracking-uri", uri)
    rows.iloc[: 24 + 168].to_csv(tmp_path / "meter.csv", index=False)
    done = predict_here(tmp_path, *asked)
    assert done.exit_code == DONE, done.stderr
    (first, _) = csv.DictReader(io.StringIO(done.stdout))
    of_these = served.coming(rows.iloc[: 24 + 168])["forecast"]
    assert float(first["forecast"]) == pytest.approx(of_these[0], rel=1e-5)
    rows.iloc[: 24 + 168 - 1].to_csv(tmp_path / "meter.csv", index=False)
    done = predict_here(tmp_path, *asked)
    assert done.exit_code == WRONG_INPUT
    assert "at least 192 hours (24 of the window and the 168 before it), found 191" in done.stderr

    # As if the rows were scaled or made by another way than that of the search.
    (tmp_path / "again").mkdir()
    moved = replace(network, forecast=network.forecast + 50.0)
    other = judge(Entrant(entrant.name, (moved,), begins), judged.opened, None)
    with registry.held(), pytest.raises(Refused, match="differently from the one that was judged"):
        register(plan, other, registry, run, "a card", tmp_path / "again")
