"""One finished study for all that only read it, and what looks at pages.

A module that looks at pages has a fixture `store`, an `mlruns` folder.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Page

from tests.search.browser import Site, opened, served
from tests.search.command import PARALLEL, run


@pytest.fixture(scope="session")
def smoke_study(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A folder with a finished smoke study, and what its run printed; nobody changes it.

    The processes that the tests are shared out to have one between them.
    """
    root = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        root = root.parent
    place, printed = root / "smoke", root / "smoke.json"
    with FileLock(root / "smoke.lock"):
        if not printed.exists():
            place.mkdir(exist_ok=True)
            done = run(place, *PARALLEL, "--seed", "0")
            assert done.returncode == 0, done.stderr
            printed.write_text(json.dumps([done.stdout, done.stderr]))
    output, progress = json.loads(printed.read_text())
    return place, output, progress


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
def page(chromium: str, site: Site) -> Iterator[Page]:
    """One window for all tests of a module: the UI's scripts are read once."""
    with opened(chromium) as window:
        yield window
