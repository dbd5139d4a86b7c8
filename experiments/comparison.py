"""A claim as numbers can settle it: which designs are compared, by which metric, in which way."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Period = Literal["train", "validation"]

# The numbers of seeds at which a claim is judged, with the share of the error rate that each look
# may spend: little at first, most at the end. Large effects are still found after three seeds.
LOOKS = {3: 0.02, 5: 0.04, 8: 0.09, 12: 0.25, 20: 0.60}


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
        looks: numbers of seeds, rising, with the share of the error rate of each; see `LOOKS`.

    Raises:
        pydantic.ValidationError: a design is compared with itself, or the looks spend too much.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    says: str
    comparisons: tuple[Comparison, ...] = Field(min_length=1)
    looks: dict[int, float] = Field(default=LOOKS, min_length=1)

    @model_validator(mode="after")
    def _compares_two(self) -> Self:
        for one in self.comparisons:
            if one.treatment == one.control:
                raise ValueError(f"{self.id} compares {one.treatment!r} with itself")
        return self

    @model_validator(mode="after")
    def _spends_one_error_rate(self) -> Self:
        if list(self.looks) != sorted(self.looks) or min(self.looks) < 2:
            raise ValueError(f"{self.id} is judged at {list(self.looks)}, not at 2 seeds or more")
        if min(self.looks.values()) <= 0 or sum(self.looks.values()) > 1 + 1e-9:
            raise ValueError(f"the looks of {self.id} spend {sum(self.looks.values()):g}, not 1")
        return self
