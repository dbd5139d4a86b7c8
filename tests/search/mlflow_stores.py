"""An MLflow database with its tables and nothing else: making one takes longer than most tests."""

import functools
import tempfile
from pathlib import Path


@functools.cache
def _tables() -> bytes:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "mlflow.db"
        store = SqlAlchemyStore(f"sqlite:///{file}", (Path(place) / "artifacts").as_uri())
        store.engine.dispose()
        return file.read_bytes()


def empty_store(place: Path) -> str:
    """Put `mlflow.db` into `place`, and return its URI."""
    (place / "mlflow.db").write_bytes(_tables())
    return f"sqlite:///{place}/mlflow.db"
