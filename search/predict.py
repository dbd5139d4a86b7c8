"""`python -m search.predict`: the champion's forecast of the hours after the end of a file.

CSV goes to standard output, everything else to standard error. Exit codes: 0 done, 1 refused,
2 wrong input.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from search.common import commands
from search.common.errors import DONE, Refused, WrongInput
from search.common.reading import chosen, reading_options, with_commands

if TYPE_CHECKING:
    import pandas as pd

    from data_pipeline.report import DataReport
    from data_pipeline.series import HourlySeries
    from data_pipeline.source import DataSource
    from search.serving.served import Forecaster


@click.command(context_settings={"max_content_width": 100})
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Meter file.")
@click.option("--name", help="Name of the registered model.  [default: the one in service]")
@reading_options
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Save a plot as PNG.")
@click.option(
    "--backtest", is_flag=True, help="Measure the champion's error on past hours of the file."
)
@click.option("--tracking-uri", help="MLflow store.  [default: mlruns/mlflow.db]")
def main(**options: Any) -> None:
    """Forecast the hours after the end of a CSV file with the model in service (champion)."""
    sys.exit(commands.exit_code(lambda: _predict(options)))


def _predict(options: dict[str, Any]) -> int:
    from search.common.stores import check_name, choose_stores

    stores = choose_stores(None, options["tracking_uri"])
    if options["name"] is not None:
        check_name("--name", options["name"])
    if not options["data"].is_file():
        raise WrongInput(f"--data {options['data']}: expected a CSV file, found none")
    plot = options["plot"]
    if plot is not None and options["backtest"]:
        raise WrongInput("--plot draws coming hours and --backtest judges past hours: give one")
    if plot is not None and (plot.suffix.lower() != ".png" or not plot.absolute().parent.is_dir()):
        raise WrongInput(f"--plot {plot}: expected the name of a PNG in an existing folder")

    from data_pipeline.known_ahead import not_known
    from search.serving.model_folder import model_files, raw_rows
    from search.serving.registry import Registry, need_store, the_model
    from search.serving.served import too_few

    need_store(stores)
    registry = Registry(stores, options["name"] or the_model(stores))
    version = registry.champion()
    if version is None:
        raise Refused(f"no version of a model {registry.name!r} is in service")
    with tempfile.TemporaryDirectory() as place:
        model_file, file = model_files(registry.fetch(version, Path(place)))
        facts = json.loads(file.read_text(encoding="utf-8"))
        series = _series(options, facts)
        if said := too_few(len(series), facts):
            raise WrongInput(
                f"--data: {said} with none missing between them up to the end.\n"
                "Next: a longer file, or fill short gaps with --gaps interpolate and --max-gap."
            )
        ahead = facts.get("known_ahead", ())
        found, last = len(series.coming), series.local[-1]
        said = not_known(ahead, found, facts["horizon"], last, facts["target"])
        if said and not options["backtest"]:
            raise WrongInput(
                f"--data: {said}.\nNext: add a row for each of these hours, with "
                f"{' and '.join(map(repr, ahead))} and an empty {facts['target']!r}."
            )
        rows = raw_rows(series, facts["time"])
        model = _open(model_file, file)
        click.echo(
            f"Version {version} of model {registry.name}, {_kind(model_file, facts)}, "
            f"{facts['unit']}, {facts['horizon']} hour(s) ahead",
            err=True,
        )
        for line in registry.overridden(version):
            click.echo(f"warning: promoted by force although {line}", err=True)
        if options["backtest"]:
            _backtest(model, rows, series, facts)
        else:
            _forecast(model, rows, series, facts, plot)
    return DONE


def _kind(model_file: Path, facts: dict[str, Any]) -> str:
    if len(facts.get("parts", ())) > 1:
        return "a blend of a network and a baseline"
    return "a network" if model_file.suffix == ".keras" else "a baseline"


def _series(options: dict[str, Any], facts: dict[str, Any]) -> "HourlySeries":
    """The file's series, with the column names of the model."""
    import dataclasses

    import pydantic

    from data_pipeline.rules import rules_of_before
    from data_pipeline.source import DataSource

    before = {name: facts[name] for name in ("time", "target", "features")} | {"tz": facts["zone"]}
    kept = rules_of_before(facts.get("reading") or before)
    _check_features(options, facts)
    fixed = {**kept, **chosen(options), "path": options["data"], "unit": facts["unit"]}
    if options["features"] is not None and kept.get("known_ahead"):
        # The columns may be called otherwise in this file. Their order is the model's.
        pairs = zip(options["features"], kept["features"], strict=True)
        fixed["known_ahead"] = [name for name, own in pairs if own in kept["known_ahead"]]
    try:
        source = DataSource.model_validate(fixed)
        series, report = _load(source, set(chosen(options)))
    except pydantic.ValidationError as error:
        raise WrongInput("; ".join(str(e["msg"]) for e in error.errors())) from error
    for line in report.lines():
        click.echo(line, err=True)
    names = dict(zip(series.covariate_names, facts["features"], strict=True))
    return dataclasses.replace(
        series,
        target_name=facts["target"],
        covariate_names=tuple(facts["features"]),
        known_ahead=tuple(names[name] for name in series.known_ahead),
    )


def _check_features(options: dict[str, Any], facts: dict[str, Any]) -> None:
    """Check that the options name as many columns as the model takes, and those known ahead."""
    from data_pipeline.raw_rows import columns_given

    own, features = columns_given(facts)[:-1], options["features"]
    if features is not None and len(features) != len(own):
        raise WrongInput(f"--features: the model takes {len(own)} ({own}), found {len(features)}")
    ahead = facts.get("known_ahead", [])
    named = own if features is None else features
    expected = [name for name, known in zip(named, own, strict=True) if known in ahead]
    if options["known_ahead"] is not None and set(options["known_ahead"]) != set(expected):
        raise WrongInput(
            f"--known-ahead: the model knows {expected or 'nothing'} ahead, found "
            f"{list(options['known_ahead'])}.\nNext: leave the option out, or search and promote "
            "with it."
        )
    holidays, given = facts.get("holidays") or "", options["holidays"]
    if given not in (None, holidays):
        raise WrongInput(
            f"--holidays: the model reads {holidays or 'none'}, found {given or 'none'}.\n"
            "Next: leave the option out, or search and promote with it."
        )


def _load(source: "DataSource", told: set[str]) -> "tuple[HourlySeries, DataReport]":
    """The last hours of a file, read by the rules of the training file if they fit."""
    from data_pipeline.errors import DataError
    from data_pipeline.load import load_last_hours

    try:
        return load_last_hours(source)
    except DataError as error:
        # The format may differ from that of the training file, but not the meaning.
        written = {"encoding", "header", "decimal", "thousands", "date_format"} - told
        anew = source.change(**dict.fromkeys(written, None))
        try:
            if anew == source:
                raise error
            found = load_last_hours(anew)
        except DataError:
            raise with_commands(error, source, load_last_hours, "search.predict") from error
        click.echo(
            "The file's format differs from that of the training file; read again.", err=True
        )
        return found


def _open(model: Path, facts: Path) -> "Forecaster":
    from search.serving.served import NETWORK, Forecaster

    try:
        if model.suffix != Path(NETWORK).suffix:
            return Forecaster(model, facts)
        from models.tensorflow_start import hide_gpus, quiet_start, tensorflow_start

        quiet_start()
        hide_gpus(unless_chosen=True)
        with tensorflow_start():
            return Forecaster(model, facts)
    except (ValueError, OSError, KeyError) as error:
        raise Refused(f"the champion cannot be loaded: {error}") from error


def _forecast(
    model: "Forecaster",
    rows: "pd.DataFrame",
    series: "HourlySeries",
    facts: dict[str, Any],
    plot: Path | None,
) -> None:
    from search.serving.served import WrongRows, hours_needed

    try:
        coming = model.coming(rows)
        doubts = model.doubts(rows.tail(hours_needed(facts) + len(series.coming)))
    except WrongRows as error:
        raise WrongInput(f"--data: {error}") from error
    for line in doubts:
        click.echo(f"warning: {line}", err=True)
    shown = coming.round(6)
    click.echo(shown.to_csv(index=False, lineterminator="\n"), nl=False)
    if plot is None:
        return
    import pandas as pd

    from search.figures import outlook, png

    # Show the clock without the offset: the offset may change within these hours.
    ahead = pd.DatetimeIndex(pd.to_datetime(coming[facts["time"]].str[:19]))
    figure = outlook(
        series.local,
        series.target,
        ahead,
        coming["forecast"].to_numpy(),
        coming["low"].to_numpy(),
        coming["high"].to_numpy(),
        series.unit,
        f"Forecast, {series.name}",
    )
    try:
        plot.write_bytes(png(figure))
    except OSError as error:
        raise Refused(f"--plot {plot} cannot be written: {error.strerror}") from error
    click.echo(f"Drawn: {plot}", err=True)


def _backtest(
    model: "Forecaster", rows: "pd.DataFrame", series: "HourlySeries", facts: dict[str, Any]
) -> None:
    """Print the scores of the champion and of simple forecasts as CSV, by period."""
    import pandas as pd

    from search.serving.backtest import backtest, too_short
    from search.serving.served import WrongRows

    if complaint := too_short(len(series), facts):
        raise WrongInput(f"--backtest: {complaint}")
    try:
        _, local, values = model.read(rows)
    except WrongRows as error:
        raise WrongInput(f"--data: {error}") from error
    table, notes = backtest(model, local, values)
    for line in notes:
        click.echo(line, err=True)
    click.echo(pd.DataFrame(table).to_csv(index=False, lineterminator="\n"), nl=False)


if __name__ == "__main__":
    main()
