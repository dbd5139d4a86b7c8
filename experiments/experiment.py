"""An experiment: one frozen, validated declaration of what is tried, on what, how long."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from data_pipeline.framing import Framing
from data_pipeline.source import DataSource
from experiments.comparison import Claim
from experiments.lstm_space import fit_lookbacks, longest_lookback, to_flat, to_parameters
from experiments.space import FlatParameters, Space
from models.parameters import TrialParameters


class Design(BaseModel):
    """A fixed configuration with a name: a reference point, or a cell of a designed experiment.

    Attributes:
        name: unique in the experiment.
        parameters: of network and training.
        framing: how it sees the data, where that differs from the experiment's framing; windows and
            split must be the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    parameters: TrialParameters
    framing: Framing | None = None


class Experiment(BaseModel):
    """What a study tries.

    Attributes:
        name: its name on the command line, in MLflow and (by default) of the study.
        summary: one line for `--help` and the MLflow experiment.
        source: the series; `framing`: window, horizon and split.
        space: every trial is a point of it.
        designs: fixed points, tried first and never pruned.
        repeats: seeds per design.
        sampled: True if a sampler draws further trials; False if the designs are all.
        rolling: True if designs may be of other periods than the experiment's split, as those of a
            re-test on rolling origins are; their scores are then of other hours.
        own_epochs: True if a design trains at most as long as it says itself; False if all may
            train as long as the experiment says.
        claims: what its designs are to settle.
        trials: default total of finished trials.
        epochs: most epochs a trial trains.
        weights: which are kept and judged: of the "best" epoch, or of the "last".
        ema_epochs: of the trials drawn, see `TrialParameters`; a design has its own.
        seed: default study seed; each trial's seed follows from it.

    Raises:
        pydantic.ValidationError: for a design outside the space, a claim about designs that are not
            there, or a total that the designs of an experiment without sampling cannot fill.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    summary: str
    source: DataSource = DataSource()
    framing: Framing = Framing()
    space: Space
    designs: tuple[Design, ...] = ()
    repeats: int = Field(default=1, ge=1)
    sampled: bool = True
    rolling: bool = False
    own_epochs: bool = False
    claims: tuple[Claim, ...] = ()
    trials: int = Field(ge=1)
    epochs: int = Field(ge=1)
    weights: Literal["best", "last"] = "best"
    ema_epochs: float = Field(default=0.0, ge=0.0)
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _designs_lie_in_the_space(self) -> Self:
        longest, window = longest_lookback(self.space), self.framing.window
        if longest is not None and longest > window:
            raise ValueError(
                f"the space has lookbacks up to {longest} hours, the windows have {window}"
            )
        for design in self.designs:
            flat = to_flat(design.parameters, self.space)
            problems = self.space.problems(flat)
            if problems:
                raise ValueError(f"design {design.name!r} is no point of the space: {problems}")
            # Trials are made of points, so what a point leaves out would silently be dropped.
            held = self.parameters_of(flat, design.parameters.epochs, design.name)
            wanted = _looking_back(design.parameters, window)
            if held != wanted:
                lost = [f"{name}={value}" for name, value in wanted if value != getattr(held, name)]
                raise ValueError(
                    f"design {design.name!r} sets {', '.join(lost)}, which no point of the space "
                    "holds"
                )
            self._check_framing(design)
        self._check_claims()
        planned = len(self.designs) * self.repeats
        if not self.sampled and self.trials > planned:
            raise ValueError(
                f"{self.trials} trials asked for, but {self.name!r} is a designed experiment of "
                f"{len(self.designs)} configurations x {self.repeats} seeds = {planned} trials"
            )
        return self

    def parameters_of(self, flat: FlatParameters, epochs: int, design: str) -> TrialParameters:
        """What a trial at a point is trained with, where `design` is its design's name or ""."""
        own = next((one.parameters for one in self.designs if one.name == design), self)
        return to_parameters(flat, epochs, self.weights, own.ema_epochs, self.framing.window)

    def framing_of(self, design: str) -> Framing | None:
        """How the design of that name sees the data, if not by the experiment's framing."""
        return next((one.framing for one in self.designs if one.name == design), None)

    def _check_claims(self) -> None:
        names = {design.name for design in self.designs}
        for claim in self.claims:
            for one in claim.comparisons:
                strange = sorted({one.treatment, one.control} - names)
                if strange:
                    raise ValueError(f"claim {claim.id} compares {strange}, which are no designs")

    def _check_framing(self, design: Design) -> None:
        if design.framing is None:
            return
        split = () if self.rolling else ("train", "validation", "test")
        for name in ("window", "horizon", *split):
            own, common = getattr(design.framing, name), getattr(self.framing, name)
            if own != common:
                raise ValueError(
                    f"design {design.name!r} has {name} {own}, the experiment {common}: its scores "
                    "would be of other hours"
                )


def for_window(experiment: Experiment, window: int) -> Experiment:
    """Make the lookbacks of space and designs fit windows of `window` hours; not validated yet.

    The framing is left as it is. A design that looks back further reads the whole window.
    """
    designs = [
        one.model_copy(update={"parameters": _looking_back(one.parameters, window)})
        for one in experiment.designs
    ]
    space = fit_lookbacks(experiment.space, window)
    return experiment.model_copy(update={"space": space, "designs": tuple(designs)})


def _looking_back(parameters: TrialParameters, window: int) -> TrialParameters:
    """The same with None for a lookback that is no shorter than the window."""
    if parameters.lookback is None or parameters.lookback < window:
        return parameters
    return parameters.model_copy(update={"lookback": None})
