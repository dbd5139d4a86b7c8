"""The model as it is served; MLflow copies this one file, so it imports nothing of this project.

Raw rows in, the next hours out, in the data's unit. Scaling and calendar are done here as in
`data_pipeline`; a test holds both to the same numbers.
"""

import json
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import numpy.typing as npt
import pandas as pd
from mlflow.exceptions import MlflowException

FloatArray = npt.NDArray[np.float64]

# How far beyond the training range, in ranges, a value may lie before its unit is doubted.
TOLERANCE = 1.0
HOUR = pd.Timedelta(hours=1)
BATCH = 64
_OFFSET = r"(?:Z|[+-][0-9]{2}:?[0-9]{2})$"


class Forecaster(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """Forecasts the hours after the last row.

    Its facts, a JSON file beside the network:
        time, target, features: column names. unit: of the target.
        window, horizon: hours seen and forecast.
        zone: IANA time zone of the local clock, null where times are plain clock times.
        minimum, range: of the columns [*features, target] and the four of the calendar over the
            training rows.
        learned_since: local clock time of the first row that it learned from.
        learned_until: local clock time of the last row that it learned from.
        half_width: half the width of the 90 % interval, one a step, in the unit.
    """

    def load_context(self, context: Any) -> None:
        """Read the network, in Keras' safe mode, and its facts."""
        self.load(Path(context.artifacts["network"]), Path(context.artifacts["facts"]))

    def load(self, network: Path, facts: Path) -> None:
        """As `load_context`, from two files."""
        import keras

        self.facts: dict[str, Any] = json.loads(facts.read_text(encoding="utf-8"))
        self.network = keras.saving.load_model(network, compile=False, safe_mode=True)

    # Without type hints, from which MLflow would make a signature of its own.
    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """Forecast.

        Args:
            context: not used.
            model_input: a data frame with the columns of time, features and target, one row an
                hour without gaps, oldest first, at least `window` of them.
            params: not used.

        Returns:
            A data frame of `horizon` rows: the time column, "forecast", "low" and "high" (90 %
            interval), in the unit of the target.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE, naming rows and columns; the input is not
                what the model was trained for.
        """
        del context, params
        instants, local, values = self.read(pd.DataFrame(model_input))
        forecast = self.forecast(local, values, np.array([len(values)]))[0]
        half = np.asarray(self.facts["half_width"], np.float64)
        times = [instants[-1] + step * HOUR for step in range(1, len(forecast) + 1)]
        return pd.DataFrame(
            {
                self.facts["time"]: [time.isoformat() for time in times],
                "forecast": forecast,
                "low": forecast - half,
                "high": forecast + half,
            }
        )

    def read(self, frame: pd.DataFrame) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex, FloatArray]:
        """Check raw rows.

        Returns:
            n instants, as written or in the model's zone; n local clock times without zone; float64
            (n, c + 1), features and target.
        """
        facts = self.facts
        names = [*facts["features"], facts["target"]]
        missing = [name for name in (facts["time"], *names) if name not in frame.columns]
        if missing:
            raise _wrong(f"no column {missing}; expected {[facts['time'], *names]}")
        if len(frame) < facts["window"]:
            raise _wrong(f"expected at least {facts['window']} hours, found {len(frame)}")
        instants, local = self._times(frame[facts["time"]])
        values = np.column_stack([_numbers(frame[name], name) for name in names])
        self._check_ranges(values, names)
        return instants, local, values

    def forecast(
        self, local: pd.DatetimeIndex, values: FloatArray, origins: npt.NDArray[np.int64]
    ) -> FloatArray:
        """Forecast many windows of checked rows.

        Args:
            local: n naive clock times.
            values: float64 (n, c + 1), features and target.
            origins: int64 (m,), rows of the first hour of each forecast, `window`..n.

        Returns:
            float64 (m, horizon), in the unit.
        """
        window, column = self.facts["window"], len(self.facts["features"])
        low, spread = np.array(self.facts["minimum"]), np.array(self.facts["range"])
        rows = ((np.column_stack([values, _circles(local)]) - low) / spread).astype(np.float32)
        outputs = [
            self.network.predict_on_batch(
                np.stack([rows[origin - window : origin] for origin in origins[at : at + BATCH]])
            )
            for at in range(0, len(origins), BATCH)
        ]
        scaled = np.concatenate(outputs).astype(np.float64)
        return np.asarray(scaled * spread[column] + low[column])

    def _times(self, column: pd.Series) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
        name, zone = self.facts["time"], self.facts["zone"]
        try:
            # Offsets that change with the clock are one zone only once they are UTC.
            changing = zone is not None and bool(column.astype(str).str.contains(_OFFSET).all())
            instants = pd.DatetimeIndex(pd.to_datetime(column, format="ISO8601", utc=changing))
        except (ValueError, TypeError) as error:
            raise _wrong(
                f"column {name!r}: expected times such as 2014-06-30T23:00, all with the same "
                f"offset from UTC or all without: {error}"
            ) from error
        if instants.hasnans:
            raise _wrong(f"column {name!r}: no time in row {int(np.argmax(instants.isna()))}")
        if zone is not None and instants.tz is not None:
            instants = instants.tz_convert(zone)
        elif zone is not None:
            try:
                instants = instants.tz_localize(zone, ambiguous="infer")
            except ValueError as error:
                raise _wrong(
                    f"column {name!r}: not a clear time in {zone}; write the offset: {error}"
                ) from error
        steps = np.flatnonzero(np.diff(instants.as_unit("s").asi8) != 3600)
        if steps.size:
            at = int(steps[0])
            raise _wrong(
                f"column {name!r}: expected each row one hour after the one before, found "
                f"{instants[at]} in row {at} and {instants[at + 1]} in row {at + 1}"
            )
        return instants, instants.tz_localize(None)

    def _check_ranges(self, values: FloatArray, names: list[str]) -> None:
        for at, name in enumerate(names):
            low, spread = self.facts["minimum"][at], self.facts["range"][at]
            high = low + spread
            outside = (values[:, at] < low - TOLERANCE * spread) | (
                values[:, at] > high + TOLERANCE * spread
            )
            if outside.any():
                row = int(np.argmax(outside))
                unit = f" ({self.facts['unit']})" if name == self.facts["target"] else ""
                raise _wrong(
                    f"column {name!r}{unit}: {values[row, at]:g} in row {row} and "
                    f"{int(outside.sum()) - 1} more lie far outside {low:g} to {high:g}, which "
                    "the model was trained on; is the unit another one?"
                )


def _numbers(column: pd.Series, name: str) -> FloatArray:
    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise _wrong(
            f"column {name!r}: expected a number, found {column.iloc[bad[0]]!r} in row {bad[0]} "
            f"({bad.size} such rows)"
        )
    return np.asarray(values)


def _circles(local: pd.DatetimeIndex) -> FloatArray:
    hour = 2.0 * np.pi * local.hour.to_numpy(np.float64) / 24
    weekday = 2.0 * np.pi * local.day_of_week.to_numpy(np.float64) / 7
    return np.column_stack([np.sin(hour), np.cos(hour), np.sin(weekday), np.cos(weekday)])


def _wrong(message: str) -> MlflowException:
    from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

    return MlflowException(message, error_code=INVALID_PARAMETER_VALUE)


mlflow.models.set_model(Forecaster())
