"""The doctor finds what has to be mended, and says so without a password."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from search.doctor import CLOCKS, _clock, main
from tests.search.postgres import Server, postgres_server


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_server() as running:
        yield running


def _ask(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, words)
    return done.exit_code, done.output


def test_nothing_is_made_where_all_is_well(place: Path) -> None:
    code, said = _ask()
    assert code == 0 and "mend" not in said
    assert list(place.iterdir()) == []


@pytest.mark.timed
def test_a_server_that_is_no_mlflow_is_told_within_half_a_minute() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://me:geheim@127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        code, said = _ask("--tracking-uri", url)
    assert time.monotonic() - began < 32
    assert code == 1 and "mend  MLflow" in said and "geheim" not in said


def test_rights_and_reachability_of_a_study_database_are_told(server: Server) -> None:
    url = server.make("doctor")
    code, said = _ask("--storage", url)
    assert code == 0 and "no tables yet, may create them" in said and "agrees" in said
    server.ask("postgres", "create user visitor")
    server.ask("doctor", "revoke create on schema public from public")
    code, said = _ask("--storage", url.replace("postgres@", "visitor:geheim@"))
    assert code == 1 and "may not create them" in said and "GRANT CREATE" in said
    assert "geheim" not in said
    code, said = _ask("--storage", url.replace("/doctor", "/none"))
    assert code == 1 and "mend  study database" in said and "does not exist" in said


@pytest.mark.parametrize(("clock", "well"), [(100.5, True), (98.5, True), (90.0, False)])
def test_a_clock_that_is_wrong_is_told(clock: float, well: bool) -> None:
    finding = _clock("a clock", clock, before=100.0, after=101.0)
    assert (finding.mend == "") is well
    assert CLOCKS < 10
