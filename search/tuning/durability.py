"""Which writes to the study database must be on the disk before work goes on.

An attempt must when it is drawn and when it ends: both are acknowledged. The value of an epoch
need not: after a loss of power its attempt is lost anyway, and it is queued again. It is in the
database at once all the same, for every process; the next write that waits for the disk brings it
there, too.

This holds for SQLite alone. A PostgreSQL server can crash by itself while the search goes on, and
an epoch that it forgot would be missing in a trial that completes: there all writes wait.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import sqlalchemy as sa

_waits = ContextVar("waits", default=True)


@contextmanager
def not_awaited() -> Iterator[None]:
    """Transactions that begin in here do not wait for the disk."""
    token = _waits.set(False)
    try:
        yield
    finally:
        _waits.reset(token)


def begin_sqlite(connection: sa.Connection) -> None:
    """Begin a transaction that takes the write lock; for a database in write-ahead mode."""
    how = "FULL" if _waits.get() else "NORMAL"
    connection.exec_driver_sql(f"PRAGMA synchronous={how}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
