"""`search.ui`: who may reach the MLflow UI, and what is said when it cannot be served."""

import contextlib
import importlib.util
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from search.common.errors import (
    DONE,
    REFUSED_OR_FAILED,
    TERMINATED,
    WRONG_INPUT,
    Refused,
    WrongInput,
)
from search.tracking.ui_addresses import Experiment
from search.ui import login_settings, main, server_command
from tests.search.command import start, wait_until
from tests.search.mlflow_stores import empty_store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a store in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns" / "mlflow.db").touch()
    return tmp_path


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield int(server.getsockname()[1])


def command(
    host: str = "127.0.0.1",
    port: int = 5000,
    uri: str | None = None,
    login: bool = False,
    insecure: bool = False,
) -> list[str]:
    return server_command(host, port, uri, login, insecure)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_loopback_is_served_without_a_login(store: Path, free_port: int, host: str) -> None:
    words = command(host, free_port)
    assert words[words.index("--host") + 1] == host
    assert words[words.index("--port") + 1] == str(free_port)
    assert words[words.index("--backend-store-uri") + 1] == f"sqlite:///{store}/mlruns/mlflow.db"
    assert words[words.index("--default-artifact-root") + 1].endswith("/mlruns/artifacts")
    assert "basic-auth" not in words


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "10.0.0.1"])
def test_p7_beyond_loopback_is_refused_without_login(
    store: Path, free_port: int, host: str
) -> None:
    with pytest.raises(Refused, match=f"--host {host}") as refusal:
        command(host, free_port)
    assert "--login" in str(refusal.value) and "--insecure" in str(refusal.value)


def test_p7_beyond_loopback_is_served_with_login_or_insecure(store: Path, free_port: int) -> None:
    with_login = command("0.0.0.0", free_port, login=True)
    assert with_login[-2:] == ["--app-name", "basic-auth"]
    assert "basic-auth" not in command("0.0.0.0", free_port, insecure=True)


def test_login_needs_its_package_and_a_first_password(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MLFLOW_AUTH_ADMIN_PASSWORD", "MLFLOW_AUTH_CONFIG_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    without = CliRunner().invoke(main, ["--login"])
    assert without.exit_code == WRONG_INPUT and "pip install 'mlflow[auth]==" in without.output
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    nobody = CliRunner().invoke(main, ["--login"])
    assert nobody.exit_code == WRONG_INPUT and "MLFLOW_AUTH_ADMIN_PASSWORD" in nobody.output
    (store / "basic_auth.db").touch()
    (key,) = login_settings().values()
    assert len(key) >= 32 and key != login_settings()["MLFLOW_FLASK_SERVER_SECRET_KEY"]


@pytest.mark.parametrize("host", ["", "nowhere", "256.1.1.1", "127.0.0.1:80", "http://x", "-"])
def test_host_that_is_no_address_is_wrong_input(store: Path, free_port: int, host: str) -> None:
    for allowed in (False, True):
        with pytest.raises(WrongInput, match="--host"):
            command(host, free_port, insecure=allowed)


def test_address_of_another_machine_is_refused(store: Path, free_port: int) -> None:
    with pytest.raises(Refused, match=r"cannot listen on 192\.0\.2\.1"):
        command("192.0.2.1", free_port, insecure=True)


def test_taken_port_is_refused_by_number(store: Path, taken_port: int) -> None:
    with pytest.raises(Refused, match=rf"port {taken_port}.*(\n.*)*--port"):
        command(port=taken_port)


def test_missing_store_is_refused_with_the_command_that_makes_one(
    store: Path, free_port: int
) -> None:
    (store / "mlruns" / "mlflow.db").unlink()
    with pytest.raises(Refused, match=r"mlruns/mlflow\.db yet(.|\n)*search\.run"):
        command(port=free_port)
    assert list((store / "mlruns").iterdir()) == []


def test_p8_of_a_server_the_addresses_are_printed_without_its_password(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:geheim@host:5000/")
    monkeypatch.setattr(
        "search.tracking.existing_runs.experiments",
        lambda _: {"b": Experiment("7", has_table=False), "a": Experiment("12", has_table=True)},
    )
    done = CliRunner().invoke(main, [])
    assert done.exit_code == DONE and "geheim" not in done.output
    assert done.stdout.splitlines()[1:] == [
        "  a: http://host:5000/#/experiments/12/runs?workflowType=machine_learning"
        "&viewStateShareKey=search",
        "  b: http://host:5000/#/experiments/7/runs?workflowType=machine_learning",
    ]


def test_p8_server_that_does_not_answer_is_refused_without_its_password(store: Path) -> None:
    done = CliRunner().invoke(main, ["--tracking-uri", "http://me:geheim@127.0.0.1:9"])
    assert done.exit_code == REFUSED_OR_FAILED and "geheim" not in done.output
    assert "cannot be read" in done.stderr and "Next: start the server" in done.stderr


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--host", "0.0.0.0"], REFUSED_OR_FAILED, "Refused: --host 0.0.0.0"),
        (["--host", "nowhere"], WRONG_INPUT, "Error: --host 'nowhere'"),
        (["--tracking-uri", "sqlite:///none.db"], REFUSED_OR_FAILED, "there is no none.db yet"),
        (["--port", "0"], WRONG_INPUT, "--port"),
        (["--port", "65536"], WRONG_INPUT, "--port"),
    ],
)
def test_p7_command_ends_with_the_code_and_the_reason(
    store: Path, options: list[str], code: int, said: str
) -> None:
    done = CliRunner().invoke(main, options)
    assert done.exit_code == code
    assert said in done.stderr and done.stdout == ""


@pytest.mark.parametrize(
    ("number", "code", "ctrl_c"),
    [
        (signal.SIGTERM, TERMINATED, signal.SIG_DFL),
        # A script's shell has Ctrl-C ignored by what it starts in the background.
        (signal.SIGINT, DONE, signal.SIG_IGN),
    ],
)
def test_the_command_ends_with_its_server_whatever_browser_is_open(
    tmp_path: Path,
    free_port: int,
    number: signal.Signals,
    code: int,
    ctrl_c: signal.Handlers,
) -> None:
    (tmp_path / "mlruns").mkdir()
    empty_store(tmp_path / "mlruns")
    before = signal.signal(signal.SIGINT, ctrl_c)
    try:
        process = start(tmp_path, "--port", str(free_port), module="search.ui", afresh=True)
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        wait_until(lambda: _answers(free_port))
        with _asked(free_port, "GET /health", ""), _asked(free_port, "POST /graphql", "{"):
            process.send_signal(number)
            assert process.wait(10) == code
        assert not _answers(free_port)
    finally:
        process.kill()
        _, said = process.communicate()
    assert "Traceback" not in said


@contextlib.contextmanager
def _asked(port: int, what: str, body: str) -> Iterator[None]:
    """A connection that stays open: after an answer, or with more of its request to come."""
    length = 1000 if body else 0
    head = f"{what} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall((head + body).encode())
        if not body:
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        yield


def test_s9_store_that_mlflow_cannot_read_is_refused_before_a_server_starts(
    store: Path, free_port: int
) -> None:
    (store / "mlruns" / "mlflow.db").write_bytes(b"not a database, " * 500)
    done = CliRunner().invoke(main, ["--port", str(free_port)])
    assert done.exit_code == REFUSED_OR_FAILED
    assert "cannot be read" in done.output and "Next:" in done.output
    assert not _answers(free_port)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
