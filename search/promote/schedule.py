"""The schedule of a re-test: which candidate is trained on which fold with which seed, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from data_pipeline.framing import Framing
from experiments.experiment import Experiment
from search.common.seeds import trial_seed
from search.common.stores import check_name
from search.engine.plan import Plan
from search.promote.candidates import Candidate, cell, retest_experiment, retest_name


@dataclass(frozen=True)
class Round:
    """What is trained at once: one seed, counted from 0, on some folds, counted from 1."""

    repeat: int
    folds: range


@dataclass(frozen=True)
class Schedule:
    """Who is trained again, on what, in which order.

    Attributes:
        plan: of the study. of: its name.
        candidates: see `search.promote.candidates.choose`.
        framings: one a fold, oldest first; see `search.engine.folds.rolling`.
        seeds: of every candidate that is not dropped.
    """

    plan: Plan
    of: str
    candidates: Sequence[Candidate]
    framings: Sequence[Framing]
    seeds: int

    @cached_property
    def whole(self) -> Experiment:
        """All of it as one experiment: nobody is dropped."""
        return retest_experiment(self.plan.experiment, self.candidates, self.framings, self.seeds)

    @cached_property
    def name(self) -> str:
        """Of its study."""
        return check_name("--study", retest_name(self.of, self.whole))

    @property
    def contract(self) -> dict[str, object]:
        """What must stay the same for it to go on where it stopped; plain values."""
        whole = self.whole
        return {
            "retest_of": self.of,
            "experiment": whole.name,
            "data": self.plan.series.fingerprint,
            "unit": self.plan.series.unit,
            "framing": self.plan.experiment.framing.model_dump(mode="json"),
            "designs": {d.name: d.model_dump(mode="json") for d in whole.designs},
            "epochs": whole.epochs,
            "seed": whole.seed,
        }

    @property
    def folds(self) -> int:
        """How many; the last one is the search's own split."""
        return len(self.framings)

    @cached_property
    def place(self) -> dict[str, tuple[str, int]]:
        """Candidate and fold of each design of `whole`."""
        folds = range(1, self.folds + 1)
        return {cell(one.name, n): (one.name, n) for one in self.candidates for n in folds}

    @cached_property
    def repeats(self) -> dict[int, int]:
        """Which repeat a trial's seed is."""
        return {trial_seed(self.whole.seed, repeat): repeat for repeat in range(self.seeds)}

    @property
    def finalists(self) -> set[str]:
        """Names of those that may win."""
        return {one.name for one in self.candidates if not one.reference}

    @property
    def references(self) -> set[str]:
        """Names of those that are there for comparison."""
        return {one.name for one in self.candidates if one.reference}

    @property
    def rounds(self) -> list[Round]:
        """A seed after the other, each on all folds.

        Where references are to be judged by it, the last fold of the first seed comes first.
        """
        every = range(1, self.folds + 1)
        whole = [Round(repeat, every) for repeat in range(self.seeds)]
        if not self.references or self.folds == 1:
            return whole
        return [Round(0, every[-1:]), Round(0, every[:-1]), *whole[1:]]

    def cells_of(self, now: Round, out: set[str]) -> set[str]:
        """The designs of a round, without those of the candidates that are `out`."""
        return {
            design
            for design, (who, fold) in self.place.items()
            if who not in out and fold in now.folds
        }

    def is_up_to(self, now: Round, fold: int, repeat: int) -> bool:
        """True of a training of that round or of one before it."""
        before = self.rounds[: self.rounds.index(now) + 1]
        return any(one.repeat == repeat and fold in one.folds for one in before)
