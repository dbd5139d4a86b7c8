"""What all tests share: which files go first, and when Python looks for garbage."""

import gc

import pytest
from hypothesis import HealthCheck, settings

# It remembers the environment as it is before a test changes it.
import tests.search.warm_commands  # noqa: F401

# How long an example takes to make or to run is the machine's matter, which others may use.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

# They go first, so that no process is left alone with one at the end.
LONGEST = (
    "test_interruptions.py",
    "test_promote.py",
    "test_chaos.py",
    "test_run.py",
    "test_two_nodes.py",
    "test_team.py",
    "test_login.py",
    "test_explanation.py",
    "test_ray_pool.py",
    "test_pools.py",
    "test_blend.py",
    "test_broken_stores.py",
    "test_makes.py",
    "test_interrupted_promotion.py",
    "test_floor.py",
    "test_contenders.py",
    "test_registering.py",
    "test_serve_best.py",
    "test_study_runs.py",
    "test_parity.py",
    "test_start_page.py",
    "test_baselines.py",
    "test_compiling.py",
    "test_comparisons.py",
    "test_layout.py",
    "test_sync.py",
    "test_command.py",
)


def pytest_configure(config: pytest.Config) -> None:
    """Turn the garbage collector off while test files are imported; what they import stays."""
    if not config.getoption("numprocesses", None):  # else only other processes import them
        gc.disable()


def pytest_collection_finish() -> None:
    """Turn it on again, without what was imported."""
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """Let pytest find, at last, what was left open while files were imported."""
    gc.unfreeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first; the others stay in their order."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))
