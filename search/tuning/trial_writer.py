"""Optuna's database as the coordinator writes to it: with few statements.

Optuna writes each parameter and each attribute in a transaction of its own, and looks twice through
SQLAlchemy's objects before it does. So a draw of nine parameters would cost the coordinator more
time than the rest of the trial, and could be cut in the middle.
"""

import copy
import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import optuna
import sqlalchemy as sa
from optuna.distributions import distribution_to_json
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.common.errors import Refused

_STUDIES = models.StudyModel.__table__
_TRIALS = models.TrialModel.__table__
_PARAMETERS = models.TrialParamModel.__table__
_VALUES = models.TrialValueModel.__table__
_STEP = models.TrialIntermediateValueModel
_STEPS = _STEP.__table__
_USER_ATTRIBUTES = models.TrialUserAttributeModel.__table__
_SYSTEM_ATTRIBUTES = models.TrialSystemAttributeModel.__table__

# The entries of a trial in one of the tables, and how one of them is kept.
_Entries = Mapping[Any, Any]
_Row = Callable[[Any, Any], dict[str, object]]

_HOLD_STUDY = (
    sa.select(_STUDIES.c.study_id)
    .where(_STUDIES.c.study_id == sa.bindparam("study"))
    .with_for_update()
)
_COUNT = sa.select(sa.func.count()).where(_TRIALS.c.study_id == sa.bindparam("study"))
_CHANGE = sa.update(_TRIALS).where(
    _TRIALS.c.trial_id == sa.bindparam("trial"), _TRIALS.c.state == sa.bindparam("was")
)
_WAITING = (
    sa.select(_TRIALS.c.trial_id)
    .where(_TRIALS.c.study_id == sa.bindparam("study"), _TRIALS.c.state == TrialState.WAITING)
    .order_by(_TRIALS.c.number)
)
# How a named value is marked in a statement, by the databases that know this one.
_MARKS = {"sqlite": ":{}", "postgresql": "%({})s"}
_KEEP_EPOCH = """
insert into trial_intermediate_values
  (trial_id, step, intermediate_value, intermediate_value_type)
select trial_id, {step}, {value}, {kind} from trials
where trial_id = {trial} and state in ('RUNNING', 'WAITING')
on conflict (trial_id, step) do update set intermediate_value = excluded.intermediate_value,
intermediate_value_type = excluded.intermediate_value_type
"""
_NOT_WRITTEN = "the value of an epoch could not be written"


class Overtaken(Refused):
    """Another process has changed the study's trials meanwhile; nothing was written."""

    def __init__(self) -> None:
        super().__init__(
            "another process writes to the trials of this study.\n"
            "Next: end that process; then run the same command again."
        )


class StudyDeleted(Refused):
    """The study is not in the database any more; nothing was written."""

    def __init__(self) -> None:
        super().__init__(
            "the study was deleted from the study database while this command used it, and its "
            "trials with it.\nNext: restore a backup of the database, or run the same command "
            "again: it begins the study anew."
        )


@runtime_checkable
class WritesTrials(Protocol):
    """A storage that can write a trial as a whole."""

    def write_trial(
        self, study_id: int, trial: FrozenTrial, known: FrozenTrial | None
    ) -> FrozenTrial:
        """Bring a trial from what the database has of it to what it is now, all or nothing.

        Args:
            study_id: of its study.
            trial: as it is now.
            known: as the database has it, with the same number; None: not there yet.

        Returns:
            The trial with the id that the database gave it.

        Raises:
            Overtaken: a new trial would get another number, or the state is not the known one.
            StudyDeleted: a new trial's study is not there any more.
        """
        ...

    def waiting(self, study_id: int) -> list[int]:
        """The ids of the trials of a study that wait, in the order of their numbers."""
        ...


class TrialWriter(RDBStorage):
    """Optuna's storage, which can also write a trial as a whole."""

    def write_trial(
        self, study_id: int, trial: FrozenTrial, known: FrozenTrial | None
    ) -> FrozenTrial:
        """See `WritesTrials`."""
        written = copy.copy(trial)
        with self.engine.begin() as connection:
            if known is None:
                written._trial_id = _insert(connection, study_id, trial)
            else:
                _change(connection, trial, known)
            _add_entries(connection, written, known)
        return written

    def waiting(self, study_id: int) -> list[int]:
        """See `WritesTrials`."""
        with self.engine.begin() as connection:
            return list(connection.execute(_WAITING, {"study": study_id}).scalars())

    def wait_for_writers(self, study_id: int) -> None:
        """Return when the transactions that create a trial of the study by now have ended."""
        with self.engine.begin() as connection:
            connection.execute(_HOLD_STUDY, {"study": study_id})

    def _create_new_trial(
        self, study_id: int, template_trial: FrozenTrial | None = None
    ) -> FrozenTrial:
        """Create a trial; with PostgreSQL in one attempt, since Optuna's others do not look first.

        Raises:
            KeyError: there is no such study.
            optuna.exceptions.StorageInternalError: the server did not answer; it may be created.
        """
        if self.engine.dialect.name != "postgresql":
            return super()._create_new_trial(study_id, template_trial)
        made = copy.copy(template_trial or create_trial(state=TrialState.RUNNING))
        with _create_scoped_session(self.scoped_session) as session:
            models.StudyModel.find_or_raise_by_id(study_id, session, for_update=True)
            row = self._get_prepared_new_trial(study_id, template_trial, session)
            made.number, made._trial_id = int(row.number), int(row.trial_id)
            made.datetime_start = row.datetime_start
        return made

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> None:
        """Keep the value of a step of a trial that has not ended.

        Raises:
            KeyError: there is no such trial.
            optuna.exceptions.UpdateFinishedTrialError: it has ended.
        """
        written = 0
        if mark := _MARKS.get(self.engine.dialect.name):
            value, kind = _STEP.intermediate_value_to_stored_repr(intermediate_value)
            words = {"trial": trial_id, "step": step, "value": value, "kind": kind.name}
            statement = _KEEP_EPOCH.format_map({word: mark.format(word) for word in words})
            try:
                with self.engine.begin() as connection:
                    written = connection.exec_driver_sql(statement, words).rowcount
            except sa.exc.SQLAlchemyError as error:
                raise optuna.exceptions.StorageInternalError(_NOT_WRITTEN) from error
        if not written:  # Optuna says why, or it is another database
            super().set_trial_intermediate_value(trial_id, step, intermediate_value)


def _insert(connection: sa.Connection, study_id: int, trial: FrozenTrial) -> int:
    # As Optuna numbers trials; the study is held so that nobody else takes the number.
    if connection.execute(_HOLD_STUDY, {"study": study_id}).first() is None:
        raise StudyDeleted()
    if connection.execute(_COUNT, {"study": study_id}).scalar() != trial.number:
        raise Overtaken()
    row = {"study_id": study_id, "number": trial.number} | _standing(trial)
    key = connection.execute(sa.insert(_TRIALS), row).inserted_primary_key
    assert key is not None
    return int(key[0])


def _change(connection: sa.Connection, trial: FrozenTrial, known: FrozenTrial) -> None:
    words = {"trial": known._trial_id, "was": known.state}
    if connection.execute(_CHANGE, words | _standing(trial, known)).rowcount != 1:
        raise Overtaken()


def _standing(trial: FrozenTrial, known: FrozenTrial | None = None) -> dict[str, object]:
    """The state, and the times that are new.

    A known time may have been read back, which does not tell an hour of autumn from its repetition.
    """
    standing: dict[str, object] = {"state": trial.state}
    for name in ("datetime_start", "datetime_complete"):
        moment = getattr(trial, name)
        if known is None or moment != getattr(known, name):
            standing[name] = _stored_time(moment)
    return standing


def _stored_time(moment: dt.datetime | None) -> dt.datetime | None:
    """A naive local time as Optuna keeps it: naive, and UTC."""
    return None if moment is None else moment.astimezone(dt.UTC).replace(tzinfo=None)


def _add_entries(connection: sa.Connection, trial: FrozenTrial, known: FrozenTrial | None) -> None:
    """Write the parameters, values and attributes that are new or have changed."""
    before = known or create_trial(state=TrialState.WAITING)

    def add(table: sa.Table, key: str, now: _Entries, old: _Entries, row: _Row) -> None:
        changed = [name for name, value in now.items() if name not in old or old[name] != value]
        if replaced := [name for name in changed if name in old]:
            of_trial = table.c.trial_id == trial._trial_id
            connection.execute(sa.delete(table).where(of_trial, table.c[key].in_(replaced)))
        if changed:
            place = {"trial_id": trial._trial_id}
            rows = [place | {key: name} | row(name, now[name]) for name in changed]
            connection.execute(sa.insert(table), rows)

    def parameter(name: str, value: Any) -> dict[str, object]:
        distribution = trial.distributions[name]
        return {
            "param_value": distribution.to_internal_repr(value),
            "distribution_json": distribution_to_json(distribution),
        }

    def result(_objective: int, value: float) -> dict[str, object]:
        kept, kind = models.TrialValueModel.value_to_stored_repr(value)
        return {"value": kept, "value_type": kind}

    def epoch(_step: int, value: float) -> dict[str, object]:
        kept, kind = _STEP.intermediate_value_to_stored_repr(value)
        return {"intermediate_value": kept, "intermediate_value_type": kind}

    def attribute(_key: str, value: Any) -> dict[str, object]:
        return {"value_json": json.dumps(value)}

    values, values_before = (dict(enumerate(one.values or ())) for one in (trial, before))
    steps, steps_before = trial.intermediate_values, before.intermediate_values
    add(_PARAMETERS, "param_name", trial.params, before.params, parameter)
    add(_VALUES, "objective", values, values_before, result)
    add(_STEPS, "step", steps, steps_before, epoch)
    add(_USER_ATTRIBUTES, "key", trial.user_attrs, before.user_attrs, attribute)
    add(_SYSTEM_ATTRIBUTES, "key", trial.system_attrs, before.system_attrs, attribute)
