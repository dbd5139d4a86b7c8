"""A project folder that was moved or renamed: the artifact places of its MLflow store follow it."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlparse

from search.common.stores import ROOT, database_file

# Where MLflow 3.17 keeps a place, by table. A registered version's place is that of a run.
_PLACES: Final = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
_WAIT: Final = 10.0


def follow(uri: str) -> str:
    """Let the places in a local store lead to where their files are now.

    Nothing is changed while the folder is where it was, or where the files are not found beside the
    store either.

    Args:
        uri: of the MLflow store; servers see to their own.

    Returns:
        What was done or is to be done, in a line; "" if nothing.
    """
    file = database_file(uri)
    if file is None or not file.is_file():
        return ""
    # What is wrong with a store that cannot be used, MLflow says when it is.
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=_WAIT)) as store:
            return _follow(store, file)
    except sqlite3.Error:
        return ""


def _follow(store: sqlite3.Connection, file: Path) -> str:
    found = store.execute("SELECT name, artifact_location FROM experiments").fetchall()
    moved: dict[str, Path] = {}
    lost: list[Path] = []
    for name, location in found:
        old = _folder(str(location))
        if old is None or name == "Default":
            continue
        now = _now(old, file)
        if now is not None:
            moved[str(location).removesuffix(f"/{old.name}")] = now.parent
        elif not old.exists() and not old.parent.exists():
            lost.append(old)
    if moved:
        for before, after in moved.items():
            _rewrite(store, before, after)
        store.commit()
        places = ", ".join(sorted({str(place) for place in moved.values()}))
        return f"The folder of the MLflow store was moved: its artifacts are in {places} now."
    if lost:
        return (
            f"The artifacts of the MLflow store {file} are not in {lost[0].parent} any more, where "
            "it expects them. Next: put that folder back, or beside the store as "
            f"{file.parent / 'artifacts'}."
        )
    return ""


def _now(old: Path, file: Path) -> Path | None:
    """The folder that took the place of `old`; None if that is still the right one."""
    for root in dict.fromkeys((file.parent, ROOT.absolute())):
        here = root / "artifacts" / old.name
        if here == old:
            return None
        # A copy beside the store is meant, too, where the original still exists.
        if here.is_dir() or (root == file.parent and _is_empty_root(root, old)):
            return here
    return None


def _is_empty_root(root: Path, old: Path) -> bool:
    """Whether the store moved before its experiment had any files."""
    return root.name == ROOT.name and not old.exists() and not old.parent.parent.exists()


def _folder(location: str) -> Path | None:
    parts = urlparse(location)
    if parts.scheme not in ("", "file") or not parts.path.startswith("/"):
        return None
    return Path(unquote(parts.path))


def _rewrite(store: sqlite3.Connection, before: str, after: Path) -> None:
    new = after.as_uri() if before.startswith("file:") else str(after)
    for table, column in _PLACES:
        # A table that this version of MLflow does not have.
        with contextlib.suppress(sqlite3.OperationalError):
            store.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                f"WHERE substr({column}, 1, ?) = ?",
                (new, len(before) + 1, len(before) + 1, f"{before}/"),
            )
