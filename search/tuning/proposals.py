"""The points that an oracle draws for a study: how it is told of trials, and asked for more."""

from typing import Any

import optuna

from experiments.experiment import Experiment
from search.common.records import TrialRecord
from search.tuning.attempts import Tally
from search.tuning.oracle import Oracle, Proposal
from search.tuning.queue import waiting

# Under which the oracle's own state is kept with the study.
_STATE = "oracle"


class Proposals:
    """An oracle at work for one study."""

    def __init__(
        self, oracle: Oracle, study: optuna.Study, experiment: Experiment, tally: Tally
    ) -> None:
        """Tell the oracle all that is known, as if it had been there from the beginning.

        Args:
            oracle: a new one.
            study: that it draws for.
            experiment: of the study.
            tally: of all its attempts; read at every proposal.
        """
        self._oracle = oracle
        self._study = study
        self._experiment = experiment
        self._tally = tally
        for record in tally.records.values():
            if tally.ended(record):
                oracle.end(record)
            elif record.proposal and record.parameters is not None:
                oracle.begin(record.proposal, record.flat)
        for trial in waiting(study):
            if "proposal" in trial.user_attrs:
                oracle.begin(trial.user_attrs["proposal"], trial.user_attrs["planned"])
        state = study.user_attrs.get(_STATE)
        oracle.restore(state if isinstance(state, dict) else {})

    def queue_next(self, seed: int) -> bool:
        """Queue the next proposal, drawn with `seed`; False if there is none.

        There is none before a running trial has ended, or for good, as when all points of a small
        space were tried.
        """
        proposal = self._oracle.propose(seed)
        if proposal is None:
            return False
        # First what the oracle decided: of a proposal that is not queued it can be taken back.
        if state := self._oracle.state:
            self._study.set_user_attr(_STATE, state)
        self._study.enqueue_trial(proposal.flat, user_attrs=self._attributes(proposal))
        return True

    def end(self, record: TrialRecord) -> None:
        """Tell the oracle how an attempt ended, unless another one of its trial is queued."""
        if self._tally.ended(record):
            self._oracle.end(record)

    @property
    def no_more(self) -> str:
        """Why there is no trial to ask for, and what to do."""
        return (
            f"KerasTuner's {self._oracle.name} oracle proposes no further point for study "
            f"{self._study.study_name!r}: expected one for each of {self._experiment.trials} "
            f"trials, found that it has none after {self._tally.finished}. It gives up when the "
            "points that it draws were all tried before.\nNext: ask for fewer with --trials, or "
            "begin a study of a wider space with --study NAME."
        )

    def _attributes(self, proposal: Proposal) -> dict[str, Any]:
        """What is kept with the trial of a proposal."""
        attributes: dict[str, Any] = {"planned": proposal.flat, "proposal": proposal.name}
        if proposal.epochs is not None:
            attributes["epochs"] = proposal.epochs
        if proposal.continues is not None:
            # With its seed, training goes through the same epochs again before it goes on.
            attributes["seed"] = next(
                record.seed
                for record in self._tally.records.values()
                if record.proposal == proposal.continues
            )
        return attributes
