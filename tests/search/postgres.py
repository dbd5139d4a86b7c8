"""A PostgreSQL server of the tests' own, on loopback."""

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

_USER = "postgres"


class Server:
    """A server that is started, stopped and asked."""

    def __init__(
        self, place: Path, port: int, bin_folder: Path, inside: tuple[str, ...] = ()
    ) -> None:
        self._place = place
        self._port = port
        self._bin = bin_folder
        self._inside = inside

    def url(self, database: str) -> str:
        """For commands on the server's loopback."""
        return f"postgresql+psycopg://{_USER}@127.0.0.1:{self._port}/{database}"

    def local_url(self, database: str) -> str:
        """For this process, which may be in another namespace of the network: by a socket file."""
        socket_file = f"host={self._place}&port={self._port}"
        return f"postgresql+psycopg://{_USER}@/{database}?{socket_file}"

    def control(self, *words: str) -> None:
        """Run `pg_ctl` with `words`, such as "restart", "-m", "immediate"."""
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -k {self._place} -c fsync=off"
        log = ["-l", str(self._place / "log"), "-w", "-s", "-o", options]
        command = [self._bin / "pg_ctl", "-D", str(self._place / "data"), *log, *words]
        _as_user(*command, inside=self._inside)

    def make(self, database: str) -> str:
        """Make an empty database; return its URL."""
        self.ask("postgres", f'create database "{database}"')
        return self.url(database)

    def ask_passwords_of(self, user: str) -> None:
        """Let that user connect with a password alone; the others need none."""
        rules = self._place / "data" / "pg_hba.conf"
        own = f"host all {user} 127.0.0.1/32 scram-sha-256\n"
        rules.write_text(own + rules.read_text())  # the first rule that fits holds
        self.control("reload")

    def ask(self, database: str, statement: str) -> list[tuple[object, ...]]:
        engine = sa.create_engine(
            self.local_url(database), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            found = connection.exec_driver_sql(statement)
            return [tuple(row) for row in found] if found.returns_rows else []


def _as_user(*words: object, inside: tuple[str, ...] = ()) -> None:
    command = [str(word) for word in words]
    if getpass.getuser() == "root":  # whom PostgreSQL refuses
        command = ["runuser", "-u", _USER, "--", *command]
    subprocess.run([*inside, *command], check=True, capture_output=True, timeout=120, cwd="/")


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = shutil.which("pg_ctl")
    return found[-1] if found else Path(on_path).parent if on_path else None


@contextmanager
def postgres_server(inside: tuple[str, ...] = ()) -> Iterator[Server]:
    """A running server; skips the test, with a line that says so, where there is none.

    Args:
        inside: words that run a command in the network namespace whose loopback it listens on.
    """
    programs = _programs()
    try:
        import psycopg  # noqa: F401
    except ImportError:
        programs = None
    if programs is None:
        line = "needs PostgreSQL: apt-get install postgresql, and the extra `postgres`"
        if os.environ.get("REQUIRE_POSTGRES") == "1":
            pytest.fail(f"REQUIRE_POSTGRES=1, but this {line}")
        pytest.skip(line)
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:
        place = Path(name)
        if getpass.getuser() == "root":
            shutil.chown(place, _USER)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        data = place / "data"
        _as_user(programs / "initdb", "-D", data, "-A", "trust", "-U", _USER, "--no-sync")
        server = Server(place, port, programs, inside)
        server.control("start")
        try:
            yield server
        finally:
            server.control("stop", "-m", "immediate")
