"""The differences of two configurations, as settings that can be changed one at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.lstm_space import to_flat, to_parameters
from experiments.space import Space, Value
from models.parameters import TrialParameters
from search.common.errors import Refused

# These parameters of a network are not in the space; the experiment sets them.
BESIDE_THE_SPACE = ("epochs", "ema_epochs")


@dataclass(frozen=True)
class Setting:
    """Dimensions that are changed together.

    Attributes:
        name: the first dimension, or a field of `TrialParameters` that is not in the space.
        before, after: the values of all its dimensions at the start and at the goal. A dimension
            may be missing on one side, such as the units of a layer that does not exist there.
    """

    name: str
    before: Mapping[str, Value]
    after: Mapping[str, Value]

    def as_dict(self) -> dict[str, Any]:
        """The setting as plain values."""
        return {"name": self.name, "before": dict(self.before), "after": dict(self.after)}


def settings_between(
    start: TrialParameters, goal: TrialParameters, space: Space
) -> tuple[Setting, ...]:
    """The settings that lead from `start` to `goal`, one at a time, in the order of the space.

    Every subset of them gives a point of the space. A dimension that exists only on one side, such
    as the units of a third layer, goes with the dimension on which it depends.

    Both networks keep the weights as their study does: of the best epoch or of the last.

    Raises:
        Refused: the two are equal, or one of them is not a point of the space.
    """
    before, after = _values(start, space), _values(goal, space)
    groups: dict[str, list[str]] = {}
    for dimension in space.dimensions:
        name = dimension.name
        if before.get(name) == after.get(name):
            continue
        one_sided = (name in before) != (name in after)
        parent = dimension.only_if.name if one_sided and dimension.only_if else name
        groups.setdefault(parent, []).append(name)
    for name in BESIDE_THE_SPACE:
        if before[name] != after[name]:
            groups[name] = [name]
    if not groups:
        raise Refused("the two networks have the same settings, so there is no way between them")
    return tuple(
        Setting(
            name,
            {one: before[one] for one in names if one in before},
            {one: after[one] for one in names if one in after},
        )
        for name, names in groups.items()
    )


def mixed(
    start: TrialParameters,
    settings: Sequence[Setting],
    changed: frozenset[str],
    space: Space,
    window: int,
) -> TrialParameters:
    """The network `start` with the settings `changed` set to their values at the goal.

    Both read windows of `window` hours.
    """
    values = _values(start, space)
    for setting in settings:
        if setting.name in changed:
            for name in setting.before:
                del values[name]
            values |= setting.after
    beside = {name: values.pop(name) for name in BESIDE_THE_SPACE}
    problems = space.problems(values)
    if problems:
        raise Refused(
            f"the network with {sorted(changed)} changed is no point of the space: {problems}"
        )
    epochs, ema_epochs = int(beside["epochs"]), float(beside["ema_epochs"])
    return to_parameters(values, epochs, start.weights, ema_epochs, window)


def _values(parameters: TrialParameters, space: Space) -> dict[str, Value]:
    flat = to_flat(parameters, space)
    problems = space.problems(flat)
    if problems:
        raise Refused(f"a network is no point of the study's space: {problems}")
    return {**flat, **{name: getattr(parameters, name) for name in BESIDE_THE_SPACE}}
