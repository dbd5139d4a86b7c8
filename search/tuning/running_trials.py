"""The trials of a study in the memory of the one process that writes them.

Optuna reads all running trials from the database again at each look of the pruner: its cache cannot
know who else writes. The coordinator holds its study alone, so it knows.
"""

import copy
import datetime as dt
import json
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from optuna.distributions import BaseDistribution, check_distribution_compatibility
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.tuning.durability import not_awaited
from search.tuning.layered_storage import LayeredStorage
from search.tuning.trial_writer import Overtaken, StudyDeleted, WritesTrials

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
        # As first drawn, by study and name.
        self._dimensions: dict[tuple[int, str], BaseDistribution] = {}
        # Within `at_once`: the trials that have changed, as the database has them, by id.
        self._before: dict[int, FrozenTrial | None] | None = None

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Write what changes in here at its end: each trial in one transaction, or not at all.

        What is read in here shows the changes already. They are forgotten if this ends with an
        error. A trial that is new in here gets another id at the end.

        Raises:
            Overtaken: another process has changed the study's trials: do it again.
            StudyDeleted: the study is not in the database any more.
        """
        if not isinstance(self._below, WritesTrials):
            yield
            return
        before: dict[int, FrozenTrial | None] = {}
        self._before = before
        try:
            yield
            for trial_id in list(before):
                study_id, _ = self._places[trial_id]
                trial = self._known(trial_id)
                written = self._below.write_trial(study_id, trial, before[trial_id])
                self._drop(trial_id)
                self._keep(study_id, [written])
                del before[trial_id]
        except BaseException as error:
            for trial_id, known in before.items():
                study_id = self._drop(trial_id)
                if isinstance(error, Overtaken):
                    self._read(study_id)
                elif known is not None:
                    self._keep(study_id, [known])
            raise
        finally:
            self._before = None

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
            self._read(study_id)
        elif states == _WAITING and not self._before:
            self._look_for_waiting(study_id)
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
        if self._before is not None and study_id in self._trials and template_trial is None:
            trial = create_trial(state=TrialState.RUNNING)
            trial.number = len(self._trials[study_id])
            trial._trial_id = -1 - trial.number  # until the database gives it another
            self._before[trial._trial_id] = None
            self._keep(study_id, [trial])
            return trial._trial_id
        with _refusing_deleted():
            trial_id = self._below.create_new_trial(study_id, template_trial)
        if study_id in self._trials:
            self._keep(study_id, [self._below.get_trial(trial_id)])
        return trial_id

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Change the state, and read what became of the trial: the database gives the time."""
        if self._waits(trial_id):
            if state == TrialState.RUNNING and self._known(trial_id).state != TrialState.WAITING:
                return False
            trial = self._copy(trial_id)
            assert trial is not None
            trial.state = state
            if values is not None:
                trial.values = [float(value) for value in values]
            if state == TrialState.RUNNING:
                trial.datetime_start = dt.datetime.now()
            if state.is_finished():
                trial.datetime_complete = dt.datetime.now()
            return True
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
        if self._waits(trial_id):
            study_id, _ = self._places[trial_id]
            dimension = self._dimensions.get((study_id, param_name), distribution)
            check_distribution_compatibility(dimension, distribution)
        else:
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
        if not self._waits(trial_id):
            with not_awaited(), _refusing_deleted():
                super().set_trial_intermediate_value(trial_id, step, intermediate_value)
        if (trial := self._copy(trial_id)) is not None:
            trial.intermediate_values[step] = intermediate_value

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Keep an attribute."""
        if not self._waits(trial_id):
            super().set_trial_user_attr(trial_id, key, value)
        if (trial := self._copy(trial_id)) is not None:
            trial.user_attrs[key] = _as_stored(value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Keep an attribute of Optuna's."""
        if not self._waits(trial_id):
            with not_awaited():
                super().set_trial_system_attr(trial_id, key, value)
        if (trial := self._copy(trial_id)) is not None:
            trial.system_attrs[key] = _as_stored(value)

    # -- in memory -------------------------------------------------------------------------------

    def _waits(self, trial_id: int) -> bool:
        """True if a change of a trial is not written now, but at the end of `at_once`.

        Raises:
            optuna.exceptions.UpdateFinishedTrialError: the trial has ended.
        """
        if self._before is None or trial_id not in self._places:
            return False
        trial = self._known(trial_id)
        self.check_trial_is_updatable(trial_id, trial.state)
        self._before.setdefault(trial_id, trial)
        return True

    def _read(self, study_id: int) -> None:
        with _refusing_deleted():
            trials = self._below.get_all_trials(study_id, deepcopy=False)
        self._trials[study_id] = {}
        self._keep(study_id, trials)

    def _look_for_waiting(self, study_id: int) -> None:
        """Read the study again if other trials wait than are known: also where one was taken."""
        every = self._trials[study_id].values()
        known = {trial._trial_id for trial in every if trial.state == TrialState.WAITING}
        if isinstance(self._below, WritesTrials):
            found = set(self._below.waiting(study_id))
        else:
            waiting = self._below.get_all_trials(study_id, deepcopy=False, states=_WAITING)
            found = {trial._trial_id for trial in waiting}
        if known != found:
            self._read(study_id)

    def _keep(self, study_id: int, trials: Sequence[FrozenTrial]) -> None:
        for trial in trials:
            self._trials[study_id][trial.number] = trial
            self._places[trial._trial_id] = study_id, trial.number
            for name, distribution in trial.distributions.items():
                self._dimensions.setdefault((study_id, name), distribution)

    def _drop(self, trial_id: int) -> int:
        """Forget a trial; return the id of its study."""
        study_id, number = self._places.pop(trial_id)
        del self._trials[study_id][number]
        return study_id

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


@contextmanager
def _refusing_deleted() -> Iterator[None]:
    """Refuse where a storage does not know a study, or a trial of it, that was there before.

    Raises:
        StudyDeleted: it is not there any more.
    """
    try:
        yield
    except KeyError as error:
        raise StudyDeleted() from error


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
