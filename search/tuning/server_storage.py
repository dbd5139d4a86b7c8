"""The study database in a PostgreSQL server: made once, held by one, and waited for."""

from collections.abc import Callable

import click
import optuna
import sqlalchemy as sa
from optuna.storages import BaseStorage

from search.common.errors import Refused
from search.common.stores import masked
from search.tuning.patient_storage import PatientStorage
from search.tuning.postgres_lock import cannot_be_used, engine_options, guard, tables_made_alone
from search.tuning.trial_writer import TrialWriter


def open_server(url: str, say: Callable[[str], None] | None = None) -> BaseStorage:
    """Connect to the study database at `url`, a PostgreSQL server's, and make its tables if needed.

    Args:
        url: of the database.
        say: is told in a line what is waited for, and when it goes on; None: standard error.

    Raises:
        Refused: the server cannot be used, or the tables are of another Optuna's version.
    """
    try:
        with tables_made_alone(url):
            storage = TrialWriter(url, engine_kwargs=engine_options(url))
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
