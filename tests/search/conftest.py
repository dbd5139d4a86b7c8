"""One finished study for all, and what looks at pages.

A module that looks at pages has a fixture `store`, an `mlruns` folder.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from optuna.storages._rdb.storage import _VersionManager
from playwright.sync_api import Browser, Page

import models.baselines
from tests.search.browser import Site, launched, open_window, served
from tests.search.command import PARALLEL, run
from tests.search.fitted_once import FOLDER, remembering
from tests.search.mlflow_stores import empty_store

Made = Callable[[Path], list[str]]
Once = Callable[[str, Made], tuple[Path, list[str]]]


@pytest.fixture(scope="session")
def shared_folder(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all processes that the tests are shared out to."""
    root = tmp_path_factory.getbasetemp()
    return root if worker_id == "master" else root.parent


@pytest.fixture(scope="session")
def once(shared_folder: Path) -> Once:
    """Make a folder of that name once for all processes that the tests are shared out to.

    What is called is given the new folder and returns what its commands printed. Nobody changes the
    folder afterwards; `tests.search.copies.copy_stores` makes one to change.
    """

    def made(name: str, make: Made) -> tuple[Path, list[str]]:
        place, printed = shared_folder / name, shared_folder / f"{name}.json"
        with FileLock(shared_folder / f"{name}.lock"):
            if not printed.exists():
                place.mkdir()
                printed.write_text(json.dumps(make(place)))
        return place, json.loads(printed.read_text())

    return made


@pytest.fixture(scope="session")
def smoke_study(once: Once) -> tuple[Path, str, str]:
    """A folder with a finished smoke study, and what its run printed; nobody changes it."""

    def make(place: Path) -> list[str]:
        (place / "mlruns").mkdir()
        empty_store(place / "mlruns")
        done = run(place, *PARALLEL, "--seed", "0", afresh=True)
        assert done.returncode == 0, done.stderr
        return [done.stdout, done.stderr]

    place, (output, progress) = once("smoke", make)
    return place, output, progress


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder whose MLflow store has its tables: making them takes longer than a tiny search."""
    (tmp_path / "mlruns").mkdir()
    empty_store(tmp_path / "mlruns")
    return tmp_path


@pytest.fixture(scope="module")
def chromium() -> str:
    found = shutil.which("chromium")
    if found is None and os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail("REQUIRE_BROWSER=1, but there is no chromium: apt-get install chromium")
    if found is None:
        pytest.skip("needs a browser: apt-get install chromium")
    return found


@pytest.fixture(scope="module")
def site(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(store, tmp_path_factory.mktemp("ui")) as address:
        yield address


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all tests of a module: it takes longer to start than to show a page."""
    with launched(chromium) as started:
        yield started


@pytest.fixture(scope="module")
def page(browser: Browser, site: Site) -> Page:
    """One window for all tests of a module: the UI's scripts are read once."""
    return open_window(browser)


@pytest.fixture(scope="session", autouse=True)
def _fitted_for_all(shared_folder: Path) -> Iterator[None]:
    """Processes of the tests and their warm commands share the baselines that they fit."""
    (shared_folder / "fitted").mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(FOLDER, str(shared_folder / "fitted"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _schema_version_read_once() -> Iterator[None]:
    """Optuna reads the version of its tables for each opened database, in 0.1 s."""
    known: list[str] = []
    asking = _VersionManager.get_head_version

    def head(manager: _VersionManager) -> str:
        if not known:
            known.append(asking(manager))
        return known[0]

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(_VersionManager, "get_head_version", head)
        yield


@pytest.fixture(autouse=True)
def baselines_fitted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that run in the tests' process share the baselines, too: see `_fitted_for_all`."""
    for name, fitting in remembering().items():
        monkeypatch.setitem(models.baselines._FITTED, name, fitting)
