"""Where the data is and how to read it. All is checked before a file is opened."""

from datetime import date
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from data_pipeline.rules import ReadingRules

BUILTIN_PATH = Path(__file__).parent / "builtin" / "victoria_2014_hourly.csv"
# The code of its public holidays, for `--holidays`.
BUILTIN_HOLIDAYS = "AU-VIC"


class DataSource(ReadingRules):
    """One file, its reading rules, and the period that is used.

    Attributes:
        path: The file; None means the built-in series.
        unit: Unit of the target, printed beside every error metric.
        start: First day to use, inclusive, local clock, as YYYY-MM-DD.
        end: Last day to use, inclusive, local clock, as YYYY-MM-DD.
    """

    path: Path | None = None
    unit: str = Field(default="MW", min_length=1, max_length=40)
    start: str | None = None
    end: str | None = None

    @property
    def file(self) -> Path:
        """The file that is read."""
        return BUILTIN_PATH if self.path is None else self.path

    @property
    def name(self) -> str:
        """Name of the series: the file's name, or that of the built-in series."""
        return BUILTIN_PATH.stem if self.path is None else self.path.name

    def change(self, **changes: object) -> "DataSource":
        """The same source with other rules, checked.

        Raises:
            pydantic.ValidationError: If they do not fit together.
        """
        return DataSource.model_validate({**self.model_dump(), **changes})

    @field_validator("path")
    @classmethod
    def _possible_path(cls, path: Path | None) -> Path | None:
        if path is not None and "\0" in str(path):
            raise ValueError(f"--data expects a file name, found one with a NUL: {str(path)!r}")
        return path

    @field_validator("unit")
    @classmethod
    def _printable(cls, unit: str) -> str:
        if not unit.isprintable():
            raise ValueError(f"--unit expects printable characters, found {unit!r}")
        return unit

    @field_validator("start", "end")
    @classmethod
    def _iso_day(cls, day: str | None) -> str | None:
        try:
            return None if day is None else date.fromisoformat(day).isoformat()
        except ValueError as error:
            raise ValueError(f"expected a day as YYYY-MM-DD, found {day!r}: {error}") from error

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start is not None and self.end is not None and self.start > self.end:
            raise ValueError(f"start {self.start} is later than end {self.end}: swap them")
        return self
