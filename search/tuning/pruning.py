"""Which running attempts are pruned by the epoch values that they report."""

import optuna

from search.common.records import TrialRecord


class Pruning:
    """Asks the study's pruner, and overrules it where pruning would lose the best trial."""

    def __init__(self, last_epoch: int) -> None:
        """Begin with no attempt.

        Args:
            last_epoch: of a trial; none is pruned there.
        """
        self._last_epoch = last_epoch
        # The lowest value that each running attempt has reported.
        self._lowest: dict[int, float] = {}

    def report(
        self,
        trial: optuna.Trial,
        epoch: int,
        value: float,
        record: TrialRecord,
        best: TrialRecord | None,
    ) -> bool:
        """Keep an epoch's validation MSE; True if the attempt should be pruned now.

        Fixed designs are never pruned, nor is an attempt that is the best of the study so far.

        Args:
            trial: the attempt, as Optuna has it.
            epoch: from 1.
            value: finite.
            record: the attempt, as we have it.
            best: the completed attempt with the lowest objective, or None.
        """
        trial.report(value, epoch)
        reached = min(value, self._lowest.get(trial.number, value))
        self._lowest[trial.number] = reached
        # Asked in any case: hyperband compares only values that it was shown.
        hopeless = bool(trial.should_prune())
        if record.design or best is None or best.result is None:
            return False
        # Nothing is saved at the last epoch, and the trial would not count as complete.
        last = epoch >= self._last_epoch
        return hopeless and not last and reached > best.result.objective

    def forget(self, number: int) -> None:
        """Attempt `number` has ended."""
        self._lowest.pop(number, None)
