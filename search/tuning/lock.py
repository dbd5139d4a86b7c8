"""The lock of a study: only one process at a time works on it."""

import contextlib
import os
from collections.abc import Iterator

from filelock import FileLock, Timeout

from search.common.errors import Refused
from search.common.stores import Stores
from search.tuning.postgres_lock import HeldByAnother, holding, is_postgresql


@contextlib.contextmanager
def held(stores: Stores, study: str) -> Iterator[None]:
    """Hold the study for this process alone.

    Raises:
        Refused: another process holds it.
    """
    if is_postgresql(stores.storage):
        with _held_in_the_server(stores.storage, study):
            yield
        return
    path = stores.study_lock(study)
    holder = path.with_suffix(".pid")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path, blocking=False):
            holder.write_text(str(os.getpid()))
            yield
    except Timeout as error:
        who = holder.read_text() if holder.exists() else "unknown"
        raise Refused(_taken(study, f"process {who}")) from error


@contextlib.contextmanager
def _held_in_the_server(url: str, study: str) -> Iterator[None]:
    holds = holding(url, f"study {study!r}")
    try:
        holds.__enter__()
    except HeldByAnother as error:
        raise Refused(_taken(study, str(error.holder or "another process"))) from error
    with contextlib.ExitStack() as leaving:
        leaving.push(holds.__exit__)
        yield


def _taken(study: str, who: str) -> str:
    return (
        f"study {study!r} is being run by {who}. A study can have only one coordinator.\n"
        "Next: wait for it, which also brings MLflow in line, or stop it; a search may take "
        "another --study NAME."
    )
