"""The served model on raw rows: the pipeline's numbers, and errors that name the place."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_pipeline.framing import Framing
from data_pipeline.inputs import INPUTS, Inputs
from data_pipeline.load import load_series
from data_pipeline.series import HourlySeries
from data_pipeline.source import DataSource
from data_pipeline.windows import open_test
from models.baselines import BASELINES, fit
from models.build import build, plain_copy
from models.fit import predict
from models.intervals import begin, follow
from search.common.errors import Refused
from search.results.baselines import baseline_data
from search.serving.model_folder import (
    digest,
    facts_of,
    forecast_windows,
    model_files,
    raw_rows,
    save,
)
from search.serving.served import Forecaster, WrongRows, hours_needed
from tests.search.command import environment
from tests.search.samples import parameters

FRAMING = Framing(window=24, horizon=3)


def _series(zone: str | None = None, hours: int = 700) -> HourlySeries:
    generator = np.random.default_rng(5)
    index = pd.date_range("2024-03-10", periods=hours, freq="h", tz=None if zone is None else "UTC")
    local = index if zone is None else index.tz_convert(zone).tz_localize(None)
    return HourlySeries(
        index=index,
        local=local,
        target=50 + 10 * generator.random(hours),
        covariates=generator.random((hours, 1)),
        target_name="Load",
        covariate_names=("Wind",),
        unit="kW",
        name="made up",
    )


def _made(place: Path, zone: str | None = None) -> tuple[Forecaster, HourlySeries, Path]:
    series = _series(zone)
    prepared = open_test(series, FRAMING)
    network = plain_copy(build(parameters((3,)), 24, 6, 3, seed=1))
    file = place / "network.keras"
    network.save(file)
    # Half the widths are 1, 2 and 3.
    end = begin(np.ones((20, 1)) * [1.0, 2.0, 3.0])
    interval = {
        "begin": begin(np.ones((20, 3))).as_plain(),
        "end": end.as_plain(),
        "until": series.local[-1].isoformat(),
    }
    facts = facts_of(series, FRAMING, prepared.scaler, prepared.train_rows, "When", zone, interval)
    (place / "facts.json").write_text(json.dumps(facts))
    return Forecaster(file, place / "facts.json"), series, file


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Forecaster, HourlySeries, Path]:
    return _made(tmp_path_factory.mktemp("served"))


Made = tuple[Forecaster, HourlySeries, Path]


def test_its_forecasts_are_those_of_the_pipeline(made: Made) -> None:
    model, series, _ = made
    prepared = open_test(series, FRAMING)
    output = predict(model._networks[0][1], prepared.held_out.x)
    expected = prepared.scaler.inverse_target(output)
    _, local, values = model.read(raw_rows(series, "When"))
    found = model.forecast(local, values, prepared.held_out.origins)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def _of_inputs(
    place: Path, inputs: Inputs, framing: Framing, lookback: int
) -> tuple[Forecaster, HourlySeries]:
    """A network of these inputs that reads the last hours of the window, served."""
    series = _series("Europe/Berlin", 900)
    prepared = open_test(series, framing, inputs)
    network = build(parameters((3,)), lookback, len(prepared.columns), framing.horizon, seed=1)
    plain_copy(network).save(place / "network.keras")
    interval = {
        "begin": begin(np.ones((20, framing.horizon))).as_plain(),
        "end": begin(np.ones((20, framing.horizon))).as_plain(),
        "until": series.local[-1].isoformat(),
    }
    scaler, learned = prepared.scaler, prepared.train_rows
    facts = facts_of(
        series, framing, scaler, learned, "When", "Europe/Berlin", interval, inputs=inputs
    )
    (place / "facts.json").write_text(json.dumps(facts))
    return Forecaster(place / "network.keras", place / "facts.json"), series


@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize("horizon", [1, 24])
@pytest.mark.parametrize("lookback", [48, 20])
def test_whatever_a_network_reads_it_is_served_as_it_was_judged(
    tmp_path: Path, inputs: Inputs, horizon: int, lookback: int
) -> None:
    framing = Framing(window=48, horizon=horizon)
    model, series = _of_inputs(tmp_path, inputs, framing, lookback)
    prepared = open_test(series, framing, inputs)
    read = np.ascontiguousarray(prepared.held_out.x[:, -lookback:])
    expected = prepared.scaler.inverse_target(predict(model._networks[0][1], read))
    rows, origins = raw_rows(series, "When"), prepared.held_out.origins
    _, local, values = model.read(rows)
    found = model.forecast(local, values, origins)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    # What comes in service after the rows before a window is what the window was judged by,
    # however few rows that are.
    needed = hours_needed(model.facts)
    assert needed == (48 if inputs == "cycles" else 48 + 168)
    for at in (0, len(origins) // 2, len(origins) - 1):
        coming = model.coming(rows.iloc[origins[at] - needed : origins[at]])
        np.testing.assert_allclose(coming["forecast"], expected[at], atol=1e-4)


def test_facts_of_before_there_were_inputs_mean_the_cycles(made: Made, tmp_path: Path) -> None:
    model, series, file = made
    assert model.facts["inputs"] == "cycles"
    earlier = {name: value for name, value in model.facts.items() if name != "inputs"}
    (tmp_path / "facts.json").write_text(json.dumps(earlier))
    rows = raw_rows(series, "When").iloc[-24:]
    pd.testing.assert_frame_equal(
        Forecaster(file, tmp_path / "facts.json").coming(rows), model.coming(rows)
    )


def test_a_model_of_changes_says_how_many_hours_it_needs(tmp_path: Path) -> None:
    model, series = _of_inputs(tmp_path, "changes", Framing(window=48), 48)
    rows = raw_rows(series, "When")
    said = r"expected at least 216 hours \(48 of the window and the 168 before it\), found 215"
    for asked in (model.coming, model.doubts):
        asked(rows.iloc[-216:])
        with pytest.raises(WrongRows, match=said):
            asked(rows.iloc[-215:])


def test_it_gives_the_hours_after_the_last_row_with_their_interval(made: Made) -> None:
    model, series, _ = made
    coming = model.coming(raw_rows(series, "When"))
    assert list(coming) == ["When", "forecast", "low", "high"]
    last = series.local[-1]
    stamps = [pd.Timestamp(text) - last for text in coming["When"]]
    assert stamps == [pd.Timedelta(hours=h) for h in (1, 2, 3)]
    np.testing.assert_allclose(coming["high"] - coming["low"], [2.0, 4.0, 6.0])
    one_window = model.coming(raw_rows(series, "When").iloc[-24:])
    np.testing.assert_allclose(one_window["forecast"], coming["forecast"])


def test_the_interval_goes_on_over_the_hours_since_it_was_judged(made: Made) -> None:
    model, series, _ = made
    rows = raw_rows(series, "When")
    _, local, values = model.read(rows)
    last_judged = len(series) - 60
    interval = model.facts["interval"] | {"until": local[last_judged].isoformat()}
    before, model.facts = model.facts, model.facts | {"interval": interval}
    try:
        coming = model.coming(rows)
    finally:
        model.facts = before
    origins = np.arange(last_judged + 1, len(series))
    actual = np.full((len(origins), 3), np.nan)
    for row, origin in enumerate(origins):
        known = series.target[origin : origin + 3]
        actual[row, : len(known)] = known
    clock = pd.DatetimeIndex(local.append(local[-3:] + pd.Timedelta(hours=3)))
    missed = model.forecast(clock, values, origins) - actual
    end = begin(np.ones((20, 1)) * [1.0, 2.0, 3.0])
    expected = follow(end, missed)[1].half_width
    np.testing.assert_allclose((coming["high"] - coming["low"]) / 2, expected)
    assert not np.allclose(expected, [1.0, 2.0, 3.0])


def test_a_model_of_an_earlier_version_keeps_its_constant_interval(
    made: Made, tmp_path: Path
) -> None:
    model, series, file = made
    earlier = {k: v for k, v in model.facts.items() if k != "interval"}
    (tmp_path / "facts.json").write_text(json.dumps(earlier | {"half_width": [4.0, 5.0, 6.0]}))
    served = Forecaster(file, tmp_path / "facts.json")
    coming = served.coming(raw_rows(series, "When"))
    np.testing.assert_allclose(coming["high"] - coming["low"], [8.0, 10.0, 12.0])
    windows = np.zeros((7, 3))
    np.testing.assert_array_equal(
        served.half_widths(windows, windows), np.tile([4.0, 5.0, 6.0], (7, 1))
    )


def test_plain_numbers_are_served_as_a_network_is(made: Made, tmp_path: Path) -> None:
    model, series, _ = made
    framing = Framing(window=168, horizon=3)
    prepared = open_test(series, framing)
    data = baseline_data(prepared)
    for name in BASELINES:
        fitted = fit([name], data)[name]
        (tmp_path / "model.json").write_text(json.dumps(fitted.as_plain()))
        (tmp_path / "facts.json").write_text(json.dumps(model.facts | {"window": 168}))
        place = tmp_path / name
        save(
            place,
            [tmp_path / "model.json"],
            model.facts | {"window": 168},
            raw_rows(series, "When").iloc[:168],
        )
        assert "keras" not in (place / "requirements.txt").read_text()
        served = Forecaster(*model_files(place))
        rows = raw_rows(series, "When")
        _, local, values = served.read(rows)
        np.testing.assert_array_equal(
            served.forecast(local, values, prepared.held_out.origins),
            fitted.forecast(data.rows, prepared.held_out.origins),
        )
        assert np.isfinite(served.coming(rows)["forecast"]).all()
    (tmp_path / "model.json").write_text('{"kind": "pickle"}')
    with pytest.raises(ValueError, match="expected a forecaster"):
        Forecaster(tmp_path / "model.json", tmp_path / "facts.json")


@pytest.fixture(scope="module")
def blended(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model of three quarters of a network and a quarter of what was a week ago."""
    model, series, network = made
    numbers = tmp_path_factory.mktemp("parts") / "week.json"
    numbers.write_text(json.dumps({"kind": "lags", "back": [168, 167, 166]}))
    shares = {"model.keras": 0.75, "model.json": 0.25}
    parts = [{"file": name, "weight": share} for name, share in shares.items()]
    facts = model.facts | {"window": 168, "parts": parts}
    place = tmp_path_factory.mktemp("blended") / "model"
    save(place, [network, numbers], facts, raw_rows(series, "When").iloc[:168])
    return place


def test_a_weighted_sum_forecasts_what_its_parts_do(made: Made, blended: Path) -> None:
    model, series, _ = made
    assert "keras" in (blended / "requirements.txt").read_text()
    file, facts = model_files(blended)
    assert file.name == "model.keras"
    served, rows = Forecaster(file, facts), raw_rows(series, "When")
    _, local, values = served.read(rows)
    origins = np.arange(168, len(series) - 2)
    week = series.target[origins[:, None] + np.arange(3) - 168]
    expected = 0.75 * model.forecast(local, values, origins) + 0.25 * week
    np.testing.assert_allclose(served.forecast(local, values, origins), expected)
    apart = forecast_windows(blended, rows, origins)
    np.testing.assert_allclose(apart, expected, rtol=1e-5)
    coming = served.coming(rows.iloc[-168:])["forecast"]
    np.testing.assert_allclose(
        coming, 0.75 * model.coming(rows)["forecast"] + 0.25 * series.target[-168:-165], rtol=1e-5
    )


def test_a_weighted_sum_asks_for_the_history_of_its_longest_part(
    made: Made, blended: Path, tmp_path: Path
) -> None:
    served = Forecaster(*model_files(blended))
    with pytest.raises(WrongRows, match="expected at least 168 hours, found 167"):
        served.coming(raw_rows(made[1], "When").iloc[-167:])
    place = tmp_path / "model"
    shutil.copytree(blended, place)
    file, facts = model_files(place)
    whole = json.loads(facts.read_text())
    facts.write_text(json.dumps(whole | {"window": 24}))
    with pytest.raises(ValueError, match=r"model\.json reads 168 hours .* the facts say 24"):
        Forecaster(file, facts)
    facts.write_text(json.dumps(whole))
    file.with_name("model.json").unlink()
    with pytest.raises(Refused, match=r"lacks model\.json"):
        model_files(place)


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [{"file": "../model.keras", "weight": 1.0}],
        [{"file": "model.keras", "weight": 0.5}] * 2,
        [{"file": "model.keras", "weight": float("nan")}],
    ],
)
def test_parts_that_make_no_sense_are_not_served(
    made: Made, tmp_path: Path, parts: list[dict[str, object]]
) -> None:
    model, _, network = made
    shutil.copy(network, tmp_path / "model.keras")
    (tmp_path / "facts.json").write_text(json.dumps(model.facts | {"parts": parts}))
    with pytest.raises(ValueError, match="expected"):
        Forecaster(tmp_path / "model.keras", tmp_path / "facts.json")


def test_a_weighted_sum_is_served_from_its_folder_alone(made: Made, blended: Path) -> None:
    raw_rows(made[1], "When").to_csv(blended.parent / "rows.csv", index=False)
    code = (
        "import mlflow, pandas as pd, sys\n"
        "model = mlflow.pyfunc.load_model('model')\n"
        "print(model.predict(pd.read_csv('rows.csv')).forecast.to_list())\n"
        "ours = [m for n, m in sys.modules.items() if n.split('.')[0] in ROOMS]\n"
        "assert len(ours) >= 5 and all('/model/code/' in m.__file__ for m in ours), ours\n"
    ).replace("ROOMS", "('served', 'search', 'models', 'data_pipeline')")
    environ = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=blended.parent,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    served = Forecaster(*model_files(blended))
    expected = served.coming(raw_rows(made[1], "When"))["forecast"]
    np.testing.assert_allclose(json.loads(done.stdout), expected, rtol=1e-6)


def test_a_clock_that_changes_is_followed(tmp_path: Path) -> None:
    model, series, _ = _made(tmp_path, "Europe/Berlin")
    rows = raw_rows(series, "When")
    assert {text[-6:] for text in rows["When"]} == {"+01:00", "+02:00"}
    instants, local, _ = model.read(rows)
    assert local.equals(series.local) and len(instants) == len(series)
    # As clock times alone, which jump over the hour that spring takes away.
    rows["When"] = [moment.isoformat() for moment in series.local]
    assert model.read(rows)[1].equals(series.local)


def _without(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns="Wind")


def _blank(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[7, "Load"] = np.nan
    return frame


def _infinite(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[9, "Wind"] = np.inf
    return frame


def _gap(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(index=12)


def _other_unit(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(Load=frame["Load"] / 1000)


def _no_time(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[3, "When"] = "yesterday"
    return frame


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda frame: frame.iloc[:10], "expected at least 24 hours, found 10"),
        (_without, r"no column \['Wind'\]; expected \['When', 'Wind', 'Load'\]"),
        (_blank, r"column 'Load': expected a number, found nan in row 7 \(1 such rows\)"),
        (_infinite, "column 'Wind': expected a number, found inf in row 9"),
        (_gap, "row 11 and 2024-03-10 13:00:00 in row 12"),
        (_other_unit, r"column 'Load' \(kW\): 0.05\d+ at 2024-03-11 00:00:00 and 24 of"),
        (_no_time, "column 'When': expected times"),
        (lambda frame: frame[::-1], "each row one hour after"),
    ],
)
def test_p5_rows_it_was_not_trained_for_are_refused_by_place(
    made: Made, spoil: Callable[[pd.DataFrame], pd.DataFrame], said: str
) -> None:
    model, series, _ = made
    with pytest.raises(WrongRows, match=said):
        model.coming(spoil(raw_rows(series, "When").iloc[:48].copy()))


def test_a_window_somewhat_outside_is_forecast_with_a_doubt_and_far_outside_refused(
    made: Made,
) -> None:
    model, series, _ = made
    rows = raw_rows(series, "When").iloc[:48]
    low, spread = model.facts["minimum"][1], model.facts["range"][1]
    assert model.doubts(rows) == []
    warm = rows.copy()
    warm.loc[warm.index[-5:], "Load"] = low + 1.3 * spread
    (doubt,) = model.doubts(warm)
    assert doubt.startswith("5 of the last 24 values of 'Load' lie outside 50 to 5")
    assert len(model.coming(warm)) == 3
    # All of a window by a hair, which a level that drifts may be, and by half of the range.
    assert len(model.coming(rows.assign(Load=low - 0.01 * spread))) == 3
    for level in (low - 0.5 * spread, low + 1.5 * spread):
        with pytest.raises(WrongRows, match="24 of the last 24 values in all lie far outside"):
            model.coming(rows.assign(Load=level))
    with pytest.raises(WrongRows, match="1 of the last 24 values in all lie far outside"):
        model.coming(warm.assign(Load=[*rows["Load"].iloc[:-1], low + 2.5 * spread]))


def test_a_folder_is_told_from_a_changed_one_and_a_pickle_is_refused(
    made: Made, tmp_path: Path
) -> None:
    model, series, network = made
    place = tmp_path / "model"
    save(place, [network], model.facts, raw_rows(series, "When").iloc[:24])
    before = digest(place)
    again = Forecaster(*model_files(place))
    assert again.facts == model.facts
    written = next(place.rglob("*.py")).parent / "__pycache__" / "served.cpython-311.pyc"
    written.parent.mkdir()
    written.write_bytes(b"bytecode of a server")
    assert digest(place) == before
    (place / "notes.txt").write_text("new")
    assert digest(place) != before
    (place / "x.pkl").write_bytes(b"")
    with pytest.raises(Refused, match="a pickle may run any code"):
        model_files(place)
    (place / "x.pkl").unlink()
    model_files(place)[0].unlink()
    with pytest.raises(Refused, match=r"lacks model\.keras"):
        model_files(place)


def test_p1_a_network_with_code_in_it_is_not_loaded(made: Made, tmp_path: Path) -> None:
    import keras

    hostile = keras.Sequential([keras.Input((24, 6)), keras.layers.Lambda(lambda x: x)])
    hostile.save(tmp_path / "hostile.keras")
    (tmp_path / "facts.json").write_text(json.dumps(made[0].facts))
    with pytest.raises(ValueError, match=r"(?i)lambda"):
        Forecaster(tmp_path / "hostile.keras", tmp_path / "facts.json")


def test_the_built_in_series_comes_back_as_rows() -> None:
    source = DataSource(start="2014-04-01", end="2014-04-02")
    series, _ = load_series(source)
    rows = raw_rows(series, "Date")
    assert list(rows) == ["Date", "Temperature", "Usage"] and len(rows) == 48
    assert rows["Date"].iloc[0] == "2014-04-01T00:00:00"
