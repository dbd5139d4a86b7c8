"""The floor over the built-in year: every baseline, the notes' three and a search.

A period and a horizon make a cell. Its result is kept in a file as soon as it is there, and its
search and promotion are a study like any other, so the same command goes on where it stopped.
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
from matplotlib.figure import Figure

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
from search.figures.canvas import new_figure
from search.results.baselines import retest_floor
from search.results.bootstrap import compare
from search.results.summary import amount
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
_EXPERIMENT = "power_usage"
_FOLDS = 3
_SPENT = "trials, epochs at most; finalists x seeds x folds"


@dataclass(frozen=True)
class Cell:
    """A period of the built-in year and a number of hours ahead."""

    period: str
    horizon: int

    @property
    def name(self) -> str:
        """Of its files and of its study."""
        return f"{self.period}-{self.horizon}h"


@dataclass(frozen=True)
class Networks:
    """How much is spent on networks: trials of the search, and the re-test of a promotion.

    Attributes:
        trials: 0 for none.
        epochs: most of a trial; None for the experiment's own.
        retest: finalists, seeds and folds.
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
        networks: what to spend on networks; of none, what was measured before is shown.
        out: folder of the results, and of the stores of the searches.
        say: is told what begins.

    Yields:
        A cell's result as it stands, plain values; see `_baselines` and `_networks`.

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
    """What was measured before under the same settings, or what `work` measures now."""
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
    return make_plan(adapt(CATALOGUE[_EXPERIMENT], changes))


def _baselines(cell: Cell, say: Callable[[str], None]) -> dict[str, Any]:
    """Every baseline on the test hours, fitted on all before, with what its intervals covered."""
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
    """The notes' three as the search trained them, and what its promotion came to."""
    say(f"{cell.name}: a search of {networks.trials} trials, and its promotion")
    _, start, end = PERIODS[cell.period]
    words = ["--experiment", _EXPERIMENT, "--study", cell.name, "--start", start, "--end", end]
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
        "promoted": promotion["promoted"],
        "difference": beside,
        "covered": promotion["coverage"],
    }
    return {"made": _plain(networks), "networks": rows}


def _command(out: Path, module: str, *words: str, allowed: tuple[int, ...]) -> str:
    """Run a command of ours in the folder `out`, its progress on our standard error."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=out,
        env=os.environ | {"PYTHONPATH": str(root), "MLFLOW_TRACKING_URI": _stores(out).tracking},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    # A promotion that fails, other than one that the gate refuses, prints no result.
    if done.returncode not in allowed or not done.stdout.strip():
        raise Refused(f"{module} {' '.join(words)} ended with exit code {done.returncode}")
    return done.stdout


def _documented(cell: Cell, plan: Plan, opened: Opened, out: Path) -> dict[str, FloatArray]:
    """What the notes' three, as the search trained and kept them, forecast of the test hours."""
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
    """Where the commands that run in the folder `out` keep their studies."""
    root = out.absolute() / "mlruns"
    optuna, mlflow = f"sqlite:///{root}/optuna.db", f"sqlite:///{root}/mlflow.db"
    return Stores(optuna, mlflow, root / "artifacts", root)


def _saved(runs: KeptRuns, number: int, plan: Plan, opened: Opened, place: Path) -> FloatArray:
    """The forecasts of the test hours by the network of trial `number`, float64 (n, horizon)."""
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
    np.save(place / "origins.npy", opened.prepared.validation.origins)
    files = (place / "facts.json", place / "rows.csv", place / "origins.npy", place / "out.npy")
    run_apart(
        "search.serving.forecasting",
        *map(str, (network, *files)),
        failing=f"the network of trial {number} does not forecast",
    )
    return np.asarray(np.load(place / "out.npy", allow_pickle=False))


def lines(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """The cells as Markdown, a row each: baselines, networks, and what the intervals covered."""
    names = list(cells[0]["baselines"])
    said = [f"RMSE of the baselines on the test hours, {cells[0]['unit']}:", ""]
    said += _table(cells, names, _strongest_bold)
    networks = list(dict.fromkeys(name for cell in cells for name in cell["networks"]))
    if networks:
        said += [
            "",
            f"RMSE of networks on the same hours, {cells[0]['unit']}; in brackets the network "
            "minus the strongest baseline, with its 95 % interval:",
            "",
            *_table(cells, [*networks, _SPENT], _network_cell),
        ]
    said += [
        "",
        "Covered by the 90 % intervals: all test hours, their last quarter, and of a longer "
        "horizon the lowest to the highest step:",
        "",
        *_table(cells, [*names, *(["search"] if "search" in networks else [])], _shares),
    ]
    return said


def _table(
    cells: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    shown: Callable[[Mapping[str, Any], str], str],
) -> list[str]:
    rows = [f"| | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    for cell in cells:
        values = " | ".join(shown(cell, column) for column in columns)
        rows.append(f"| {cell['period']}, {cell['horizon']} h | {values} |")
    return rows


def _strongest_bold(cell: Mapping[str, Any], name: str) -> str:
    errors = {one: row["rmse"] for one, row in cell["baselines"].items()}
    shown = amount(errors[name])
    return f"**{shown}**" if errors[name] == min(errors.values()) else shown


def _network_cell(cell: Mapping[str, Any], name: str) -> str:
    if name == _SPENT:
        return _spent(cell.get("made"))
    row = cell["networks"].get(name)
    if row is None:
        return "-"
    apart = row["difference"]
    span = f"{amount(apart['low'], '+')} to {amount(apart['high'], '+')}"
    return f"{amount(row['rmse'])} ({amount(apart['difference'], '+')}, {span})"


def _spent(made: Mapping[str, Any] | None) -> str:
    if made is None:
        return "-"
    epochs = made["epochs"] or CATALOGUE[_EXPERIMENT].epochs
    return f"{made['trials']}, {epochs}; {' x '.join(map(str, made['retest']))}"


def _shares(cell: Mapping[str, Any], name: str) -> str:
    row = (cell["baselines"] | cell["networks"]).get(name)
    if row is None:
        return "-"
    shares = row["covered"]
    steps = shares["steps"]
    span = f", {min(steps):.1%} to {max(steps):.1%}" if len(steps) > 1 else ""
    return f"{shares['share']:.1%}, {shares['last_quarter']:.1%}{span}"


def figure(cells: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw every forecaster's RMSE over that of the strongest baseline, a cell a column."""
    drawn, axes = new_figure(
        "Error over that of the strongest baseline, test hours",
        "period and hours ahead",
        "RMSE / RMSE of the strongest baseline (no unit)",
        width=10.0,
    )
    rows = [(index, cell) for index, cell in enumerate(cells)]
    names = [*cells[0]["baselines"], *dict.fromkeys(n for c in cells for n in c["networks"])]
    markers = "ov^s<D>PX*h"
    for position, name in enumerate(names):
        points = []
        for index, cell in rows:
            everybody = cell["baselines"] | cell["networks"]
            if name in everybody:
                least = min(row["rmse"] for row in cell["baselines"].values())
                points.append((index, everybody[name]["rmse"] / least))
        if points:
            x, y = zip(*points, strict=True)
            axes.scatter(x, y, label=name, marker=markers[position % len(markers)], s=40)
    axes.axhline(1.0, color="0.4", linewidth=1.0)
    axes.set_yscale("log")
    axes.set_xticks(range(len(cells)), [cell["cell"] for cell in cells])
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return drawn
