"""`python -m tests.scale`: what an epoch message costs the coordinator, and how full workers are.

Runs a study with made-up workers, once for each number of them, and prints CSV: the CPU time of the
coordinator's thread per epoch message (ms), how long the search took, and the share of that which
the same trials, begun in the same order, would take if only training cost time.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import cast

import click

from search.engine.coordinator import Coordinator
from search.engine.progress import Progress
from search.tracking.mirror import Mirror
from search.training.pool import Pool
from search.tuning.storage import open_storage
from search.tuning.study import Study
from tests.scale.pool import SleepingPool
from tests.search.engine.test_coordinator import FakeMirror, FakeProgress
from tests.search.samples import EPOCHS, experiment, facts


@click.command()
@click.option("--workers", default="2,4,8,16,32,64", show_default=True, help="Numbers of workers.")
@click.option("--epoch-seconds", default=0.5, show_default=True, help="That an epoch takes.")
@click.option("--trials", default=3, show_default=True, help="Of each worker.")
@click.option("--storage", help="URL of an empty study database.  [default: SQLite, on its own]")
@click.option("--pruner", default="median", show_default=True)
def main(workers: str, epoch_seconds: float, trials: int, storage: str | None, pruner: str) -> None:
    """Measure one coordinator; nothing is trained."""
    click.echo("workers,epoch messages,CPU ms per message,seconds,of ideal")
    for number in map(int, workers.split(",")):
        with tempfile.TemporaryDirectory() as place:
            url = storage or f"sqlite:///{place}/optuna.db"
            click.echo(measure(number, epoch_seconds, trials, url, pruner, Path(place)))
            sys.stdout.flush()


def measure(
    workers: int, epoch_seconds: float, trials: int, url: str, pruner: str, place: Path
) -> str:
    """Run one study to its end; return a line of the table."""
    what = experiment(trials=workers * trials)
    name = f"scale-{workers}-{time.time_ns()}"
    study = Study(open_storage(url, place / "schema.lock"), name, what, 3, "random", pruner)
    study.reconcile()
    pool = SleepingPool(workers, EPOCHS, epoch_seconds)
    coordinator = Coordinator(
        study,
        cast(Pool, pool),
        cast(Mirror, FakeMirror()),
        cast(Progress, FakeProgress()),
        facts(what.trials),
        place,
    )
    began = time.monotonic()
    coordinator.run(None)
    seconds = time.monotonic() - began
    cost = 1000 * pool.message_seconds / pool.messages
    ideal = pool.ideal_seconds() / seconds
    return f"{workers},{pool.messages},{cost:.2f},{seconds:.1f},{ideal:.3f}"


if __name__ == "__main__":
    main()
