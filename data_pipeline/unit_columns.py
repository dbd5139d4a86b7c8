"""Columns of units: values whose unit changes from row to row are read in one unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.errors import DataError, Way
from data_pipeline.quality import is_quality
from data_pipeline.source import DataSource
from data_pipeline.units import is_energy, is_power, power_of_ten, unit_in
from data_pipeline.words import Words

# Medians of rows in different units differ by less than this if all are in one unit.
_ALIKE: Final = 30.0


@dataclass(frozen=True, eq=False)
class InOneUnit:
    """The target in one unit; the unit, "" if columns name none or several; what was found."""

    usage: NDArray[np.float64]
    unit: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def to_one_unit(
    usage: NDArray[np.float64],
    columns: Sequence[Words],
    lines: NDArray[np.int64],
    source: DataSource,
) -> InOneUnit:
    """Turns Wh into kWh, and so on, where a column names the unit of each row.

    The values must confirm the column: the medians of the units are alike after the conversion.
    Otherwise the values are kept, with a warning.

    Args:
        usage: float64 (n,), the target.
        columns: Of words, beside the numbers.
        lines: int64 (n,), file lines.
        source: `--where`, and names for messages.

    Raises:
        DataError: If the units do not fit together, as kWh and kvarh.
    """
    asked = {one.split("=", 1)[0] for one in source.where}
    found: set[str] = set()
    notes, warnings = [], []
    for column in columns:
        if not all(is_energy(kind) or is_power(kind) for kind in column.kinds):
            # "Active Import Interval (kW)"
            within = {unit_in(kind) for kind in column.kinds}
            found |= within if len(within) == 1 and len(max(within)) > 1 else set()
            continue
        if column.kinds == ("W",) and is_quality(column.name):
            continue  # W for a measured value, as utilities of Germany write it
        counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.kinds))
        unit = column.kinds[int(counts.argmax())]
        powers = [power_of_ten(kind, unit) for kind in column.kinds]
        different = [power for power in powers if power != 0]
        said = " and ".join(sorted(set(column.kinds)))
        if not different:
            found.add(unit)
            continue
        if None in powers and source.edition > 1 and column.name not in asked:
            raise DataError(
                f"{source.file}: column {column.name!r} holds the units {said}, which do not fit "
                f"together: these are several series.",
                [Way({"where": (*source.where, f"{column.name}={one}")}) for one in column.kinds],
            )
        known = None not in powers and source.edition > 1
        scaled = None if not known else _scaled(usage, column, [one or 0 for one in powers])
        if scaled is None:
            found |= set(column.kinds)
            warnings.append(
                f"column {column.name!r} holds the units {said}; all values are taken as they are "
                f"written"
            )
            continue
        changed = column.codes != int(counts.argmax())
        usage = scaled
        found.add(unit)
        notes.append(
            f"column {column.name!r} holds the units {said}: {int(changed.sum())} values of "
            f"{source.target!r} turned into {unit} ({places.lines(lines[changed])})"
        )
    return InOneUnit(usage, found.pop() if len(found) == 1 else "", tuple(notes), tuple(warnings))


def _scaled(
    usage: NDArray[np.float64], column: Words, powers: Sequence[int]
) -> NDArray[np.float64] | None:
    """The values times ten to these powers; None if that does not make them alike."""
    # The last one is for rows whose cell is empty. Dividing keeps 36420 Wh exactly 36.42 kWh.
    grown = np.array([*(10.0 ** max(0, power) for power in powers), 1.0])[column.codes]
    shrunk = np.array([*(10.0 ** max(0, -power) for power in powers), 1.0])[column.codes]
    scaled = usage * grown / shrunk
    sizes = [_sizes(scaled[column.codes == at]) for at in range(len(powers))]
    medians = [float(np.median(size)) for size in sizes if len(size)]
    alike = len(medians) > 1 and max(medians) < _ALIKE * min(medians)
    return scaled if alike else None


def _sizes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    size = np.abs(values)
    return size[size > 0]
