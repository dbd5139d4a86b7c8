"""The reading rules: how a file is read, as one value and as a line of options."""

import functools
import shlex
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from data_pipeline.public_holidays import HOLIDAY, check_country

ColumnName = Annotated[str, Field(min_length=1, max_length=300)]

# `--date-format` takes these kinds of numeric times, beside strptime formats.
NUMERIC_TIMES = ("epoch", "epoch-ms", "epoch-us", "epoch-ns", "excel", "excel-1904")
THOUSANDS = {"point": ".", "comma": ",", "blank": " ", "space": " ", "apostrophe": "'", "’": "'"}
DECIMALS = {"point": ".", "comma": ","}
# The first edition did not read columns of quality, direction and units, asked about fewer codes,
# and took half-hours from 00:30 to 00:00 for begins. The second one took times in the middle
# between two steps for begins, and did not ask when readings below clock times in a row a day were
# taken. What they have read is read so again.
EDITION = 3


@functools.cache
def _zones() -> frozenset[str]:
    """The names of all zones, for which the machine's zone files are gone through."""
    return frozenset(available_timezones())


class ReadingRules(BaseModel):
    """How a file is read. None means: find out, and refuse a file that allows two readings.

    Loading returns the rules with everything decided. They are kept with a study and with a served
    model, so that a later file of the same kind is read in the same way.

    Attributes:
        time: Names of the time columns (`--time`), or their positions from 1.
        target: Name of the column to forecast (`--target`).
        features: Names of the numeric covariates, if any (`--features`).
        encoding: Python's name of the text encoding (`--encoding`).
        header: Line of the column names, from 1; 0 if there is none (`--header`).
        where: Rows that are used, as COLUMN=VALUE (`--where`).
        decimal: Decimal mark, "." or "," (`--decimal`).
        thousands: Mark between groups of digits (`--thousands`); "" allows none.
        missing: Cells that mean "no value", beside the usual ones (`--missing`); an empty tuple
            takes suspicious numbers such as -9999 as values.
        date_format: strptime format of the time column, or one of `NUMERIC_TIMES`
            (`--date-format`).
        stamp: Whether a row's time is the begin, the middle or the end of what it measures
            (`--stamp`).
        tz: IANA name of the zone of clock times written without offset (`--tz`).
        duplicates: Which row counts if a time comes twice (`--duplicates`).
        cumulative: True if the target is a running total, to be differenced (`--register`).
        resample: How finer rows become hours (`--resample`).
        gaps: What to do with missing hours and empty cells (`--gaps`).
        max_gap: Longest run of missing hours that may be interpolated (`--max-gap`).
        known_ahead: Those of the features that are known for the hours that are forecast
            (`--known-ahead`); see `data_pipeline.known_ahead`.
        holidays: ISO 3166 code of the country whose public holidays become a column, which is
            known ahead, too (`--holidays`).
        section: Which of several tables below each other is read, from 1 (`--section`).
        edition: Which version of the reader decided these rules, see `EDITION`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    time: tuple[ColumnName, ...] = Field(default=("Date",), min_length=1, max_length=6)
    target: ColumnName = "Usage"
    features: tuple[ColumnName, ...] = ("Temperature",)
    encoding: str | None = Field(default=None, min_length=1, max_length=40)
    header: int | None = Field(default=None, ge=0, le=100_000)
    where: tuple[str, ...] = ()
    decimal: Literal[".", ","] | None = None
    thousands: Literal["", ".", ",", " ", "'"] | None = None
    missing: tuple[str, ...] | None = None
    date_format: str | None = Field(default=None, min_length=1, max_length=100)
    stamp: Literal["begin", "middle", "end"] | None = None
    tz: str | None = None
    duplicates: Literal["first", "last", "mean"] | None = None
    cumulative: bool | None = None
    resample: Literal["mean", "sum", "last"] | None = None
    gaps: Literal["error", "interpolate"] = "error"
    max_gap: int = Field(default=6, ge=1, le=168)
    # These came later. They are not dumped at their default, so that what studies and models keep
    # stays as it was.
    known_ahead: tuple[ColumnName, ...] = Field(default=(), exclude_if=lambda names: not names)
    holidays: str | None = Field(default=None, exclude_if=lambda code: code is None)
    section: int | None = Field(default=None, ge=1, exclude_if=lambda number: number is None)
    edition: int = Field(default=EDITION, ge=1, le=EDITION)

    @property
    def inputs_known_ahead(self) -> tuple[str, ...]:
        """All columns that are known ahead, those of the file and the holidays."""
        return (*self.known_ahead, *([HOLIDAY] if self.holidays else []))

    @property
    def value_columns(self) -> tuple[str, ...]:
        """The number columns in the network's order: covariates, then the target."""
        return (*self.features, self.target)

    @property
    def time_name(self) -> str:
        """One name for the time, even if its parts are in several columns."""
        return " ".join(self.time)

    @field_validator("time", mode="before")
    @classmethod
    def _one_or_many(cls, time: object) -> object:
        return (time,) if isinstance(time, str) else time

    @field_validator("decimal", mode="before")
    @classmethod
    def _decimal_mark(cls, mark: object) -> object:
        return DECIMALS.get(mark, mark) if isinstance(mark, str) else mark

    @field_validator("thousands", mode="before")
    @classmethod
    def _thousands_mark(cls, mark: object) -> object:
        return THOUSANDS.get(mark, mark) if isinstance(mark, str) else mark

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str | None) -> str | None:
        if encoding is None:
            return None
        try:
            b"".decode(encoding)
            "".encode(encoding)
        except (LookupError, ValueError) as error:
            raise ValueError(
                f"--encoding expects a text encoding such as utf-8, cp949 or cp1252, "
                f"found {encoding!r}"
            ) from error
        return encoding

    @field_validator("where")
    @classmethod
    def _column_and_value(cls, where: tuple[str, ...]) -> tuple[str, ...]:
        for one in where:
            if "=" not in one:
                raise ValueError(f"--where expects COLUMN=VALUE, found {one!r}")
        return where

    @field_validator("tz")
    @classmethod
    def _known_zone(cls, tz: str | None) -> str | None:
        if tz is not None and tz not in _zones():
            raise ValueError(
                f"--tz expects an IANA time zone such as 'Europe/Berlin' or 'UTC', found {tz!r}"
            )
        return tz

    @field_validator("holidays", mode="before")
    @classmethod
    def _none_if_empty(cls, holidays: object) -> object:
        return None if holidays == "" else holidays

    @field_validator("holidays")
    @classmethod
    def _known_country(cls, holidays: str | None) -> str | None:
        if holidays is not None:
            check_country(holidays)
        return holidays

    @field_validator("date_format")
    @classmethod
    def _strptime_format(cls, date_format: str | None) -> str | None:
        if date_format is None or date_format in NUMERIC_TIMES:
            return date_format
        if "%" not in date_format or "%Z" in date_format:
            raise ValueError(
                f"--date-format expects a strptime format such as '%d/%m/%Y %H:%M', without %Z "
                f"(zone names are ambiguous; give --tz), or {', '.join(NUMERIC_TIMES)}; "
                f"found {date_format!r}"
            )
        return date_format

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = (*self.time, *self.value_columns)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"--time, --target and --features must name different columns, found {twice} twice"
            )
        if self.decimal is not None and self.decimal == self.thousands:
            raise ValueError(f"--decimal and --thousands are both {self.decimal!r}: give one")
        return self

    @model_validator(mode="after")
    def _possibly_known(self) -> Self:
        strange = [name for name in self.known_ahead if name not in self.features]
        if strange:
            target = f"; {self.target!r} is what is forecast" if self.target in strange else ""
            able = ", ".join(self.features) or "there are none"
            raise ValueError(
                f"--known-ahead expects columns of --features ({able}), found {strange}{target}"
            )
        if self.holidays is not None and HOLIDAY in (*self.time, *self.value_columns):
            raise ValueError(
                f"--holidays adds a column {HOLIDAY!r}, and the file's column of this name is "
                "read: rename that one, or leave --holidays out"
            )
        return self

    def words(self) -> list[str]:
        """The rules as words of a command line."""
        plain = self.model_dump()
        return option_words(
            {
                name: plain[name]
                for name, field in ReadingRules.model_fields.items()
                if name in ("time", "target", "features")
                or plain.get(name, field.default) != field.default
            }
        )


def option_words(changes: Mapping[str, object]) -> list[str]:
    """Options of the command line, as unquoted words.

    Args:
        changes: Fields of `DataSource` and their values; None leaves one out.
    """
    words = []
    for name, value in changes.items():
        option = "--" + ("register" if name == "cumulative" else name.replace("_", "-"))
        if value is None or name == "edition":
            continue
        if isinstance(value, bool):
            words.append(option if value else option.replace("--", "--no-"))
        elif name in ("time", "where"):
            words += [word for one in _many(value) for word in (option, one)]
        elif name in ("features", "missing", "known_ahead"):
            listed = ",".join(_in_list(one) for one in _many(value))
            # click would take a value that begins with a dash for an option.
            words += [f"{option}={listed}"] if listed.startswith("-") else [option, listed]
        else:
            words += [option, str(value)]
    return words


def option_text(changes: Mapping[str, object]) -> str:
    """The same options as one quoted line for a shell."""
    return shlex.join(option_words(changes))


def _many(value: object) -> list[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value]  # type: ignore[attr-defined]


def _in_list(name: str) -> str:
    quoted = '"' in name or "," in name or name != name.strip()
    return '"' + name.replace('"', '""') + '"' if quoted else name


def rules_of_before(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Turns options that an older version kept into rules with the same meaning.

    Args:
        plain: Fields of a `DataSource` from JSON. If "decimal" is among them, they are rules
            already; without "edition", they are of the first one.
    """
    if "decimal" in plain:
        return {"edition": 1, **plain}
    return {**plain, "decimal": ".", "thousands": "", "missing": (), "stamp": "begin"} | {
        "cumulative": False,
        "edition": 1,
    }
