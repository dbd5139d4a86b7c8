"""How a series is cut into windows and splits."""

from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from data_pipeline.lengths import DAYS_A_WEEK, HOURS_A_DAY

# The periods on which a network is judged. It does not learn from them.
Period = Literal["validation", "test"]


class Framing(BaseModel):
    """Window, horizon and the chronological shares of the three splits.

    Attributes:
        window: Input hours of one window (`--window`).
        horizon: Hours forecast after the window (`--horizon`).
        train: Share of the windows that the network learns from.
        validation: Share that early stopping and the search look at.
        test: Share that only promotion opens.
        scaler_rows: Rows on which the scaler is fitted. "all" leaks the later periods. It exists so
            that an experiment can show the effect of this mistake.
        cycle_lengths: Hours and days of the calendar's two circles. (23, 6) makes 23:00 equal to
            00:00 and Sunday equal to Monday. It exists to show the effect of this mistake, too.
        train_weeks: Learn only from this many latest weeks of training windows, or from all if
            there are fewer; None for all. The scaler still sees every training row, so only the
            amount of data differs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    window: int = Field(default=168, ge=1, le=8784)
    horizon: int = Field(default=1, ge=1, le=168)
    train: float = Field(default=0.72, gt=0, lt=1)
    validation: float = Field(default=0.08, gt=0, lt=1)
    test: float = Field(default=0.20, gt=0, lt=1)
    scaler_rows: Literal["train", "all"] = "train"
    cycle_lengths: tuple[PositiveInt, PositiveInt] = (HOURS_A_DAY, DAYS_A_WEEK)
    train_weeks: PositiveInt | None = None

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> Self:
        total = self.train + self.validation + self.test
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"train + validation + test must be 1, found {total!r}")
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_not_set(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves `train_weeks` out if it is not set, as in studies older than this field."""
        values: dict[str, Any] = plain(self)
        if self.train_weeks is None:
            values.pop("train_weeks", None)
        return values
