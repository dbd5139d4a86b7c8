"""An entrant on the test hours: beside the baselines, the champion, and its own intervals."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.intervals import Covered, Tracker, covered, follow
from models.metrics import Scores
from search.engine.opened_period import Opened
from search.promote.entrants import Entrant
from search.promote.gate import objections
from search.results.bootstrap import Compared, compare

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """An entrant beside all others on the test hours.

    Attributes:
        entrant: who. opened: the hours.
        half: float64 (n, horizon), half the width of its 90 % interval as it stood before each
            window, in the data's unit. after: the interval after the last window.
        coverage: what these intervals covered.
        compared: with the baselines, by name; itself left out. champion: with the champion, None
            without one.
        champion_version: of the champion, None without one.
    """

    entrant: Entrant
    opened: Opened
    half: FloatArray
    after: Tracker
    coverage: Covered
    compared: dict[str, Compared]
    champion: Compared | None
    champion_version: str | None

    @property
    def scores(self) -> Scores:
        """Its metrics on the test hours."""
        return self.opened.score(self.entrant.forecast)

    @property
    def parts(self) -> list[dict[str, Any]]:
        """What it is made of: "name", "weight" and the part's own "rmse" on the test hours."""
        return [
            {
                "name": part.name,
                "weight": part.weight,
                "rmse": self.opened.score(part.forecast).rmse,
            }
            for part in self.entrant.parts
        ]

    @property
    def all_compared(self) -> list[Compared]:
        """The champion first, then the baselines, the strongest first."""
        rivals = sorted(self.compared.values(), key=lambda one: one.other)
        return [*([self.champion] if self.champion else []), *rivals]

    def objections(self, unit: str) -> list[str]:
        """Why it may not be promoted, a sentence each; a baseline has no baseline to beat."""
        return objections(self.compared if self.entrant.network else {}, self.champion, unit)


def judge(entrant: Entrant, opened: Opened, champion: tuple[str, FloatArray] | None) -> Judged:
    """Compare an entrant with the baselines and the champion, hour by hour on the same hours.

    Args:
        entrant: who.
        opened: the hours.
        champion: its version and forecasts, see `champion.champions_forecast`.
    """
    errors = entrant.forecast - opened.actual
    compared = {
        name: compare(name, errors, forecast - opened.actual)
        for name, forecast in opened.baselines.items()
        if name != entrant.name
    }
    beside = None
    if champion is not None:
        beside = compare(f"version {champion[0]}", errors, champion[1] - opened.actual)
    half, after = follow(entrant.begin, errors)
    coverage = covered(errors, half)
    version = None if champion is None else champion[0]
    return Judged(entrant, opened, half, after, coverage, compared, beside, version)


def promotion_metrics(judged: Judged) -> Mapping[str, float]:
    """What a promotion's run in MLflow gets, by name."""
    coverage = judged.coverage
    metrics = {f"test_{name}": value for name, value in judged.scores.as_dict().items()}
    network = next((part for part in judged.entrant.parts if part.network), None)
    if network is not None:
        metrics["test_rmse_network"] = judged.opened.score(network.forecast).rmse
        metrics["network_weight"] = network.weight
    metrics |= {
        f"test_rmse_{name}": judged.opened.score(forecast).rmse
        for name, forecast in judged.opened.baselines.items()
    }
    if judged.champion is not None:
        metrics["test_rmse_champion"] = judged.champion.other
    return metrics | {
        "test_coverage_90": coverage.share,
        "test_coverage_90_last_quarter": coverage.last_quarter,
        "test_coverage_90_lowest_step": min(coverage.steps),
        "test_coverage_90_highest_step": max(coverage.steps),
    }
