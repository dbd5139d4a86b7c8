"""`python -m search.benchmark`: this project against stock loops, or a comparison of its parts.

Exit codes: 0 done, 1 a contender failed, 2 wrong input, 130 or 143 interrupted.
"""

import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from search.benchmark import options
from search.common.errors import DONE, INTERRUPTED, REFUSED_OR_FAILED, TERMINATED, Refused

# On the replayed clock; the default search takes two and a half.
MINUTES = (1, 2.5)


@click.command(params=options.ALL, context_settings={"max_content_width": 100})
@click.pass_context
def main(
    context: click.Context,
    budget: str,
    experiment: str,
    seed: int,
    tuners: bool,
    pruners: bool,
    seeds: int | None,
    minutes: tuple[float, ...] | None,
    overhead: float,
    chosen: tuple[str, ...],
    floor: bool,
    periods: tuple[str, ...],
    horizons: tuple[int, ...],
    trials: int,
    epochs: int | None,
    retest: tuple[int, int, int],
    out: Path,
    as_json: bool,
) -> None:
    """Compare this project, a stock Optuna and Keras loop, and KerasTuner on one machine."""
    options.refuse_foreign(context)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.BadParameter(f"{out} cannot be made: {error}", param_hint="--out") from error
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # runs every `finally`
    if tuners:
        sys.exit(_compare_tuners(seeds or 5, minutes or MINUTES, overhead, out, as_json))
    if pruners:
        names, read = chosen or options.PRUNERS, minutes or MINUTES
        sys.exit(_compare_pruners(names, seeds or 20, read, overhead, out, as_json))
    if floor:
        sys.exit(_measure_floor(periods, horizons, (trials, epochs, retest), out, as_json))
    sys.exit(_race(budget, experiment, seed, out, as_json))


def _race(budget: str, experiment: str, seed: int, out: Path, as_json: bool) -> int:
    from search.benchmark.race import race
    from search.benchmark.report import figure, lines

    found: dict[str, Any] = {"budget": budget, "seed": seed, "experiment": experiment}
    kept = out / "benchmark.json"
    try:
        for part in race(options.BUDGETS[budget], experiment, seed, out):
            # This took hours, so write it before a later part can fail.
            found |= part
            kept.write_text(json.dumps(found, indent=2))
    except Refused as error:
        click.echo(f"Refused: {error}\n{_measured(found, kept)}", err=True)
        return REFUSED_OR_FAILED
    except KeyboardInterrupt:
        click.echo(f"Interrupted. {_measured(found, kept)}", err=True)
        return INTERRUPTED
    return _write(out, "benchmark", lines(found), found, figure(found), as_json)


def _measured(found: Mapping[str, Any], kept: Path) -> str:
    return f"What was measured before: {kept}" if "steps" in found else "Nothing was measured yet."


def _compare_tuners(
    seeds: int, minutes: tuple[float, ...], overhead: float, out: Path, as_json: bool
) -> int:
    from search.benchmark import comparisons
    from search.benchmark.replay_contest import play

    there, absent = comparisons.tuners_here()
    for line in absent:
        click.echo(line, err=True)
    try:
        contest = play(there, seeds, max(minutes), overhead)
    except KeyboardInterrupt:
        return _nothing_written()
    rows = comparisons.tuner_table(contest, minutes)
    advice = comparisons.advise(contest, max(minutes))
    text = [*comparisons.tuner_lines(contest, rows, advice, minutes, seeds), *absent]
    found = {"minutes": list(minutes), "table": [asdict(row) for row in rows]}
    found |= {"advice": asdict(advice)} | contest.as_dict()
    drawn = comparisons.figure(contest, max(minutes))
    return _write(out, "tuners", text, found, drawn, as_json)


def _compare_pruners(
    names: tuple[str, ...],
    seeds: int,
    minutes: tuple[float, ...],
    overhead: float,
    out: Path,
    as_json: bool,
) -> int:
    from search.benchmark import comparisons
    from search.benchmark.replay_contest import play

    try:
        contest = play(comparisons.pruners(names), seeds, max(minutes), overhead)
    except KeyboardInterrupt:
        return _nothing_written()
    rows = comparisons.pruner_table(contest, minutes)
    text = comparisons.pruner_lines(contest, rows, minutes)
    found = {"minutes": list(minutes), "table": [asdict(row) for row in rows]}
    drawn = comparisons.figure(contest, max(minutes))
    return _write(out, "pruners", text, found | contest.as_dict(), drawn, as_json)


def _nothing_written() -> int:
    click.echo("Interrupted. Nothing was written.", err=True)
    return INTERRUPTED


def _measure_floor(
    periods: tuple[str, ...],
    horizons: tuple[int, ...],
    spent: tuple[int, int | None, tuple[int, int, int]],
    out: Path,
    as_json: bool,
) -> int:
    from search.benchmark.floor import PERIODS, Cell, Networks, measure
    from search.benchmark.floor_report import figure, lines
    from search.figures import png

    cells = [Cell(one, ahead) for ahead in horizons for one in periods or PERIODS]
    found: dict[str, dict[str, Any]] = {}
    try:
        for cell in measure(cells, Networks(*spent), out, lambda line: click.echo(line, err=True)):
            found[cell["cell"]] = cell
            text = "\n".join(lines(list(found.values()))) + "\n"
            (out / "floor.md").write_text(text)
            (out / "floor.png").write_bytes(png(figure(list(found.values()))))
    except Refused as error:
        click.echo(f"Refused: {error}\nRun the same command again to continue.", err=True)
        return REFUSED_OR_FAILED
    except KeyboardInterrupt:
        click.echo("Interrupted. Run the same command again to continue.", err=True)
        return INTERRUPTED
    (out / "floor.json").write_text(json.dumps(list(found.values()), indent=2))
    click.echo((out / ("floor.json" if as_json else "floor.md")).read_text(), nl=False)
    click.echo(f"Written: {out}/floor.md, .png and .json", err=True)
    return DONE


def _write(
    out: Path, name: str, lines: list[str], found: Mapping[str, Any], figure: Any, as_json: bool
) -> int:
    """Write text, facts and figure to `out`, and print the text or the facts."""
    from search.figures import png

    text, facts = "\n".join(lines) + "\n", json.dumps(found, indent=2)
    (out / f"{name}.txt").write_text(text)
    (out / f"{name}.json").write_text(facts)
    (out / f"{name}.png").write_bytes(png(figure))
    click.echo(facts if as_json else text, nl=False)
    click.echo(f"Written: {out}/{name}.txt, .png and .json", err=True)
    return DONE


if __name__ == "__main__":
    main()
