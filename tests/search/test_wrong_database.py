"""A PostgreSQL database that cannot be used: one message in half a minute, without its password."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from search.doctor import main as doctor
from search.sync import main as sync
from tests.search.command import here, run
from tests.search.postgres import Server, postgres_server

# s that the command may take, of which libpq may wait 10 for a server that does not answer.
MOST = 30
_PASSWORD = "geheim"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server with two databases; the user `guest` needs a password, and may not make tables."""
    with postgres_server() as running:
        for name in ("open", "closed"):
            running.make(name)
            running.ask(name, "revoke create on schema public from public")
        running.ask("postgres", f"create user guest password '{_PASSWORD}'")
        running.ask("postgres", "revoke connect on database closed from public")
        running.ask_passwords_of("guest")
        yield running


@pytest.fixture(scope="module")
def silent() -> Iterator[int]:
    """The port of a server that accepts a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


CASES = {
    "no server": "Connection refused",
    "unknown host": "failed to resolve host",
    "silent server": "timeout",
    "wrong password": "password authentication failed",
    "no such database": "does not exist",
    "no right to connect": "permission denied",
    "no right to create": "permission denied for schema public",
}


def _url(case: str, server: Server, silent: int) -> str:
    def guest(database: str, password: str = _PASSWORD) -> str:
        return server.url(database).replace("postgres@", f"guest:{password}@")

    return {
        "no server": f"postgresql://me:{_PASSWORD}@127.0.0.1:1/studies",
        # A name that no name server knows (RFC 6761).
        "unknown host": f"postgresql://me:{_PASSWORD}@nowhere.invalid/studies",
        "silent server": f"postgresql://me:{_PASSWORD}@127.0.0.1:{silent}/studies",
        "wrong password": guest("open", f"{_PASSWORD}-not"),
        "no such database": guest("none"),
        "no right to connect": guest("closed"),
        "no right to create": guest("open"),
    }[case]


@pytest.mark.timed
@pytest.mark.parametrize("case", CASES)
def test_s9_p8_it_is_refused_in_half_a_minute_without_its_password(
    case: str, server: Server, silent: int, tmp_path: Path
) -> None:
    url = _url(case, server, silent)
    began = time.monotonic()
    done = run(tmp_path, "--experiment", "smoke", "--quiet", "--storage", url, afresh=True)
    assert time.monotonic() - began < MOST
    assert done.returncode == 1
    first, *rest = done.stderr.splitlines()
    assert first.startswith("Refused: the database postgresql") and CASES[case] in first
    assert [line.partition(":")[0] for line in rest] == ["Expected", "Next"]
    assert _PASSWORD not in done.stdout + done.stderr and ":***@" in first


@pytest.mark.parametrize("case", ["no server", "wrong password", "no right to connect"])
def test_s9_p8_other_commands_refuse_it_likewise(
    case: str, server: Server, silent: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = _url(case, server, silent)
    refused = here(tmp_path, sync, "--study", "any", "--storage", url)
    monkeypatch.chdir(tmp_path)
    examined = CliRunner().invoke(doctor, ["--storage", url])
    for done in (refused, examined):
        assert done.exit_code == 1
        assert CASES[case] in done.output and _PASSWORD not in done.output
