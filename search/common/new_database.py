"""Creates SQLite databases with all their tables or not at all.

Neither Optuna nor MLflow can use a database whose creation was interrupted by a kill.
"""

from collections.abc import Callable
from pathlib import Path

from search.common.stores import missing_file


def create_whole(url: str, create: Callable[[str], None]) -> None:
    """Create the database at `url` under another name, then rename it. The caller holds its lock.

    If the database exists or is on a server, this does nothing.

    Args:
        url: the database's URL.
        create: creates the tables in the database at a URL, and closes it.
    """
    if not missing_file(url):
        return
    file = Path(missing_file(url))
    unfinished = file.with_name(f".{file.name}.unfinished")
    for stale in file.parent.glob(f"{unfinished.name}*"):  # with its journal
        stale.unlink()
    create(f"sqlite:///{unfinished}")
    unfinished.rename(file)
