"""The commands that are printed are those that a person can type where they are."""

import subprocess
import sys
from pathlib import Path

import pytest

from search.common.commands import module, python


def test_in_an_active_environment_it_is_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    assert module("search.ui", "--host", "a b") == "python -m search.ui --host 'a b'"


def test_outside_it_is_the_path_of_the_environments_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "my place" / ".venv"
    own.mkdir(parents=True)
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.setattr(sys, "prefix", str(own))
    monkeypatch.setattr(sys, "executable", str(own / "bin" / "python"))
    monkeypatch.chdir(tmp_path)
    assert python() == "'my place/.venv/bin/python'"
    monkeypatch.chdir(own.parent)
    assert python() == ".venv/bin/python"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert python() == f"'{own}/bin/python'"


def test_what_it_says_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    done = subprocess.run(
        module("search.run", "--help"), shell=True, check=True, text=True, stdout=-1
    )
    assert "--trials" in done.stdout
