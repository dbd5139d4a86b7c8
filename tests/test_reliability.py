"""docs/reliability.md tells the truth about its tests: every fault has some, every one is told."""

import ast
import fnmatch
import functools
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
ROWS = [
    *(f"D{n}" for n in range(1, 30)),
    *(f"T{n}" for n in range(1, 7)),
    *(f"S{n}" for n in range(1, 12)),
    *(f"P{n}" for n in range(1, 9)),
]


@functools.cache
def _tests() -> set[str]:
    """The names of all test functions."""
    return {
        node.name
        for path in (REPOSITORY / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@functools.cache
def _table() -> dict[str, list[str]]:
    """Patterns of test names by the row that gives them."""
    text = (REPOSITORY / "docs" / "reliability.md").read_text()
    rows = re.findall(r"^\| ([DTSP]\d+) \|(.*)$", text, re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a row stands twice"
    return {row: re.findall(r"`(test_[\w*]+)`", rest) for row, rest in rows}


def _told(name: str) -> list[str]:
    """The rows that a test's name begins with: T1, T2 for test_t1_t2_x."""
    found = re.match(r"test_((?:[dtsp]\d+_)+)", name)
    return found[1].upper().strip("_").split("_") if found else []


@pytest.mark.parametrize("row", ROWS)
def test_every_fault_has_a_row_whose_tests_are_there(row: str) -> None:
    patterns = _table()[row]
    assert patterns, f"{row} names no test"
    for pattern in patterns:
        matched = fnmatch.filter(_tests(), pattern)
        assert matched, f"{row}: no test is called {pattern}"
        strangers = [name for name in matched if row not in _told(name)]
        assert not strangers, f"{row}: {strangers} do not say so in their names"


def test_every_test_of_a_fault_stands_in_its_rows() -> None:
    table = _table()
    assert sorted(table) == sorted(ROWS)
    missing = [
        (row, name)
        for name in _tests()
        for row in _told(name)
        if not any(fnmatch.fnmatch(name, pattern) for pattern in table[row])
    ]
    assert not missing
