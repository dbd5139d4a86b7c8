"""Models that read columns ahead: served as judged, with the coming hours or not at all."""

import csv
import io
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_pipeline.framing import Framing
from data_pipeline.inputs import INPUTS, Inputs
from data_pipeline.load import load_series
from data_pipeline.source import DataSource
from data_pipeline.windows import open_test, prepare
from models.build import build, plain_copy
from models.fit import predict
from models.intervals import begin
from search.common.errors import DONE, WRONG_INPUT
from search.common.stores import Stores
from search.engine.opened_period import open_period
from search.engine.plan import Plan
from search.promote.entrants import Entrant, baseline_part
from search.promote.judging import judge
from search.promote.registering import register
from search.serving.model_folder import facts_of, model_files, raw_rows
from search.serving.registry import Registry
from search.serving.served import Forecaster, WrongRows, hours_needed
from tests.search.command import environment
from tests.search.mlflow_stores import empty_store
from tests.search.promote.commands import predict_here
from tests.search.samples import experiment, parameters

HORIZON = 5
FRAMING = Framing(window=24, horizon=HORIZON)
# Good Friday to Easter Monday and Anzac Day are among the test hours.
SOURCE = DataSource(
    start="2014-02-25", end="2014-04-28", known_ahead=("Temperature",), holidays="AU-VIC"
)


def _at(rows: pd.DataFrame, origin: int) -> pd.DataFrame:
    """What is known at an origin: rows before it, and the weather of the hours from it on."""
    known = rows.iloc[: origin + HORIZON].copy()
    known.loc[known.index >= origin, "Usage"] = np.nan
    return known


@pytest.mark.parametrize("inputs", INPUTS)
def test_a_network_is_served_as_it_was_judged(tmp_path: Path, inputs: Inputs) -> None:
    series, _ = load_series(SOURCE)
    prepared = open_test(series, FRAMING, inputs)
    network = plain_copy(build(parameters((3,)), 24, len(prepared.columns), HORIZON, seed=1))
    network.save(tmp_path / "network.keras")
    tracker = begin(np.ones((20, HORIZON))).as_plain()
    until = series.local[-1].isoformat()
    interval = {"begin": tracker, "end": tracker, "until": until}
    scaler, learned = prepared.scaler, prepared.train_rows
    facts = facts_of(series, FRAMING, scaler, learned, "Date", None, interval, inputs)
    assert facts["features"] == ["Temperature", "holiday"]
    assert (facts["known_ahead"], facts["holidays"]) == (["Temperature"], "AU-VIC")
    (tmp_path / "facts.json").write_text(json.dumps(facts))
    served = Forecaster(tmp_path / "network.keras", tmp_path / "facts.json")

    expected = scaler.inverse_target(predict(network, prepared.held_out.x))
    rows, origins = raw_rows(series, "Date"), prepared.held_out.origins
    assert list(rows) == ["Date", "Temperature", "Usage"]
    _, local, values = served.read(rows)
    np.testing.assert_allclose(served.forecast(local, values, origins), expected, rtol=1e-5)
    eve = int(np.flatnonzero(series.local[origins] == pd.Timestamp("2014-04-17 22:00"))[0])
    for row in (0, eve, -1):
        coming = served.coming(_at(rows, origins[row]))
        np.testing.assert_allclose(coming["forecast"], expected[row], rtol=1e-5)
        assert coming["Date"].iloc[0] == series.local[origins[row]].isoformat()

    other = _at(rows, origins[eve])
    warmer = other["Temperature"].to_numpy(np.float64, copy=True)
    warmer[-1] += 10.0
    other["Temperature"] = warmer
    assert np.abs(served.coming(other)["forecast"] - expected[eve]).max() > 1e-3
    for less in (1, HORIZON):
        with pytest.raises(WrongRows, match=f"found {HORIZON - less} such row"):
            served.coming(_at(rows, origins[eve]).iloc[:-less])
    other.loc[other.index[-2], "Temperature"] = np.nan
    with pytest.raises(WrongRows, match="'Temperature': expected a number, found nan"):
        served.coming(other)


@dataclass(frozen=True)
class Promoted:
    place: Path
    uri: str
    rows: pd.DataFrame
    origins: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    forecast: np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@pytest.fixture(scope="module")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> Promoted:
    """A linear model in service."""
    from mlflow.tracking import MlflowClient

    place = tmp_path_factory.mktemp("promoted")
    series, report = load_series(SOURCE)
    tiny = experiment().model_copy(update={"source": SOURCE, "framing": FRAMING})
    plan = Plan(tiny, series, report, prepare(series, FRAMING))
    opened = open_period(plan)
    name = "ridge_by_hour"
    part = baseline_part(name, opened.fitted[name], opened.baselines[name], place)
    judged = judge(Entrant(name, (part,), begin(np.ones((40, HORIZON)))), opened, None)
    uri = empty_store(place)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    kept = client.create_experiment("e", (place / "artifacts").as_uri())
    run = client.create_run(kept).info.run_id
    registry = Registry(Stores(f"sqlite:///{place}/o.db", uri, place / "artifacts", place), "meter")
    with registry.held():
        version = register(plan, judged, registry, run, "a card", place)
        registry.put_in_service(version, None, {})
    origins = opened.prepared.held_out.origins
    return Promoted(place, uri, raw_rows(series, "Date"), origins, part.forecast)


def _predict(promoted: Promoted, rows: pd.DataFrame, *options: str) -> tuple[int, str, list[float]]:
    rows.to_csv(promoted.place / "meter.csv", index=False)
    asked = ("--data", "meter.csv", "--tracking-uri", promoted.uri, *options)
    done = predict_here(promoted.place, *asked)
    table = csv.DictReader(io.StringIO(done.stdout))
    return done.exit_code, done.stderr, [float(row["forecast"]) for row in table]


def test_a_file_with_the_coming_weather_is_forecast_as_the_search_did(promoted: Promoted) -> None:
    for row in (0, 40):
        code, said, found = _predict(promoted, _at(promoted.rows, promoted.origins[row]))
        assert code == DONE, said
        np.testing.assert_allclose(found, promoted.forecast[row], rtol=1e-6)
    # More hours of weather than are forecast do no harm; the column may be called otherwise.
    origin = promoted.origins[0]
    more = promoted.rows.iloc[: origin + 30].rename(columns={"Temperature": "Degrees"}).copy()
    more.loc[more.index >= origin, "Usage"] = np.nan
    code, said, found = _predict(promoted, more, "--features", "Degrees")
    assert code == DONE, said
    np.testing.assert_allclose(found, promoted.forecast[0], rtol=1e-6)


def test_a_file_without_the_coming_weather_is_refused(promoted: Promoted) -> None:
    known = _at(promoted.rows, promoted.origins[0])
    for rows, found in ((known.iloc[:-HORIZON], 0), (known.iloc[:-2], 3)):
        code, said, _ = _predict(promoted, rows)
        assert code == WRONG_INPUT
        when = "2014-04-16 11:00 to 2014-04-16 15:00"
        assert f"in rows of the 5 coming hour(s), {when}, found {found} such row(s)" in said
        assert "add a row for each of these hours, with 'Temperature' and an empty 'Usage'" in said


def test_the_model_says_what_it_knows_ahead(promoted: Promoted) -> None:
    known = _at(promoted.rows, promoted.origins[0])
    told = ("--known-ahead", "Temperature", "--holidays", "AU-VIC")
    assert _predict(promoted, known, *told)[0] == DONE
    code, said, _ = _predict(promoted, known, "--known-ahead", "")
    assert code == WRONG_INPUT and "the model knows ['Temperature'] ahead, found []" in said
    for given, found in (("KR", "KR"), ("", "none")):
        code, said, _ = _predict(promoted, known, "--holidays", given)
        assert code == WRONG_INPUT and f"the model reads AU-VIC, found {found}" in said


def test_past_hours_are_judged_without_coming_ones(promoted: Promoted) -> None:
    promoted.rows.to_csv(promoted.place / "meter.csv", index=False)
    asked = ("--data", "meter.csv", "--tracking-uri", promoted.uri, "--backtest")
    done = predict_here(promoted.place, *asked)
    assert done.exit_code == DONE, done.stderr
    rows = [row for row in csv.DictReader(io.StringIO(done.stdout)) if row["step"] == "all"]
    rmse = {row["forecast"]: float(row["rmse"]) for row in rows if row["period"][:3] == "not"}
    # The champion is the same linear model, which has learned from the same hours.
    assert rmse["champion"] == pytest.approx(rmse["ridge_by_hour"], rel=0.02)
    assert rmse["champion"] < rmse["same_hour_last_week"]


def test_mlflow_serves_it_from_its_folder_alone(promoted: Promoted) -> None:
    model = promoted.place / "model"
    assert "holidays==" in (model / "requirements.txt").read_text()
    _at(promoted.rows, promoted.origins[0]).to_csv(promoted.place / "rows.csv", index=False)
    code = (
        "import mlflow, pandas as pd\n"
        "model = mlflow.pyfunc.load_model('model')\n"
        "rows = pd.read_csv('rows.csv')\n"
        "example = model.predict(model.input_example)\n"
        "print([*model.predict(rows).forecast, len(example)])\n"
        "try:\n    model.predict(rows.iloc[:-1])\n"
        "except mlflow.MlflowException as error:\n    print(error.message)\n"
    )
    environ = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=promoted.place,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    numbers, refusal = done.stdout.splitlines()
    *found, of_example = json.loads(numbers)
    np.testing.assert_allclose(found, promoted.forecast[0], rtol=1e-6)
    assert of_example == HORIZON
    assert "expected 'Temperature', known ahead" in refusal and "found 4 such row" in refusal
    facts = Forecaster(*model_files(model)).facts
    assert hours_needed(facts) == 24
