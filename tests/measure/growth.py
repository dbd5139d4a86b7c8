"""How the cost of a trial outside training grows with the number of trials.

    python -m tests.measure.growth --trials 1000

It runs a made-up objective that sleeps a millisecond, with the real coordinator and the real
stores in a temporary folder. It prints the seconds per trial and the coordinator's memory over the
run, and how far MLflow is behind at the end: a made-up trial ends sooner than its figures are
drawn. Then further trials of this study and trials around the hundredth of a new study run in
turns, with an empty queue. So a drift of the machine affects both equally.
"""

import functools
import json
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click
import numpy as np
from matplotlib.figure import Figure

from experiments.catalogue import CATALOGUE
from experiments.experiment import Experiment
from search.benchmark.measures import Ratio, paired_ratio
from search.benchmark.scratch_study import SILENT, private_study
from search.engine.coordinator import Coordinator
from search.engine.plan import Plan, adapt, make_plan
from search.engine.progress import Progress
from search.figures import png
from search.figures.canvas import BLUE, VERMILLION, legend_below, new_figure
from search.tracking.client import create_store
from search.tracking.mirror import Mirror
from tests.search.sleeping_pool import SleepingPool

PIECES = 20
# Number of first trials of a new study, and number of trials in each turn after them.
FIRST, TURNS, A_TURN = 50, 10, 10


@dataclass(frozen=True)
class Growth:
    """The result of `measure`.

    Attributes:
        rows: Parts of the run: `trial` (the last of the part), `seconds` (median from the end of
            one trial to the next, including its millisecond) and `megabytes` (peak memory of the
            process so far).
        behind: Trials whose end MLflow did not have yet when the last one ended.
        ratio: Cost of a further trial over the cost of one of the trials 51 to 150 of another
            study; of medians, in turns.
    """

    rows: list[dict[str, float]]
    behind: int
    ratio: Ratio


class _Run:
    """A study in its own folder that is continued in stretches."""

    def __init__(self, plan: Plan, root: Path, sampler: str, mlflow: bool) -> None:
        self._session = private_study(plan, root, sampler)
        self._mirror: Mirror | None = None
        self._shown = 0
        if mlflow:
            # Two threads must not do it at once.
            create_store(self._session.stores.tracking, root / "artifacts")
            self.begin_delivery()

    def begin_delivery(self) -> None:
        """Deliver to MLflow from now on; the queue of an earlier delivery is dropped."""
        if self._mirror is not None:
            self._mirror.close(0.0, lambda: True)
        self._mirror = self._session.mirror(functools.partial(click.echo, err=True))
        self._shown = 0

    def stretch(self, trials: int) -> SleepingPool:
        """Run `trials` more; return their pool, which knows when each ended."""
        study, facts = self._session.study, self._session.facts
        pool = SleepingPool(facts.baselines["ridge_by_hour"].validation)
        facts = replace(facts, total=study.finished + trials)
        mirror = self._mirror or SILENT
        progress = Progress(facts, study.finished, quiet=True)
        Coordinator(study, pool, mirror, progress, facts, self._session.spool).run(timeout=None)
        self._shown += trials
        return pool

    @property
    def behind(self) -> int:
        """Number of trials since the delivery began whose end MLflow does not have yet."""
        return self._shown - self._mirror.written[1] if self._mirror else 0

    def wait_for_mlflow(self) -> None:
        """Wait until MLflow has every end.

        Raises:
            ClickException: MLflow refused something; a message said so.
        """
        while self._mirror is not None and self.behind:
            if self._mirror.undelivered:
                raise click.ClickException("MLflow does not take what it gets, so nothing compares")
            time.sleep(0.05)


def measure(trials: int, sampler: str, mlflow: bool) -> Growth:
    """Run `trials` made-up trials; summarise up to `PIECES` equal parts of them; then compare."""
    plan = make_plan(_without_designs(trials))
    with tempfile.TemporaryDirectory(prefix="growth-", ignore_cleanup_errors=True) as folder:
        old = _Run(plan, Path(folder) / "old", sampler, mlflow)
        pool = old.stretch(trials)
        behind = old.behind
        young = _Run(plan, Path(folder) / "young", sampler, mlflow)
        if mlflow:
            old.begin_delivery()
        ratio = _compare(old, young)
    took = np.diff(pool.ends)
    rows = []
    for part in np.array_split(np.arange(len(took)), min(PIECES, len(took))):
        last = int(part[-1]) + 1
        rows.append(
            {
                "trial": float(last),
                "seconds": float(np.median(took[part])),
                "megabytes": pool.megabytes[last],
            }
        )
    return Growth(rows, behind, ratio)


def _compare(old: _Run, young: _Run) -> Ratio:
    young.stretch(FIRST)
    old.stretch(A_TURN)  # finding MLflow's existing runs must not count as a trial's cost
    young.wait_for_mlflow()
    old.wait_for_mlflow()
    costs: dict[_Run, list[float]] = {old: [], young: []}
    for _ in range(TURNS):
        for run, found in costs.items():
            found.append(float(np.median(np.diff(run.stretch(A_TURN).ends))))
            run.wait_for_mlflow()
    return paired_ratio(costs[old], costs[young])


def _without_designs(trials: int) -> Experiment:
    return adapt(CATALOGUE["smoke"], {"trials": trials, "designs": ()})


def _figure(rows: list[dict[str, float]], mlflow: str) -> Figure:
    figure, axes = new_figure(
        f"Cost of a trial outside training, {mlflow} MLflow", "Trials so far (1)", "Time (ms)"
    )
    numbers = [row["trial"] for row in rows]
    axes.plot(numbers, [1e3 * row["seconds"] for row in rows], "o-", color=BLUE, label="ms a trial")
    axes.plot(
        numbers,
        [row["megabytes"] for row in rows],
        "s--",
        color=VERMILLION,
        label="coordinator's peak memory (MB)",
    )
    axes.set_ylim(bottom=0)
    axes.set_ylabel("Time (ms), memory (MB)")
    legend_below(figure, axes, columns=2)
    return figure


@click.command()
@click.option("--trials", type=click.IntRange(min=2), default=1000, show_default=True)
@click.option("--sampler", type=click.Choice(["tpe", "random"]), default="tpe", show_default=True)
@click.option("--mlflow/--no-mlflow", default=True, show_default=True, help="Deliver to MLflow.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw a PNG.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(trials: int, sampler: str, mlflow: bool, plot: Path | None, as_json: bool) -> None:
    """Measure how the cost of a trial outside training grows."""
    growth = measure(trials, sampler, mlflow)
    if plot is not None:
        plot.write_bytes(png(_figure(growth.rows, "with" if mlflow else "without")))
    if as_json:
        click.echo(json.dumps(asdict(growth), indent=2))
        return
    click.echo(f"{'trial':>8}{'ms a trial':>12}{'MB':>8}")
    for row in growth.rows:
        click.echo(f"{row['trial']:>8.0f}{1e3 * row['seconds']:>12.1f}{row['megabytes']:>8.0f}")
    if mlflow:
        click.echo(f"MLflow had the ends of {trials - growth.behind} trials by then.")
    click.echo(
        f"A trial after {trials} costs {growth.ratio} what one of the trials {FIRST + 1} to "
        f"{FIRST + TURNS * A_TURN} of a new study costs."
    )


if __name__ == "__main__":
    main()
