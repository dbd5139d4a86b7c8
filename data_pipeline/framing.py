"""How a series is cut into windows and splits."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Framing(BaseModel):
    """Window, horizon and the chronological shares of the three splits.

    Attributes:
        window: Input hours of one window (`--window`).
        horizon: Hours forecast after the window (`--horizon`).
        train: Share of the windows that the network learns from.
        validation: Share that early stopping and the search look at.
        test: Share that promotion alone opens.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    window: int = Field(default=168, ge=1, le=8784)
    horizon: int = Field(default=1, ge=1, le=168)
    train: float = Field(default=0.72, gt=0, lt=1)
    validation: float = Field(default=0.08, gt=0, lt=1)
    test: float = Field(default=0.20, gt=0, lt=1)

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> Self:
        total = self.train + self.validation + self.test
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"train + validation + test must be 1, found {total!r}")
        return self
