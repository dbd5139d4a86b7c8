"""An MLflow server that asks for a user and password: MLflow's basic-auth."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.doctor import main as doctor
from search.sync import main as sync
from search.ui import main as ui
from tests.search.command import SMOKE, here, run, wait_until
from tests.search.mlflow_stores import answers, server_in

pytest.importorskip("flask_wtf", reason="needs mlflow[auth]")

_PASSWORD = "geheim-genug-123"
_USER = "MLFLOW_TRACKING_USERNAME"
_WORD = "MLFLOW_TRACKING_PASSWORD"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("server")
    told = {"MLFLOW_FLASK_SERVER_SECRET_KEY": "key" * 12, "MLFLOW_AUTH_ADMIN_PASSWORD": _PASSWORD}
    with server_in(place, "--app-name", "basic-auth", told=told) as (address, start):
        start()
        wait_until(lambda: answers(address))
        yield address


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN", _USER, _WORD):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize("password", ["", "geheim-falsch-1"])
def test_s8_p8_a_login_that_is_missing_or_wrong_is_refused_before_training(
    server: str, login: pytest.MonkeyPatch, tmp_path: Path, password: str
) -> None:
    if password:
        login.setenv(_USER, "admin")
        login.setenv(_WORD, password)
    done = run(tmp_path, *SMOKE, "--quiet", "--tracking-uri", server)
    assert done.returncode == 1 and not list(tmp_path.rglob("*.db"))
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"Refused: --tracking-uri {server}: the server refuses the login")
    assert _USER in line and _WORD in line and "geheim" not in line
    told = here(tmp_path, doctor, "--tracking-uri", server)
    assert told.exit_code == 1 and _USER in told.output and "geheim" not in told.output


def test_commands_log_in_with_the_environments_user_and_password(
    server: str, login: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    login.setenv(_USER, "admin")
    login.setenv(_WORD, _PASSWORD)
    done = run(tmp_path, *SMOKE, "--tracking-uri", server)
    assert done.returncode == 0, done.stderr
    synced = here(tmp_path, sync, "--study", "smoke", "--tracking-uri", server)
    assert "MLflow has all 4 attempts of study smoke: created 0 missing" in synced.output
    examined = here(tmp_path, doctor, "--tracking-uri", server)
    assert examined.exit_code == 0 and "1 experiment(s)" in examined.output
    shown = here(tmp_path, ui, "--tracking-uri", server)
    assert shown.exit_code == 0 and f"  smoke: {server}/#/experiments/" in shown.output
    said = done.stdout + done.stderr + synced.output + examined.output + shown.output
    assert _PASSWORD not in said and os.environ[_WORD] == _PASSWORD
