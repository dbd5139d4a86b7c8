"""A search space as a list of frozen values, declared once and adapted by each tuner."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Value = bool | int | float | str
FlatParameters = Mapping[str, Value]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Condition(_Frozen):
    """Present only if the parameter `name`, declared earlier, has one of `values`."""

    name: str
    values: tuple[Value, ...] = Field(min_length=1)

    def holds(self, flat: FlatParameters) -> bool:
        """True if `flat` holds one of the values under the name."""
        return self.name in flat and flat[self.name] in self.values


class Float(_Frozen):
    """A real number in [low, high], drawn evenly, or evenly in its logarithm."""

    kind: Literal["float"] = "float"
    name: str
    low: float
    high: float
    log: bool = False
    only_if: Condition | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_range(self.name, self.low, self.high, self.log)
        return self

    def contains(self, value: Value) -> bool:
        """True if `value` is a number within the bounds."""
        return _is_number(value) and self.low <= float(value) <= self.high


class Int(_Frozen):
    """A whole number in [low, high], both included, drawn evenly, or evenly in its logarithm."""

    kind: Literal["int"] = "int"
    name: str
    low: int
    high: int
    log: bool = False
    only_if: Condition | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_range(self.name, self.low, self.high, self.log)
        return self

    def contains(self, value: Value) -> bool:
        """True if `value` is a whole number within the bounds."""
        whole = _is_number(value) and float(value).is_integer()
        return whole and self.low <= float(value) <= self.high


class Choice(_Frozen):
    """One of a few values without an order."""

    kind: Literal["choice"] = "choice"
    name: str
    values: tuple[Value, ...] = Field(min_length=1)
    only_if: Condition | None = None

    @model_validator(mode="after")
    def _all_different(self) -> Self:
        # Tuners tell choices apart by ==, and True == 1.
        if len(set(self.values)) < len(self.values):
            raise ValueError(f"{self.name!r} has equal values among {self.values}")
        return self

    @property
    def log(self) -> bool:
        """A choice has no scale."""
        return False

    def contains(self, value: Value) -> bool:
        """True if `value` is one of the values, of the same type."""
        return any(type(value) is type(one) and value == one for one in self.values)


Dimension = Annotated[Float | Int | Choice, Field(discriminator="kind")]


class Space(_Frozen):
    """Dimensions in the order in which they are drawn; conditions look only backwards.

    Raises:
        pydantic.ValidationError: for a name declared twice or a condition that looks forward.
    """

    dimensions: tuple[Dimension, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _conditions_look_backwards(self) -> Self:
        seen: dict[str, Dimension] = {}
        for dimension in self.dimensions:
            if dimension.name in seen:
                raise ValueError(f"{dimension.name!r} is declared twice in the space")
            condition = dimension.only_if
            if condition is not None:
                if condition.name not in seen:
                    raise ValueError(
                        f"{dimension.name!r} depends on {condition.name!r}, which is not declared "
                        "before it"
                    )
                strange = [v for v in condition.values if not seen[condition.name].contains(v)]
                if strange:
                    raise ValueError(
                        f"{dimension.name!r} depends on {condition.name!r} being {strange}, which "
                        "that dimension never takes"
                    )
            seen[dimension.name] = dimension
        return self

    def present(self, dimension: Dimension, flat: FlatParameters) -> bool:
        """True if `dimension` is drawn, given the values drawn before it."""
        return dimension.only_if is None or dimension.only_if.holds(flat)

    def problems(self, flat: FlatParameters) -> list[str]:
        """Return what is wrong with `flat` as a point of this space; empty if it is one."""
        found = []
        known = {dimension.name for dimension in self.dimensions}
        found += [f"{name!r} is no dimension of the space" for name in flat if name not in known]
        for dimension in self.dimensions:
            name = dimension.name
            if not self.present(dimension, flat):
                if name in flat:
                    found.append(f"{name!r} is set although its condition does not hold")
            elif name not in flat:
                found.append(f"{name!r} is missing")
            elif not dimension.contains(flat[name]):
                found.append(f"{name!r} = {flat[name]!r} is outside {dimension!r}")
        return found

    @property
    def log_names(self) -> tuple[str, ...]:
        """Names of the dimensions drawn on a logarithmic scale."""
        return tuple(dimension.name for dimension in self.dimensions if dimension.log)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_range(name: str, low: float, high: float, log: bool) -> None:
    if not low <= high:
        raise ValueError(f"{name!r} needs low <= high, found low={low}, high={high}")
    if log and low <= 0:
        raise ValueError(f"{name!r} is on a log scale and needs low > 0, found low={low}")
