"""A space as KerasTuner's users write it, a function of `hp`, read into declared values.

    def lstm(hp):
        for layer in range(1, hp.Int("layers", 1, 2) + 1):
            hp.Int(f"units_{layer}", 8, 64, sampling="log")
            ...

    SPACE = space_from(lstm)

The function is called with many points, and what it asks for at each tells dimensions and
conditions; KerasTuner is not needed for that. What it returns is not looked at: networks are built
by `models.build` from the names that docs/search-space.md lists.
"""

import contextlib
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import pydantic

from experiments.lstm_space import ALWAYS, NAMES, to_flat, to_parameters
from experiments.space import Choice, Condition, Dimension, FlatParameters, Float, Int, Space, Value

# A dimension on which others may depend is tried at all its values if it has no more than these,
# else at its ends.
MOST_VALUES = 32
# Drawn points at which the function must ask for exactly what the space that was read declares.
CHECKED_POINTS = 100

_Made = TypeVar("_Made")


class SpaceError(ValueError):
    """A function whose space cannot be declared; says what was found, where, and what to do."""


class Recorder:
    """Stands for `keras_tuner.HyperParameters` in one call of the function, at one point.

    Attributes:
        asked: what was asked for, by name, as dimensions without conditions.
        present: the names among them whose scopes apply at this point.
    """

    def __init__(self, point: FlatParameters) -> None:
        """Answer with the values of `point`, and with the lowest or first for other names."""
        self._point = point
        self._scopes: list[bool] = []
        self.asked: dict[str, Dimension] = {}
        self.present: dict[str, Value] = {}

    def Int(  # noqa: N802 - the names are KerasTuner's
        self,
        name: str,
        min_value: int,
        max_value: int,
        step: int | None = None,
        sampling: str | None = "linear",
        default: int | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """A whole number in [min_value, max_value]; `default` is not used."""
        if step not in (None, 1):
            values = f"list(range({min_value}, {max_value + 1}, {step}))"
            raise SpaceError(
                f"hp.Int({name!r}) has step={step}, expected none: a declared range has no steps.\n"
                f"Next: leave step out, or name the values: hp.Choice({name!r}, {values})"
            )
        log = _is_log(name, sampling)
        dimension = _checked(lambda: Int(name=name, low=min_value, high=max_value, log=log))
        return self._answer(dimension, min_value, parent_name, parent_values)

    def Float(  # noqa: N802
        self,
        name: str,
        min_value: float,
        max_value: float,
        step: float | None = None,
        sampling: str | None = "linear",
        default: float | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """A real number in [min_value, max_value]; `default` is not used."""
        if step is not None:
            raise SpaceError(
                f"hp.Float({name!r}) has step={step}, expected none: a declared range has no "
                f"steps.\nNext: leave step out, or name the values: hp.Choice({name!r}, [...])"
            )
        log = _is_log(name, sampling)
        dimension = _checked(lambda: Float(name=name, low=min_value, high=max_value, log=log))
        return self._answer(dimension, float(min_value), parent_name, parent_values)

    def Choice(  # noqa: N802
        self,
        name: str,
        values: Sequence[Value],
        ordered: bool | None = None,
        default: Value | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """One of `values`, always without an order; `default` is not used."""
        dimension = _checked(lambda: Choice(name=name, values=tuple(values)))
        return self._answer(dimension, values[0], parent_name, parent_values)

    def Boolean(  # noqa: N802
        self,
        name: str,
        default: bool = False,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """True or False; `default` is not used."""
        return self.Choice(name, (False, True), None, None, parent_name, parent_values)

    def Fixed(  # noqa: N802
        self, name: str, value: Value, parent_name: str | None = None, parent_values: Any = None
    ) -> Any:
        """Always `value`: a choice of one."""
        return self.Choice(name, (value,), None, None, parent_name, parent_values)

    @contextlib.contextmanager
    def conditional_scope(self, parent_name: str, parent_values: Any) -> Iterator[None]:
        """What is asked for inside is there only if the parent has one of the values."""
        if parent_name not in self.asked:
            raise SpaceError(
                f"hp.conditional_scope({parent_name!r}) comes before {parent_name!r}, expected "
                "after it.\nNext: ask for the parent first"
            )
        values = parent_values if isinstance(parent_values, list | tuple) else [parent_values]
        self._scopes.append(self.present.get(parent_name) in values)
        try:
            yield
        finally:
            self._scopes.pop()

    def __getattr__(self, name: str) -> Any:
        raise SpaceError(
            f"hp.{name} cannot be declared; expected Int, Float, Choice, Boolean, Fixed or "
            "conditional_scope.\nNext: write the space with those, with plain names"
        )

    def _answer(
        self, dimension: Dimension, lowest: Value, parent_name: str | None, parent_values: Any
    ) -> Value | None:
        name = dimension.name
        if parent_name is not None:
            with self.conditional_scope(parent_name, parent_values):
                return self._answer(dimension, lowest, None, None)
        if self.asked.setdefault(name, dimension) != dimension:
            raise SpaceError(_two_ways(name, self.asked[name], dimension))
        if not all(self._scopes):
            return None  # as KerasTuner does
        return self.present.setdefault(name, self._point.get(name, lowest))


def space_from(function: Callable[[Any], object]) -> Space:
    """Read the space that `function` asks for when it is called with an `hp`.

    A name that is asked for only at some values of another, be it in a `conditional_scope`, a loop
    or an `if`, becomes a dimension with that condition.

    Raises:
        SpaceError: what it asks for cannot be declared, or is not what a stacked LSTM is made of.
    """
    dimensions, needs = _explore(function)
    _check_names(dimensions)
    declared = [
        dimension.model_copy(update={"only_if": _condition(name, needs)})
        for name, dimension in dimensions.items()
    ]
    space = _checked(lambda: Space(dimensions=tuple(declared)))
    _check_at_drawn_points(function, space)
    return space


# By name and by the names it depends on: the values at which it is there.
_Needs = dict[str, dict[str, tuple[Value, ...]]]


def _explore(function: Callable[[Any], object]) -> tuple[dict[str, Dimension], _Needs]:
    """Call `function` with each value of each dimension that it is found to ask for."""
    found: dict[str, Dimension] = {}
    needs: _Needs = {}
    # A dimension to vary, and a point at which it is there.
    waiting: list[tuple[str, dict[str, Value]]] = []

    def meet(point: dict[str, Value]) -> set[str]:
        recorder = _record(function, point)
        for name, dimension in recorder.asked.items():
            if found.setdefault(name, dimension) != dimension:
                raise SpaceError(_two_ways(name, found[name], dimension))
        for name in recorder.present:
            if name not in met:
                met.add(name)
                waiting.append((name, point))
        return set(recorder.present)

    met: set[str] = set()
    meet({})
    while waiting:
        parent, point = waiting.pop(0)
        values = _values(found[parent])
        there = {value: meet(point | {parent: value}) for value in values}
        for name in set().union(*there.values()) - {parent}:
            at = tuple(value for value in values if name in there[value])
            if len(at) < len(values):
                needs.setdefault(name, {})[parent] = at
    return found, needs


def _condition(name: str, needs: _Needs) -> Condition | None:
    """The one condition of `name`: on the nearest of the dimensions that it depends on."""
    parents = needs.get(name, {})
    for parent, values in parents.items():
        # The others are what that one depends on itself.
        if parents.keys() - {parent} <= needs.get(parent, {}).keys():
            return Condition(name=parent, values=values)
    if parents:
        raise SpaceError(
            f"{name!r} depends on {' and on '.join(map(repr, parents))}, expected one of them: a "
            "declared dimension has one condition.\nNext: make one depend on the other, or ask "
            f"for {name!r} always"
        )
    return None


def _check_names(dimensions: dict[str, Dimension]) -> None:
    unknown = [name for name in dimensions if name not in NAMES]
    missing = [name for name in ALWAYS if name not in dimensions]
    if not unknown and not missing:
        return
    wrong = [
        f"{word} {', '.join(map(repr, names))}{why}"
        for word, names, why in (
            ("asks for", unknown, ", which a stacked LSTM does not have"),
            ("does not ask for", missing, ", which it needs"),
        )
        if names
    ]
    raise SpaceError(
        f"the function {' and '.join(wrong)}; expected {', '.join(NAMES)}.\n"
        "Next: use those names; hp.Fixed(name, value) gives one that is not searched"
    )


def _check_at_drawn_points(function: Callable[[Any], object], space: Space) -> None:
    draw = random.Random(0)
    for _ in range(CHECKED_POINTS):
        point: dict[str, Value] = {}
        for dimension in space.dimensions:
            if space.present(dimension, point):
                point[dimension.name] = _drawn(dimension, draw)
        asked = set(_record(function, point).present)
        if asked != point.keys():
            differing = sorted(asked ^ point.keys())
            raise SpaceError(
                f"whether the function asks for {', '.join(map(repr, differing))} follows no rule "
                f"that can be declared; found at {point}.\nNext: put it in hp.conditional_scope "
                f"of a dimension of at most {MOST_VALUES} values"
            )
        try:
            back = to_flat(to_parameters(point, epochs=1), space)
        except KeyError as error:
            raise SpaceError(
                f"{error} is missing at {point}.\nNext: ask for it there, as for every layer"
            ) from error
        except pydantic.ValidationError as error:
            raise SpaceError(f"{point} is no stacked LSTM: {_first(error)}") from error
        changed = [
            f"{name!r} = {value!r} would be {back[name]!r}"
            for name, value in point.items()
            if name in back and back[name] != value
        ]
        if changed:
            raise SpaceError(
                f"{', '.join(changed)} in a stacked LSTM.\nNext: ask for whole numbers there, with "
                "hp.Int or hp.Choice"
            )
        if back != point:
            raise SpaceError(
                f"{sorted(back.keys() ^ point.keys()) or point} stands for nothing in a stacked "
                f"LSTM at {point}.\nNext: ask for a layer's names only if there is that layer, and "
                "for 'l2' only if 'use_l2' is True"
            )


def _record(function: Callable[[Any], object], point: FlatParameters) -> Recorder:
    recorder = Recorder(point)
    function(recorder)
    return recorder


def _values(dimension: Dimension) -> tuple[Value, ...]:
    """The values at which others may depend on it."""
    if isinstance(dimension, Choice):
        return dimension.values
    ends = (dimension.low, dimension.high)
    if isinstance(dimension, Int) and dimension.high - dimension.low < MOST_VALUES:
        return tuple(range(dimension.low, dimension.high + 1))
    return tuple(dict.fromkeys(ends))


def _drawn(dimension: Dimension, draw: random.Random) -> Value:
    if isinstance(dimension, Choice):
        return draw.choice(dimension.values)
    if isinstance(dimension, Int):
        return draw.randint(dimension.low, dimension.high)
    return draw.uniform(dimension.low, dimension.high)


def _is_log(name: str, sampling: str | None) -> bool:
    if sampling not in (None, "linear", "log"):
        raise SpaceError(
            f"{name!r} has sampling={sampling!r}, expected 'linear' or 'log'.\n"
            "Next: declare it on one of those scales"
        )
    return sampling == "log"


def _checked(make: Callable[[], _Made]) -> _Made:
    try:
        return make()
    except pydantic.ValidationError as error:
        raise SpaceError(_first(error)) from error


def _first(error: pydantic.ValidationError) -> str:
    return str(error.errors()[0]["msg"]).removeprefix("Value error, ")


def _two_ways(name: str, one: Dimension, other: Dimension) -> str:
    return (
        f"{name!r} is asked for in two ways, {one!r} and {other!r}; expected one.\n"
        "Next: declare it once, with the same range everywhere"
    )
