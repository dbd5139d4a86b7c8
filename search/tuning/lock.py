"""The lock of a study: only one process at a time works on it."""

import contextlib
import os
from collections.abc import Iterator

from filelock import FileLock, Timeout

from search.common.errors import Refused
from search.common.stores import Stores


@contextlib.contextmanager
def held(stores: Stores, study: str) -> Iterator[None]:
    """Hold the study for this process alone.

    Raises:
        Refused: another process holds it.
    """
    path = stores.study_lock(study)
    holder = path.with_suffix(".pid")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path, blocking=False):
            holder.write_text(str(os.getpid()))
            yield
    except Timeout as error:
        who = holder.read_text() if holder.exists() else "unknown"
        raise Refused(
            f"study {study!r} is being run by process {who}; one coordinator a study.\n"
            "Next: wait for it, which also brings MLflow in line, or stop it; a search may take "
            "another --study NAME."
        ) from error
