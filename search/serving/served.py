"""The model as it is served: a Keras network, plain numbers, or a weighted sum of both.

MLflow copies this file and what it imports of `models/` and `data_pipeline/` into the model's
folder, and nothing else of this project. Raw rows in, the next hours out, in the data's unit.
A test holds its forecasts and those of a search to the same numbers.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_pipeline.calendar import hour_of_week
from data_pipeline.inputs import hours_before, input_rows
from data_pipeline.known_ahead import not_known
from data_pipeline.raw_rows import WrongRows as WrongRows
from data_pipeline.raw_rows import clock_until, columns_given, hours_known, read_times, read_values
from models import intervals
from models.forecasters import Forecaster as Plain
from models.forecasters import Rows, from_plain

FloatArray = npt.NDArray[np.float64]

# How far beyond the training range, in ranges, a value may lie before its unit is doubted.
TOLERANCE = 1.0
# The same where all values of a window lie beyond, and the part of the lowest value trained on.
ALL_BEYOND = 0.25
FEWER = 5.0
BATCH = 64
# One of these two is the model, or a part of it; the facts stand beside it.
NETWORK = "model.keras"
NUMBERS = "model.json"
FACTS = "facts.json"
# Hours of a file over which the interval is followed, at most: what lies eight weeks back has no
# weight in it any more.
FOLLOWED = 1344


def weights(facts: Mapping[str, Any], alone: str) -> dict[str, float]:
    """The weight of each file that a model is made of; `alone` is the file of one without parts.

    Raises:
        ValueError: a part is not a file of the model's folder, or a weight is no finite number.
    """
    parts = facts.get("parts", [{"file": alone, "weight": 1.0}])
    found = {str(part["file"]): float(part["weight"]) for part in parts}
    outside = any(Path(name).name != name for name in found)
    if outside or not 0 < len(parts) == len(found):
        raise ValueError(f"expected parts that are files beside the facts, found {parts}")
    if not np.isfinite(list(found.values())).all():
        raise ValueError(f"expected finite weights of the parts, found {found}")
    return found


def model_file(place: Path) -> Path:
    """The model in a folder: its network where it has one, else its plain numbers."""
    network, numbers = place / NETWORK, place / NUMBERS
    return numbers if numbers.is_file() and not network.is_file() else network


def hours_needed(facts: Mapping[str, Any]) -> int:
    """Hours that a forecast reads: the window, and those before it that its lags reach into."""
    return int(facts["window"]) + hours_before(facts.get("inputs", "cycles"), facts["horizon"])


def too_few(hours: int, facts: Mapping[str, Any]) -> str:
    """Say how many hours are needed and why if a file of so many is too short, else nothing."""
    needed, window = hours_needed(facts), facts["window"]
    if hours >= needed:
        return ""
    why = f" ({window} of the window and the {needed - window} before it)" * (needed > window)
    return f"expected at least {needed} hours{why}, found {hours}"


class Forecaster:
    """Forecasts the hours after the last row.

    Attributes:
        facts: what it must know beside the model.
            time, target, features: column names. unit: of the target.
            window, horizon: hours seen and forecast.
            known_ahead: those of the features whose values of the coming hours are given, too.
            holidays: code of the country whose public holidays are the feature "holiday".
            inputs: the columns of a network's input (`data_pipeline.inputs`); "cycles" if missing.
            zone: IANA time zone of the local clock, None where none was named.
            offsets: True if the times it was trained with say their offset from UTC.
            minimum, range: of the columns [*features, target] and those of `inputs` over the rows
                it learned from.
            learned_since, learned_until: local clock times of the first and last of these rows.
            interval: "begin" and "end", trackers of the 90 % interval (`models.intervals`) before
                and after the hours it was judged on, and "until", local time of the first hour of
                the last window of these.
            parts: of a weighted sum, {"file": its name, "weight": its share} each; a model of one
                part has none.
            half_width: in place of `interval` in models of earlier versions: half the width, one a
                step, in the unit, always the same.
    """

    def __init__(self, model: Path, facts: Path) -> None:
        """Read the model and the facts, a JSON file.

        Args:
            model: a Keras network from float32 (n, hours, F) to (n, horizon), both scaled, `window`
                hours or fewer, which is read in Keras' safe mode; or a JSON file of
                `models.forecasters`. Of a weighted sum, a part; the others lie beside it.
            facts: see `facts` above.

        Raises:
            ValueError: a part cannot be read, or reads more hours than `window` says.
        """
        self.facts: dict[str, Any] = json.loads(facts.read_text(encoding="utf-8"))
        self._networks: list[tuple[float, Any]] = []
        self._plain: list[tuple[float, Plain]] = []
        for name, weight in weights(self.facts, model.name).items():
            file = model.with_name(name)
            if file.suffix == Path(NUMBERS).suffix:
                plain = from_plain(json.loads(file.read_text(encoding="utf-8")))
                self._plain.append((weight, plain))
                hours = plain.history
            else:
                # Whatever the environment or `keras.json` says.
                os.environ["KERAS_BACKEND"] = "tensorflow"
                import keras

                network = keras.saving.load_model(file, compile=False, safe_mode=True)
                self._networks.append((weight, network))
                hours = network.input_shape[1]
            if hours > self.facts["window"]:
                raise ValueError(
                    f"{name} reads {hours} hours before a forecast, the facts say "
                    f"{self.facts['window']}"
                )

    def coming(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Forecast the hours after the last row.

        Args:
            frame: the columns of time, features and target, one row an hour without gaps, oldest
                first, at least `hours_needed` of them. The more follow the hours it was judged on,
                the better the interval knows how it errs now. With `known_ahead`, rows of the
                `horizon` coming hours follow, which have these features and an empty target.

        Returns:
            A data frame of `horizon` rows: the time column, "forecast", "low" and "high" (90 %
            interval), in the unit of the target.

        Raises:
            WrongRows: they are not what the model was trained for.
        """
        instants, local, values = self.read(frame)
        facts, window, found = self.facts, self.facts["window"], len(frame) - len(local)
        ahead, target = facts.get("known_ahead", ()), facts["target"]
        if said := not_known(ahead, found, facts["horizon"], local[-1], target):
            raise WrongRows(said)
        self._check_ranges(values[-window:], local[-window:])
        clock, times = clock_until(local, instants, facts["horizon"])
        forecast = self.forecast(clock, values, np.array([len(values)]))[0]
        half = self._half_width(clock, values)
        return pd.DataFrame(
            {
                facts["time"]: [time.isoformat() for time in times],
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
        horizon, needed = self.facts["horizon"], hours_needed(self.facts)
        origins = np.arange(max(needed, len(values) - FOLLOWED), len(values))
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
                there are fewer than `hours_needed`.

        Returns:
            n instants, as written or in the model's zone; n local clock times without zone; float64
            (n, c + 1), features and target. n are the rows up to the last one with a target. What
            is known ahead is read `horizon` rows ahead.
        """
        facts, names = self.facts, columns_given(self.facts)
        missing = [name for name in (facts["time"], *names) if name not in frame.columns]
        if missing:
            raise WrongRows(f"no column {missing}; expected {[facts['time'], *names]}")
        known = hours_known(frame, facts)
        if said := too_few(known, facts):
            raise WrongRows(said)
        times = frame[facts["time"]]
        instants, local = read_times(times, facts["time"], facts["zone"], facts["offsets"])
        clock, _ = clock_until(local, instants, facts["horizon"])
        values = read_values(frame, facts, clock, known)
        return instants[:known], local[:known], values

    def forecast(
        self, local: pd.DatetimeIndex, values: FloatArray, origins: npt.NDArray[np.int64]
    ) -> FloatArray:
        """Forecast many windows of checked rows.

        Args:
            local: n naive clock times, or n + horizon where an origin is n.
            values: float64 (n, c + 1), features and target.
            origins: int64 (m,), rows of the first hour of each forecast, `hours_needed`..n.

        Returns:
            float64 (m, horizon), in the unit.
        """
        rows = Rows(values, hour_of_week(local))
        found = [weight * plain.forecast(rows, origins) for weight, plain in self._plain]
        found += [
            weight * self._by_network(network, local, values, origins)
            for weight, network in self._networks
        ]
        return np.asarray(np.sum(found, axis=0))

    def _by_network(
        self,
        network: Any,
        local: pd.DatetimeIndex,
        values: FloatArray,
        origins: npt.NDArray[np.int64],
    ) -> FloatArray:
        window, column = network.input_shape[1], len(self.facts["features"])
        low, spread = np.array(self.facts["minimum"]), np.array(self.facts["range"])
        inputs = self.facts.get("inputs", "cycles")
        unscaled = input_rows(values, local, self.facts["horizon"], inputs)
        rows = ((unscaled - low) / spread).astype(np.float32)
        outputs = [
            network.predict_on_batch(
                np.stack([rows[origin - window : origin] for origin in origins[at : at + BATCH]])
            )
            for at in range(0, len(origins), BATCH)
        ]
        scaled = np.concatenate(outputs).astype(np.float64)
        return np.asarray(scaled * spread[column] + low[column])

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
    return _InMlflow(Forecaster(model_file(place), place / FACTS))
