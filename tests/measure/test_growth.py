"""The cost of a trial over a long study: what is measured, with few trials."""

import pytest

from tests.measure import growth
from tests.search.sleeping_pool import undrawn


@pytest.mark.parametrize("mlflow", [False, True])
def test_a_run_is_summed_up_in_parts_and_set_against_a_new_study(
    mlflow: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, few in (("FIRST", 2), ("TURNS", 2), ("A_TURN", 3), ("PIECES", 3)):
        monkeypatch.setattr(growth, name, few)
    with undrawn():
        found = growth.measure(7, "random", mlflow)
    assert [row["trial"] for row in found.rows] == [2, 4, 6]
    assert all(row["seconds"] > 0.001 and row["megabytes"] > 10 for row in found.rows)
    assert 0 <= found.behind <= (7 if mlflow else 0)
    assert found.ratio.pairs == 2 and found.ratio.low <= found.ratio.value <= found.ratio.high
