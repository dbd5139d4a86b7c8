"""Who may be promoted: the winning network, alone or blended, or the re-test's best baseline."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data_pipeline.inputs import Inputs
from models.intervals import Tracker
from search.common.records import Baseline
from search.promote.candidates import Candidate
from search.results.baselines import strongest
from search.results.summary import amount
from search.serving.served import NUMBERS

if TYPE_CHECKING:
    from models.forecasters import Forecaster

FloatArray = npt.NDArray[np.float64]

# How many times the error of the strongest baseline the best trial's may be before a re-test has
# little sense: the mean of a few networks, trained on more, takes a tenth or so off it.
FAR = 1.25


@dataclass(frozen=True)
class Part:
    """What a forecaster to be served is made of, with its own forecasts of the test hours.

    Attributes:
        name: "trial_N", a design's or a baseline's name.
        model: file of a plain Keras network, or of plain numbers.
        history: rows that it needs before the first hour it forecasts.
        forecast: float64 (n, horizon), of the test windows, in the data's unit.
        network: False of a baseline.
        weight: its share.
        inputs: columns of the network's input.
    """

    name: str
    model: Path
    history: int
    forecast: FloatArray
    network: bool = True
    weight: float = 1.0
    inputs: Inputs = "cycles"


@dataclass(frozen=True)
class Entrant:
    """A forecaster as it would be served: the weighted sum of its parts.

    Attributes:
        name: that of its part; of a blend, the names of its parts.
        parts: one; of a blend, the network and then the baseline.
        begin: its 90 % interval before the first of the test windows.
    """

    name: str
    parts: tuple[Part, ...]
    begin: Tracker

    @cached_property
    def forecast(self) -> FloatArray:
        """float64 (n, horizon), of the test windows, in the data's unit."""
        return np.asarray(np.sum([part.weight * part.forecast for part in self.parts], axis=0))

    @property
    def history(self) -> int:
        """Rows that it needs before the first hour it forecasts."""
        return max(part.history for part in self.parts)

    @property
    def network(self) -> bool:
        """False of a baseline alone."""
        return any(part.network for part in self.parts)

    @property
    def inputs(self) -> Inputs:
        """Columns of its network's input."""
        return next((part.inputs for part in self.parts if part.network), "cycles")

    @property
    def kind(self) -> str:
        """One of "network", "baseline", "blend"."""
        if len(self.parts) > 1:
            return "blend"
        return "network" if self.network else "baseline"


def baseline_part(name: str, fitted: "Forecaster", forecast: FloatArray, place: Path) -> Part:
    """Write a fitted baseline as plain numbers to the folder `place`, ready to be judged."""
    model = place / NUMBERS
    model.write_text(json.dumps(fitted.as_plain()), encoding="utf-8")
    return Part(name, model, fitted.history, forecast, network=False)


def how_far(
    candidates: Sequence[Candidate], baselines: Mapping[str, Baseline], unit: str
) -> tuple[bool, str]:
    """Compare the best finalist with the strongest baseline, as the search found both.

    Returns:
        True if it is so far behind that a re-test has little sense; and a sentence.
    """
    name, floor = strongest(baselines)
    own = min(one.searched for one in candidates if one.searched is not None)
    theirs = floor.validation["rmse"]
    found = (
        f"On the validation windows the best finalist has an RMSE of {amount(own)} {unit}, "
        f"{name}, the strongest baseline, {amount(theirs)}"
    )
    if own <= theirs:
        return False, f"{found}: the finalist is ahead."
    if own <= FAR * theirs:
        return False, f"{found}: the finalist is behind, and the gate may refuse it."
    return True, f"{found}: the finalist is far behind, and the gate will most likely refuse it."
