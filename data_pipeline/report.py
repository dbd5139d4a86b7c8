"""What was found in a data file and what was done to it."""

import textwrap
from dataclasses import asdict, dataclass, field, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data_pipeline.rules import ReadingRules

LINE_LENGTH: Final = 100


@dataclass(frozen=True)
class Gaps:
    """Missing hours.

    Attributes:
        count: Hours without a row.
        longest: Length of the longest run of them, in hours.
        first: Local clock time of the first.
        last: Local clock time of the last.
    """

    count: int
    longest: int
    first: str
    last: str


@dataclass(frozen=True)
class ColumnRange:
    """Smallest and largest value of one number column, in its own unit."""

    name: str
    minimum: float
    maximum: float


@dataclass(frozen=True)
class DataReport:
    """The short report on one loaded series. Every repair has a line here.

    Attributes:
        name: File name, or the name of the built-in series.
        rows: Hours in the series.
        first: Local clock time of the first hour.
        last: Local clock time of the last hour.
        frequency: What the file held, e.g. "hourly" or "half-hourly, averaged to hourly".
        encoding: Text encoding of the file.
        separator: "comma", "semicolon", "tab", "bar" or "blanks"; "" of a workbook.
        gaps: Missing hours that were filled; None if there were none.
        duplicates: Number of clock hours that came twice and that `--tz` told apart.
        repairs: What was changed on the way, one sentence each.
        ranges: One entry per number column: covariates, then the target.
        warnings: What looks wrong but was kept, one sentence each.
        rules: How the file was read.
        why: Why it was read in this way, one sentence each.
        found: What was found around the data and left out, one sentence each.
        filled: bool (rows,), hours in which a value was filled in.
    """

    name: str
    rows: int
    first: str
    last: str
    frequency: str
    encoding: str
    separator: str
    gaps: Gaps | None
    duplicates: int
    repairs: tuple[str, ...]
    ranges: tuple[ColumnRange, ...]
    warnings: tuple[str, ...]
    rules: ReadingRules = field(default_factory=ReadingRules)
    why: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    filled: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    def lines(self) -> list[str]:
        """The report as text, each line at most 100 characters."""
        ranges = "; ".join(f"{r.name} {r.minimum:g} to {r.maximum:g}" for r in self.ranges)
        entries = [
            f"data: {self.name}, {self.rows} hours, {self.first} to {self.last}",
            f"read: {self.frequency}, encoding {self.encoding}"
            + (f", separator {self.separator}" if self.separator else ""),
            *(f"found: {one}" for one in self.found),
            f"ranges: {ranges}",
        ]
        if self.gaps is not None:
            entries.append(
                f"gaps: {self.gaps.count} missing hours, {self.gaps.first} to {self.gaps.last}, "
                f"longest {self.gaps.longest} h"
            )
        elif self.repairs or self.duplicates:
            entries.append(f"gaps: none; duplicates: {self.duplicates or 'none'}")
        else:
            entries.append("gaps: none; duplicates: none; repaired: nothing")
        entries += [f"repaired: {repair}" for repair in self.repairs]
        entries += [f"warning: {warning}" for warning in self.warnings]
        return wrapped(entries)

    def as_dict(self) -> dict[str, object]:
        """The report as JSON-able values."""
        shown = [one.name for one in fields(self) if one.name not in ("rules", "filled")]
        plain = {name: getattr(self, name) for name in shown}
        plain["gaps"] = None if self.gaps is None else asdict(self.gaps)
        plain["ranges"] = [asdict(one) for one in self.ranges]
        return plain | {"rules": self.rules.model_dump(mode="json")}


def wrapped(entries: list[str]) -> list[str]:
    """Each entry in lines of at most 100 characters."""
    return [
        line
        for entry in entries
        for line in textwrap.wrap(entry, LINE_LENGTH, subsequent_indent="  ")
    ]
