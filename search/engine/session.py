"""One study from its open database to its end: train, deliver."""

from search.common.records import StudyFacts
from search.common.stores import Stores
from search.engine.coordinator import Coordinator, Ending, finish, stopping_on_signals
from search.engine.plan import Plan
from search.engine.progress import Progress
from search.results.summary import StudySummary
from search.tracking.mirror import Mirror
from search.training.pool import Crew, Pool
from search.training.pools import open_pool
from search.tuning.study import Study


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
    pool = open_pool(plan.series, plan.experiment.framing, crew, progress.say)
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
            study.hurry_when(stop_asked)
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
