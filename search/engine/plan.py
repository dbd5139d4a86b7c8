"""From options to a checked plan; no TensorFlow, no writing."""

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pydantic

from data_pipeline.errors import DataError
from data_pipeline.framing import Framing
from data_pipeline.lengths import HOURS_A_WEEK
from data_pipeline.load import load_series
from data_pipeline.public_holidays import HOLIDAY
from data_pipeline.report import DataReport
from data_pipeline.rules import ReadingRules
from data_pipeline.series import HourlySeries
from data_pipeline.source import BUILTIN_HOLIDAYS, DataSource
from data_pipeline.windows import Prepared, check_length, prepare
from experiments.experiment import Design, Experiment, for_window
from models.cost import epoch_seconds
from search.common.drawing import BY_OPTUNA, KERAS_TUNER, Drawing, drawn_by
from search.common.errors import WrongInput

# Raise the version if the objective changes its meaning, so that old studies are not resumed.
OBJECTIVE = "validation MSE without the L2 penalty, scaled, restored weights, version 1"
# These replace the period and unit of the built-in data if a person gives another file.
OWN_DATA: Mapping[str, object] = {
    "source.unit": "units",
    "source.start": None,
    "source.end": None,
}
# From this horizon on, in hours, a forecast reaches into another day.
DAY_AHEAD = 24
# With more designs than this, the plan names only the first.
FEW_DESIGNS = 6


@dataclass(frozen=True)
class Plan:
    """A checked intention: what will be tried on which data.

    `report` says what was found and repaired in the data. `prepared` holds the scaled train and
    validation windows. `drawing` names tuner, sampler and pruner.
    """

    experiment: Experiment
    series: HourlySeries
    report: DataReport
    prepared: Prepared
    drawing: Drawing = BY_OPTUNA

    @property
    def source_as_read(self) -> DataSource:
        """The data source with the decided reading rules, so that it is read in the same way."""
        rules = {name: getattr(self.report.rules, name) for name in ReadingRules.model_fields}
        return self.experiment.source.model_copy(update=rules)

    @property
    def warnings(self) -> list[str]:
        """What looks wrong in the split data, one sentence each."""
        rows = self.prepared.train_rows
        columns = [*self.series.covariates.T, self.series.target]
        names = [*self.series.covariate_names, self.series.target_name]
        return [
            f"column {name!r} has one value, {column[0]:g}, in all {rows} rows before the "
            "validation period and others later: the scaler cannot learn its range"
            for name, column in zip(names, columns, strict=True)
            if np.ptp(column[:rows]) == 0 and np.ptp(column) > 0
        ]

    @property
    def contract(self) -> dict[str, object]:
        """What must stay the same for trials of one study to be comparable; plain values."""
        experiment = self.experiment
        return {
            "experiment": experiment.name,
            "data": self.series.fingerprint,
            "columns": [*self.series.covariate_names, self.series.target_name],
            "unit": self.series.unit,
            **_ahead(experiment.source),
            "framing": experiment.framing.model_dump(mode="json"),
            "space": {d.name: d.model_dump(mode="json") for d in experiment.space.dimensions},
            "designs": {d.name: _plain(d) for d in experiment.designs},
            "epochs": experiment.epochs,
            "weights": experiment.weights,
            **_average(experiment.ema_epochs),
            "objective": OBJECTIVE,
            "seed": experiment.seed,
            **self.drawing.contract,
        }


def _plain(design: Design) -> dict[str, object]:
    plain: dict[str, object] = {
        **design.parameters.model_dump(mode="json", exclude={"ema_epochs"}),
        **_average(design.parameters.ema_epochs),
    }
    if design.framing is not None:
        plain["framing"] = design.framing.model_dump(mode="json")
    return plain


def _ahead(source: DataSource) -> dict[str, object]:
    """Left out if nothing is known ahead, so that studies from before these options go on."""
    plain = {"known_ahead": list(source.known_ahead), "holidays": source.holidays}
    return {name: value for name, value in plain.items() if value}


def _average(ema_epochs: float) -> dict[str, object]:
    """Left out if there is no average, so that studies from before this option go on."""
    return {"ema_epochs": ema_epochs} if ema_epochs else {}


class TooShort(DataError):
    """There are too few hours for the window.

    Attributes:
        window: One that they suffice for, None if no window of whole days does.
    """

    def __init__(self, message: str, window: int | None) -> None:
        super().__init__(message)
        self.window = window


def shorter_window(hours: int, framing: Framing) -> int | None:
    """The window to be given: None if `hours` suffice for the framing's, or for no whole day."""
    for window in (framing.window, *range(framing.window // 24 * 24, 0, -24)):
        with contextlib.suppress(DataError):
            check_length(hours, framing.model_copy(update={"window": window}))
            return window if window != framing.window else None
    return None


def make_plan(experiment: Experiment, drawing: Drawing = BY_OPTUNA) -> Plan:
    """Read and check the experiment's data.

    Raises:
        data_pipeline.errors.DataError: the data are faulty; the message says where and what to do.
        TooShort: they are right, but too few for the window.
    """
    series, report = load_series(experiment.source)
    try:
        check_length(len(series.target), experiment.framing)
    except DataError as error:
        window = shorter_window(len(series.target), experiment.framing)
        raise TooShort(error.message, window) from error
    return Plan(experiment, series, report, prepare(series, experiment.framing), drawing)


def adapt(experiment: Experiment, changes: Mapping[str, object]) -> Experiment:
    """Return a checked copy of `experiment` with changed fields; `a.b` names a nested field.

    Lookbacks follow the length of the window.

    Raises:
        WrongInput: a value is not valid. The message names option, rule and value.
    """
    window = changes.get("framing.window")
    if isinstance(window, int) and window > 0:
        experiment = for_window(experiment, window)
    plain = experiment.model_dump()
    for name, value in changes.items():
        place = plain
        *outer, last = name.split(".")
        for step in outer:
            place = place[step]
        place[last] = value
    try:
        return Experiment.model_validate(plain)
    except pydantic.ValidationError as error:
        raise WrongInput("\n".join(_complaint(e) for e in error.errors())) from error


def add_holidays(experiment: Experiment) -> Experiment:
    """The same search, of the built-in data with their public holidays if it reaches a day ahead.

    The last hours of a window do not tell of a holiday that begins after them.
    """
    source, hours = experiment.source, experiment.framing.horizon
    if not experiment.sampled or source.path is not None or hours < DAY_AHEAD:
        return experiment
    return adapt(experiment, {"source.holidays": BUILTIN_HOLIDAYS})


def _complaint(error: Mapping[str, object]) -> str:
    location = error["loc"]
    assert isinstance(location, tuple)
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] != "value_error":  # our own messages say what they found
        message += f", found {error['input']!r}"
    if message.startswith("--") or not location or location[-1] in ("source", "framing"):
        return message
    field = next(part for part in reversed(location) if isinstance(part, str))
    return f"--{field.replace('_', '-')}: {message}"


def plan_lines(
    plan: Plan, study: str, workers: int, gpus: tuple[int, ...], cluster: str = ""
) -> list[str]:
    """Describe what is about to happen, for a person to check.

    Args:
        plan: what will be tried.
        study: the study's name.
        workers: trials at once; 0 on a cluster means as many as it has room for.
        gpus: indices of this machine's GPUs.
        cluster: address of a Ray cluster that trains instead, or "".
    """
    experiment, prepared = plan.experiment, plan.prepared
    framing = experiment.framing
    device = f"{len(gpus)} GPU(s)" if gpus else "the CPU (no GPU found)"
    many = str(workers)
    if cluster:
        device, many = f"the Ray cluster {cluster}", str(workers or "as many as it has room for")
    others = f"{drawn_by(plan.contract)} draws the others"
    # KerasTuner's own rule: three trials per dimension.
    if plan.drawing.tuner == KERAS_TUNER and plan.drawing.sampler == "bayesian":
        others += f", at random until {3 * len(experiment.space.dimensions)} have completed"
    drawn = others if experiment.sampled else "nothing is sampled"
    names = [design.name for design in experiment.designs]
    designs = ", ".join(names)
    if len(names) > FEW_DESIGNS:
        designs = f"{len(names)} ({', '.join(names[:3])}, ...)"
    return [
        f"Study {study}: {experiment.trials} trials of experiment {experiment.name}, "
        f"seed {experiment.seed}, at most {experiment.epochs} epochs each",
        f"Fixed designs first: {designs} x {experiment.repeats} seed(s); {drawn}"
        if names
        else f"No fixed designs; {others}",
        f"Windows of {framing.window} hours, horizon {framing.horizon}: "
        f"{len(prepared.train.x)} for training, {len(prepared.held_out.x)} for validation; "
        "the test period stays closed",
        *_ahead_lines(plan),
        f"Training on {device}, {many} worker(s), one trial each at a time",
        *(_estimate(plan, workers) if not experiment.sampled and not gpus and workers else ()),
        *(f"warning: {line}" for line in plan.warnings),
    ]


def _ahead_lines(plan: Plan) -> list[str]:
    """What is known of the hours that are forecast, a line for each column."""
    series, source, hours = plan.series, plan.experiment.source, plan.experiment.framing.horizon
    country = source.holidays
    lines = [f"{name} is known ahead: read {hours} hour(s) ahead" for name in series.known_ahead]
    # The last hours do not tell of a holiday that begins after them.
    if country is None and hours >= DAY_AHEAD and HOLIDAY not in series.known_ahead:
        code = "CODE" if source.path is not None else BUILTIN_HOLIDAYS
        lines.append(f"No forecaster knows public holidays; --holidays {code} adds them")
    if country is not None:
        marked = series.covariates[:, series.covariate_names.index(HOLIDAY)] == 1
        days = series.local[marked].normalize().nunique()
        lines[-1] += f"; {days} day(s) are public holidays of {country}"
        lines[-1] += " (--holidays '' omits them)" if source.path is None else ""
    return lines


def _seconds(design: Design, plan: Plan) -> float:
    """The longest time, in seconds, that a design may train on one core."""
    windows, length, features = plan.prepared.train.x.shape
    if design.framing is not None and design.framing.train_weeks is not None:
        windows = min(windows, design.framing.train_weeks * HOURS_A_WEEK)
    epochs = plan.experiment.epochs
    if plan.experiment.own_epochs:
        epochs = min(epochs, design.parameters.epochs)
    return epochs * epoch_seconds(design.parameters, windows, length, features)


def _estimate(plan: Plan, workers: int) -> list[str]:
    """The longest time that all designs may train, as one line."""
    experiment = plan.experiment
    seconds = sum(_seconds(design, plan) for design in experiment.designs)
    minutes = math.ceil(seconds * experiment.repeats / workers / 60)
    return [
        f"Estimated: at most {minutes} minutes, if no design stops early, on cores like those of "
        "docs/performance.md"
    ]
