"""Finds the two networks of a study that are compared, and the designs between them."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from data_pipeline.errors import DataError
from experiments.experiment import Design, Experiment
from models.cost import epoch_seconds
from models.parameters import TrialParameters
from search.common.errors import Refused
from search.common.records import TrialRecord, best_of
from search.engine.plan import Plan, make_plan
from search.explain.settings import Setting, mixed, settings_between
from search.results.ablation import Changed, most_runs
from search.tuning.kept_studies import KeptStudy

# An explanation has other seeds than any study or re-test.
_FRESH = 2**30
# Characters of the study's name in the explanation's name, so that the latter is not too long.
_LONGEST = 80
BEST = "best"
# Number of choosing seeds. If a race is not over after them, their mean decides.
CHOOSING = 3


@dataclass(frozen=True)
class Way:
    """What is explained, and with how many seeds.

    Attributes:
        plan: plan of the explained study. of: its name.
        start, goal: names of the two networks. before, after: their parameters.
        settings: the settings that lead from one to the other.
        seeds: number of measuring seeds; `CHOOSING` other seeds choose.
    """

    plan: Plan
    of: str
    start: str
    goal: str
    before: TrialParameters
    after: TrialParameters
    settings: tuple[Setting, ...]
    seeds: int

    @cached_property
    def name(self) -> str:
        """Name of the explanation's study; it changes with the networks and the data."""
        digest = hashlib.sha256(json.dumps(self.contract, sort_keys=True).encode()).hexdigest()
        return f"{self.of[:_LONGEST]}.explain-{digest[:6]}"

    @property
    def contract(self) -> dict[str, object]:
        """What must stay the same on resume; plain values."""
        return {
            "explain_of": self.of,
            "experiment": self.plan.experiment.name,
            "data": self.plan.series.fingerprint,
            "unit": self.plan.series.unit,
            "framing": self.plan.experiment.framing.model_dump(mode="json"),
            "start": self.before.model_dump(mode="json"),
            "goal": self.after.model_dump(mode="json"),
            "seed": self.seed,
        }

    @property
    def seed(self) -> int:
        """The study seed of all its trainings."""
        return (self.plan.experiment.seed + _FRESH) % 2**32

    @property
    def choosing(self) -> range:
        """The repeats whose seeds choose."""
        return range(CHOOSING)

    @property
    def measuring(self) -> range:
        """The repeats whose seeds measure."""
        return range(CHOOSING, CHOOSING + self.seeds)

    def design_name(self, changed: Changed) -> str:
        """The name of the configuration with these changed settings."""
        order = [setting.name for setting in self.settings if setting.name in changed]
        return "+".join(["start", *order])

    def changed_in(self, design: str) -> Changed:
        """The changed settings of the design with this name."""
        return frozenset(design.split("+")[1:])

    def network(self, changed: Changed) -> TrialParameters:
        """The parameters of the configuration with these changed settings."""
        experiment = self.plan.experiment
        return mixed(
            self.before, self.settings, changed, experiment.space, experiment.framing.window
        )

    def experiment(self, configurations: Iterable[Changed]) -> Experiment:
        """An experiment whose designs are these configurations."""
        designs = [
            Design(name=self.design_name(one), parameters=self.network(one))
            for one in dict.fromkeys(configurations)
        ]
        repeats = CHOOSING + self.seeds
        return self.plan.experiment.model_copy(
            update={
                "designs": tuple(designs),
                "claims": (),
                "repeats": repeats,
                "sampled": False,
                "own_epochs": True,
                "epochs": max(self.before.epochs, self.after.epochs),
                "trials": max(1, repeats * len(designs)),
                "seed": self.seed,
            }
        )

    def minutes(self, workers: int) -> tuple[int, int]:
        """Estimated minutes: if all losers are dropped early, and at most."""
        shape = self.plan.prepared.train.x.shape
        pair = (self.before, self.after)
        costs = [one.epochs * epoch_seconds(one, *shape) for one in pair]
        mean = sum(costs) / 2
        fewest, most = most_runs(len(self.settings), CHOOSING, self.seeds)
        return (
            math.ceil(fewest * mean / workers / 60),
            math.ceil(most * mean / workers / 60),
        )


def find_way(kept: KeptStudy, start: str, goal: str, seeds: int) -> Way:
    """The way between two networks of a study.

    Args:
        kept: the study.
        start: "best", "trial_N" or the name of a design.
        goal: "best", "trial_N" or the name of a design.
        seeds: number of measuring seeds.

    Raises:
        Refused: there is no such network, both are equal, or the data are gone.
    """
    plan = _plan(kept)
    before, after = (_network(kept, plan, name) for name in (start, goal))
    settings = settings_between(before, after, plan.experiment.space)
    return Way(plan, kept.name, start, goal, before, after, settings, seeds)


def _plan(kept: KeptStudy) -> Plan:
    experiment = kept.experiment()
    try:
        plan = make_plan(experiment)
    except DataError as error:
        raise Refused(
            f"the data of study {kept.name!r} cannot be read again: {error}\n"
            "Next: put the file back where it was."
        ) from error
    if plan.series.fingerprint != kept.contract["data"]:
        raise Refused(
            f"the data of study {kept.name!r} have changed: the fingerprint was "
            f"{kept.contract['data']}, is {plan.series.fingerprint}.\nNext: put the file back."
        )
    return plan


def _network(kept: KeptStudy, plan: Plan, name: str) -> TrialParameters:
    if name == BEST:
        record = best_of(kept.records)
        if record is None:
            raise Refused(f"no trial of study {kept.name!r} has completed, so there is no best one")
        return _own(record, plan)
    for record in kept.records:
        if name in (record.design, f"trial_{record.number}") and record.parameters is not None:
            return _own(record, plan)
    for design in plan.experiment.designs:
        if name == design.name:
            as_run = {"epochs": plan.experiment.epochs, "weights": plan.experiment.weights}
            return design.parameters.model_copy(update=as_run)
    known = ", ".join(dict.fromkeys(one.design for one in kept.records if one.design))
    raise Refused(
        f"study {kept.name!r} has no network {name!r}: expected {BEST!r}, 'trial_N' or a design "
        f"({known or 'none'})"
    )


def _own(record: TrialRecord, plan: Plan) -> TrialParameters:
    assert record.parameters is not None
    if record.framing not in (None, plan.experiment.framing):
        raise Refused(
            f"trial {record.number} sees other data than its study, so it cannot be compared"
        )
    return record.parameters


def replace_designs(plan: Plan, experiment: Experiment) -> Plan:
    """The plan of a study, with other designs on the same data."""
    return dataclasses.replace(plan, experiment=experiment)
