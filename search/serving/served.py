"""The model as it is served: a Keras network or plain numbers, the same rows in and hours out.

MLflow copies this file and the two of `models/` that it imports into the model's folder, and
nothing else of this project. Raw rows in, the next hours out, in the data's unit. Scaling and
calendar are done here as in `data_pipeline`; a test holds both to the same numbers.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models import intervals
from models.forecasters import Rows, from_plain

FloatArray = npt.NDArray[np.float64]

# How far beyond the training range, in ranges, a value may lie before its unit is doubted.
TOLERANCE = 1.0
# The same where all values of a window lie beyond, and the part of the lowest value trained on.
ALL_BEYOND = 0.25
FEWER = 5.0
HOUR = pd.Timedelta(hours=1)
BATCH = 64
# One of these two is the model; the facts stand beside it.
NETWORK = "model.keras"
NUMBERS = "model.json"
FACTS = "facts.json"
# Hours of a file over which the interval is followed, at most: what lies eight weeks back has no
# weight in it any more.
FOLLOWED = 1344
_OFFSET = r"(?:Z|[+-][0-9]{2}:?[0-9]{2})$"


class WrongRows(ValueError):
    """The rows are not what the model was trained for; the message names rows and columns."""


class Forecaster:
    """Forecasts the hours after the last row.

    Attributes:
        facts: what it must know beside the model.
            time, target, features: column names. unit: of the target.
            window, horizon: hours seen and forecast.
            zone: IANA time zone of the local clock, None where none was named.
            offsets: True if the times it was trained with say their offset from UTC.
            minimum, range: of the columns [*features, target] and the four of the calendar over
                the rows it learned from.
            learned_since, learned_until: local clock times of the first and last of these rows.
            interval: "begin" and "end", trackers of the 90 % interval (`models.intervals`) before
                and after the hours it was judged on, and "until", local time of the first hour of
                the last window of these.
            half_width: in place of `interval` in models of earlier versions: half the width, one a
                step, in the unit, always the same.
    """

    def __init__(self, model: Path, facts: Path) -> None:
        """Read the model and the facts, a JSON file.

        Args:
            model: a Keras network from float32 (n, window, c + 5) to (n, horizon), both scaled,
                which is read in Keras' safe mode; or a JSON file of `models.forecasters`.
            facts: see `facts` above.
        """
        self.facts: dict[str, Any] = json.loads(facts.read_text(encoding="utf-8"))
        if model.suffix == Path(NUMBERS).suffix:
            self._plain = from_plain(json.loads(model.read_text(encoding="utf-8")))
            self._network: Any = None
        else:
            # Whatever the environment or `keras.json` says.
            os.environ["KERAS_BACKEND"] = "tensorflow"
            import keras

            self._network = keras.saving.load_model(model, compile=False, safe_mode=True)

    def coming(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Forecast the hours after the last row.

        Args:
            frame: the columns of time, features and target, one row an hour without gaps, oldest
                first, at least `window` of them. The more follow the hours it was judged on, the
                better the interval knows how it errs now.

        Returns:
            A data frame of `horizon` rows: the time column, "forecast", "low" and "high" (90 %
            interval), in the unit of the target.

        Raises:
            WrongRows: they are not what the model was trained for.
        """
        instants, local, values = self.read(frame)
        window = self.facts["window"]
        self._check_ranges(values[-window:], local[-window:])
        times = [instants[-1] + step * HOUR for step in range(1, self.facts["horizon"] + 1)]
        ahead = pd.DatetimeIndex([time.tz_localize(None) for time in times])
        clock = pd.DatetimeIndex(local.append(ahead))
        forecast = self.forecast(clock, values, np.array([len(values)]))[0]
        half = self._half_width(clock, values)
        return pd.DataFrame(
            {
                self.facts["time"]: [time.isoformat() for time in times],
                "forecast": forecast,
                "low": forecast - half,
                "high": forecast + half,
            }
        )

    def half_widths(self, forecasts: FloatArray, actual: FloatArray) -> FloatArray:
        """The half widths that windows not learned from would have had, each before it was known.

        Args:
            forecasts: float64 (n, horizon), of windows an hour apart, oldest first.
            actual: float64 (n, horizon).

        Returns:
            float64 (n, horizon), in the unit.
        """
        if "interval" not in self.facts:
            return np.broadcast_to(np.asarray(self.facts["half_width"]), forecasts.shape)
        begin = intervals.from_plain(self.facts["interval"]["begin"])
        return intervals.follow(begin, forecasts - actual)[0]

    def _half_width(self, clock: pd.DatetimeIndex, values: FloatArray) -> FloatArray:
        """Half the width of the interval of the coming hours, float64 (horizon,).

        The interval goes on from where the test period left it, over the hours since then.
        """
        if "interval" not in self.facts:
            return np.asarray(self.facts["half_width"], np.float64)
        tracker = intervals.from_plain(self.facts["interval"]["end"])
        horizon, window = self.facts["horizon"], self.facts["window"]
        origins = np.arange(max(window, len(values) - FOLLOWED), len(values))
        origins = origins[clock[origins] > pd.Timestamp(self.facts["interval"]["until"])]
        if len(origins):
            hours = origins[:, None] + np.arange(horizon)
            target = np.append(values[:, -1], np.full(horizon, np.nan))
            tracker = intervals.follow(
                tracker, self.forecast(clock, values, origins) - target[hours]
            )[1]
        return tracker.half_width

    def read(self, frame: pd.DataFrame) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex, FloatArray]:
        """Check raw rows.

        Raises:
            WrongRows: a column is missing, a cell is no number or no time, hours are missing, or
                there are fewer than `window`.

        Returns:
            n instants, as written or in the model's zone; n local clock times without zone; float64
            (n, c + 1), features and target.
        """
        facts, names = self.facts, self._columns
        missing = [name for name in (facts["time"], *names) if name not in frame.columns]
        if missing:
            raise WrongRows(f"no column {missing}; expected {[facts['time'], *names]}")
        if len(frame) < facts["window"]:
            raise WrongRows(f"expected at least {facts['window']} hours, found {len(frame)}")
        instants, local = self._times(frame[facts["time"]])
        values = np.column_stack([_numbers(frame[name], name) for name in names])
        return instants, local, values

    def forecast(
        self, local: pd.DatetimeIndex, values: FloatArray, origins: npt.NDArray[np.int64]
    ) -> FloatArray:
        """Forecast many windows of checked rows.

        Args:
            local: n naive clock times, or n + horizon where an origin is n.
            values: float64 (n, c + 1), features and target.
            origins: int64 (m,), rows of the first hour of each forecast, `window`..n.

        Returns:
            float64 (m, horizon), in the unit.
        """
        if self._network is None:
            clock = local.day_of_week.to_numpy(np.int64) * 24 + local.hour.to_numpy(np.int64)
            return self._plain.forecast(Rows(values, clock), origins)
        window, column = self.facts["window"], len(self.facts["features"])
        low, spread = np.array(self.facts["minimum"]), np.array(self.facts["range"])
        circles = _circles(local[: len(values)])
        rows = ((np.column_stack([values, circles]) - low) / spread).astype(np.float32)
        outputs = [
            self._network.predict_on_batch(
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
            raise WrongRows(
                f"column {name!r}: expected times such as 2014-06-30T23:00, all with the same "
                f"offset from UTC or all without: {error}"
            ) from error
        if instants.hasnans:
            raise WrongRows(f"column {name!r}: no time in row {int(np.argmax(instants.isna()))}")
        if zone is None and (instants.tz is not None) != self.facts["offsets"]:
            expected = "with" if self.facts["offsets"] else "without"
            raise WrongRows(
                f"column {name!r}: expected times {expected} offset from UTC, as the model was "
                f"trained with, found {column.iloc[0]}"
            )
        if zone is not None and instants.tz is not None:
            instants = instants.tz_convert(zone)
        elif zone is not None:
            try:
                instants = instants.tz_localize(zone, ambiguous="infer")
            except ValueError as error:
                raise WrongRows(
                    f"column {name!r}: not a clear time in {zone}; write the offset: {error}"
                ) from error
        steps = np.flatnonzero(np.diff(instants.as_unit("s").asi8) != 3600)
        if steps.size:
            at = int(steps[0])
            raise WrongRows(
                f"column {name!r}: expected each row one hour after the one before, found "
                f"{instants[at]} in row {at} and {instants[at + 1]} in row {at + 1}"
            )
        return instants, instants.tz_localize(None)

    def doubts(self, frame: pd.DataFrame) -> list[str]:
        """What of the rows that `coming` would see the network has not learned from, in words.

        Raises:
            WrongRows: see `read`.
        """
        _, _, values = self.read(frame)
        window = values[-self.facts["window"] :]
        said = []
        for at, name in enumerate(self._columns):
            low, high = self._range(at)
            outside = int(((window[:, at] < low) | (window[:, at] > high)).sum())
            if outside:
                said.append(
                    f"{outside} of the last {len(window)} values of {name!r} lie outside {low:g} "
                    f"to {high:g}, which the model was trained on: it may err more than its "
                    "interval says"
                )
        return said

    @property
    def _columns(self) -> list[str]:
        return [*self.facts["features"], self.facts["target"]]

    def _range(self, at: int) -> tuple[float, float]:
        low = float(self.facts["minimum"][at])
        return low, low + float(self.facts["range"][at])

    def _check_ranges(self, window: FloatArray, local: pd.DatetimeIndex) -> None:
        """Doubt the unit of a window that lies far outside what the network learned from.

        Far is a value more than the whole range away. All of a window's are already where they lie
        a quarter of it above or below, or at less than a fifth of the least: a thousandth of the
        unit may lie within the range of the whole.
        """
        for at, name in enumerate(self._columns):
            low, high = self._range(at)
            values, spread = window[:, at], high - low
            far = (values < low - TOLERANCE * spread) | (values > high + TOLERANCE * spread)
            elsewhere = (
                values.max() < low - ALL_BEYOND * spread
                or values.min() > high + ALL_BEYOND * spread
                or (low > 0 and values.max() < low / FEWER)
            )
            if far.any() or elsewhere:
                row = int(np.argmax(far))
                unit = f" ({self.facts['unit']})" if name == self.facts["target"] else ""
                raise WrongRows(
                    f"column {name!r}{unit}: {values[row]:g} at {local[row]} and "
                    f"{len(window) if elsewhere else int(far.sum())} of the last {len(window)} "
                    f"values in all lie far outside {low:g} to {high:g}, which the model was "
                    "trained on; is the unit another one?"
                )


def _numbers(column: pd.Series, name: str) -> FloatArray:
    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise WrongRows(
            f"column {name!r}: expected a number, found {column.iloc[bad[0]]!s} in row {bad[0]} "
            f"({bad.size} such rows)"
        )
    return np.asarray(values)


def _circles(local: pd.DatetimeIndex) -> FloatArray:
    hour = 2.0 * np.pi * local.hour.to_numpy(np.float64) / 24
    weekday = 2.0 * np.pi * local.day_of_week.to_numpy(np.float64) / 7
    return np.column_stack([np.sin(hour), np.cos(hour), np.sin(weekday), np.cos(weekday)])


class _InMlflow:
    """What MLflow's servers call."""

    def __init__(self, forecaster: Forecaster) -> None:
        self._forecaster = forecaster

    def predict(self, model_input: Any, params: Any = None) -> pd.DataFrame:
        """Forecast, saying what is wrong with the rows as MLflow tells it to a client."""
        from mlflow.exceptions import MlflowException
        from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

        del params
        try:
            return self._forecaster.coming(pd.DataFrame(model_input))
        except WrongRows as error:
            raise MlflowException(str(error), error_code=INVALID_PARAMETER_VALUE) from error


def _load_pyfunc(data: str) -> _InMlflow:
    """What MLflow calls with the model's data folder."""
    place = Path(data)
    numbers = place / NUMBERS
    return _InMlflow(Forecaster(numbers if numbers.is_file() else place / NETWORK, place / FACTS))
