"""How the end of an attempt is written, and when it is tried again."""

import dataclasses

import optuna
from optuna.trial import FrozenTrial, TrialState

from experiments.experiment import Experiment
from search.common.records import RETRIED, UNCOUNTED, Cause, Failure, TrialResult
from search.tuning.queue import queue_retry, seed_of
from search.tuning.running_trials import OwnTrials

# Further attempts of a trial whose failure was not its own fault.
RETRIES = 2
# From the loss of so many nodes on, each one uses up a retry of the trial that it trained.
MOST_NODES = 5


class Endings:
    """Writes the ends of one study's attempts."""

    def __init__(
        self,
        storage: OwnTrials,
        study: optuna.Study,
        experiment: Experiment,
        seed: int,
    ) -> None:
        """Remember where.

        Args:
            storage: the study database.
            study: in it.
            experiment: of the study.
            seed: of the study.
        """
        self._storage = storage
        self._study = study
        self._study_id = storage.get_study_id_from_name(study.study_name)
        self._experiment = experiment
        self._seed = seed

    def trial(self, number: int) -> FrozenTrial:
        """The attempt as it stands in the database."""
        return self._storage.get_trial(self._trial_id(number))

    def live(self, number: int) -> optuna.Trial:
        """An attempt that runs, to be written to."""
        return optuna.Trial(self._study, self._trial_id(number))

    def complete(self, number: int, outcome: TrialResult) -> None:
        """Write that an attempt, whose result is kept already, has ended."""
        if outcome.stopped_by == "pruner":
            self._study.tell(number, state=TrialState.PRUNED)
        else:
            self._study.tell(number, outcome.objective)

    def fail(self, trial: FrozenTrial, failure: Failure) -> bool:
        """Write why an attempt failed; True if another one was queued for it."""
        attributes = trial.user_attrs
        flat = attributes.get("planned") or dict(trial.params)
        counted = failure.cause not in UNCOUNTED
        lost = int(attributes.get("nodes_lost", 0))
        if failure.cause is Cause.NODE_LOST:  # within a cap: the trial may be what ends the nodes
            lost += 1
            counted = lost >= MOST_NODES
        used = int(attributes.get("retries_used", 0)) + counted
        complete = not self._experiment.space.problems(flat)
        # Queued before the failure is written: a crash in between must not lose the retry, and
        # the next reconciliation must not queue it twice.
        queued = (
            failure.cause in RETRIED
            and used <= RETRIES
            and complete
            and queue_retry(
                self._study, trial, flat, used, lost, seed_of(trial, self._experiment, self._seed)
            )
        )
        # Through the storage, since another process may have asked for this attempt.
        plain = dataclasses.asdict(failure)
        with self._storage.at_once():
            self._storage.set_trial_user_attr(self._trial_id(trial.number), "failure", plain)
            self._study.tell(trial.number, state=TrialState.FAIL)
        return queued

    def _trial_id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number)
