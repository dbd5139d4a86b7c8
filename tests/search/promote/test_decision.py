"""Two promotions at once, with planted forecasts, a real registry and real model folders."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from data_pipeline.framing import Framing
from data_pipeline.load import load_series
from data_pipeline.source import DataSource
from data_pipeline.windows import open_test, prepare
from models.build import build, plain_copy
from models.intervals import begin
from search.common.stores import Stores
from search.engine.opened_period import Opened
from search.engine.plan import Plan
from search.promote.candidates import Candidate
from search.promote.decision import decide
from search.promote.entrants import Entrant, Part
from search.promote.judging import judge
from search.promote.outcome import Outcome
from search.promote.ranking import Ranked
from search.promote.ruling import Case
from search.results.baselines import FloorRetest
from search.serving.champion import champions_forecast
from search.serving.model_folder import facts_of, raw_rows
from search.serving.registry import Registry
from search.serving.served import Forecaster
from search.tracking.study_runs import StudyRuns
from search.tuning.kept_studies import KeptStudy
from tests.search.command import query
from tests.search.mlflow_stores import empty_store
from tests.search.samples import experiment, facts, parameters, record, result

FRAMING = Framing(window=24)
SOURCE = DataSource(start="2014-04-01", end="2014-05-12")


class Contest:
    """A study of which two winners, one better than the other, are promoted to one name."""

    def __init__(self, root: Path) -> None:
        series, report = load_series(SOURCE)
        tiny = experiment().model_copy(update={"source": SOURCE, "framing": FRAMING})
        self.plan = Plan(tiny, series, report, prepare(series, FRAMING))
        self.root = root
        uri = empty_store(root)
        self.stores = Stores(f"sqlite:///{root}/optuna.db", uri, root / "artifacts", root)
        StudyRuns(uri, root / "artifacts", root / "lock", root / "spool", facts()).connect()
        contract = facts().contract | {"data": series.fingerprint, "unit": "MW"}
        self.kept = KeptStudy(
            "tiny",
            "first",
            contract,
            facts().baselines,
            (record(0, result()),),
            openings=({"data": series.fingerprint},),
        )
        prepared = open_test(series, FRAMING)
        self.networks = {name: self._network(name, seed) for seed, name in enumerate("ab")}
        forecasts = {name: self._forecast(file) for name, file in self.networks.items()}
        noise = np.random.default_rng(0).normal(size=forecasts["a"].shape)
        # The truth is close to a's forecast; b's lies beside it, the baseline far away.
        actual = forecasts["a"] + noise
        self.forecasts = {"a": forecasts["a"], "b": forecasts["a"] + 20 * noise[::-1]}
        far = actual + 300 * noise[:, ::-1] + 50
        self.opened = Opened(prepared, actual, {"last_value": far}, {})

    def _network(self, name: str, seed: int) -> Path:
        file = self.root / f"{name}.keras"
        plain_copy(build(parameters((3,)), 24, 6, 1, seed=seed)).save(file)
        return file

    def _forecast(self, network: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        series, prepared = self.plan.series, open_test(self.plan.series, FRAMING)
        made = facts_of(series, FRAMING, prepared.scaler, prepared.train_rows, "Date", None, {})
        file = self.root / "facts.json"
        file.write_text(json.dumps(made))
        model = Forecaster(network, file)
        _, local, values = model.read(raw_rows(series, "Date"))
        return model.forecast(local, values, prepared.held_out.origins)

    def promote(self, name: str, number: int) -> Outcome:
        chosen = Ranked(
            Candidate("trial_0", parameters(), 90.0, reference=False), 95.0, 90.0, 99.0, 3, 7, -2.0
        )
        start = begin(np.full((40, 1), 40.0))
        part = Part("trial_0", self.networks[name], 24, self.forecasts[name])
        entrant = Entrant("trial_0", (part,), start)
        floor = FloorRetest({"last_value": [np.full((40, 1), 300.0)]})
        case = Case(self.plan, self.kept, [chosen], floor, number, force=False, serve_best=False)
        registry = Registry(self.stores, "meter")
        with registry.held():
            registry.mend()
            origins = self.opened.prepared.held_out.origins
            champion = champions_forecast(
                self.plan.series, self.plan.experiment.framing, registry, origins
            )
            return decide([judge(entrant, self.opened, champion)], case, self.stores, registry)


@pytest.mark.parametrize("started", ["ab", "ba"])
def test_p2_of_two_promotions_at_once_the_better_one_is_champion_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: str
) -> None:
    contest = Contest(tmp_path)
    # What a served model forecasts is planted with the winner's name in its card.
    real = {path.read_bytes(): name for name, path in contest.networks.items()}

    def planted(folder: Path, *_: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        (network,) = folder.rglob("model.keras")
        return contest.forecasts[real[network.read_bytes()]]

    for module in ("promote.registering", "serving.champion"):
        monkeypatch.setattr(f"search.{module}.forecast_windows", planted)
    outcomes: dict[str, Outcome] = {}

    def promote(name: str, number: int) -> None:
        outcomes[name] = contest.promote(name, number)

    threads = [
        threading.Thread(target=promote, args=(n, i)) for i, n in enumerate(started, start=1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    registry = Registry(contest.stores, "meter")
    assert outcomes["a"].done
    events = registry.history()
    assert registry.champion() == outcomes["a"].facts["version"] == events[-1].version
    if outcomes["b"].done:  # it came first
        assert [event.version for event in events] == ["1", "2"]
    else:
        assert any("does not beat the champion, version 1" in line for line in outcomes["b"].lines)
    pages = query(
        tmp_path / "mlflow.db", "select value from tags where key = 'mlflow.note.content'"
    )
    assert sum("times, by promotion" in page or "once, by promotion" in page for (page,) in pages)


def test_a_model_that_would_forecast_otherwise_when_served_is_not_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from search.common.errors import Refused

    contest = Contest(tmp_path)
    off = contest.forecasts["a"] + 100.0
    monkeypatch.setattr("search.promote.registering.forecast_windows", lambda *_: off)
    with pytest.raises(Refused, match="differently from the one that was judged"):
        contest.promote("a", 1)
    registry = Registry(contest.stores, "meter")
    assert registry.champion() is None and registry.history() == []
