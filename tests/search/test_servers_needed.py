"""Tests that need Ray or PostgreSQL are skipped with a line, or fail where they are required."""

import contextlib
import importlib.util
from collections.abc import Callable

import pytest

from tests.search import postgres, ray_cluster


def _need_postgres() -> None:
    with contextlib.ExitStack() as leaving:
        leaving.enter_context(postgres.postgres_server())


@pytest.mark.parametrize(
    ("need", "variable", "what"),
    [
        (ray_cluster.need_ray, "REQUIRE_RAY", "needs Ray"),
        (_need_postgres, "REQUIRE_POSTGRES", "needs PostgreSQL"),
    ],
)
def test_it_is_skipped_with_a_line_unless_it_is_required(
    need: Callable[[], None], variable: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(postgres, "_programs", lambda: None)
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(pytest.skip.Exception, match=what):
        need()
    monkeypatch.setenv(variable, "1")
    with pytest.raises(pytest.fail.Exception, match=f"{variable}=1, but this {what}"):
        need()
