"""A claim as numbers can settle it: which designs are compared, by which metric, in which way."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Period = Literal["train", "validation"]


class Comparison(BaseModel):
    """One difference that a claim foretells, treatment minus control, paired by seed.

    Attributes:
        treatment: name of a design. control: of the design it is compared with.
        metric: one of `models.metrics.METRICS`, "gap" (validation RMSE over train RMSE) or
            "seconds" (of training).
        period: the windows it is measured on; of no meaning for "gap" and "seconds".
        expected: "lower" or "higher" than the control, as the claim has it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    treatment: str
    control: str
    metric: str = "rmse"
    period: Period = "validation"
    expected: Literal["lower", "higher"] = "lower"


class Claim(BaseModel):
    """A claim of the teaching notes; it holds if all its comparisons come out as foretold.

    Attributes:
        id: "C1" to "C10". says: the claim in a sentence.
        comparisons: what it foretells.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    says: str
    comparisons: tuple[Comparison, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _compares_two(self) -> Self:
        for one in self.comparisons:
            if one.treatment == one.control:
                raise ValueError(f"{self.id} compares {one.treatment!r} with itself")
        return self
