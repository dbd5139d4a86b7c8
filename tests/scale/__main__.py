"""What an epoch message costs the coordinator, and how full it keeps its workers.

    python -m tests.scale --storage sqlite --storage postgresql --plot messages.png

It runs a study with made-up workers that sleep, once for each number of them, and prints CSV: the
CPU time of the coordinator's thread per epoch message (ms), trials per minute, and the share of
the rate that the same trials, begun in the same order, would have if only training took time.
PostgreSQL is a server of its own.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import click
from matplotlib.figure import Figure

from search.engine.coordinator import Coordinator
from search.engine.progress import Progress
from search.figures import png
from search.figures.canvas import BLUE, VERMILLION, legend_below, new_figure
from search.tracking.mirror import Mirror
from search.training.pool import Pool
from search.tuning.storage import open_storage
from search.tuning.study import Study
from tests.scale.pool import SleepingPool
from tests.search.engine.test_coordinator import FakeMirror
from tests.search.postgres import postgres_server
from tests.search.samples import EPOCHS, experiment, facts

SQLITE, POSTGRESQL = "sqlite", "postgresql"
# ms of CPU time per message that 64 workers may cost.
MOST = 3.0


@dataclass(frozen=True)
class Measured:
    """One study.

    Attributes:
        storage: `SQLITE` or `POSTGRESQL`. workers: their number.
        messages: epochs that were told. milliseconds: of CPU time per message.
        rate: trials per minute. of_ideal: share of the rate that was possible.
    """

    storage: str
    workers: int
    messages: int
    milliseconds: float
    rate: float
    of_ideal: float

    def __str__(self) -> str:
        counts = f"{self.storage},{self.workers},{self.messages}"
        return f"{counts},{self.milliseconds:.2f},{self.rate:.1f},{self.of_ideal:.3f}"


@click.command()
@click.option(
    "--workers", default="1,2,4,8,16,32,64", show_default=True, help="Numbers of workers."
)
@click.option(
    "--epoch-seconds", default=0.5, show_default=True, help="That an epoch takes in the mean."
)
@click.option(
    "--spread",
    default=0.5,
    show_default=True,
    help="Share by which the epochs of a trial are shorter or longer.",
)
@click.option("--trials", default=3, show_default=True, help="Of each worker.")
@click.option(
    "--storage",
    "storages",
    type=click.Choice([SQLITE, POSTGRESQL]),
    multiple=True,
    default=[SQLITE],
    show_default=True,
)
@click.option("--sampler", default="random", show_default=True)
@click.option("--pruner", default="median", show_default=True)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw a PNG.")
def main(
    workers: str,
    epoch_seconds: float,
    spread: float,
    trials: int,
    storages: tuple[str, ...],
    sampler: str,
    pruner: str,
    plot: Path | None,
) -> None:
    """Measure one coordinator; nothing is trained."""
    click.echo("storage,workers,epoch messages,CPU ms per message,trials per minute,of ideal")
    found = []
    for storage in storages:
        with _database(storage) as (url, place):
            for number in map(int, workers.split(",")):
                work = (number, epoch_seconds, spread, trials)
                found.append(measure(storage, *work, url, (sampler, pruner), place))
                click.echo(found[-1])
                sys.stdout.flush()
    if plot is not None:
        plot.write_bytes(png(_figure(found)))


@contextmanager
def _database(storage: str) -> Iterator[tuple[str, Path]]:
    """The URL of an empty study database, and an empty folder."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        if storage == SQLITE:
            yield f"sqlite:///{place}/optuna.db", place
            return
        with postgres_server() as server:
            yield server.make("scale"), place


def measure(
    storage: str,
    workers: int,
    epoch_seconds: float,
    spread: float,
    trials: int,
    url: str,
    drawing: tuple[str, str],
    place: Path,
) -> Measured:
    """Run one study to its end.

    Args:
        storage: `SQLITE` or `POSTGRESQL`.
        workers: their number.
        epoch_seconds: s that an epoch takes in the mean.
        spread: share by which those of one trial may be shorter or longer.
        trials: of each worker.
        url: of the database.
        drawing: names of sampler and pruner.
        place: a folder for files.
    """
    what = experiment(trials=workers * trials)
    name = f"scale-{workers}-{time.time_ns()}"
    study = Study(open_storage(url, place / "schema.lock"), name, what, 3, *drawing)
    study.reconcile()
    pool = SleepingPool(workers, EPOCHS, epoch_seconds, spread)
    told = facts(what.trials)
    coordinator = Coordinator(
        study,
        cast(Pool, pool),
        cast(Mirror, FakeMirror()),
        Progress(told, 0, quiet=True),
        told,
        place,
    )
    began = time.monotonic()
    coordinator.run(None)
    seconds = time.monotonic() - began
    cost = 1000 * pool.message_seconds / pool.messages
    rate = 60 * what.trials / seconds
    return Measured(storage, workers, pool.messages, cost, rate, pool.ideal_seconds() / seconds)


def _figure(found: list[Measured]) -> Figure:
    figure, axes = new_figure(
        "CPU time of the coordinator per epoch message", "Workers (1)", "Time (ms)"
    )
    looks = {SQLITE: ("SQLite", "o-", BLUE), POSTGRESQL: ("PostgreSQL", "s--", VERMILLION)}
    for storage, (name, style, color) in looks.items():
        points = [(one.workers, one.milliseconds) for one in found if one.storage == storage]
        if points:
            axes.plot(*zip(*points, strict=True), style, color=color, label=name)
    axes.axhline(MOST, color="0.5", linewidth=1, label=f"limit at 64 workers, {MOST:g} ms")
    numbers = sorted({one.workers for one in found})
    axes.set_xscale("log", base=2)
    axes.set_xticks(numbers, [str(number) for number in numbers])
    axes.set_ylim(bottom=0)
    legend_below(figure, axes, columns=3)
    return figure


if __name__ == "__main__":
    main()
