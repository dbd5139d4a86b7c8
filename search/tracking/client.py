"""Access to MLflow: quiet, with few retries, and with known types of errors."""

import logging
import os
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import click

from search.common.errors import Refused
from search.common.new_database import create_whole
from search.common.stores import masked, named_where
from search.common.tracking_server import need_mlflow
from search.tracking.moved import follow

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_LOGIN = (
    "the server refuses the login (HTTP status 401). Expected: its user and password in "
    "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
)


def connect(uri: str) -> "MlflowClient":
    """A client for the store and the registry at `uri`.

    Nothing is read or written yet, except where a local store was moved with its folder.
    """
    be_quiet()
    if told := follow(uri):
        click.echo(told, err=True)
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def create_store(uri: str, artifacts: Path) -> None:
    """Create the SQLite store at `uri` if there is none. The caller holds its lock.

    Args:
        uri: URI of the store.
        artifacts: artifact folder for experiments that do not name their own.
    """

    def create(url: str) -> None:
        be_quiet()
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        SqlAlchemyStore(url, artifacts.as_uri()).engine.dispose()

    create_whole(uri, create)


def be_quiet() -> None:
    """Import MLflow without telemetry and without its messages.

    Call this before any other import of MLflow in the process.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    # s: a server that never answers is reported within half a minute, including the retry.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "12")
    # At the end of every run MLflow would print two addresses to standard output, which is for
    # results. They contain the server's password and open in the view for language models.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    import mlflow  # noqa: F401

    for logger in ("mlflow", "alembic"):
        logging.getLogger(logger).setLevel(logging.WARNING)
    # MLflow would also print the traceback of an error that we report in one line.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    # Its warnings at every retry would repeat that line.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


def store_errors() -> tuple[type[Exception], ...]:
    """The errors that MLflow, its database and its files raise. Any other error is our bug."""
    import sqlalchemy.exc
    from mlflow.exceptions import MlflowException

    return MlflowException, sqlalchemy.exc.SQLAlchemyError, OSError


def need_server(uri: str) -> None:
    """Check that a server at `uri` that answers is an MLflow server and accepts our login.

    Other stores, and a server that is away, pass.

    Raises:
        Refused: something else answers there, or user and password are missing or wrong.
    """
    if not need_mlflow(uri):
        return
    try:
        connect(uri).search_experiments(max_results=1)
    except store_errors() as error:
        if _refuses_login(error):
            raise Refused(f"{named_where(uri)} {masked(uri)}: {first_line(error)}") from error


def _refuses_login(error: Exception) -> bool:
    from mlflow.exceptions import MlflowException

    return (
        isinstance(error, MlflowException)
        and error.get_http_status_code() == HTTPStatus.UNAUTHORIZED
    )


def first_line(error: Exception) -> str:
    """The beginning of an error's message, or the name of its type.

    If a server refuses the login, this says what to set instead.
    """
    if _refuses_login(error):
        return _LOGIN
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def reason(error: Exception) -> str:
    """Type and beginning of an error, passwords masked; what to set if a login is refused."""
    if _refuses_login(error):
        return _LOGIN
    return f"{type(error).__name__}: {masked(first_line(error))}"
