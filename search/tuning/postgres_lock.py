"""A lock in a PostgreSQL server: one holder of a name, wherever it runs, and nothing written after.

Two things make it. An advisory lock, on a connection of its own, says who may take the name: the
server frees it when the holder's connection ends, a cut cable included. A token in a table of ours
says who may write: it is looked at in every writing transaction, so a holder that lost the lock
without noticing is stopped before it writes.
"""

import contextlib
import hashlib
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from search.common.errors import Refused
from search.common.stores import masked

# A dead peer is noticed within about 12 s: here, and by the server, which frees what it held.
_KEEPALIVES = {
    "connect_timeout": "10",
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "11000",
}
_SERVERS_KEEPALIVES = (
    "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 "
    "-c tcp_user_timeout=11000"
)
# s between two looks at the connection that holds the lock, and between attempts at a new one.
LOOK_EVERY = 1.0
# s that a holder has to come back whose connection ended without a word, as by a restart.
COMING_BACK = 4.0
# s after which the server gives up a wait for a row that another program has locked.
LOCK_SECONDS = 5.0
# Longest wait for other processes that make tables.
_PATIENCE_FOR_TABLES = 60.0

_TABLE = """
create table if not exists search_holders (
  name text primary key, token text not null, host text not null, process integer not null,
  since timestamptz not null default now())
"""
_TAKE = """
insert into search_holders (name, token, host, process) values (%(name)s, %(token)s, %(host)s,
%(process)s) on conflict (name) do update set token = excluded.token, host = excluded.host,
process = excluded.process, since = now()
"""
_LEAVE = "delete from search_holders where name = %(name)s and token = %(token)s"
_WHO = "select host, process, since from search_holders where name = %(name)s"
# A new holder's change of the token waits for transactions that have read it so.
_MINE = "select token from search_holders where name = %(name)s for share"


def is_postgresql(url: str) -> bool:
    """Whether `url` is of a PostgreSQL database, with whatever driver."""
    return url.partition(":")[0].partition("+")[0] in ("postgresql", "postgres")


def connect_args(url: str, lock_seconds: float = 0.0) -> dict[str, str]:
    """How to connect to `url`, so that client and server notice each other's end within seconds.

    The server gives up a wait for a lock after `lock_seconds`, with 0 never. The person's own
    `options` of a session, in the URL or in PGOPTIONS, are kept; they come last, so they hold.
    """
    own = sa.make_url(url).normalized_query.get("options") or (os.environ.get("PGOPTIONS", ""),)
    patience = f"-c lock_timeout={1000 * lock_seconds:.0f}"
    return _KEEPALIVES | {"options": " ".join((_SERVERS_KEEPALIVES, patience, *own)).rstrip()}


def engine_options(url: str) -> dict[str, Any]:
    """Options of an engine for `url` that notices within seconds what keeps it from its rows."""
    return {"pool_pre_ping": True, "connect_args": connect_args(url, LOCK_SECONDS)}


@dataclass(frozen=True)
class Holder:
    """Who holds a name: its host, process, and since when (the server's clock)."""

    host: str
    process: int
    since: str

    def __str__(self) -> str:
        return f"process {self.process} on {self.host} since {self.since}"


class HeldByAnother(Exception):
    """Another process holds the name; `holder` if it could be read."""

    def __init__(self, holder: Holder | None) -> None:
        super().__init__(str(holder))
        self.holder = holder


class PostgresLock:
    """Holds a name in the database at `url` from `take` to `release`; for one process.

    Attributes:
        name: what is held. token: of this holder, new for each.
    """

    def __init__(self, url: str, name: str) -> None:
        """Remember what is to be held, and where."""
        self.name = name
        self.token = uuid.uuid4().hex
        self._url = url
        self._key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        self._engine = sa.create_engine(
            url,
            poolclass=sa.NullPool,
            connect_args=connect_args(url) | {"application_name": "search"},
        ).execution_options(isolation_level="AUTOCOMMIT")
        self._connection: sa.Connection | None = None
        self._over = threading.Event()
        self._watcher: threading.Thread | None = None
        self._lost = False

    def take(self, wait: bool = False) -> None:
        """Take the name, or `wait` until it is free.

        Raises:
            HeldByAnother: it is held.
            sqlalchemy.exc.SQLAlchemyError: the server cannot be used.
        """
        connection = self._engine.connect()
        try:
            with made_alone(connection):
                connection.exec_driver_sql(_TABLE)
            if wait:
                connection.exec_driver_sql("select pg_advisory_lock(%(key)s)", self._words)
            elif not self._try(connection) or not self._is_free(connection):
                raise HeldByAnother(self._read_holder(connection))
            connection.exec_driver_sql(_TAKE, self._words)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._watcher = threading.Thread(target=self._watch, name="study-lock", daemon=True)
        self._watcher.start()

    def release(self) -> None:
        """Let go of the name."""
        self._over.set()
        if self._watcher is not None:
            self._watcher.join(1.0)
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sa.exc.SQLAlchemyError):
                connection.exec_driver_sql(_LEAVE, self._words)
                connection.close()
        self._engine.dispose()

    def check(self, connection: sa.Connection) -> None:
        """See, as the first thing in a transaction of `connection`, that it may write.

        Raises:
            Refused: another process has taken the name.
        """
        row = connection.exec_driver_sql(_MINE, self._words).first()
        if self._lost or row is None or row[0] != self.token:
            raise Refused(self._taken(self._read_holder(connection)))

    @property
    def _words(self) -> dict[str, Any]:
        return {
            "key": self._key,
            "name": self.name,
            "token": self.token,
            "host": socket.gethostname(),
            "process": os.getpid(),
        }

    def _try(self, connection: sa.Connection) -> bool:
        found = connection.exec_driver_sql("select pg_try_advisory_lock(%(key)s)", self._words)
        return bool(found.scalar())

    def _is_free(self, connection: sa.Connection) -> bool:
        """Whether the last holder, which has not let go, is gone; its lock is ours by now."""
        holder = self._read_holder(connection)
        if holder is None or (holder.host == socket.gethostname() and not _runs(holder.process)):
            return True
        connection.exec_driver_sql("select pg_advisory_unlock(%(key)s)", self._words)
        time.sleep(COMING_BACK)
        return self._try(connection)

    def _read_holder(self, connection: sa.Connection) -> Holder | None:
        row = connection.exec_driver_sql(_WHO, self._words).first()
        if row is None:
            return None
        return Holder(row[0], row[1], f"{row[2]:%Y-%m-%d %H:%M:%S %Z}".strip())

    def _taken(self, holder: Holder | None) -> str:
        return (
            f"{self.name} is no longer held by this process: expected to hold it, found that "
            f"{holder or 'nobody'} does. The connection to {masked(self._url)} was lost, and "
            "another coordinator went on with the study; nothing was written since.\n"
            "Next: let that one work; the same command waits for nothing and resumes after it."
        )

    def _watch(self) -> None:
        """Look after the connection; take the lock again after the server was away."""
        while not self._over.wait(LOOK_EVERY):
            connection = self._connection
            try:
                if connection is None:
                    self._take_again()
                else:
                    connection.exec_driver_sql("select 1")
            except sa.exc.SQLAlchemyError:
                self._connection = None
                if connection is not None:
                    with contextlib.suppress(sa.exc.SQLAlchemyError):
                        connection.invalidate()
                        connection.close()

    def _take_again(self) -> None:
        connection = self._engine.connect()
        try:
            row = connection.exec_driver_sql(_MINE, self._words).first()
            mine = row is not None and row[0] == self.token
            self._lost = not mine
            # Held all the same, for some seconds, where the server has not noticed the end of the
            # connection that was lost.
            taken = mine and self._try(connection)
        except sa.exc.SQLAlchemyError:
            connection.close()
            raise
        if taken:
            self._connection = connection
        else:
            connection.close()


def _runs(process: int) -> bool:
    """Whether there is a process of that number on this machine."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    return True


@contextlib.contextmanager
def made_alone(connection: sa.Connection) -> Iterator[None]:
    """Make tables while no other process makes any, so that simultaneous first starts succeed.

    Args:
        connection: of the database, in autocommit.
    """
    key = {"key": int.from_bytes(b"searchDB", "big", signed=True)}
    deadline = time.monotonic() + _PATIENCE_FOR_TABLES
    while not connection.exec_driver_sql("select pg_try_advisory_lock(%(key)s)", key).scalar():
        if time.monotonic() > deadline:
            raise Refused(
                "another process has been making the tables of the database for "
                f"{_PATIENCE_FOR_TABLES:.0f} s.\nNext: see what it waits for, then try again."
            )
        time.sleep(0.05)
    try:
        yield
    finally:
        connection.exec_driver_sql("select pg_advisory_unlock(%(key)s)", key)


@contextlib.contextmanager
def tables_made_alone(url: str) -> Iterator[None]:
    """Be the only one that makes tables in the PostgreSQL database at `url`."""
    engine = sa.create_engine(
        url, poolclass=sa.NullPool, connect_args=connect_args(url), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection, made_alone(connection):
        yield


# What this process holds, by URL: every writing transaction of it there looks at all of them.
_held: dict[str, list[PostgresLock]] = {}


@contextlib.contextmanager
def holding(url: str, name: str, wait: bool = False) -> Iterator[PostgresLock]:
    """Hold `name` in the database at `url`; transactions that `guard` sees look at it.

    Raises:
        HeldByAnother: it is held, and `wait` is False.
        Refused: the server cannot be used.
    """
    lock = PostgresLock(url, name)
    try:
        lock.take(wait)
    except sa.exc.SQLAlchemyError as error:
        raise Refused(cannot_be_used(url, error)) from error
    mine = _held.setdefault(url, [])
    mine.append(lock)
    try:
        yield lock
    finally:
        mine.remove(lock)
        lock.release()


def guard(url: str, connection: sa.Connection) -> None:
    """See, as the first thing in a transaction, that all that this process holds is still held.

    Raises:
        Refused: another process has taken one of them.
    """
    for lock in _held.get(url, ()):
        lock.check(connection)


def cannot_be_used(url: str, error: Exception) -> str:
    """What to tell a person whose PostgreSQL server said `error`."""
    cause = error.__cause__ or error
    lines = [line for line in str(cause).splitlines() if line.strip()]
    reason = masked(lines[0] if lines else type(cause).__name__)
    return (
        f"the database {masked(url)} cannot be used: {reason}\n"
        "Expected: a PostgreSQL server that answers, and a user who may connect and create tables "
        "there.\nNext: see that the server runs and that host, user, password and rights are right."
    )
