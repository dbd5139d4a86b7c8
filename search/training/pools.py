"""Which pool trains: the one place that makes one."""

from collections.abc import Callable

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
