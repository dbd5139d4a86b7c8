"""Before the test period is opened: can what it decides be kept at all?"""

import contextlib
import tempfile
from pathlib import Path

from search.common.errors import Refused
from search.promote.ranking import Ranked
from search.promote.retest import Retest
from search.serving.averaging import save_mean
from search.serving.own_process import run_apart
from search.tracking.existing_runs import KeptRuns, NotThere


def rehearse(
    runs: KeptRuns, retested: KeptRuns, tested: Retest | None, chosen: Ranked | None
) -> None:
    """Do once, with what the re-test left, what follows the opening.

    Args:
        runs: of the study, where the promotion is logged.
        retested: of the re-test.
        tested: what was trained again, None if nothing was.
        chosen: the winner of these, None if there is none.

    Raises:
        Refused: a network cannot be saved, or MLflow not written; the test period stays closed.
    """
    try:
        with tempfile.TemporaryDirectory() as folder:
            if tested is not None and chosen is not None:
                _save_again(retested, tested, chosen, Path(folder))
            runs.try_writing()
    except (NotThere, Refused) as error:
        raise Refused(
            f"what the test period decides could not be kept, so it stays closed: {error}\n"
            "Next: mend it, then run the same command again."
        ) from error


def _save_again(runs: KeptRuns, tested: Retest, chosen: Ranked, place: Path) -> None:
    name = chosen.candidate.name
    number = min(one for (who, _, _), one in tested.numbers.items() if who == name)
    # A store of before may have kept no network of it; the others are tried all the same.
    with contextlib.suppress(NotThere):
        network = runs.model(number, place / "kept")
        run_apart(
            save_mean,
            place / network.name,
            network,
            failing="a network cannot be saved",
        )
