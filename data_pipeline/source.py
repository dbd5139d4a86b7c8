"""Where the data is and how to read it, checked before a file is opened."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

BUILTIN_PATH = Path(__file__).parent / "builtin" / "victoria_2014_hourly.csv"

ColumnName = Annotated[str, Field(min_length=1, max_length=300)]


class DataSource(BaseModel):
    """One CSV file and the reading rules for it.

    Attributes:
        path: The file; None is the built-in series.
        time: Name of the time column (`--time`).
        target: Name of the column to forecast (`--target`).
        features: Names of the numeric covariates, none, one or many (`--features`).
        unit: Unit of the target, printed beside every error metric.
        tz: IANA name of the zone of clock times written without offset (`--tz`).
        date_format: strptime format of the time column (`--date-format`); None reads ISO 8601 and
            other year-first dates only, because a day-first date cannot be told from a month-first.
        gaps: What to do with missing hours and empty cells (`--gaps`).
        max_gap: Longest run of missing hours that may be interpolated (`--max-gap`).
        resample: How to turn a regular series finer than hourly into an hourly one (`--resample`).
        start: First day to use, inclusive, local clock, as YYYY-MM-DD.
        end: Last day to use, inclusive, local clock, as YYYY-MM-DD.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path | None = None
    time: ColumnName = "Date"
    target: ColumnName = "Usage"
    features: tuple[ColumnName, ...] = ("Temperature",)
    unit: str = Field(default="MW", min_length=1, max_length=40)
    tz: str | None = None
    date_format: str | None = Field(default=None, min_length=1, max_length=100)
    gaps: Literal["error", "interpolate"] = "error"
    max_gap: int = Field(default=6, ge=1, le=168)
    resample: Literal["mean"] | None = None
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

    @property
    def value_columns(self) -> tuple[str, ...]:
        """The number columns in the network's order: covariates, then the target."""
        return (*self.features, self.target)

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

    @field_validator("tz")
    @classmethod
    def _known_zone(cls, tz: str | None) -> str | None:
        if tz is not None and tz not in available_timezones():
            raise ValueError(
                f"--tz expects an IANA time zone such as 'Europe/Berlin' or 'UTC', found {tz!r}"
            )
        return tz

    @field_validator("date_format")
    @classmethod
    def _strptime_format(cls, date_format: str | None) -> str | None:
        if date_format is None:
            return None
        if "%" not in date_format or "%Z" in date_format:
            raise ValueError(
                f"--date-format expects a strptime format such as '%d/%m/%Y %H:%M', without %Z "
                f"(zone names are ambiguous; give --tz), found {date_format!r}"
            )
        return date_format

    @field_validator("start", "end")
    @classmethod
    def _iso_day(cls, day: str | None) -> str | None:
        try:
            return None if day is None else date.fromisoformat(day).isoformat()
        except ValueError as error:
            raise ValueError(f"expected a day as YYYY-MM-DD, found {day!r}: {error}") from error

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = (self.time, *self.value_columns)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"--time, --target and --features must name different columns, found {twice} twice"
            )
        if self.start is not None and self.end is not None and self.start > self.end:
            raise ValueError(f"start {self.start} is later than end {self.end}: swap them")
        return self
