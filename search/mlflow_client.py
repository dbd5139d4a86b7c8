"""How MLflow is reached: quietly, with few retries, and its errors known by type."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient


def connect(uri: str) -> "MlflowClient":
    """A client of the store and of the registry at `uri`; nothing is read or written yet."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def store_errors() -> tuple[type[Exception], ...]:
    """What MLflow, its database and its files raise; anything else is a bug of ours."""
    import sqlalchemy.exc
    from mlflow.exceptions import MlflowException

    return MlflowException, sqlalchemy.exc.SQLAlchemyError, OSError


def first_line(error: Exception) -> str:
    """The beginning of an error's message, or what it is called."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
