"""New SQLite databases that appear with all their tables or not at all.

Neither Optuna nor MLflow can go on with a database whose creation was cut short by a kill.
"""

from collections.abc import Callable
from pathlib import Path

from search.common.stores import missing_file


def create_whole(url: str, create: Callable[[str], None]) -> None:
    """Create the database at `url` beside its place, and move it there; only under its lock.

    Nothing is done for a database that is there, and for one on a server.

    Args:
        url: of the database.
        create: makes tables in the database at a URL, and lets go of it.
    """
    if not missing_file(url):
        return
    file = Path(missing_file(url))
    unfinished = file.with_name(f".{file.name}.unfinished")
    for stale in file.parent.glob(f"{unfinished.name}*"):  # with its journal
        stale.unlink()
    create(f"sqlite:///{unfinished}")
    unfinished.rename(file)
