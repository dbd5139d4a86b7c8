"""A contender: this project as a search runs it, stores and figures included."""

from experiments.experiment import Design
from models.parameters import TrialParameters
from search.benchmark.job import Job, epoch_flops, say_epoch
from search.coordinator import Coordinator, finish
from search.optuna_storage import open_storage
from search.plan import default_workers, judge_baselines, make_plan, study_facts
from search.pool import EpochReached, Event, ProcessPoolOfWorkers
from search.progress import Progress
from search.records import Task
from search.stores import Stores
from search.study import Study
from search.tracking import Mirror

MANY_TRIALS = 10_000
SAMPLER, PRUNER = "tpe", "median"


class _PoolThatSays(ProcessPoolOfWorkers):
    """The usual pool, reporting each epoch to the benchmark."""

    windows: int
    shape: tuple[int, int]

    def submit(self, task: Task) -> None:
        """Queue `task` and remember how much work its epochs are."""
        self._tasks: dict[int, TrialParameters] = getattr(self, "_tasks", {})
        self._tasks[task.number] = task.parameters
        super().submit(task)

    def event(self, seconds: float) -> Event | None:
        """Return the next event, reported if it is an epoch."""
        event = super().event(seconds)
        if isinstance(event, EpochReached):
            flops = epoch_flops(self._tasks[event.number], self.windows, *self.shape)
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
        experiment = experiment.model_copy(update={"trials": MANY_TRIALS})
    plan = make_plan(experiment)
    root = job.folder.absolute()
    stores = Stores(
        storage=f"sqlite:///{root}/optuna.db",
        tracking=f"sqlite:///{root}/mlflow.db",
        artifacts=root / "artifacts",
        root=root,
    )
    (root / "locks").mkdir(parents=True)
    storage = open_storage(stores.storage, stores.schema_lock)
    study = Study(storage, "benchmark", experiment, job.seed, SAMPLER, PRUNER)
    study.hold_to(plan.contract)
    facts = study_facts(plan, study.name, study.identity, judge_baselines(plan))
    study.reconcile()
    progress = Progress(facts, 0, quiet=True)
    spool = stores.spool(study.name)
    mirror = Mirror(
        stores.tracking, stores.artifacts, stores.schema_lock, spool, facts, progress.say
    )
    pool = _PoolThatSays(plan.series, experiment.framing, default_workers(()))
    train = plan.prepared.train
    pool.windows, pool.shape = len(train), (train.x.shape[1], train.x.shape[2])
    coordinator = Coordinator(study, pool, mirror, progress, facts, spool)
    ending = coordinator.run(timeout=None)
    pool.stop()
    finish(coordinator, study, mirror, ending, lambda: False)


if __name__ == "__main__":
    main()
