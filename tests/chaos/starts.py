"""Starts at the same moment, and starts of a study that another process runs."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.started import LONGEST, OPTIONS, STUDY
from tests.search.command import start, wait_until
from tests.search.postgres import postgres_server

_OTHER_HOST = "second-host"


@contextlib.contextmanager
def _storage(postgresql: bool) -> Iterator[tuple[str, ...]]:
    """Options of an empty study database in PostgreSQL; none for the default one."""
    if not postgresql:
        yield ()
        return
    with postgres_server() as server:
        yield "--storage", server.make(STUDY)


def first_starts(place: Path, count: int, postgresql: bool) -> int:
    """Start the search `count` times at once where nothing exists yet; return how many work.

    Args:
        place: an empty folder.
        count: number of starts.
        postgresql: whether all share an empty PostgreSQL database, each in a folder of its own.
    """
    with _storage(postgresql) as storage:
        began = []
        for number in range(count):
            own = place / str(number) if postgresql else place
            own.mkdir(exist_ok=True)
            words = ("--experiment", "smoke", "--study", f"s{number}", "--timeout", "1e-9")
            began.append(start(own, *words, *storage))
        errors = [process.communicate(timeout=LONGEST)[1] for process in began]
    return sum("Ended early: --timeout 1e-09 s reached" in one for one in errors)


def second_coordinators(place: Path, count: int) -> int:
    """Start a study in PostgreSQL that another process runs; return how many are refused by name.

    Args:
        place: an empty folder. The holder and the others have folders of their own in it.
        count: number of starts, one after the other; half of them on a host of another name.
    """
    for folder in ("first", "second"):
        (place / folder).mkdir()
    refused = 0
    with _storage(postgresql=True) as storage, (place / "first" / "said").open("w") as said:
        words = (*OPTIONS, *storage, "--workers", "1", "--trials", "100000")
        holder = start(place / "first", *words, output=said)
        try:
            text = place / "first" / "said"
            wait_until(lambda: "trial 0" in text.read_text() or holder.poll() is not None, 300)
            by_name = f"process {holder.pid} on {socket.gethostname()} since "
            for number in range(count):
                host = number % 2 == 1 and os.geteuid() == 0
                rename = ("unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"')
                inside = (*rename, _OTHER_HOST) if host else ()
                second = start(place / "second", *words, inside=inside)
                _, error = second.communicate(timeout=LONGEST)
                refused += second.returncode == 1 and by_name in error
            assert holder.poll() is None, text.read_text()[-2000:]
        finally:
            holder.terminate()
            holder.wait(timeout=LONGEST)
    return refused
