"""How MLflow is reached: quietly, with few retries, and its errors known by type."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from search.common.new_database import create_whole
from search.tracking.moved import follow

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient


def connect(uri: str) -> "MlflowClient":
    """A client of the store and of the registry at `uri`.

    Nothing is read or written yet, but where a local store was moved with its folder.
    """
    be_quiet()
    if told := follow(uri):
        click.echo(told, err=True)
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def create_store(uri: str, artifacts: Path) -> None:
    """Create the SQLite store at `uri` if there is none; only under its lock.

    Args:
        uri: of the store.
        artifacts: folder of the artifacts of experiments that do not name their own.
    """

    def create(url: str) -> None:
        be_quiet()
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        SqlAlchemyStore(url, artifacts.as_uri()).engine.dispose()

    create_whole(uri, create)


def be_quiet() -> None:
    """Import MLflow, which reports its use and chats unless it is told before and after.

    Before anything else of a process of ours imports it.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    # s: a server that accepts and never answers is told of within half a minute, retry included.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "12")
    # At every run's end it would print two addresses to standard output, which is for results, with
    # the password of the server in them; they open in the view for language models.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    import mlflow  # noqa: F401

    for logger in ("mlflow", "alembic"):
        logging.getLogger(logger).setLevel(logging.WARNING)
    # It would print the traceback of an error that is told in one line.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    # Its warnings at every retry would repeat what was said in one line.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


def store_errors() -> tuple[type[Exception], ...]:
    """What MLflow, its database and its files raise; anything else is a bug of ours."""
    import sqlalchemy.exc
    from mlflow.exceptions import MlflowException

    return MlflowException, sqlalchemy.exc.SQLAlchemyError, OSError


def first_line(error: Exception) -> str:
    """The beginning of an error's message, or what it is called."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
