"""What may be promoted of the re-test's winner: its network alone, or blended with a baseline."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.intervals import Tracker, begin
from search.common.spool import Forecasts
from search.promote.entrants import Entrant, Part
from search.promote.ranking import Ranked
from search.promote.retest import Retest
from search.results.baselines import FloorRetest
from search.results.bootstrap import Compared, compare
from search.results.combination import Combined, combine
from search.results.payoff import Payoff
from search.results.summary import amount
from search.tracking.existing_runs import KeptRuns

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Contender:
    """The winner of the re-test as it would be served.

    Attributes:
        chosen: the winner.
        floor: name of the baseline that was the strongest in the re-test.
        residuals: of the winner's network, a fold each and oldest first: float64 (n, horizon),
            forecast minus actual in the data's unit, of the mean over its seeds.
        against_floor: this network compared with that baseline on all folds.
        combined: its blend with that baseline; None if none was asked for.
    """

    chosen: Ranked
    floor: str
    residuals: Sequence[FloatArray]
    against_floor: Compared
    combined: Combined | None

    @property
    def blend(self) -> Combined | None:
        """The blend, if it is what may be promoted."""
        return self.combined if self.combined is not None and self.combined.preferred else None

    @property
    def name(self) -> str:
        """Of what may be promoted."""
        own = self.chosen.candidate.name
        return own if self.blend is None else f"{own} + {self.floor}"

    @property
    def begin(self) -> Tracker:
        """Its 90 % interval before the test period, from its own residuals."""
        return begin(np.concatenate(self.residuals if self.blend is None else self.blend.residuals))

    def payoff(self, attempts: int) -> Payoff:
        """Whether an LSTM pays on these data; so many `attempts` of the study have ended."""
        return Payoff(
            where="retest",
            folds=len(self.residuals),
            attempts=attempts,
            network=self.chosen.candidate.name,
            beside=self.against_floor,
        ).with_blend(self.combined)

    def entrant(self, network: Part, floor: Part) -> Entrant:
        """What may be promoted, of the network trained again and the baseline fitted again."""
        if self.blend is None:
            return Entrant(self.name, (network,), self.begin)
        weight = self.blend.weight
        parts = (
            dataclasses.replace(network, weight=weight),
            dataclasses.replace(floor, weight=1 - weight),
        )
        return Entrant(self.name, parts, self.begin)

    def lines(self, unit: str) -> list[str]:
        """What the re-test says of network, baseline and blend, a line each."""
        own, rival = self.chosen.candidate.name, self.against_floor
        lines = [
            f"On the folds of the re-test the mean forecast of the networks of {own} has an RMSE "
            f"of {amount(rival.challenger)} {unit}, {self.floor}, the strongest baseline, "
            f"{amount(rival.other)}; difference {_difference(rival, unit)}."
        ]
        found = self.combined
        if found is None:
            return lines
        how = "a weight by least squares, each fold's from the others" if found.fitted else "equal"
        return [
            *lines,
            f"A blend of {found.weight:g} x {own} and {1 - found.weight:g} x {self.floor} "
            f"(weights: {how}) has {amount(found.rmse)} {unit}; difference from the network "
            f"{_difference(found.against_first, unit)}, from {self.floor} "
            f"{_difference(found.against_second, unit)}. {_outcome(found, self.floor)}",
        ]


def _outcome(found: Combined, floor: str) -> str:
    if found.pays:
        return "It is measurably better than both, so it is what may be promoted."
    judged = "so it is what may be promoted: it depends less on the network alone."
    if found.safer:
        better = f"measurably better than {floor} and not measurably worse than the network"
        return f"It is {better}, {judged}"
    if found.preferred:
        return f"It is not measurably worse than the network nor better than {floor}, {judged}"
    if found.against_first.low > 0:
        why = "It is worse than the network there"
    else:
        why = f"Nothing of {floor if found.weight == 1 else 'the network'} is left in it"
    return f"{why}, so the network alone is what may be promoted."


def _difference(one: Compared, unit: str) -> str:
    return (
        f"{amount(one.difference, '+')} {unit} (95 % interval {amount(one.low, '+')} to "
        f"{amount(one.high, '+')})"
    )


def contend(
    runs: KeptRuns, tested: Retest, chosen: Ranked, floor: FloorRetest, blend: bool
) -> Contender:
    """See whether the winner is better off blended with the strongest baseline.

    By the folds of the re-test alone; of the test period nothing is read.

    Args:
        runs: of the re-test, with the forecasts.
        tested: the re-test.
        chosen: its winner.
        floor: the baselines on the same folds.
        blend: False to leave the blend out.

    Raises:
        search.tracking.existing_runs.NotThere: the forecasts were not kept.
    """
    residuals = fold_residuals(runs, tested, chosen.candidate.name)
    name = floor.strongest
    rival = floor.residuals[name]
    alone = compare(name, np.concatenate(residuals), np.concatenate(list(rival)))
    found = combine((chosen.candidate.name, name), residuals, rival) if blend else None
    return Contender(chosen, name, residuals, alone, found)


def fold_residuals(runs: KeptRuns, tested: Retest, name: str) -> list[FloatArray]:
    """Forecast minus actual of the candidate `name`, a fold each, float64 (n, horizon).

    The forecast of a fold is the mean over its seeds, as that of the promoted network will be.
    """
    folds: dict[int, list[Forecasts]] = {}
    for (candidate, fold, _), number in sorted(tested.numbers.items()):
        if candidate == name:
            folds.setdefault(fold, []).append(runs.forecasts(number))
    return [np.mean([o.forecast for o in own], axis=0) - own[0].actual for own in folds.values()]
