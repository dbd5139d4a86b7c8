"""One gapless hourly series. Every other room works with it."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline.known_ahead import read_ahead

HOUR = pd.Timedelta(hours=1)


@dataclass(frozen=True, eq=False)
class HourlySeries:
    """n consecutive hours with finite values; read-only.

    Attributes:
        index: n instants, exactly one hour apart. UTC if the file's offsets or `--tz` fix the
            instant; else naive times of a clock without DST.
        local: n naive local clock times, for the calendar features and for people.
        target: float64 (n,), in `unit`.
        covariates: float64 (n, c), c >= 0, in their own units.
        target_name: Column name of the target.
        covariate_names: c column names.
        unit: Unit of the target.
        name: File name, or the name of the built-in series.
        known_ahead: Those of the covariates that are known for the hours that are forecast.
        holidays: Code of the country that the covariate "holiday" is of; None without this one.
        coming: float64 (k, c), covariates of the k hours after the last row, where a forecast is to
            read them; NaN in columns that are not known ahead. Not a part of the fingerprint.
    """

    index: pd.DatetimeIndex
    local: pd.DatetimeIndex
    target: NDArray[np.float64]
    covariates: NDArray[np.float64]
    target_name: str
    covariate_names: tuple[str, ...]
    unit: str
    name: str
    known_ahead: tuple[str, ...] = ()
    holidays: str | None = None
    coming: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))

    def __post_init__(self) -> None:
        for name in ("target", "covariates", "coming"):
            # Freeze a view, not the caller's array.
            frozen = np.asarray(getattr(self, name), dtype=np.float64).view()
            frozen.setflags(write=False)
            object.__setattr__(self, name, frozen)
        n = len(self.index)
        if n == 0:
            raise ValueError("a series needs at least one row")
        if len(self.local) != n or self.target.shape != (n,):
            raise ValueError(
                f"index, local and target must have one length, found {n}, {len(self.local)} and "
                f"shape {self.target.shape}"
            )
        if self.covariates.shape != (n, len(self.covariate_names)):
            raise ValueError(
                f"covariates must be ({n}, {len(self.covariate_names)}), "
                f"found {self.covariates.shape}"
            )
        if strange := set(self.known_ahead) - set(self.covariate_names):
            raise ValueError(f"known_ahead must be covariates, found {sorted(strange)}")
        if len(self.coming) and self.coming.shape[1] != len(self.covariate_names):
            raise ValueError(f"coming must be (k, {len(self.covariate_names)})")
        if self.local.tz is not None or str(self.index.tz) not in ("None", "UTC"):
            raise ValueError("local must be naive, and index naive or UTC")
        if n > 1 and not (np.diff(_seconds(self.index)) == 3600).all():
            raise ValueError("index must be exactly hourly and ascending")
        if not (np.isfinite(self.target).all() and np.isfinite(self.covariates).all()):
            raise ValueError("every value must be finite")

    def __len__(self) -> int:
        return len(self.index)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (hex) of times, values, column names and unit, without the file's name.

        The same data has the same fingerprint on every machine and in every file format.
        """
        head = [self.unit, self.target_name, *self.covariate_names, str(self.index.tz)]
        digest = hashlib.sha256(repr(head).encode())
        for part in (
            _seconds(self.index).astype("<i8"),
            _seconds(self.local).astype("<i8"),
            # Adding 0.0 turns -0.0 into 0.0, so that equal values have equal bytes.
            (self.target + 0.0).astype("<f8"),
            (self.covariates + 0.0).astype("<f8"),
        ):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def input_values(self, horizon: int) -> NDArray[np.float64]:
        """The values that networks and baselines read: covariates and, last, the target.

        Args:
            horizon: Hours that are forecast, 1 or more.

        Returns:
            float64 (n, c + 1). The columns known ahead are read `horizon` rows ahead, see
            `data_pipeline.known_ahead`; the others are as they are.
        """
        columns = [
            read_ahead(column, len(self), horizon) if name in self.known_ahead else column
            for name, column in zip(self.covariate_names, self.covariates.T, strict=True)
        ]
        return np.column_stack([*columns, self.target])

    def before(self, row: int) -> "HourlySeries":
        """The rows [0, row).

        Args:
            row: 1..n.

        Raises:
            ValueError: If row is outside 1..n.
        """
        if not 1 <= row <= len(self):
            raise ValueError(f"row must be 1..{len(self)}, found {row}")
        return HourlySeries(
            index=self.index[:row],
            local=self.local[:row],
            target=self.target[:row],
            covariates=self.covariates[:row],
            target_name=self.target_name,
            covariate_names=self.covariate_names,
            unit=self.unit,
            name=self.name,
            known_ahead=self.known_ahead,
            holidays=self.holidays,
        )


def _seconds(times: pd.DatetimeIndex) -> NDArray[np.int64]:
    return np.asarray(times.as_unit("s").asi8, dtype=np.int64)
