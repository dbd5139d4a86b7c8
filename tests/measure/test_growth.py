"""The cost of a trial over a long study: what is measured, with few trials."""

import pytest

from search import figures
from search.figures.canvas import new_figure
from tests.measure import growth


@pytest.mark.parametrize("mlflow", [False, True])
def test_a_run_is_summed_up_in_parts_and_set_against_a_new_study(
    mlflow: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = figures.png(new_figure("No figure", "", "")[0])
    monkeypatch.setattr(figures, "png", lambda _: drawn)
    for name, few in (("FIRST", 2), ("TURNS", 2), ("A_TURN", 3), ("PIECES", 3)):
        monkeypatch.setattr(growth, name, few)
    found = growth.measure(7, "random", mlflow)
    assert [row["trial"] for row in found.rows] == [2, 4, 6]
    assert all(row["seconds"] > 0.001 and row["megabytes"] > 10 for row in found.rows)
    assert 0 <= found.behind <= (7 if mlflow else 0)
    assert found.ratio.pairs == 2 and found.ratio.low <= found.ratio.value <= found.ratio.high
