"""An Optuna study as the coordinator sees it: room, ask, report, tell, reconcile.

It holds the truth about every trial attempt, whoever drew its point; each change of state is
written before anybody is told of it.
"""

import dataclasses
import uuid
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from experiments.experiment import Experiment
from search.common.errors import Refused
from search.common.records import Cause, Failure, Importance, Standing, TrialRecord, TrialResult
from search.common.resume_check import hold
from search.common.seeds import trial_seed
from search.tuning.attempts import Tally
from search.tuning.endings import Endings
from search.tuning.importance import importances
from search.tuning.kept_studies import failure_of, record_of
from search.tuning.long_study import Lessons
from search.tuning.optuna_space import suggest
from search.tuning.oracle import Oracle
from search.tuning.patient_storage import PatientStorage
from search.tuning.proposals import Proposals
from search.tuning.pruners import WARM_UP_EPOCHS, make_pruner
from search.tuning.pruning import Pruning
from search.tuning.queue import queue_designs, queue_repeats, seed_of, waiting
from search.tuning.running_trials import OwnTrials
from search.tuning.samplers import make_sampler
from search.tuning.storage import Storage
from search.tuning.trial_writer import Overtaken

# How often a trial is drawn again because another program has changed the study meanwhile.
MOST_DRAWS = 5

optuna.logging.set_verbosity(optuna.logging.WARNING)
optuna.logging.disable_propagation()


class Study:
    """One study under this process's exclusive care.

    Attributes:
        name: of the study.
    """

    def __init__(
        self,
        storage: Storage,
        name: str,
        experiment: Experiment,
        seed: int,
        sampler: str,
        pruner: str,
        warm_up: int = WARM_UP_EPOCHS,
        dropped: frozenset[str] = frozenset(),
    ) -> None:
        """Open the study, or make it.

        Args:
            storage: the study database.
            name: of the study.
            experiment: what is tried.
            seed: of the study.
            sampler: see `search.tuning.samplers`.
            pruner: see `search.tuning.pruners`.
            warm_up: epochs before which nothing is pruned.
            dropped: designs of which no further seed is queued.
        """
        self.name = name
        self._dropped = dropped
        self._below = storage
        self._storage = OwnTrials(storage)
        self._experiment = experiment
        self._space = experiment.space
        self._seed = seed
        self._sampler = sampler
        self._study = optuna.create_study(
            study_name=name,
            storage=self._storage,
            direction="minimize",
            load_if_exists=True,
            pruner=make_pruner(pruner, experiment.epochs, warm_up),
        )
        self._endings = Endings(self._storage, self._study, experiment, seed)
        self._live: dict[int, optuna.Trial] = {}
        self._pruning = Pruning(experiment.epochs)
        self._tally = Tally()
        self._lessons = Lessons()
        # Trials in the storage, those that wait included.
        self._count = 0
        self._proposals: Proposals | None = None

    # -- opening ---------------------------------------------------------------------------------

    def hold_to(self, contract: dict[str, object], files: str = "") -> None:
        """Keep `contract` with the study, or compare it with the one kept.

        Args:
            contract: what must stay the same.
            files: which data files the two are of, for the refusal.

        Raises:
            Refused: the study was begun under another contract; what changed is named.
        """
        kept = self._study.user_attrs.get("contract")
        if kept is None:
            if self._study.get_trials(deepcopy=False):
                raise Refused(
                    f"study {self.name!r} was not made by this program: it has trials, but no "
                    "contract.\nNext: give another name with --study."
                )
            self._study.set_user_attr("contract", contract)
            return
        hold(self.name, kept, contract, files)

    @property
    def identity(self) -> str:
        """What tells this study from any other, one of its name in another database included."""
        kept = self.recall("identity")
        if not isinstance(kept, str):
            kept = uuid.uuid4().hex
            self.remember("identity", kept)
        return kept

    def remember(self, key: str, value: object) -> None:
        """Keep a JSON-able value with the study."""
        self._study.set_user_attr(key, value)

    def recall(self, key: str) -> object | None:
        """Return what `remember` kept under `key`, or None."""
        return self._study.user_attrs.get(key)

    def reconcile(self, queue: bool = True) -> list[TrialRecord]:
        """Bring the study in order after any end of its last coordinator; idempotent.

        Attempts left RUNNING become failures and are queued again with the same parameters, unless
        their end was being written: then that is done. Fixed designs that are not in the queue yet
        are put there, if `queue`. Only the holder of the study's lock may call this: it takes every
        RUNNING attempt for an orphan.

        Returns:
            The attempts that were orphans.
        """
        orphans = []
        for trial in self._study.get_trials(deepcopy=False):
            if trial.state != TrialState.RUNNING:
                continue
            if "result" in trial.user_attrs:
                result = TrialResult.from_stored(trial.user_attrs["result"])
                self._endings.complete(trial.number, result)
                self._keep(trial.number)
            elif "failure" in trial.user_attrs:
                self._fail(trial, failure_of(trial.user_attrs["failure"]))
            else:
                failure = Failure(
                    Cause.COORDINATOR_LOST, "the coordinator ended while this attempt ran"
                )
                orphans.append(self._fail(trial, failure))
        if queue:
            queue_designs(self._study, self._experiment, self._dropped)
        trials = self._study.get_trials(deepcopy=False)
        self._count = len(trials)
        self._lessons = Lessons()
        for trial in trials:
            self._lessons.add(trial)
            if trial.state != TrialState.WAITING:
                self._tally.keep(record_of(trial, self._experiment))
            elif "retry_of" in trial.user_attrs:
                self._tally.repeated(trial.user_attrs["retry_of"])
        return orphans

    def want(self, repeats: Sequence[tuple[str, int]]) -> None:
        """Queue these designs, each with one of its seeds, unless they are there already.

        Args:
            repeats: name and repeat, counted from 0, of each.
        """
        queue_repeats(self._study, self._experiment, repeats)
        self._count = len(self._study.get_trials(deepcopy=False))

    def draw_with(self, oracle: Oracle) -> None:
        """Let `oracle` draw the points from now on; `reconcile` comes first.

        It is told all that is known, as if it had been there from the beginning.
        """
        self._proposals = Proposals(oracle, self._study, self._experiment, self._tally)

    def hurry_when(self, asked: Callable[[], int]) -> None:
        """Stop waiting for a database server that is away once `asked()` is true."""
        if isinstance(self._below, PatientStorage):
            self._below.hurried = asked

    # -- running ---------------------------------------------------------------------------------

    @property
    def records(self) -> Mapping[int, TrialRecord]:
        """Every attempt by its number, as last written."""
        return self._tally.records

    @property
    def finished(self) -> int:
        """Trials that have come to an end, each counted once however many attempts it took."""
        return self._tally.finished

    @property
    def running(self) -> int:
        """Attempts asked for and not told yet."""
        return len(self._live)

    @property
    def best(self) -> TrialRecord | None:
        """The completed attempt with the lowest objective, or None."""
        return self._tally.best

    @property
    def standing(self) -> Standing:
        """How the study stands now."""
        return self._tally.standing

    @property
    def waiting(self) -> int:
        """Trials in the queue."""
        return len(waiting(self._study))

    def ready(self) -> bool:
        """True if there is a trial to ask for.

        Only an oracle can have none: before a running trial has ended, or for good, as when all
        points of a small space were tried.
        """
        if self._proposals is None or waiting(self._study):
            return True
        return self._proposals.queue_next(trial_seed(self._seed, self._count))

    def ask(self) -> TrialRecord:
        """Draw the next trial, or take it from the queue; it is RUNNING from now on.

        Raises:
            Refused: there is none, see `ready`; or other programs change the study all the time.
        """
        if not self.ready():
            raise Refused(self.no_more)
        for tries_left in reversed(range(MOST_DRAWS)):
            try:
                with self._storage.at_once():
                    number = self._draw()
                break
            except Overtaken:  # as by a trial that another program has queued: it goes first
                # The point of an oracle that another program has taken needs another one.
                if not tries_left or not self.ready():
                    raise
        self._count = max(self._count, number + 1)
        self._live[number] = self._endings.live(number)
        return self._keep(number)

    def _draw(self) -> int:
        # Seeded by the number of trials so far: a resumed study draws what it would have drawn.
        self._study.sampler = make_sampler(
            self._sampler, self._space, self._seed, self._count, self._lessons
        )
        trial = self._study.ask()
        suggest(trial, self._space)
        if "seed" not in trial.user_attrs:
            trial.set_user_attr("seed", seed_of(trial, self._experiment, self._seed))
        return trial.number

    @property
    def no_more(self) -> str:
        """Why there is no trial to ask for, and what to do."""
        assert self._proposals is not None
        return self._proposals.no_more

    def known(self, record: TrialRecord) -> TrialResult | None:
        """The result of an earlier attempt with exactly the point of `record`, as its own.

        None where there is none, and for a fixed design, whose repeats are meant.
        """
        if record.design:
            return None
        other = self._tally.first_with(record)
        if other is None or other.result is None:
            return None
        return dataclasses.replace(
            other.result, repeat_of=other.number, seconds=0.0, overhead_seconds=0.0
        )

    def report(self, number: int, epoch: int, value: float) -> bool:
        """Keep an epoch's validation MSE; True if the attempt should be pruned now.

        Fixed designs are never pruned, nor is an attempt that is the best of the study so far.
        """
        trial = self._live.get(number)
        if trial is None:
            return True  # sent before its process died, read after its end was told
        if not np.isfinite(value):
            return False  # training ends with TrainingDiverged by itself
        return self._pruning.report(trial, epoch, value, self.records[number], self.best)

    def tell(self, number: int, outcome: TrialResult | Failure) -> TrialRecord:
        """Write the end of an attempt; a retry, where one is due, is queued first."""
        trial = self._live.pop(number)
        self._pruning.forget(number)
        if isinstance(outcome, Failure):
            return self._fail(self._endings.trial(number), outcome)
        with self._storage.at_once():
            if outcome.repeat_of is not None:  # nobody has reported its epochs
                for epoch, value in enumerate(outcome.history["val_mse"], start=1):
                    trial.report(value, epoch)
            trial.set_user_attr("result", outcome.as_stored())
            self._endings.complete(number, outcome)
        return self._keep(number)

    def importances(self) -> tuple[Importance, ...]:
        """Importance of each parameter for the objective, the largest first."""
        return tuple(importances(self.records.values(), self._experiment.space))

    # -- helpers ---------------------------------------------------------------------------------

    def _fail(self, trial: FrozenTrial, failure: Failure) -> TrialRecord:
        if self._endings.fail(trial, failure):
            self._count += 1
            self._tally.repeated(trial.number)
        return self._keep(trial.number)

    def _keep(self, number: int) -> TrialRecord:
        trial = self._endings.trial(number)
        record = record_of(trial, self._experiment)
        self._tally.keep(record)
        self._lessons.add(trial)
        if self._proposals is not None:
            self._proposals.end(record)
        return record
