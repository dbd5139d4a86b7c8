"""`python -m search.report`: the trade-off report of one or more studies.

Exit codes: 0 done, 1 refused, 2 wrong input.
"""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from search.common import commands
from search.common.errors import DONE, WrongInput

if TYPE_CHECKING:
    from search.common.spool import Forecasts
    from search.common.stores import Stores
    from search.report.translations import Language
    from search.report.values import Facts
    from search.tuning.kept_studies import KeptStudy


@click.command(context_settings={"max_content_width": 100})
@click.option(
    "--study", "studies", multiple=True, required=True, help="Study to report; may be repeated."
)
@click.option(
    "--language",
    type=click.Choice(["en", "ko"]),
    default="en",
    show_default=True,
    help="Language of the page and its figures.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to.  [default: mlruns/report/STUDY]",
)
@click.option("--storage", help="URL of the study database.  [default: mlruns/optuna.db]")
@click.option("--tracking-uri", help="MLflow store.  [default: mlruns/mlflow.db]")
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def main(
    studies: tuple[str, ...],
    language: "Language",
    out: Path | None,
    storage: str | None,
    tracking_uri: str | None,
    as_json: bool,
) -> None:
    """Write the trade-off of one or more studies as a page, figures, tables and facts."""

    def work() -> int:
        from search.common.stores import check_name, choose_stores
        from search.report.values import plain
        from search.report.verdict import sentences

        for name in studies:
            check_name("--study", name)
        stores = choose_stores(storage, tracking_uri)
        place = out or stores.root / "report" / studies[0]
        found = _report(studies, language, place, stores)
        if as_json:
            click.echo(json.dumps(plain(found), indent=2))
        else:
            page = f"Page: {place / 'index.html'}"
            # On the page a command is for any machine, here for this one.
            said = [
                line.replace("python -m", f"{commands.python()} -m")
                for line in sentences(found, language)
            ]
            click.echo("\n".join([*said, "", page]))
        return DONE

    sys.exit(commands.exit_code(work))


def _report(names: Sequence[str], language: "Language", place: Path, stores: "Stores") -> "Facts":
    from search.engine.facts import with_floor
    from search.report.facts import facts
    from search.report.page import render
    from search.report.values import plain
    from search.tuning.kept_studies import read_study
    from search.tuning.storage import open_existing

    opened = open_existing(stores.storage, stores.schema_lock)
    studies = [
        with_floor(read_study(opened, name), lambda line: click.echo(line, err=True))
        for name in dict.fromkeys(names)
    ]
    try:
        found = facts(studies)
    except ValueError as error:
        raise WrongInput(f"--study: {error}") from error
    place.mkdir(parents=True, exist_ok=True)
    kept = _forecasts(found, studies, stores)
    svgs = _write_figures(found, language, kept, place)
    (place / "index.html").write_text(render(found, svgs, language, kept), encoding="utf-8")
    (place / "facts.json").write_text(json.dumps(plain(found), indent=2), encoding="utf-8")
    _write_tables(found, place)
    _write_weeks(found, kept, place)
    _log(place, studies, stores)
    return found


def _forecasts(
    found: "Facts", studies: Sequence["KeptStudy"], stores: "Stores"
) -> dict[tuple[str, int], "Forecasts"]:
    """The forecasts of all trials that are drawn hour by hour; says which ones MLflow lacks."""
    from search.report.facts import in_a_week
    from search.report.slider import shown_curves
    from search.report.wall import candidates, three
    from search.tracking.existing_runs import KeptRuns, NotThere

    by_name = {study.name: study for study in studies}
    shown = [(row.study, row.trial) for row in (*in_a_week(found), *three(found))]
    shown += [
        (level.study, level.trial)
        for curve in shown_curves(found.tradeoff)
        for level in curve.levels
    ]
    kept: dict[tuple[str, int], Forecasts] = {}
    missing: dict[str, list[str]] = {}

    def fetch(name: str, trial: int) -> str:
        """Keep the forecasts of a trial; the reason if there are none, else ""."""
        study = by_name[name]
        try:
            runs = KeptRuns(stores.tracking, study.contract["experiment"], study.identity)
            kept[name, trial] = runs.forecasts(trial)
        except NotThere as error:
            return f"study {name}: {error}"
        return ""

    for name, trial in dict.fromkeys(shown):
        if why := fetch(name, trial):
            missing.setdefault(why, []).append(str(trial))
    for first, *others in candidates(found):
        if (first.study, first.trial) not in kept:
            any(not fetch(row.study, row.trial) for row in others)  # up to the first that has some
    for why, trials in missing.items():
        click.echo(f"No week of trial {', '.join(trials)} of {why}", err=True)
    return kept


def _write_weeks(found: "Facts", kept: Mapping[tuple[str, int], "Forecasts"], place: Path) -> None:
    designs = {(row.study, row.trial): row.design for row in found.trials}
    with (place / "weeks.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["study", "trial", "design", "time", "actual", "forecast"])
        for (study, trial), forecasts in kept.items():
            values = zip(
                forecasts.times, forecasts.actual[:, 0], forecasts.forecast[:, 0], strict=True
            )
            for time, actual, forecast in values:
                named = [study, trial, designs[study, trial], time.isoformat()]
                writer.writerow([*named, f"{actual:.6g}", f"{forecast:.6g}"])


def _write_figures(
    found: "Facts",
    language: "Language",
    kept: Mapping[tuple[str, int], "Forecasts"],
    place: Path,
) -> dict[str, str]:
    from search.figures import png
    from search.figures.fonts import hangul_font
    from search.report.figures import draw
    from search.report.svg import font_for, svg

    svgs = {}
    with font_for(hangul_font() if language == "ko" else None):
        for name, figure in draw(found, language, kept).items():
            (place / f"{name}.png").write_bytes(png(figure))
            svgs[name] = svg(figure)
            (place / f"{name}.svg").write_text(svgs[name], encoding="utf-8")
    return svgs


def _write_tables(found: "Facts", place: Path) -> None:
    from search.report.values import flat

    comparisons = [
        {"claim": claim.id, "verdict": claim.verdict} | flat(one)
        for claim in found.claims
        for one in claim.comparisons
    ]
    for name, rows in (
        ("trials", [flat(row) for row in found.trials]),
        ("designs", [flat(row) for row in found.designs]),
        ("baselines", [flat(row) for row in found.baselines]),
        ("claims", comparisons),
    ):
        with (place / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            names = list(dict.fromkeys(key for row in rows for key in row))
            writer = csv.DictWriter(file, names, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def _log(place: Path, studies: Sequence["KeptStudy"], stores: "Stores") -> None:
    from search.tracking.existing_runs import KeptRuns, NotThere

    for study in studies:
        try:
            runs = KeptRuns(stores.tracking, study.contract["experiment"], study.identity)
            runs.log_report(place)
        except NotThere as error:
            click.echo(f"Not logged to MLflow for study {study.name}: {error}", err=True)


if __name__ == "__main__":
    main()
