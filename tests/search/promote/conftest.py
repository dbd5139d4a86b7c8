"""One smoke study whose promotion the gate refused, for all that go on from there."""

import json
from pathlib import Path
from typing import Any

import pytest

from search.common.errors import DONE, REFUSED_OR_FAILED
from tests.search.conftest import Once
from tests.search.copies import copy_stores
from tests.search.promote.commands import PROMOTE, promote, promote_here, state


@pytest.fixture(scope="session")
def refused_once(once: Once, smoke_study: tuple[Path, str, str]) -> tuple[Path, str]:
    """The folder, which nobody changes, and what the promotion printed as JSON."""

    def make(place: Path) -> list[str]:
        copy_stores(smoke_study[0], place)
        untouched = state(place)
        before = promote_here(place, *PROMOTE, "--dry-run")
        assert before.exit_code == DONE and "finalist: " in before.stdout
        assert state(place) == untouched, "a dry run must change nothing"
        done = promote(place, *PROMOTE, "--json")
        assert done.returncode == REFUSED_OR_FAILED, done.stderr
        return [done.stdout]

    place, (printed,) = once("refused", make)
    return place, printed


@pytest.fixture(scope="module")
def refused(
    refused_once: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """A module's own copy of that folder, and what was found."""
    place = tmp_path_factory.mktemp("promote")
    copy_stores(refused_once[0], place)
    return place, json.loads(refused_once[1])
