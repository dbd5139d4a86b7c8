"""Which configurations are trained again; pure functions."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from data_pipeline.framing import Framing
from experiments.experiment import Design, Experiment
from models.cost import epoch_flops
from models.parameters import TrialParameters
from search.common.errors import Refused
from search.common.records import State, TrialRecord

# Seeds of the re-test are those of a study that nobody runs.
_FRESH = 2**31
# Of a study's name in that of its re-test, which may not be longer than a name may be.
_LONGEST = 80


@dataclass(frozen=True)
class Candidate:
    """A configuration to train again.

    Attributes:
        name: "trial_N", or the name of a fixed design.
        parameters: of network and training.
        searched: validation RMSE that the search found, in the data's unit; None if it did not
            complete there.
        reference: True if it is there for comparison and cannot win.
    """

    name: str
    parameters: TrialParameters
    searched: float | None
    reference: bool

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        plain = {name: getattr(self, name) for name in ("name", "searched", "reference")}
        return plain | {"parameters": self.parameters.model_dump(mode="json")}


def choose(records: Sequence[TrialRecord], experiment: Experiment, top: int) -> list[Candidate]:
    """The `top` best completed configurations, and the fixed designs that are not among them.

    What was trained on a framing of its own is neither: its scores are of other data.

    Raises:
        Refused: no trial has completed.
    """
    complete = sorted(
        (record.result.objective, record.number, record)
        for record in records
        if record.state is State.COMPLETE
        and record.result is not None
        and record.framing in (None, experiment.framing)
    )
    if not complete:
        raise Refused("no trial of this study has completed, so there is nothing to promote")
    chosen: dict[TrialParameters, Candidate] = {}
    for _, number, record in complete:
        if record.parameters is None or record.parameters in chosen or record.result is None:
            continue
        name = record.design or f"trial_{number}"
        found = record.result.held_out["rmse"]
        chosen[record.parameters] = Candidate(name, record.parameters, found, reference=False)
        if len(chosen) == top:
            break
    searched = {
        record.design: record.result.held_out["rmse"]
        for _, _, record in reversed(complete)
        if record.result is not None
    }
    names = {one.name for one in chosen.values()}
    as_run = {"epochs": experiment.epochs, "weights": experiment.weights}
    references = [
        Candidate(
            design.name,
            design.parameters.model_copy(update=as_run),
            searched.get(design.name),
            reference=True,
        )
        for design in experiment.designs
        if design.name not in names and design.framing in (None, experiment.framing)
    ]
    return [*chosen.values(), *references]


def cell(candidate: str, fold: int) -> str:
    """The name of the design that is `candidate` trained on `fold` (from 1)."""
    return f"{candidate}.fold_{fold}"


def retest_experiment(
    experiment: Experiment,
    candidates: Sequence[Candidate],
    folds: Sequence[Framing],
    seeds: int,
) -> Experiment:
    """Every candidate on every fold, with `seeds` seeds that the search did not use.

    The longest trainings come first, so that no worker waits long for another at the end.
    """
    designs = sorted(
        (
            Design(name=cell(one.name, number), parameters=one.parameters, framing=framing)
            for number, framing in enumerate(folds, start=1)
            for one in candidates
        ),
        key=_work,
        reverse=True,
    )
    plain = experiment.model_dump() | {
        "designs": [design.model_dump() for design in designs],
        "repeats": seeds,
        "sampled": False,
        "rolling": True,
        "claims": [],  # of designs that are not trained again
        "trials": seeds * len(designs),
        "seed": (experiment.seed + _FRESH) % 2**32,
    }
    return Experiment.model_validate(plain)


def _work(design: Design) -> float:
    assert design.framing is not None  # a fold
    parameters = design.parameters
    return parameters.epochs * epoch_flops(parameters, 1, 1, 1) * design.framing.train


def retest_name(study: str, experiment: Experiment) -> str:
    """The name of the re-test: another one when the candidates or the folds change."""
    designs = [design.model_dump(mode="json") for design in experiment.designs]
    digest = hashlib.sha256(json.dumps(designs, sort_keys=True).encode()).hexdigest()
    return f"{study[:_LONGEST]}.retest-{digest[:6]}"
