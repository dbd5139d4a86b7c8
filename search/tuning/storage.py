"""The study database: opened, created once, and made patient with other processes."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import optuna
import sqlalchemy as sa
from filelock import FileLock

from search.common import commands
from search.common.errors import Refused
from search.common.new_database import create_whole
from search.common.stores import masked, missing_file
from search.tuning.durability import begin_sqlite
from search.tuning.postgres_lock import is_postgresql
from search.tuning.server_storage import open_server
from search.tuning.trial_writer import TrialWriter

Storage = optuna.storages.BaseStorage
# What the study database raises when it cannot be read or written any more.
_FAILURES = (optuna.exceptions.StorageInternalError, sa.exc.SQLAlchemyError)


@contextlib.contextmanager
def refusing_failures() -> Iterator[None]:
    """Make a failure of the stores, or of the files beside them, a refusal that says what to do."""
    try:
        yield
    except BrokenPipeError:
        raise  # whoever read our output has left; the stores are fine
    except (*_FAILURES, OSError) as error:
        reason = masked(str(error.__cause__ or error).splitlines()[0])
        raise Refused(
            f"the stores cannot be used: {reason}\nEvery trial that was reported as finished is "
            "kept. Next: free space or mend the permissions, or start the database's server; then "
            "run the same command again."
        ) from error


def open_storage(url: str, schema_lock: Path) -> Storage:
    """Connect to the study database at `url`, creating it if there is none.

    The schema is created under a lock, since several processes that create it at once break each
    other. SQLite is put in write-ahead mode and every transaction takes the write lock at its
    start, so that a second process waits instead of failing.

    Raises:
        Refused: the database cannot be opened or is of another Optuna's version.
    """
    if is_postgresql(url):
        return open_server(url)
    shown = masked(url)
    try:
        with FileLock(schema_lock):
            create_whole(url, _create_tables)
            storage = TrialWriter(
                url, engine_kwargs=_engine_options(url), skip_compatibility_check=False
            )
            if storage.engine.dialect.name == "sqlite":
                _make_sqlite_patient(storage.engine)
    except RuntimeError as error:
        raise Refused(
            f"the study database {shown} is of another version of Optuna: {error}\n"
            "Next: `optuna storage upgrade --storage URL` after a backup, or another --storage."
        ) from error
    except (sa.exc.SQLAlchemyError, sqlite3.Error, optuna.exceptions.StorageInternalError) as error:
        reason = masked(str(error.__cause__ or error).splitlines()[0])
        raise Refused(
            f"the study database {shown} cannot be opened: {reason}\n"
            "Expected: a writable Optuna database, or a place where one can be created.\n"
            "Next: check the path and its permissions, restore a backup, or give another --storage."
        ) from error
    return storage


def open_existing(url: str, schema_lock: Path) -> Storage:
    """Connect to the study database at `url` to read it; never creates one.

    Raises:
        Refused: there is none, or as `open_storage`.
    """
    if missing := missing_file(url):
        first = commands.module("search.run", "--trials", "50")
        raise Refused(f"there is no study database {missing} yet.\nNext: {first}")
    return open_storage(url, schema_lock)


def in_memory() -> Storage:
    """A study database that is gone with this process."""
    return optuna.storages.InMemoryStorage()


def _create_tables(url: str) -> None:
    optuna.storages.RDBStorage(url).engine.dispose()


def _engine_options(url: str) -> dict[str, object]:
    if not url.startswith("sqlite"):
        return {}
    return {"connect_args": {"timeout": 60}}


def _make_sqlite_patient(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")

    def leave_transactions_to_us(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None

    sa.event.listen(engine, "connect", leave_transactions_to_us)
    sa.event.listen(engine, "begin", begin_sqlite)
    engine.dispose()  # connections made before the listeners
