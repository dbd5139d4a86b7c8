"""One study from its database to its end: lock, reconcile, train, deliver."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from filelock import FileLock, Timeout

from search.coordinator import Coordinator, Ending, finish, stopping_on_signals
from search.errors import Refused
from search.mirror import Mirror
from search.plan import Plan
from search.pool import Pool, ProcessPoolOfWorkers
from search.progress import Progress
from search.records import StudyFacts
from search.stores import Stores
from search.study import Study
from search.summary import StudySummary


@dataclass(frozen=True)
class Crew:
    """Who trains: processes at once, the GPUs they take in turn, and the seconds a trial may take.

    `timeout` is the number of seconds after which no trial is begun; None: no such limit.
    """

    workers: int
    gpus: tuple[int, ...] = ()
    trial_timeout: float | None = None
    timeout: float | None = None


@contextlib.contextmanager
def held(stores: Stores, study: str) -> Iterator[None]:
    """Hold the study for this process alone.

    Raises:
        Refused: another process holds it.
    """
    path = stores.study_lock(study)
    holder = path.with_suffix(".pid")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path, blocking=False):
            holder.write_text(str(os.getpid()))
            yield
    except Timeout as error:
        who = holder.read_text() if holder.exists() else "unknown"
        raise Refused(
            f"study {study!r} is being run by process {who}; one coordinator a study.\n"
            "Next: wait for it, which also brings MLflow in line, or stop it; a search may take "
            "another --study NAME."
        ) from error


def conduct(
    plan: Plan,
    study: Study,
    facts: StudyFacts,
    stores: Stores,
    crew: Crew,
    progress: Progress,
) -> tuple[StudySummary, Ending, int]:
    """Train until the study has its total, and bring MLflow in line; see `conduct_with`.

    Args:
        plan: gives the series and how it is framed.
        study: held by this process, and reconciled.
        facts: of the study.
        stores: where MLflow and the spool are.
        crew: who trains.
        progress: is told of every trial, and closed.
    """
    pool = ProcessPoolOfWorkers(
        plan.series, plan.experiment.framing, crew.workers, crew.gpus, crew.trial_timeout
    )
    return conduct_with(pool, study, facts, stores, progress, crew.timeout)


def conduct_with(
    pool: Pool,
    study: Study,
    facts: StudyFacts,
    stores: Stores,
    progress: Progress,
    timeout: float | None = None,
) -> tuple[StudySummary, Ending, int]:
    """Train with `pool`, which is stopped at the end, until the study has its total.

    Returns:
        How the study stands, how the run ended, and the signal that asked for an end, be it during
        the last delivery; 0 without one.
    """
    spool = stores.spool(study.name, facts.identity)
    mirror = Mirror(
        stores.tracking, stores.artifacts, stores.tracking_lock, spool, facts, progress.say
    )
    mirror.catch_up(study.records.values())
    coordinator = Coordinator(study, pool, mirror, progress, facts, spool)
    try:
        with stopping_on_signals(pool) as stop_asked:
            ending = coordinator.run(timeout)
            pool.stop()
            # Before the delivery, whose time is not the workers'.
            summary = coordinator.summary()
            delivered = finish(summary, study, mirror, ending, stop_asked)
            signum = stop_asked()
    finally:
        pool.stop()
        progress.close()
    if not delivered:
        progress.say("MLflow does not have everything yet; the next start delivers the rest.")
    return summary, ending, signum
