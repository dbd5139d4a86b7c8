"""Before the test period is opened, what follows is tried."""

from typing import cast

import pytest

from search.common.errors import Refused
from search.promote.rehearsal import rehearse
from search.tracking.existing_runs import KeptRuns, NotThere


class Runs:
    """Runs of a study that can or cannot be written."""

    def __init__(self, writable: bool) -> None:
        self.writable = writable
        self.tried = 0

    def try_writing(self) -> None:
        self.tried += 1
        if not self.writable:
            raise NotThere("PermissionError: artifacts")


def test_d24_the_test_period_stays_closed_where_the_result_could_not_be_kept() -> None:
    runs = cast(KeptRuns, Runs(writable=False))
    with pytest.raises(Refused, match="stays closed: PermissionError: artifacts"):
        rehearse(runs, runs, None, None)


def test_what_can_be_written_is_no_hindrance() -> None:
    runs = Runs(writable=True)
    rehearse(cast(KeptRuns, runs), cast(KeptRuns, runs), None, None)
    assert runs.tried == 1
