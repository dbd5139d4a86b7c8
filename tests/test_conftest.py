"""The order in which the test files run."""

from pathlib import Path

from tests.conftest import LONGEST


def test_every_file_that_goes_first_is_there() -> None:
    there = {path.name for path in Path(__file__).parent.rglob("test_*.py")}
    assert set(LONGEST) <= there
