"""The space of stacked LSTMs: how one is declared, and what its names mean.

A point is flat: `layers`, `units_1` to `units_3`, `dropout_1` to `dropout_3`, `use_l2`, `l2`,
`learning_rate`, `batch_size`, `patience`, and those of `OPTIONAL` that the space has. This module
alone knows how such a point and `models.parameters.TrialParameters` map onto each other.
"""

from typing import Literal

from experiments.space import Choice, Condition, Dimension, FlatParameters, Float, Int, Space, Value
from models.parameters import TrialParameters

MOST_LAYERS = 3
_RECURRENT = "recurrent_dropout"
# A space has them or not; a point without one stands for the default of `TrialParameters`.
OPTIONAL = (_RECURRENT, "target", "inputs", "lookback", "schedule")
# What every point has, and all that a point may have.
ALWAYS = ("layers", "units_1", "dropout_1", "use_l2", "learning_rate", "batch_size", "patience")
NAMES = (
    "layers",
    *(f"{kind}_{layer}" for layer in range(1, MOST_LAYERS + 1) for kind in ("units", "dropout")),
    *("use_l2", "l2", "learning_rate", "batch_size", "patience", *OPTIONAL),
)
# Hours; as many as the window has are all of it.
LOOKBACKS = (24, 48, 168)


def stacked_lstm_space(
    units: tuple[int, int],
    layers: tuple[int, int] = (1, MOST_LAYERS),
    l2: tuple[float, float] = (1e-7, 1e-2),
    dropout: tuple[float, float] = (0.0, 0.5),
    learning_rate: tuple[float, float] = (3e-4, 2e-2),
    patience: tuple[int, int] = (5, 20),
    batch_sizes: tuple[int, ...] = (32, 64, 128),
    recurrent_dropout: tuple[float, float] | None = None,
    targets: tuple[str, ...] = (),
    inputs: tuple[str, ...] = (),
    lookbacks: tuple[int, ...] = (),
    schedules: tuple[str, ...] = (),
) -> Space:
    """Declare the space over stacked LSTMs; every pair is (low, high), both included.

    L2 is drawn on a log scale, which cannot hold 0, so whether there is a penalty at all is a
    choice of its own. Recurrent dropout is no dimension unless a range is given: above 0 it loses
    cuDNN and the fused CPU layer, and makes the trials that draw it several times slower than the
    others. `targets`, `inputs`, `lookbacks` (hours, the longest of them the window) and `schedules`
    are no dimensions without values.
    """
    low, high = layers
    dimensions: list[Dimension] = [Int(name="layers", low=low, high=high)]
    for layer in range(1, high + 1):
        deep_enough = tuple(range(max(layer, low), high + 1))
        only_if = None if layer <= low else Condition(name="layers", values=deep_enough)
        dimensions += [
            Int(name=f"units_{layer}", low=units[0], high=units[1], log=True, only_if=only_if),
            Float(name=f"dropout_{layer}", low=dropout[0], high=dropout[1], only_if=only_if),
        ]
    penalised = Condition(name="use_l2", values=(True,))
    dimensions += [
        Choice(name="use_l2", values=(True, False)),
        Float(name="l2", low=l2[0], high=l2[1], log=True, only_if=penalised),
        Float(name="learning_rate", low=learning_rate[0], high=learning_rate[1], log=True),
        Choice(name="batch_size", values=batch_sizes),
        Int(name="patience", low=patience[0], high=patience[1]),
    ]
    if recurrent_dropout is not None:
        low_rate, high_rate = recurrent_dropout
        dimensions.append(Float(name=_RECURRENT, low=low_rate, high=high_rate))
    choices: dict[str, tuple[Value, ...]] = {
        "target": targets,
        "inputs": inputs,
        "lookback": lookbacks,
        "schedule": schedules,
    }
    dimensions += [Choice(name=name, values=values) for name, values in choices.items() if values]
    return Space(dimensions=tuple(dimensions))


def to_parameters(
    flat: FlatParameters,
    epochs: int,
    weights: Literal["best", "last"] = "best",
    ema_epochs: float = 0.0,
    window: int | None = None,
) -> TrialParameters:
    """Return the trial parameters that a point of a stacked-LSTM space stands for.

    `epochs`, `weights` and `ema_epochs` are no dimensions: an experiment decides them. A lookback
    of `window` hours is the whole window, so None.
    """
    layers = int(flat["layers"])
    chosen = {name: flat[name] for name in OPTIONAL if name in flat}
    if "lookback" in chosen:
        hours = int(chosen["lookback"])
        chosen["lookback"] = hours
        if hours == window:
            del chosen["lookback"]
    return TrialParameters.model_validate(
        {
            "units": tuple(int(flat[f"units_{layer}"]) for layer in range(1, layers + 1)),
            "dropout": tuple(float(flat[f"dropout_{layer}"]) for layer in range(1, layers + 1)),
            "l2": float(flat["l2"]) if flat["use_l2"] else 0.0,
            "learning_rate": float(flat["learning_rate"]),
            "batch_size": int(flat["batch_size"]),
            "patience": int(flat["patience"]),
            "epochs": epochs,
            "weights": weights,
            "ema_epochs": ema_epochs,
            **chosen,
        }
    )


def to_flat(parameters: TrialParameters, space: Space | None = None) -> dict[str, Value]:
    """Return the point that stands for `parameters`: the inverse of `to_parameters`.

    Those of `OPTIONAL` are part of it only if they are dimensions of `space`. A lookback over the
    whole window is the longest one that `space` has.
    """
    flat: dict[str, Value] = {"layers": parameters.layers}
    pairs = zip(parameters.units, parameters.dropout, strict=True)
    for layer, (units, dropout) in enumerate(pairs, start=1):
        flat[f"units_{layer}"] = units
        flat[f"dropout_{layer}"] = dropout
    flat["use_l2"] = parameters.l2 > 0
    if parameters.l2 > 0:
        flat["l2"] = parameters.l2
    flat["learning_rate"] = parameters.learning_rate
    flat["batch_size"] = parameters.batch_size
    flat["patience"] = parameters.patience
    for dimension in () if space is None else space.dimensions:
        if dimension.name in OPTIONAL:
            value = getattr(parameters, dimension.name)
            flat[dimension.name] = _longest(dimension) if value is None else value
    return flat


def longest_lookback(space: Space) -> int | None:
    """The longest lookback of a space, in hours; None if it is no dimension of it."""
    found = [_longest(one) for one in space.dimensions if one.name == "lookback"]
    return found[0] if found else None


def fit_lookbacks(space: Space, window: int) -> Space:
    """The same space with lookbacks for another window: those that are shorter, and all of it."""

    def fitted(dimension: Dimension) -> Dimension:
        if dimension.name != "lookback":
            return dimension
        if isinstance(dimension, Choice):
            shorter = [value for value in dimension.values if int(value) < window]
            return dimension.model_copy(update={"values": (*shorter, window)})
        return dimension.model_copy(
            update={"low": min(dimension.low, window), "high": min(dimension.high, window)}
        )

    return Space(dimensions=tuple(fitted(dimension) for dimension in space.dimensions))


def _longest(lookback: Dimension) -> int:
    return int(max(map(int, lookback.values)) if isinstance(lookback, Choice) else lookback.high)
