"""The result of an explanation, which a study keeps and pages show."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

from pydantic import BaseModel, ConfigDict

from models.parameters import TrialParameters
from models.regime import Fit, Regime
from search.common.records import TrialRecord, TrialResult
from search.results.ablation import Ablation
from search.results.paired_tests import Difference
from search.results.summary import amount

# Names of settings for a person. Settings of a layer also get its number.
NAMES = {
    "layers": "layers",
    "units": "units",
    "dropout": "dropout",
    "use_l2": "L2",
    "l2": "L2",
    "recurrent_dropout": "recurrent dropout",
    "learning_rate": "learning rate",
    "batch_size": "batch size",
    "patience": "patience",
    "epochs": "epochs at most",
    "ema_epochs": "epochs of weight averaging",
    "target": "what is learned",
    "inputs": "inputs",
    "lookback": "hours read",
    "schedule": "learning-rate schedule",
}


# The named values of settings.
CHOICES = tuple(
    value
    for name in ("target", "inputs", "schedule")
    for value in get_args(TrialParameters.model_fields[name].annotation)
)

# A setting's value: a number, a named choice, or none where the setting does not exist.
Shown = float | str | None

# The figure's words in English. The report has the same keys in each of its languages.
WORDS = {
    "way_title": "From {start} to {goal}, one setting at a time; means over seeds",
    "way_axis": "Validation RMSE ({unit}); lines: 95 % intervals over seeds; pale: 0 is inside",
    "way_step": "{name}: {before} → {after}",
    "way_between": "{low} to {high}",
    "of_layer": "{name} of layer {layer}",
    "rmse_axis": "RMSE ({unit})",
    "train": "training windows",
    "validation": "validation windows",
    "underfit": "underfit",
    "balanced": "balanced",
    "overfit": "overfit",
} | {f"setting_{name}": text for name, text in NAMES.items()}
WORDS |= {f"choice_{name}": name for name in CHOICES} | {
    "choice_level": "level",
    "choice_change": "hourly change",
    "choice_cycles": "clock cycles",
    "choice_changes": "recent changes",
}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Worth(_Frozen):
    """A difference in validation RMSE, in the data's unit, with its 95 % t interval over seeds."""

    mean: float
    low: float | None
    high: float | None
    seeds: int


class State(_Frozen):
    """A network on the way: means over the measuring seeds, in the data's unit.

    Attributes:
        train, validation: RMSE. bias: peak bias on the validation windows; None if not defined.
        regime: the most frequent regime of the seeds.
    """

    train: float
    validation: float
    bias: float | None
    regime: Regime


class Change(_Frozen):
    """One changed setting on the way.

    Attributes:
        setting: name of its dimension. before, after: its value, or None.
        worth: validation RMSE after minus before.
        taken_back: validation RMSE of the goal with only this setting taken back, minus the goal's;
            None if no such training has a result.
        state: the network after the change.
    """

    setting: str
    before: Shown
    after: Shown
    worth: Worth
    taken_back: Worth | None
    state: State


class Explanation(_Frozen):
    """The way from one network to another.

    Attributes:
        study: name of the study that has both. start, goal: their names.
        unit: the data's unit. time: when the way was found, ISO 8601.
        first: the network at the start. changes: in the order in which they were made.
    """

    study: str
    start: str
    goal: str
    unit: str
    time: str
    first: State
    changes: tuple[Change, ...]

    @property
    def last(self) -> State:
        """The network at the goal."""
        return self.changes[-1].state

    @property
    def decimals(self) -> int:
        """Decimals that show a thousandth of the first error; all its differences have them."""
        thousandth = max(self.first.validation, 1e-9) / 1000
        return max(0, math.ceil(-math.log10(thousandth)))

    @property
    def strongest(self) -> Change | None:
        """The change with the largest decrease of the error, of those with an interval below 0."""
        proven = [one for one in self.changes if one.worth.high is not None and one.worth.high < 0]
        return min(proven, key=lambda one: one.worth.mean, default=None)


def worth_of(difference: Difference) -> Worth:
    """A difference with its interval; for a single seed there is no interval."""
    several = difference.pairs > 1
    return Worth(
        mean=difference.mean,
        low=difference.low if several else None,
        high=difference.high if several else None,
        seeds=difference.pairs,
    )


def state_of(records: Sequence[TrialRecord], fits: Mapping[int, Fit]) -> State:
    """The mean over completed trials of one network.

    Args:
        records: one or more, each with a result.
        fits: fits of the trials, by number.
    """
    pairs = [(one, one.result) for one in records if one.result is not None]
    labels = Counter(fits[one.number].regime for one, _ in pairs)

    def mean(values: Iterable[float]) -> float:
        found = list(values)
        return sum(found) / len(found)

    def bias(result: TrialResult) -> float | None:
        return result.held_out.get("peak_bias")

    biases = [value for _, result in pairs if (value := bias(result)) is not None]
    return State(
        train=mean(result.train["rmse"] for _, result in pairs),
        validation=mean(result.held_out["rmse"] for _, result in pairs),
        bias=mean(biases) if biases else None,
        regime=labels.most_common(1)[0][0],
    )


def changes_of(
    found: Ablation,
    values: Mapping[str, tuple[Shown, Shown]],
    states: Sequence[State],
) -> tuple[Change, ...]:
    """The steps of an ablation, with the network after each step.

    Args:
        found: the ablation.
        values: value of each setting before and after.
        states: the networks after each step.
    """
    return tuple(
        Change(
            setting=step.setting,
            before=values[step.setting][0],
            after=values[step.setting][1],
            worth=worth_of(step.difference),
            taken_back=worth_of(found.back[step.setting]) if step.setting in found.back else None,
            state=state,
        )
        for step, state in zip(found.steps, states, strict=True)
    )


def step_name(change: Change, words: Mapping[str, str] = WORDS) -> str:
    """A change in words: "units of layer 2: 32 → 16"."""
    name = setting_name(change.setting, words)
    before, after = _value(change.before, words), _value(change.after, words)
    return words["way_step"].format(name=name, before=before, after=after)


def setting_name(setting: str, words: Mapping[str, str] = WORDS) -> str:
    """A dimension of a search space in words: "units of layer 2"; one of another space as it is."""
    kind, _, layer = setting.rpartition("_")
    name = words.get(f"setting_{kind if layer.isdigit() else setting}", setting)
    return words["of_layer"].format(name=name, layer=layer) if layer.isdigit() else name


def _value(value: Shown, words: Mapping[str, str]) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return words[f"choice_{value}"]
    return str(int(value)) if value == int(value) else f"{value:.3g}"


def worth_text(worth: Worth, found: Explanation, words: Mapping[str, str] = WORDS) -> str:
    """A difference with its unit and interval: "-101.0 MW (-115.2 to -88.4)"."""

    def shown(value: float) -> str:
        return f"{value:+.{found.decimals}f}"

    text = f"{shown(worth.mean)} {found.unit}"
    if worth.low is None or worth.high is None:
        return text
    return f"{text} ({words['way_between'].format(low=shown(worth.low), high=shown(worth.high))})"


def explanation_lines(found: Explanation) -> list[str]:
    """The way in words, one line per step."""
    unit = found.unit
    lines = [
        f"From {found.start} to {found.goal} of study {found.study}: validation RMSE "
        f"{amount(found.first.validation)} to {amount(found.last.validation)} {unit}, mean of "
        f"{found.changes[0].worth.seeds} seeds that were not used to choose.",
        "",
        f"{'start':<44}{_errors(found.first, unit)}",
    ]
    for one in found.changes:
        what = f"{step_name(one)}: {worth_text(one.worth, found)}"
        back = ""
        if one.taken_back is not None:
            back = f"; taken back at the end: {worth_text(one.taken_back, found)}"
        lines += [what, f"{'':<44}{_errors(one.state, unit)}{back}"]
    return lines


def _errors(state: State, unit: str) -> str:
    bias = "" if state.bias is None else f", at the peaks {amount(state.bias, '+')} {unit}"
    return (
        f"{state.regime}: train {amount(state.train)}, validation {amount(state.validation)} "
        f"{unit}{bias}"
    )
