"""Which pool trains: the one place that makes one."""

from data_pipeline.framing import Framing
from data_pipeline.series import HourlySeries
from search.training.local_pool import ProcessPoolOfWorkers
from search.training.pool import Crew, Pool


def open_pool(series: HourlySeries, framing: Framing, crew: Crew) -> Pool:
    """The pool that `crew` asks for: training processes on this machine.

    Another engine is a module beside `local_pool`, and one line here.

    Args:
        series: what is trained on.
        framing: how it is seen, where a task does not say so itself.
        crew: who trains.
    """
    return ProcessPoolOfWorkers(series, framing, crew.workers, crew.gpus, crew.trial_timeout)
