"""What all tests share: the order of files, and what needs not be collected as garbage."""

import gc

import pytest
from hypothesis import HealthCheck, settings

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


def pytest_configure() -> None:
    """Look for no garbage among what collecting imports: it stays as long as the process."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Look for it from now on, among what tests make."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first; the others stay in their order."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))
