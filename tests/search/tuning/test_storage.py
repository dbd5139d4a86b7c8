"""The study database: broken, locked by another process, written through to the disk."""

import contextlib
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
import sqlalchemy as sa

from search.common.errors import Refused
from search.tuning.durability import not_awaited
from search.tuning.storage import open_storage
from tests.search.studies import complete, open_study


def _of_version(place: Path, revision: str) -> None:
    open_study(place)
    connection = sqlite3.connect(place / "optuna.db")
    with connection:
        connection.execute("update alembic_version set version_num = ?", (revision,))
    connection.close()


def _truncated(place: Path) -> None:
    open_study(place)
    subprocess.run(["sync"], check=False)
    data = (place / "optuna.db").read_bytes()
    for extra in place.glob("optuna.db-*"):
        extra.unlink()
    (place / "optuna.db").write_bytes(data[:5000] + b"\0" * 2000)


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (lambda place: (place / "optuna.db").write_text("no database, " * 99), "database"),
    "truncated": (_truncated, "malformed|database"),
    "a directory": (lambda place: (place / "optuna.db").mkdir(), "unable to open"),
    "no folder": (lambda place: place.rmdir(), "unable to open"),
    "older version": (lambda place: _of_version(place, "v2.6.0.a"), "optuna storage upgrade"),
    "newer version": (lambda place: _of_version(place, "v99.0.0.a"), "newer|latest version"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_s9_database_that_cannot_be_used_is_refused_clearly(tmp_path: Path, case: str) -> None:
    place = tmp_path / "stores"
    place.mkdir()
    breaking, said = BROKEN[case]
    breaking(place)
    with pytest.raises(Refused, match=said) as refusal:
        open_storage(f"sqlite:///{place}/optuna.db", tmp_path / "schema.lock")
    text = str(refusal.value)
    assert f"{place}/optuna.db" in text and "Next: " in text
    assert len(text) < 900


HOLDER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(10)
connection.execute("COMMIT")
"""


@pytest.mark.parametrize("when", ["before it is opened", "while it is used"])
def test_s7_database_locked_by_another_process_is_waited_for(tmp_path: Path, when: str) -> None:
    study = open_study(tmp_path)
    complete(study, 1)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "optuna.db")], stdout=subprocess.PIPE
    )
    assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
    began = time.monotonic()
    if when == "before it is opened":
        study = open_study(tmp_path)
    complete(study, 1)
    assert time.monotonic() - began > 8
    assert holder.wait(timeout=10) == 0
    holder.stdout.close()
    assert study.finished == 2


def test_s7_database_is_written_through_to_the_disk(tmp_path: Path) -> None:
    storage = open_storage(f"sqlite:///{tmp_path}/optuna.db", tmp_path / "schema.lock")
    assert isinstance(storage, optuna.storages.RDBStorage)
    with storage.engine.connect() as connection:
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(sa.text("PRAGMA synchronous")).scalar() == 2


def test_what_is_not_acknowledged_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    storage = open_storage(f"sqlite:///{tmp_path}/optuna.db", tmp_path / "schema.lock")
    assert isinstance(storage, optuna.storages.RDBStorage)
    seen = []
    for awaited in (True, False, True):
        with contextlib.nullcontext() if awaited else not_awaited(), storage.engine.begin() as here:
            seen.append(here.execute(sa.text("PRAGMA synchronous")).scalar())
    assert seen == [2, 1, 2]
