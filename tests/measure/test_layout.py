"""Threads against processes: real training processes that take turns."""

from tests.measure.layout import measure


def test_both_layouts_train_in_every_round() -> None:
    found = measure((4,), rounds=2, seconds=0.3, cores=2)
    assert set(found["rates"]) == {"processes", "threads"}
    assert all(len(rates) == 2 and min(rates) > 0 for rates in found["rates"].values())
    assert found["ratio"]["pairs"] == 2
