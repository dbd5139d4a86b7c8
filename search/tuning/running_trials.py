"""The trials of a study in the memory of the one process that writes them.

Optuna reads all running trials from the database again at each look of the pruner: its cache cannot
know who else writes. The coordinator holds its study alone, so it knows.
"""

import copy
import json
from collections.abc import Container, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from search.tuning.durability import not_awaited
from search.tuning.layered_storage import LayeredStorage

_WAITING = (TrialState.WAITING,)


class OwnTrials(LayeredStorage):
    """Writes through to `below`, and answers for the trials of the studies it has read from memory.

    Only for who holds the study: what another process writes to its trials is not seen. Trials that
    wait are the exception, so one that is queued by other means, as with Optuna's own tools, runs.

    A trial that was handed out is never changed: a write puts a changed copy in its place.
    """

    def __init__(self, below: BaseStorage) -> None:
        super().__init__(below)
        # By study, then by the trial's number; and where a trial is, by its id.
        self._trials: dict[int, dict[int, FrozenTrial]] = {}
        self._places: dict[int, tuple[int, int]] = {}

    # -- reading ---------------------------------------------------------------------------------

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """The trial, from memory if its study was read."""
        if trial_id in self._places:
            # Optuna's `Trial` writes into what it gets here.
            return _apart(self._known(trial_id))
        return self._below.get_trial(trial_id)

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """The trials in the order of their numbers; the first time they are read from below."""
        if study_id not in self._trials:
            self._trials[study_id] = {}
            self._keep(study_id, self._below.get_all_trials(study_id, deepcopy=False))
        elif states == _WAITING:
            self._keep(
                study_id, self._below.get_all_trials(study_id, deepcopy=False, states=states)
            )
        known = self._trials[study_id]
        shown = [known[n] for n in sorted(known) if states is None or known[n].state in states]
        return copy.deepcopy(shown) if deepcopy else shown

    def get_trial_id_from_study_id_trial_number(self, study_id: int, trial_number: int) -> int:
        """The id of a trial."""
        known = self._trials.get(study_id, {}).get(trial_number)
        if known is not None:
            return known._trial_id
        return self._below.get_trial_id_from_study_id_trial_number(study_id, trial_number)

    # -- writing ---------------------------------------------------------------------------------

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Create a trial, and read what became of it: the database gives number and time."""
        trial_id = self._below.create_new_trial(study_id, template_trial)
        if study_id in self._trials:
            self._keep(study_id, [self._below.get_trial(trial_id)])
        return trial_id

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Change the state, and read what became of the trial: the database gives the time."""
        changed = self._below.set_trial_state_values(trial_id, state, values)
        if trial_id in self._places:
            self._keep(self._places[trial_id][0], [self._below.get_trial(trial_id)])
        return changed

    def set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
    ) -> None:
        """Keep a parameter."""
        with not_awaited():
            super().set_trial_param(trial_id, param_name, param_value_internal, distribution)
        if (trial := self._copy(trial_id)) is not None:
            value = distribution.to_external_repr(param_value_internal)
            trial.params = trial.params | {param_name: value}
            trial.distributions[param_name] = distribution

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> None:
        """Keep the value of a step."""
        with not_awaited():
            super().set_trial_intermediate_value(trial_id, step, intermediate_value)
        if (trial := self._copy(trial_id)) is not None:
            trial.intermediate_values[step] = intermediate_value

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Keep an attribute."""
        super().set_trial_user_attr(trial_id, key, value)
        if (trial := self._copy(trial_id)) is not None:
            trial.user_attrs[key] = _as_stored(value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Keep an attribute of Optuna's."""
        with not_awaited():
            super().set_trial_system_attr(trial_id, key, value)
        if (trial := self._copy(trial_id)) is not None:
            trial.system_attrs[key] = _as_stored(value)

    def _keep(self, study_id: int, trials: Sequence[FrozenTrial]) -> None:
        for trial in trials:
            self._trials[study_id][trial.number] = trial
            self._places[trial._trial_id] = study_id, trial.number

    def _known(self, trial_id: int) -> FrozenTrial:
        study_id, number = self._places[trial_id]
        return self._trials[study_id][number]

    def _copy(self, trial_id: int) -> FrozenTrial | None:
        """A copy in the place of a trial, to be changed; None if its study was not read."""
        if trial_id not in self._places:
            return None
        trial = _apart(self._known(trial_id))
        self._keep(self._places[trial_id][0], [trial])
        return trial


def _apart(trial: FrozenTrial) -> FrozenTrial:
    """A copy whose entries can be added to; the values in it are the same."""
    apart = copy.copy(trial)
    apart.params = dict(trial.params)
    apart.distributions = dict(trial.distributions)
    apart.intermediate_values = dict(trial.intermediate_values)
    apart.user_attrs = dict(trial.user_attrs)
    apart.system_attrs = dict(trial.system_attrs)
    return apart


def _as_stored(value: Any) -> Any:
    """As the database gives it back: it keeps JSON."""
    return json.loads(json.dumps(value))
