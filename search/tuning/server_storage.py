"""The study database in a PostgreSQL server: made once, held by one, and waited for."""

from collections.abc import Callable

import click
import optuna
import sqlalchemy as sa
from optuna.storages import BaseStorage
from optuna.storages._rdb.models import TrialIntermediateValueModel as _Value

from search.common.errors import Refused
from search.common.stores import masked
from search.tuning.patient_storage import PatientStorage
from search.tuning.postgres_lock import cannot_be_used, engine_options, guard, tables_made_alone
from search.tuning.trial_writer import TrialWriter

_NOT_WRITTEN = "the value of an epoch could not be written"
_KEEP_VALUE = """
insert into trial_intermediate_values
  (trial_id, step, intermediate_value, intermediate_value_type)
select trial_id, %(step)s, %(value)s, %(kind)s from trials
where trial_id = %(trial)s and state in ('RUNNING', 'WAITING')
on conflict (trial_id, step) do update set intermediate_value = excluded.intermediate_value,
intermediate_value_type = excluded.intermediate_value_type
"""


class _Server(TrialWriter):
    """Optuna's storage, with the value of an epoch in one statement.

    Optuna looks twice through SQLAlchemy's objects before it writes, which costs the coordinator
    more time than the rest of the message.
    """

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> None:
        """Keep the value of a step of a trial that has not ended.

        Raises:
            KeyError: there is no such trial.
            optuna.exceptions.UpdateFinishedTrialError: it has ended.
        """
        value, kind = _Value.intermediate_value_to_stored_repr(intermediate_value)
        words = {"trial": trial_id, "step": step, "value": value, "kind": kind.name}
        try:
            with self.engine.begin() as connection:
                written = connection.exec_driver_sql(_KEEP_VALUE, words).rowcount
        except sa.exc.SQLAlchemyError as error:
            raise optuna.exceptions.StorageInternalError(_NOT_WRITTEN) from error
        if not written:  # Optuna says why
            super().set_trial_intermediate_value(trial_id, step, intermediate_value)


def open_server(url: str, say: Callable[[str], None] | None = None) -> BaseStorage:
    """Connect to the study database at `url`, a PostgreSQL server's, and make its tables if needed.

    Args:
        url: of the database.
        say: is told in a line that the server is away, and that it is back; None: standard error.

    Raises:
        Refused: the server cannot be used, or the tables are of another Optuna's version.
    """
    try:
        with tables_made_alone(url):
            storage = _Server(url, engine_kwargs=engine_options())
    except RuntimeError as error:
        raise Refused(
            f"the study database {masked(url)} is of another version of Optuna: {error}\n"
            "Next: `optuna storage upgrade --storage URL` after a backup, or another --storage."
        ) from error
    except (sa.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise Refused(cannot_be_used(url, error)) from error

    sa.event.listen(storage.engine, "begin", lambda connection: guard(url, connection))
    storage.engine.dispose()  # connections made before the listener
    return PatientStorage(storage, say or (lambda line: click.echo(line, err=True)))
