"""An Optuna study as the coordinator sees it: room, ask, report, tell, reconcile.

It holds the truth about every trial attempt, whoever drew its point; each change of state is
written before anybody is told of it.
"""

import dataclasses
import uuid
import warnings
from collections.abc import Callable, Mapping

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from experiments.experiment import Experiment
from experiments.lstm_space import to_flat
from experiments.space import Value
from search.common.errors import Refused
from search.common.records import (
    RETRIED,
    UNCOUNTED,
    Cause,
    Failure,
    Standing,
    TrialRecord,
    TrialResult,
)
from search.common.resume_check import hold
from search.common.seeds import trial_seed
from search.tuning.attempts import Tally
from search.tuning.kept_studies import failure_of, record_of
from search.tuning.long_study import Lessons
from search.tuning.optuna_space import suggest
from search.tuning.oracle import Oracle
from search.tuning.patient_storage import PatientStorage
from search.tuning.pruners import WARM_UP_EPOCHS, make_pruner
from search.tuning.running_trials import OwnTrials
from search.tuning.samplers import make_sampler

RETRIES = 2
# Nodes that a trial may lose before the loss of another one uses up a retry.
MOST_NODES = 5
# Complete trials below which the importance of some ten parameters is noise.
ENOUGH_FOR_IMPORTANCE = 10

optuna.logging.set_verbosity(optuna.logging.WARNING)
optuna.logging.disable_propagation()


class Study:
    """One study under this process's exclusive care.

    Attributes:
        name: of the study.
    """

    def __init__(
        self,
        storage: optuna.storages.BaseStorage,
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
        storage = OwnTrials(storage)
        self._storage = storage
        self._experiment = experiment
        self._space = experiment.space
        self._seed = seed
        self._sampler = sampler
        self._study = optuna.create_study(
            study_name=name,
            storage=storage,
            direction="minimize",
            load_if_exists=True,
            pruner=make_pruner(pruner, experiment.epochs, warm_up),
        )
        self._study_id = storage.get_study_id_from_name(name)
        self._live: dict[int, optuna.Trial] = {}
        # The lowest value that each of them has reported.
        self._lowest: dict[int, float] = {}
        self._tally = Tally()
        self._lessons = Lessons()
        # Trials in the storage, those that wait included.
        self._count = 0
        self._oracle: Oracle | None = None

    # -- opening ---------------------------------------------------------------------------------

    def hold_to(self, contract: dict[str, object]) -> None:
        """Keep `contract` with the study, or compare it with the one kept.

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
        hold(self.name, kept, contract)

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
                self._complete(trial.number, TrialResult(**trial.user_attrs["result"]))
            elif "failure" in trial.user_attrs:
                self._fail(trial, failure_of(trial.user_attrs["failure"]))
            else:
                failure = Failure(
                    Cause.COORDINATOR_LOST, "the coordinator ended while this attempt ran"
                )
                orphans.append(self._fail(trial, failure))
        if queue:
            self._queue_designs()
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

    def _queue_designs(self) -> None:
        queued = {
            (trial.user_attrs.get("design"), trial.user_attrs.get("repeat"))
            for trial in self._study.get_trials(deepcopy=False)
        }
        for repeat in range(self._experiment.repeats):
            for design in self._experiment.designs:
                if (design.name, repeat) not in queued and design.name not in self._dropped:
                    flat = to_flat(design.parameters, self._space)
                    attributes = {"design": design.name, "repeat": repeat, "planned": flat}
                    if self._experiment.rolling:
                        # What is tested again is trained as the search trained it.
                        attributes["epochs"] = design.parameters.epochs
                    self._study.enqueue_trial(flat, user_attrs=attributes)

    def draw_with(self, oracle: Oracle) -> None:
        """Let `oracle` draw the points from now on; `reconcile` comes first.

        It is told all that is known, as if it had been there from the beginning.
        """
        for record in self.records.values():
            if self._tally.ended(record):
                oracle.end(record)
            elif record.proposal and record.parameters is not None:
                oracle.begin(record.proposal, record.flat)
        for trial in self._waiting():
            if "proposal" in trial.user_attrs:
                oracle.begin(trial.user_attrs["proposal"], trial.user_attrs["planned"])
        state = self.recall("oracle")
        oracle.restore(state if isinstance(state, dict) else {})
        self._oracle = oracle

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
        return len(self._waiting())

    def ready(self) -> bool:
        """True if there is a trial to ask for.

        Only an oracle can have none: before a running trial has ended, or for good, as when all
        points of a small space were tried.
        """
        oracle = self._oracle
        if oracle is None or self._waiting():
            return True
        proposal = oracle.propose(trial_seed(self._seed, self._count))
        if proposal is None:
            return False
        # First what the oracle decided: of a proposal that is not queued it can be taken back.
        state = oracle.state
        if state:
            self.remember("oracle", state)
        attributes: dict[str, object] = {"planned": proposal.flat, "proposal": proposal.name}
        if proposal.epochs is not None:
            attributes["epochs"] = proposal.epochs
        if proposal.continues is not None:
            # With its seed, training goes through the same epochs again before it goes on.
            attributes["seed"] = next(
                record.seed
                for record in self.records.values()
                if record.proposal == proposal.continues
            )
        self._study.enqueue_trial(proposal.flat, user_attrs=attributes)
        return True

    def _waiting(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,))

    def ask(self) -> TrialRecord:
        """Draw the next trial, or take it from the queue; it is RUNNING from now on.

        Raises:
            Refused: there is none; see `ready`.
        """
        if not self.ready():
            raise Refused(self.no_more)
        # Seeded by the number of trials so far: a resumed study draws what it would have drawn.
        self._study.sampler = make_sampler(
            self._sampler, self._space, self._seed, self._count, self._lessons
        )
        trial = self._study.ask()
        self._count = max(self._count, trial.number + 1)
        suggest(trial, self._space)
        attributes = trial.user_attrs
        if "seed" not in attributes:
            trial.set_user_attr("seed", self._seed_of(trial))
        self._live[trial.number] = trial
        return self._keep(trial.number)

    @property
    def no_more(self) -> str:
        """Why there is no trial to ask for, and what to do."""
        assert self._oracle is not None
        return (
            f"KerasTuner's {self._oracle.name} oracle proposes no further point for study "
            f"{self.name!r}: expected one for each of {self._experiment.trials} trials, found that "
            f"it has none after {self.finished}. It gives up when the points that it draws were "
            "all tried before.\nNext: ask for fewer with --trials, or begin a study of a wider "
            "space with --study NAME."
        )

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
        trial.report(value, epoch)
        self._lowest[number] = min(value, self._lowest.get(number, value))
        # Asked in any case: hyperband compares only values that it was shown.
        hopeless = bool(trial.should_prune())
        record = self.records[number]
        best = self.best
        if record.design or best is None or best.result is None:
            return False
        reached = self._lowest[number]
        # Nothing is saved at the last epoch, and the trial would not count as complete.
        last = epoch >= self._experiment.epochs
        return hopeless and not last and reached > best.result.objective

    def tell(self, number: int, outcome: TrialResult | Failure) -> TrialRecord:
        """Write the end of an attempt; a retry, where one is due, is queued first."""
        trial = self._live.pop(number)
        self._lowest.pop(number, None)
        if isinstance(outcome, Failure):
            return self._fail(self._trial(number), outcome)
        if outcome.repeat_of is not None:  # nobody has reported its epochs
            for epoch, value in enumerate(outcome.history["val_mse"], start=1):
                trial.report(value, epoch)
        trial.set_user_attr("result", dataclasses.asdict(outcome))
        return self._complete(number, outcome)

    def _complete(self, number: int, outcome: TrialResult) -> TrialRecord:
        if outcome.stopped_by == "pruner":
            self._study.tell(number, state=TrialState.PRUNED)
        else:
            self._study.tell(number, outcome.objective)
        return self._keep(number)

    def importances(self) -> dict[str, float]:
        """Importance of each parameter for the objective, by name; empty for too few trials."""
        complete = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if len(complete) < ENOUGH_FOR_IMPORTANCE or len({trial.value for trial in complete}) < 2:
            return {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dict(optuna.importance.get_param_importances(self._study))

    # -- helpers ---------------------------------------------------------------------------------

    def _fail(self, trial: FrozenTrial, failure: Failure) -> TrialRecord:
        attributes = trial.user_attrs
        flat = attributes.get("planned") or dict(trial.params)
        counted = failure.cause not in UNCOUNTED
        if failure.cause is Cause.NODE_LOST:  # within a cap: the trial may be what ends the nodes
            counted = int(attributes.get("attempt", 1)) >= MOST_NODES
        used = int(attributes.get("retries_used", 0)) + counted
        complete = not self._space.problems(flat)
        if failure.cause in RETRIED and used <= RETRIES and complete:
            self._queue_retry(trial, flat, used)
        # Through the storage, since another process may have asked for this attempt.
        plain = dataclasses.asdict(failure)
        self._storage.set_trial_user_attr(self._trial_id(trial.number), "failure", plain)
        self._study.tell(trial.number, state=TrialState.FAIL)
        return self._keep(trial.number)

    def _queue_retry(self, trial: FrozenTrial, flat: dict[str, Value], used: int) -> None:
        # Queued before the failure is written: a crash in between must not lose the retry, and
        # the next reconciliation must not queue it twice.
        if any(
            other.user_attrs.get("retry_of") == trial.number
            for other in self._study.get_trials(deepcopy=False)
        ):
            return
        kept = {
            name: trial.user_attrs[name]
            for name in ("design", "repeat", "proposal", "epochs")
            if name in trial.user_attrs
        }
        attempt = int(trial.user_attrs.get("attempt", 1)) + 1
        self._study.enqueue_trial(
            flat,
            user_attrs=kept
            | {
                "planned": flat,
                # A crash just after the drawing may have come before the seed was written.
                "seed": trial.user_attrs.get("seed", self._seed_of(trial)),
                "retry_of": trial.number,
                "attempt": attempt,
                "retries_used": used,
            },
        )
        self._count += 1
        self._tally.repeated(trial.number)

    def _seed_of(self, trial: optuna.Trial | FrozenTrial) -> int:
        paired = not self._experiment.sampled
        return trial_seed(self._seed, trial.user_attrs["repeat"] if paired else trial.number)

    def _trial_id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number)

    def _trial(self, number: int) -> FrozenTrial:
        return self._storage.get_trial(self._trial_id(number))

    def _keep(self, number: int) -> TrialRecord:
        trial = self._trial(number)
        record = record_of(trial, self._experiment)
        self._tally.keep(record)
        self._lessons.add(trial)
        if self._oracle is not None and self._tally.ended(record):
            self._oracle.end(record)
        return record
