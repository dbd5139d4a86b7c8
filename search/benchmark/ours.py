"""A contender: this project as in a real search, including stores and figures."""

from experiments.experiment import Design
from models.cost import epoch_flops
from models.parameters import TrialParameters
from search.benchmark.job import Job, say_epoch
from search.benchmark.scratch_study import private_study
from search.common.records import Task
from search.engine.plan import Plan, make_plan
from search.engine.progress import Progress
from search.engine.session import conduct
from search.training.local_pool import ProcessPoolOfWorkers
from search.training.machine import default_workers
from search.training.pool import EpochReached, Event

MANY_TRIALS = 10_000
SAMPLER = "tpe"


class _PoolThatSays(ProcessPoolOfWorkers):
    """The usual pool, reporting each epoch to the benchmark."""

    def __init__(self, plan: Plan, workers: int) -> None:
        super().__init__(plan.series, plan.experiment.framing, workers)
        train = plan.prepared.train
        self._size = (len(train), *train.x.shape[1:])
        self._parameters: dict[int, TrialParameters] = {}

    def submit(self, task: Task) -> None:
        """Queue `task`, and note the operations of its epochs."""
        self._parameters[task.number] = task.parameters
        super().submit(task)

    def event(self, seconds: float) -> Event | None:
        """Return the next event; report it if it is an epoch."""
        event = super().event(seconds)
        if isinstance(event, EpochReached):
            flops = epoch_flops(self._parameters[event.number], *self._size)
            say_epoch(event.number, event.epoch, event.value, flops)
        return event


def main() -> None:
    """Train the job's points, or search until stopped."""
    job = Job.from_command_line()
    experiment = job.adapted()
    if job.points is not None:
        designs = tuple(
            Design(name=f"point_{number}", parameters=job.parameters(point))
            for number, point in enumerate(job.points)
        )
        experiment = experiment.model_copy(update={"designs": designs, "trials": len(designs)})
    else:
        experiment = experiment.model_copy(update={"trials": job.trials or MANY_TRIALS})
    plan = make_plan(experiment)
    session = private_study(plan, job.folder, SAMPLER)
    progress = Progress(session.facts, 0, quiet=True)
    conduct(_PoolThatSays(plan, default_workers(())), session, progress)


if __name__ == "__main__":
    main()
