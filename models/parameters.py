"""The parameters of one stacked LSTM and its training: one frozen, validated value."""

from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Rate = Annotated[float, Field(ge=0.0, lt=1.0)]
Units = Annotated[int, Field(ge=1, le=4096)]


def _is(default: object) -> Callable[[object], bool]:
    # Fields that came later are not dumped at their default, so that contracts and names made of
    # parameters stay as they were, and studies of before go on.
    return lambda value: value == default


class TrialParameters(BaseModel):
    """Everything that decides how one network is built and trained, its data and seed aside.

    Attributes:
        units: LSTM units of each layer, first to last; one to three layers.
        dropout: rate of the dropout after each LSTM layer, as many as `units`.
        l2: strength of the L2 penalty on every LSTM input kernel; 0 switches it off.
        recurrent_dropout: rate inside every LSTM layer. Above 0 neither cuDNN nor the fused
            CPU layer applies, so such a trial is several times slower.
        learning_rate: Adam's step size, in the first epoch.
        batch_size: training windows per gradient step.
        patience: epochs without a better validation MSE before training stops.
        epochs: most epochs trained.
        weights: those kept: "best", of the epoch with the lowest validation MSE, or "last", which
            shows what training that long without a look at the validation windows comes to.
        ema_epochs: time constant, in epochs, of the exponential moving average of the weights that
            is validated, kept and judged in their place; 0 takes the weights as they are.
        target: what the network learns: the "level" of the target, or its "change" since the last
            known hour (`models.target`). Forecasts and errors are those of the level either way.
        inputs: the columns that the network reads: "cycles" (the calendar as sines and cosines) or
            "changes" (the hour that is forecast, the last change and those of a day and a week
            before). This package does not look at it: who prepares the windows does.
        lookback: hours that the network reads, the last ones of the window; None reads them all.
        schedule: of the learning rate: "constant", or "cosine", falling to almost 0 over `epochs`
            (`models.schedule`).

    Raises:
        pydantic.ValidationError: (a ValueError) naming the field, the rule and the value found.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    units: tuple[Units, ...] = Field(min_length=1, max_length=3)
    dropout: tuple[Rate, ...] = Field(min_length=1, max_length=3)
    l2: float = Field(ge=0.0)
    recurrent_dropout: Rate = 0.0
    learning_rate: float = Field(gt=0.0)
    batch_size: int = Field(ge=1)
    patience: int = Field(ge=1)
    epochs: int = Field(ge=1)
    weights: Literal["best", "last"] = "best"
    ema_epochs: float = Field(default=0.0, ge=0.0)
    target: Literal["level", "change"] = Field("level", exclude_if=_is("level"))
    inputs: Literal["cycles", "changes"] = Field("cycles", exclude_if=_is("cycles"))
    lookback: int | None = Field(None, ge=1, exclude_if=_is(None))
    schedule: Literal["constant", "cosine"] = Field("constant", exclude_if=_is("constant"))

    @model_validator(mode="after")
    def _one_dropout_a_layer(self) -> Self:
        if len(self.dropout) != len(self.units):
            raise ValueError(
                f"dropout needs one rate per layer: {len(self.units)} layers in units="
                f"{self.units}, {len(self.dropout)} rates in dropout={self.dropout}"
            )
        return self

    @property
    def layers(self) -> int:
        """Number of stacked LSTM layers."""
        return len(self.units)
