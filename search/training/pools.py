"""Which pool trains: the one place that makes one, and keeps it for a whole command."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from data_pipeline.framing import Framing
from data_pipeline.series import HourlySeries
from search.training.local_pool import ProcessPoolOfWorkers
from search.training.pool import Crew, Pool


def open_pool(
    series: HourlySeries,
    framing: Framing,
    crew: Crew,
    say: Callable[[str], None] = lambda line: None,
) -> Pool:
    """The pool that `crew` asks for: training processes on this machine, or on a Ray cluster.

    Another engine is a module beside `local_pool`, and one line here.

    Args:
        series: what is trained on.
        framing: how it is seen, where a task does not say so itself.
        crew: who trains.
        say: is told in a line who of a cluster trains.

    Raises:
        Refused: the cluster cannot be used.
    """
    if crew.cluster:
        # Ray takes a second to import, and is there only where somebody wants it.
        from search.training.ray_pool import RayPool, Resources

        asked = Resources(crew.cluster, crew.workers or None, crew.per_gpu)
        return RayPool(series, framing, asked, crew.trial_timeout, say)
    return ProcessPoolOfWorkers(series, framing, crew.workers, crew.gpus, crew.trial_timeout)


@contextmanager
def one_pool(
    series: HourlySeries,
    framing: Framing,
    crew: Crew,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[Callable[[], Pool]]:
    """One pool for all that a command trains, stopped at its end; the arguments of `open_pool`.

    A training process takes seconds to start, so the rounds of a command share it.

    Yields:
        A function that returns the pool. The first call opens it.
    """
    opened: list[Pool] = []

    def pool() -> Pool:
        if not opened:
            opened.append(open_pool(series, framing, crew, say))
        return opened[0]

    try:
        yield pool
    finally:
        for one in opened:
            one.stop()
