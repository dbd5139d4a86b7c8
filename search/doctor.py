"""`python -m search.doctor`: check that cluster, study database and MLflow can be used.

It changes nothing. Exit codes: 0 all is well, 1 something must be fixed, 2 wrong input.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from search.common import commands
from search.common.errors import DONE, REFUSED_OR_FAILED, Refused

if TYPE_CHECKING:
    from search.common.stores import Stores

# If clocks differ by more seconds than this, times of trials and runs mislead.
CLOCKS = 2.0
# Bytes that should be free where trials write.
FREE = 2 * 2**30


@dataclass(frozen=True)
class Finding:
    """One checked thing: `mend` says what to do; "" if all is well."""

    what: str
    found: str
    mend: str = ""

    def __str__(self) -> str:
        mark = "mend" if self.mend else "ok"
        return f"{mark:<4}  {self.what}: {self.found}" + (f"\n      {self.mend}" * bool(self.mend))


@click.command(context_settings={"max_content_width": 100})
@click.option("--cluster", help="Ray cluster: auto, or HOST:PORT of its head.")
@click.option("--storage", help="URL of the study database.  [default: mlruns/optuna.db]")
@click.option("--tracking-uri", help="MLflow store.  [default: mlruns/mlflow.db]")
def main(cluster: str | None, storage: str | None, tracking_uri: str | None) -> None:
    """Check reachability, versions, rights, clocks and free space; say what to fix."""

    def work() -> int:
        from search.common.stores import choose_stores

        if cluster:
            commands.need_ray()
        stores = choose_stores(storage, tracking_uri)
        well = True
        for finding in examine(stores, cluster or ""):
            well = well and not finding.mend
            click.echo(finding)
        return DONE if well else REFUSED_OR_FAILED

    sys.exit(commands.exit_code(work))


def examine(stores: "Stores", cluster: str) -> Iterator[Finding]:
    """Check one thing after the other. A failed check does not stop the next one."""
    yield from _tried("this machine", lambda: here(stores))
    yield from _tried("study database", lambda: database(stores.storage))
    yield from _tried("MLflow", lambda: tracking(stores))
    if cluster:
        yield from _tried("cluster", lambda: nodes(cluster))


def _tried(what: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except Refused as error:
        found, _, mend = str(error).partition("\n")
        yield Finding(what, found, mend.replace("\n", "\n      ") or "See docs/cluster.md.")


def here(stores: "Stores") -> Iterator[Finding]:
    """Check the free space for the files of trials."""
    import shutil

    place = next(one for one in (stores.root, *stores.root.parents) if one.is_dir())
    free = shutil.disk_usage(place).free
    mend = "" if free > FREE else f"Free {FREE / 2**30:.0f} GiB: models and forecasts wait there."
    yield Finding("this machine", f"{free / 2**30:.1f} GiB free in {place}", mend)


def database(url: str) -> Iterator[Finding]:
    """Check that the study database can be reached, created and written; check its clock."""
    import sqlalchemy as sa

    from search.common.stores import masked, missing_file
    from search.tuning.postgres_lock import cannot_be_used, connect_args, is_postgresql

    if not is_postgresql(url):
        there = "will be made" if missing_file(url) else "is there"
        yield Finding("study database", f"{masked(url)} {there}")
        return
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=connect_args(url))
    try:
        with engine.connect() as connection:
            before = time.time()
            statement = (
                "select version(), extract(epoch from clock_timestamp()), "
                "has_schema_privilege(current_schema(), 'CREATE'), "
                "pg_try_advisory_xact_lock(1), to_regclass('studies') is not null"
            )
            version, clock, create, _, made = connection.exec_driver_sql(statement).one()
            after = time.time()
    except sa.exc.SQLAlchemyError as error:
        raise Refused(cannot_be_used(url, error)) from error
    yield Finding("study database", f"{masked(url)}, {str(version).split(' on ')[0]}")
    mend = "" if create else "Let the user create tables: GRANT CREATE ON SCHEMA public TO ..."
    tables = "tables are there" if made else "no tables yet"
    yield Finding("its rights", f"{tables}, {'may' if create else 'may not'} create them", mend)
    yield _clock("its clock", float(clock), before, after)


def tracking(stores: "Stores") -> Iterator[Finding]:
    """Check that MLflow answers, and its version."""
    import importlib.metadata

    from search.common.stores import masked
    from search.tracking.existing_runs import experiments

    for line in stores.warnings:
        yield Finding("MLflow", line, "Start `mlflow server` on the database (docs/cluster.md).")
    if stores.missing_tracking:
        yield Finding("MLflow", f"{stores.missing_tracking} will be made")
        return
    found = experiments(stores.tracking)
    known = f"{masked(stores.tracking)} answers, {len(found)} experiment(s)"
    yield Finding("MLflow", f"{known}; here is version {importlib.metadata.version('mlflow')}")


def nodes(address: str) -> Iterator[Finding]:
    """Check versions, clock and free space of every node of a cluster."""
    from search.training.ray_agent import versions
    from search.training.ray_nodes import look_at_nodes

    for node in look_at_nodes(address):
        if node.problem:
            yield Finding(f"node {node.host}", node.problem, "See that it runs and has a CPU free.")
            continue
        ours = versions()
        differ = [
            f"{name} {version}, here {ours.get(name)}"
            for name, version in node.versions.items()
            if ours.get(name) != version
        ]
        same = "the same versions" if not differ else "; ".join(differ)
        mend = "" if not differ else "Install the same lock file there."
        yield Finding(f"node {node.host}", f"{node.cpus:g} CPU, {node.gpus:g} GPU, {same}", mend)
        yield _clock(f"clock of {node.host}", node.clock, node.asked, node.answered)
        mend = "" if node.free > FREE else f"Free {FREE / 2**30:.0f} GiB there."
        yield Finding(f"space on {node.host}", f"{node.free / 2**30:.1f} GiB free", mend)


def _clock(what: str, clock: float, before: float, after: float) -> Finding:
    """Compare a clock with ours, which was read before and after it."""
    off = max(before - clock, clock - after, 0.0)
    mend = "" if off <= CLOCKS else "Synchronise both machines with NTP."
    return Finding(what, f"differs by {off:.1f} s" if off else "agrees with this machine's", mend)


if __name__ == "__main__":
    main()
