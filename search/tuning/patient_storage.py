"""A study database on a server that may be away for a while, or locked by another program."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import optuna
import sqlalchemy as sa
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from search.tuning.layered_storage import LayeredStorage
from search.tuning.trial_writer import Overtaken, TrialWriter

# s that a server is waited for, and between two attempts.
PATIENCE = 600.0
PAUSE = 1.0
# The server's code for a lock that it has waited for as long as it was told.
_LOCKED = "55P03"


class PatientStorage(LayeredStorage):
    """Repeats a call that the server did not answer, until it does.

    A write whose answer was lost may have been done, or be on its way to the disk still. So those
    that cannot simply be done again look first, and when they have waited for the rows that it
    holds: nobody else writes to the study.
    """

    def __init__(self, below: TrialWriter, say: Callable[[str], None]) -> None:
        """Wrap `below`; `say` is told in a line what is waited for, and when it goes on."""
        super().__init__(below)
        self._say = say
        self._below = _Repeated(below, self._repeat)  # type: ignore[assignment]
        self._plain = below
        # By study: the id of the newest trial that was there when one was last made.
        self._newest: dict[int, int] = {}
        # Asked while the server is away: whether the person wants to leave.
        self.hurried: Callable[[], int] = lambda: 0

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Create a trial, once."""
        state = TrialState.RUNNING if template_trial is None else template_trial.state
        attributes = {} if template_trial is None else template_trial.user_attrs

        def create(again: bool) -> int:
            if study_id not in self._newest:
                self._newest[study_id] = max(self._ids(study_id), default=-1)
            if again:
                self._plain.wait_for_writers(study_id)
                made = [
                    trial._trial_id
                    for trial in self._plain.get_all_trials(study_id, False, (state,))
                    if trial._trial_id > self._newest[study_id] and trial.user_attrs == attributes
                ]
                if made:
                    return made[0]
            return self._plain.create_new_trial(study_id, template_trial)

        made: int = self._repeat(create)
        self._newest[study_id] = made
        return made

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Change the state, once."""

        def change(again: bool) -> bool:
            if again and self._plain.get_trial(trial_id).state == state:
                return True
            return self._plain.set_trial_state_values(trial_id, state, values)

        changed: bool = self._repeat(change)
        return changed

    def write_trial(
        self, study_id: int, trial: FrozenTrial, known: FrozenTrial | None
    ) -> FrozenTrial:
        """Write a trial, once; see `search.tuning.trial_writer`."""

        def write(again: bool) -> FrozenTrial:
            if again and (written := self._written(study_id, trial)):
                return written
            try:
                return self._plain.write_trial(study_id, trial, known)
            except Overtaken:  # maybe by the write whose answer was lost
                if again and (written := self._written(study_id, trial)):
                    return written
                raise

        done: FrozenTrial = self._repeat(write)
        return done

    def waiting(self, study_id: int) -> list[int]:
        """The ids of the trials that wait."""
        found: list[int] = self._repeat(lambda _again: self._plain.waiting(study_id))
        return found

    def _written(self, study_id: int, trial: FrozenTrial) -> FrozenTrial | None:
        """The trial of this number if it is in the database as it should be, else None."""
        try:
            trial_id = self._plain.get_trial_id_from_study_id_trial_number(study_id, trial.number)
        except KeyError:
            return None
        found = self._plain.get_trial(trial_id)
        same = (found.state, found.params) == (trial.state, trial.params)
        return found if same else None

    def _ids(self, study_id: int) -> list[int]:
        return [trial._trial_id for trial in self._plain.get_all_trials(study_id, False)]

    def _repeat(self, call: Callable[[bool], Any]) -> Any:
        """Do `call`, which is told whether it was tried before."""
        began: float | None = None
        while True:
            try:
                done = call(began is not None)
            except (optuna.exceptions.StorageInternalError, sa.exc.SQLAlchemyError) as error:
                now = time.monotonic()
                waited = 0.0 if began is None else now - began
                if not is_away(error) or waited > PATIENCE or self.hurried():
                    raise
                if began is None:
                    began = now
                    self._say(
                        f"{_what_is_wrong(error)} It is waited for, {PATIENCE / 60:.0f} minutes at "
                        "most; nothing acknowledged is lost."
                    )
                time.sleep(PAUSE)
            else:
                if began is not None:
                    self._say("The study database answers again; the search goes on.")
                return done


class _Repeated:
    """All other calls of a storage, each of which may be done twice."""

    def __init__(
        self, storage: BaseStorage, repeat: Callable[[Callable[[bool], Any]], Any]
    ) -> None:
        self._storage = storage
        self._repeat = repeat

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._storage, name)
        return lambda *args, **options: self._repeat(lambda _again: method(*args, **options))


def is_away(error: BaseException) -> bool:
    """True for an error that may pass: of a server that is gone, starting, stopping or locked."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, sa.exc.DBAPIError) and found.connection_invalidated:
            return True
        # The second is what Optuna meets that goes on in a session whose connection has broken.
        if isinstance(found, sa.exc.InterfaceError | sa.exc.PendingRollbackError):
            return True
        if isinstance(found, sa.exc.OperationalError):
            # Of class 28, a wrong password, nothing becomes right by waiting.
            state = getattr(found.orig, "sqlstate", None)
            return state is None or state == _LOCKED or state[:2] in ("08", "57", "53")
        found = found.__cause__
    return False


def _what_is_wrong(error: BaseException) -> str:
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    lines = [line for line in str(cause).splitlines() if line.strip()]
    reason = lines[0][:200] if lines else type(cause).__name__
    if getattr(cause, "sqlstate", None) == _LOCKED:
        return f"Another program has locked rows of the study database ({reason})."
    return f"The study database does not answer ({reason})."
