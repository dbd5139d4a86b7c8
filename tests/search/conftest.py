"""Fixtures of the tests that look at pages; a module of them has a `store`, an `mlruns` folder."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.search.browser import Site, opened, served


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
