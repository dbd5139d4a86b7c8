"""What a person reads while a study trains."""

import dataclasses

import pytest

from search.common.records import Standing
from search.engine.progress import Progress
from tests.search.samples import facts, record, result


@pytest.mark.parametrize("retest", [False, True])
def test_best_and_skill_are_told_where_all_errors_are_of_the_same_hours(
    retest: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    told = facts(total=2)
    if retest:
        told = dataclasses.replace(told, baselines={})
    one = record(0, result(0.02))
    progress = Progress(told, 0, quiet=False)
    progress.ended(one, Standing(finished=1, pruned=0, failed=0, best=one))
    progress.close()
    said = capsys.readouterr().err
    assert "[1/2] 0 pruned, 0 failed" in said and "left" in said
    assert ("best RMSE 141.4 MW, skill +18.4%" in said) is not retest
    assert ("best" in said) is not retest
