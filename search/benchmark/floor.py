"""Errors over the built-in year: every baseline, the notes' three networks and a search.

A cell is a period and a horizon. Its result is written to a file at once. Its search and promotion
are a usual study, so the same command resumes it.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data_pipeline.framing import Framing
from experiments.catalogue import CATALOGUE
from experiments.teaching_notes import DOCUMENTED
from models.intervals import covered, follow
from search.common.errors import DONE, REFUSED_OR_FAILED, Refused
from search.common.records import State
from search.common.stores import Stores
from search.engine.folds import rolling
from search.engine.opened_period import Opened, open_period
from search.engine.plan import Plan, adapt, make_plan
from search.results.baselines import retest_floor
from search.results.bootstrap import compare
from search.serving.forecasting import save_forecast
from search.serving.model_folder import facts_of, raw_rows
from search.serving.own_process import run_apart
from search.tracking.existing_runs import KeptRuns
from search.tuning.kept_studies import read_study
from search.tuning.storage import open_existing

FloatArray = npt.NDArray[np.float64]

PERIODS = {
    "q1": ("January to March", "2014-01-01", "2014-03-31"),
    "q2": ("April to June", "2014-04-01", "2014-06-30"),
    "q3": ("July to September", "2014-07-01", "2014-09-30"),
    "q4": ("October to December", "2014-10-01", "2014-12-31"),
    "year": ("the whole of 2014", "2014-01-01", "2014-12-31"),
}
HORIZONS = (1, 24)
EXPERIMENT = "power_usage"
_FOLDS = 3


@dataclass(frozen=True)
class Cell:
    """A period of the built-in year and a number of hours ahead."""

    period: str
    horizon: int

    @property
    def name(self) -> str:
        """Name of its files and of its study."""
        return f"{self.period}-{self.horizon}h"


@dataclass(frozen=True)
class Networks:
    """The effort for networks: trials of the search, and the re-test of a promotion.

    Attributes:
        trials: number of trials; 0 for no networks.
        epochs: maximum epochs of a trial; None for the experiment's own.
        retest: numbers of finalists, seeds and folds.
    """

    trials: int = 0
    epochs: int | None = None
    retest: tuple[int, int, int] = (5, 3, 3)


def measure(
    cells: Sequence[Cell], networks: Networks, out: Path, say: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """Measure the cells one by one, the baselines of all of them first.

    Args:
        cells: what to measure.
        networks: the effort for networks; without trials, earlier results are shown.
        out: folder of the results and of the stores of the searches.
        say: gets a line when a part begins.

    Yields:
        A cell's result so far as plain values; see `_baselines` and `_networks`.

    Raises:
        Refused: a search or a promotion failed.
    """
    place = out / "floor"
    place.mkdir(parents=True, exist_ok=True)
    measured = []
    for cell in cells:
        found = _kept(place / f"{cell.name}.json", partial(_baselines, cell, say))
        before = place / f"{cell.name}-networks.json"
        measured.append((cell, found, before))
        yield found | (json.loads(before.read_text()) if before.exists() else {})
    for cell, found, before in measured if networks.trials else ():
        own = partial(_networks, cell, networks, out, say)
        yield found | _kept(before, own, _plain(networks))


def _plain(networks: Networks) -> dict[str, Any]:
    return asdict(networks) | {"retest": list(networks.retest)}


def _kept(
    file: Path, work: Callable[[], dict[str, Any]], made: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The kept result for the same settings, or the result of `work`."""
    if file.exists():
        found: dict[str, Any] = json.loads(file.read_text())
        if made is None or found["made"] == made:
            return found
    text = json.dumps(work(), indent=2)
    unfinished = file.with_suffix(".part")
    unfinished.write_text(text)
    unfinished.replace(file)
    measured: dict[str, Any] = json.loads(text)
    return measured


def _plan(cell: Cell) -> Plan:
    _, start, end = PERIODS[cell.period]
    changes = {"source.start": start, "source.end": end, "framing.horizon": cell.horizon}
    return make_plan(adapt(CATALOGUE[EXPERIMENT], changes))


def _baselines(cell: Cell, say: Callable[[str], None]) -> dict[str, Any]:
    """Every baseline on the test hours, fitted on all hours before, with its coverage."""
    say(f"{cell.name}: baselines")
    plan = _plan(cell)
    framing: Framing = plan.experiment.framing
    opened = open_period(plan)
    again = retest_floor(plan.series, rolling(framing, _FOLDS))
    rows = {}
    for name, forecast in opened.baselines.items():
        errors = forecast - opened.actual
        shares = covered(errors, follow(again.interval(name), errors)[0])
        rows[name] = opened.score(forecast).as_dict() | {
            "retest": again.means[name],
            "covered": asdict(shares),
        }
    return {
        "cell": cell.name,
        "period": PERIODS[cell.period][0],
        "horizon": cell.horizon,
        "unit": plan.series.unit,
        "windows": len(opened.actual),
        "baselines": rows,
        "networks": {},
    }


def _networks(
    cell: Cell, networks: Networks, out: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """The notes' three networks as the search trained them, and the result of its promotion."""
    say(f"{cell.name}: a search of {networks.trials} trials, and its promotion")
    _, start, end = PERIODS[cell.period]
    words = ["--experiment", EXPERIMENT, "--study", cell.name, "--start", start, "--end", end]
    words += ["--horizon", str(cell.horizon), "--trials", str(networks.trials)]
    if networks.epochs is not None:
        words += ["--epochs", str(networks.epochs)]
    _command(out, "search.run", *words, allowed=(DONE,))
    top, seeds, folds = map(str, networks.retest)
    wish = ["--study", cell.name, "--name", cell.name, "--json"]
    wish += ["--top", top, "--seeds", seeds, "--folds", folds]
    told = _command(out, "search.promote", *wish, allowed=(DONE, REFUSED_OR_FAILED))
    promotion = json.loads(told)
    plan = _plan(cell)
    opened = open_period(plan)
    floor = min(opened.baselines, key=lambda name: opened.score(opened.baselines[name]).rmse)
    rivals = opened.baselines[floor] - opened.actual
    rows = {
        name: opened.score(forecast).as_dict()
        | {"difference": asdict(compare(floor, forecast - opened.actual, rivals))}
        for name, forecast in _documented(cell, plan, opened, out).items()
    }
    beside = next(one for one in promotion["compared"] if one["name"] == floor)
    rows["search"] = promotion["scores"]["this model"] | {
        "winner": promotion["winner"],
        "parts": promotion["parts"],
        "promoted": promotion["promoted"],
        "difference": beside,
        "covered": promotion["coverage"],
    }
    return {"made": _plain(networks), "networks": rows}


def _command(out: Path, module: str, *words: str, allowed: tuple[int, ...]) -> str:
    """Run one of our commands in the folder `out`, with its progress on our standard error."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=out,
        env=os.environ | {"PYTHONPATH": str(root), "MLFLOW_TRACKING_URI": _stores(out).tracking},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    # A failed promotion prints no result; one that the gate refuses does.
    if done.returncode not in allowed or not done.stdout.strip():
        raise Refused(f"{module} {' '.join(words)} ended with exit code {done.returncode}")
    return done.stdout


def _documented(cell: Cell, plan: Plan, opened: Opened, out: Path) -> dict[str, FloatArray]:
    """Forecasts of the test hours by the notes' three networks, as the search kept them."""
    stores = _stores(out)
    kept = read_study(open_existing(stores.storage, stores.schema_lock), cell.name)
    runs = KeptRuns(stores.tracking, plan.experiment.name, kept.identity)
    names = {design.name for design in DOCUMENTED}
    numbers = {
        record.design: record.number
        for record in kept.records
        if record.design in names and record.state is State.COMPLETE
    }
    with tempfile.TemporaryDirectory() as folder:
        return {
            name: _saved(runs, number, plan, opened, Path(folder))
            for name, number in sorted(numbers.items())
        }


def _stores(out: Path) -> Stores:
    """The stores of commands that run in the folder `out`."""
    root = out.absolute() / "mlruns"
    optuna, mlflow = f"sqlite:///{root}/optuna.db", f"sqlite:///{root}/mlflow.db"
    return Stores(optuna, mlflow, root / "artifacts", root)


def _saved(runs: KeptRuns, number: int, plan: Plan, opened: Opened, place: Path) -> FloatArray:
    """Forecasts of the test hours by the network of trial `number`, float64 (n, horizon)."""
    prepared, source = plan.prepared, plan.experiment.source
    facts = facts_of(
        plan.series,
        plan.experiment.framing,
        prepared.scaler,
        prepared.train_rows,
        source.time_name,
        source.tz,
        {},
    )
    network = runs.model(number, place / str(number))
    (place / "facts.json").write_text(json.dumps(facts))
    raw_rows(plan.series, source.time_name).to_csv(place / "rows.csv", index=False)
    np.save(place / "origins.npy", opened.prepared.held_out.origins)
    files = (place / "facts.json", place / "rows.csv", place / "origins.npy", place / "out.npy")
    run_apart(
        save_forecast,
        *(network, *files),
        failing=f"the network of trial {number} does not forecast",
    )
    return np.asarray(np.load(place / "out.npy", allow_pickle=False))
