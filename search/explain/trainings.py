"""The trainings of an explanation. They form their own study: resumable, parallel, in MLflow."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from search.common.records import State, TrialRecord
from search.common.seeds import trial_seed
from search.common.stores import Stores
from search.engine.opening import Session, open_fixed
from search.engine.progress import Progress
from search.engine.session import conduct
from search.explain.way import Way, replace_designs
from search.results.ablation import Changed, Run
from search.training.pool import Pool
from search.tuning.kept_studies import designs_of
from search.tuning.storage import Storage


class Stopped(Exception):
    """The person, the system or the timeout ended it; `signum` is the signal, if there was one."""

    def __init__(self, reason: str, signum: int | None) -> None:
        super().__init__(reason)
        self.signum = signum


@dataclass
class Trainings:
    """Trains the missing runs of an ablation. The caller holds the study.

    Attributes:
        way: what is explained.
        storage: the study database. stores: places of the database, MLflow and the spool.
        pool: returns the pool that trains.
        seconds_left: after this many seconds no new training starts; None for no limit.
        quiet: True shows no progress.
        session: the study as last opened.
    """

    way: Way
    storage: Storage
    stores: Stores
    pool: Callable[[], Pool]
    seconds_left: Callable[[], float | None]
    quiet: bool
    session: Session | None = None

    def __call__(self, runs: Sequence[Run]) -> list[float]:
        """Validation RMSE of each run, in the data's unit; infinite if the training failed.

        Raises:
            Stopped: not all runs were trained.
        """
        records = self._train(runs)
        found = []
        for changed, repeat in runs:
            record = records[changed, repeat]
            result = record.result if record.state is State.COMPLETE else None
            found.append(math.inf if result is None else result.held_out["rmse"])
        return found

    def records(self) -> Mapping[tuple[Changed, int], TrialRecord]:
        """The latest attempt of each run."""
        assert self.session is not None
        way = self.way
        seeds = {trial_seed(way.seed, r): r for r in (*way.choosing, *way.measuring)}
        found = {}
        for number in sorted(self.session.study.records):
            record = self.session.study.records[number]
            if record.seed in seeds:
                found[way.changed_in(record.design), seeds[record.seed]] = record
        return found

    def deliver(self) -> None:
        """Deliver to MLflow what is missing there, and what only the whole study has."""
        self._conduct(self._open(()), goes_on=False)

    def _train(self, runs: Sequence[Run]) -> Mapping[tuple[Changed, int], TrialRecord]:
        self._open(runs)
        assert self.session is not None
        if self.session.study.waiting:
            self._conduct(self.session)
        return self.records()

    def _open(self, runs: Sequence[Run]) -> Session:
        way = self.way
        before = {way.changed_in(name) for name in designs_of(self.storage, way.name)}
        experiment = way.experiment([*(changed for changed, _ in runs), *before])
        wanted = [(way.design_name(changed), repeat) for changed, repeat in runs]
        self.session = open_fixed(
            replace_designs(way.plan, experiment),
            way.name,
            self.storage,
            self.stores,
            way.contract,
            wanted=wanted,
        )
        return self.session

    def _conduct(self, session: Session, goes_on: bool = True) -> None:
        progress = Progress(session.facts, session.study.finished, self.quiet)
        _, ending, signum = conduct(self.pool(), session, progress, self.seconds_left(), goes_on)
        if session.study.finished < session.facts.total or signum:
            raise Stopped(ending.reason, signum or ending.signum)
