"""How MLflow keeps up with ten trials a second.

    python -m tests.scale.delivery --seconds 60
    python -m tests.scale.delivery --seconds 60 --server

Made-up workers that sleep end ten trials a second, each with its curves, forecasts and a model's
bytes. Coordinator, mirror and figures are real, and so is MLflow: a local store, or a server of its
own on SQLite. It prints how many writes MLflow is behind when the last trial ends, the seconds
until it has caught up, and whether it then has every trial once.
"""

import dataclasses
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import click
import numpy as np
import pandas as pd

from experiments.catalogue import CATALOGUE
from search.benchmark.scratch_study import private_study
from search.common.records import Task
from search.common.spool import write_spool
from search.engine.coordinator import Coordinator, finish
from search.engine.plan import adapt, make_plan
from search.engine.progress import Progress
from search.tracking.client import connect, create_store
from search.training.pool import Pool
from tests.scale.pool import SleepingPool
from tests.search.command import wait_until
from tests.search.mlflow_stores import answers, server_in

WORKERS, EPOCHS = 20, 4
# Bytes of a model of the main job.
_MODEL = 60_000
# s that the rest may take.
PATIENCE = 1800.0


class _WithFiles(SleepingPool):
    """Its trials have files, as real ones do."""

    def submit(self, task: Task) -> None:
        hours = pd.date_range("2014-06-05", periods=500, freq="h")
        actual = np.random.default_rng(task.seed).normal(4500, 700, (500, 1))
        write_spool(task.spool, _save, hours, actual, actual + 50)
        super().submit(task)


def _save(path: Path) -> None:
    path.write_bytes(b"m" * _MODEL)


@click.command()
@click.option("--seconds", default=60.0, show_default=True, help="How long trials end.")
@click.option("--rate", default=10.0, show_default=True, help="Trials per second.")
@click.option("--server", is_flag=True, help="Deliver to an MLflow server.")
def main(seconds: float, rate: float, server: bool) -> None:
    """Measure how far MLflow is behind, and how long it takes to catch up."""
    trials = round(seconds * rate)
    changes = {"trials": trials, "designs": (), "epochs": EPOCHS}
    plan = make_plan(adapt(CATALOGUE["smoke"], changes))
    with ExitStack() as leaving:
        place = Path(leaving.enter_context(tempfile.TemporaryDirectory(prefix="delivery-")))
        session = private_study(plan, place / "study", "random")
        if server:
            address, start = leaving.enter_context(server_in(place))
            start()
            wait_until(lambda: answers(address))
            stores = dataclasses.replace(session.stores, tracking=address, artifacts=None)
            session = dataclasses.replace(session, stores=stores)
        else:
            assert session.stores.artifacts is not None
            create_store(session.stores.tracking, session.stores.artifacts)
        mirror = session.mirror(lambda line: click.echo(line, err=True))
        facts, study = session.facts, session.study
        pool = _WithFiles(WORKERS, EPOCHS, WORKERS / rate / EPOCHS)
        progress = Progress(facts, 0, quiet=True)
        coordinator = Coordinator(study, cast(Pool, pool), mirror, progress, facts, session.spool)
        began = time.monotonic()
        ending = coordinator.run(None)
        took, behind, whole = time.monotonic() - began, mirror.behind, mirror.written[1]
        began = time.monotonic()
        delivered = finish(coordinator.summary(), study, mirror, ending, lambda: 0, PATIENCE)
        late = time.monotonic() - began
        runs = _runs(session.stores.tracking, facts.experiment)
        left = [str(path) for path in session.spool.rglob("trial-*")]
    click.echo(
        f"{trials} trials in {took:.1f} s, {trials / took:.1f} a second; MLflow then had {whole} "
        f"whole, {behind} writes waited; caught up after {late:.1f} s more: {delivered}; "
        f"a delivered trial took {(took + late) / trials:.3f} s"
    )
    states = Counter(record.state for record in study.records.values())
    same = len(runs) == len(set(runs)) == trials and not left
    click.echo(f"runs: {len(runs)}, each once: {same}; files left: {len(left)}; {dict(states)}")
    sys.exit(0 if delivered and same else 1)


def _runs(uri: str, experiment: str) -> list[str]:
    """The trial of every run that MLflow has whole."""
    client = connect(uri)
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    runs, token = [], None
    while True:
        page = client.search_runs(
            [found.experiment_id],
            "tags.`search.delivered` = 'yes'",
            max_results=1000,
            page_token=token,
        )
        runs += [run.data.tags["search.trial"] for run in page]
        token = page.token
        if not token:
            return runs


if __name__ == "__main__":
    main()
