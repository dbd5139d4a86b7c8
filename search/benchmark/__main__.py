"""`python -m search.benchmark`: this project against stock loops, or tuners against each other.

Exit codes: 0 done, 1 a contender failed, 2 wrong input, 130 or 143 interrupted.
"""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from experiments.catalogue import CATALOGUE
from search.benchmark import options
from search.common.errors import DONE, INTERRUPTED, REFUSED_OR_FAILED, TERMINATED, Refused

if TYPE_CHECKING:
    from search.benchmark.turns import Contender


@dataclass(frozen=True)
class _Budget:
    """How long to measure.

    Alternations of single steps; points of the paired part; rounds (None: until those that count
    trials are done), seconds of a turn and epochs of the search part; what to expect of it all; how
    many trials a contender makes, of those that count them.
    """

    steps: int
    points: int
    rounds: int | None
    turn: float
    epochs: int
    takes: str
    trials: Mapping[str, int] = field(default_factory=dict)


_POINT_EPOCHS = 3
_BUDGETS = {
    "quick": _Budget(8, 5, 4, 30.0, 20, "within 15 minutes on two cores"),
    "full": _Budget(
        *(15, 8, None, 60.0, 50),
        "50 trials of this project, 8 of the stock loop and KerasTuner for as long as the quicker "
        "of them takes, over an hour on two cores",
        {"ours": 50, "stock": 8},
    ),
}
_TUNERS = ("hyperband", "bayesian")


@click.command(context_settings={"max_content_width": 100})
@click.option(
    "--budget",
    type=click.Choice(list(_BUDGETS)),
    default="quick",
    show_default=True,
    help="; ".join(f"{name}: {budget.takes}" for name, budget in _BUDGETS.items()) + ".",
)
@click.option(
    "--experiment",
    "experiment_name",
    type=click.Choice([name for name, one in CATALOGUE.items() if one.sampled]),
    default=next(iter(CATALOGUE)),
    show_default=True,
    help="Data, windows and space.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True)
@click.option(
    "--tuners",
    is_flag=True,
    help="Compare Optuna's samplers and KerasTuner's oracles instead, by replaying measured "
    "learning curves of the default experiment; a minute and a half on two cores.",
)
@click.option(
    "--seeds",
    type=click.IntRange(min=2),
    default=5,
    show_default=True,
    help="With --tuners: searches of each.",
)
@click.option(
    "--minutes",
    callback=options.minutes,
    default="5,10,20",
    show_default=True,
    help="With --tuners: when the errors are read, on the replayed clock.",
)
@click.option(
    "--floor",
    is_flag=True,
    help="Compare baselines, the notes' three networks and a search on the test hours of the "
    "built-in year's quarters and its whole instead; run again, it goes on.",
)
@click.option(
    "--period",
    "periods",
    type=click.Choice(["q1", "q2", "q3", "q4", "year"]),
    multiple=True,
    help="With --floor: may be repeated.  [default: all]",
)
@click.option(
    "--horizons",
    callback=options.numbers,
    default="1,24",
    show_default=True,
    help="With --floor: hours ahead.",
)
@click.option(
    "--trials",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="With --floor: of the search; 0 measures the baselines alone, in ten minutes.",
)
@click.option(
    "--epochs", type=click.IntRange(min=1), help="With --floor: most of a trial.  [default: 50]"
)
@click.option(
    "--retest",
    callback=options.numbers,
    default="5,3,3",
    show_default=True,
    help="With --floor: finalists, seeds and folds of the promotion.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("mlruns/benchmark"),
    show_default=True,
    help="Folder of the table, the plot and the JSON file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def main(
    context: click.Context,
    budget: str,
    experiment_name: str,
    seed: int,
    tuners: bool,
    seeds: int,
    minutes: tuple[float, ...],
    floor: bool,
    periods: tuple[str, ...],
    horizons: tuple[int, ...],
    trials: int,
    epochs: int | None,
    retest: tuple[int, int, int],
    out: Path,
    as_json: bool,
) -> None:
    """Race this project, a stock Optuna and Keras loop, and KerasTuner, in turns on one machine."""
    _refuse_options(context, tuners, floor)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.BadParameter(f"{out} cannot be made: {error}", param_hint="--out") from error
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # by way of every `finally`
    if tuners:
        _compare_tuners(seeds, minutes, out, as_json)
        sys.exit(DONE)
    if floor:
        sys.exit(_measure_floor(periods, horizons, (trials, epochs, retest), out, as_json))
    found: dict[str, Any] = {"budget": budget, "seed": seed, "experiment": experiment_name}
    kept = out / "benchmark.json"
    try:
        for part in _parts(_BUDGETS[budget], experiment_name, seed, out):
            # Hours were spent on it: a later part's failure does not lose it.
            found |= part
            kept.write_text(json.dumps(found, indent=2))
    except Refused as error:
        click.echo(f"Refused: {error}\n{_measured(found, kept)}", err=True)
        sys.exit(REFUSED_OR_FAILED)
    except KeyboardInterrupt:
        click.echo(f"Interrupted. {_measured(found, kept)}", err=True)
        sys.exit(INTERRUPTED)
    from search.benchmark.report import figure, lines
    from search.figures import png

    text = "\n".join(lines(found)) + "\n"
    (out / "benchmark.txt").write_text(text)
    (out / "benchmark.png").write_bytes(png(figure(found)))
    click.echo(json.dumps(found, indent=2) if as_json else text, nl=False)
    click.echo(f"Written: {out}/benchmark.txt, .png and .json", err=True)
    sys.exit(DONE)


def _refuse_options(context: click.Context, tuners: bool, floor: bool) -> None:
    """Refuse an option of the comparison that was not asked for, rather than ignore it."""
    if tuners and floor:
        raise click.UsageError("--tuners and --floor are two comparisons: give one of them")
    race = ("budget", "experiment_name", "seed")
    own = options.OF_TUNERS if tuners else options.OF_FLOOR if floor else race
    others = {*race, *options.OF_TUNERS, *options.OF_FLOOR} - set(own)
    for parameter in context.command.params:
        given = context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
        if given and parameter.name in others:
            of = next(
                (
                    f"with {flag}"
                    for flag, names in (
                        ("--tuners", options.OF_TUNERS),
                        ("--floor", options.OF_FLOOR),
                    )
                    if parameter.name in names
                ),
                "without --tuners or --floor",
            )
            raise click.UsageError(f"{parameter.opts[0]} goes {of}")


def _measure_floor(
    periods: tuple[str, ...],
    horizons: tuple[int, ...],
    spent: tuple[int, int | None, tuple[int, int, int]],
    out: Path,
    as_json: bool,
) -> int:
    from search.benchmark.floor import PERIODS, Cell, Networks, figure, lines, measure
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
        click.echo(f"Refused: {error}\nRun again, it goes on where it stopped.", err=True)
        return REFUSED_OR_FAILED
    except KeyboardInterrupt:
        click.echo("Interrupted. Run again, it goes on where it stopped.", err=True)
        return INTERRUPTED
    (out / "floor.json").write_text(json.dumps(list(found.values()), indent=2))
    click.echo((out / ("floor.json" if as_json else "floor.md")).read_text(), nl=False)
    click.echo(f"Written: {out}/floor.md, .png and .json", err=True)
    return DONE


def _compare_tuners(seeds: int, minutes: tuple[float, ...], out: Path, as_json: bool) -> None:
    from search.benchmark.replay_contest import play
    from search.benchmark.tuners import advise, as_dict, contestants, figure, lines, table
    from search.figures import png

    there, absent = contestants()
    for line in absent:
        click.echo(line, err=True)
    try:
        contest = play(there, seeds, max(minutes), options.OVERHEAD)
    except KeyboardInterrupt:
        click.echo("Interrupted. Nothing was written.", err=True)
        sys.exit(INTERRUPTED)
    rows, advice = table(contest, minutes), advise(contest, max(minutes))
    text = "\n".join([*lines(contest, rows, advice, minutes, seeds), *absent]) + "\n"
    found = json.dumps(as_dict(contest, rows, advice, minutes), indent=2)
    (out / "tuners.txt").write_text(text)
    (out / "tuners.json").write_text(found)
    (out / "tuners.png").write_bytes(png(figure(contest, max(minutes))))
    click.echo(found if as_json else text, nl=False)
    click.echo(f"Written: {out}/tuners.txt, .png and .json", err=True)


def _measured(found: Mapping[str, Any], kept: Path) -> str:
    return f"What was measured before: {kept}" if "steps" in found else "Nothing was measured yet."


def _parts(budget: _Budget, experiment: str, seed: int, out: Path) -> Iterator[dict[str, Any]]:
    """Measure, and yield what each part found: steps, points alike, the search."""
    from experiments.lstm_space import to_flat
    from search.benchmark.job import Job, draw_points
    from search.benchmark.measures import summary
    from search.benchmark.turns import Contender, module_command, run_in_turns

    space = CATALOGUE[experiment].space
    points = [to_flat(design.parameters) for design in CATALOGUE[experiment].designs]
    points += draw_points(space, max(budget.points - len(points), 2), seed)

    def say(number: int, one: Contender) -> None:
        best = min((epoch.value for epoch in one.epochs), default=float("nan"))
        click.echo(
            f"round {number:2d}  {one.name:<12} {one.seconds:7.0f} s  {len(one.epochs):4d} epochs"
            f"  best MSE {best:.6f}",
            err=True,
        )

    click.echo("1 of 3: single training steps, one thread", err=True)
    yield {"steps": _steps(budget.steps), "points": points}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        place = Path(folder)

        def contender(name: str, turn: float, paired: bool, *command: str) -> Contender:
            label = f"{name}-{'paired' if paired else 'search'}"
            trials = None if paired else budget.trials.get(name)
            job = Job(
                experiment=experiment,
                epochs=_POINT_EPOCHS if paired else budget.epochs,
                seed=seed,
                points=tuple(points) if paired else None,
                folder=place / label,
                trials=trials,
            )
            module, *words = command
            argv = [*module_command(f"search.benchmark.{module}", *words), job.model_dump_json()]
            endless = not paired and trials is None
            return Contender(name, argv, out / f"{label}.log", turn, endless)

        click.echo(f"2 of 3: {len(points)} points alike, {_POINT_EPOCHS} epochs", err=True)
        # Turns in the proportion of what is expected, so that both are busy all the time.
        paired = [
            contender("ours", 6.0, True, "ours"),
            contender("stock", 24.0, True, "stock"),
        ]
        for number, one in run_in_turns(paired, None):
            say(number, one)
        yield _paired(paired, len(points))
        counted = ", ".join(f"{count} trials of {name}" for name, count in budget.trials.items())
        until = counted or f"{budget.rounds} turns"
        click.echo(f"3 of 3: search, {until}, {budget.turn:g} s a turn", err=True)
        racers = [
            contender("ours", budget.turn, False, "ours"),
            contender("stock", budget.turn, False, "stock"),
            *(contender(name, budget.turn, False, "keras_tuner_loop", name) for name in _TUNERS),
        ]
        for number, one in run_in_turns(racers, budget.rounds):
            say(number, one)
            yield {
                "trials": dict(budget.trials),
                "search": {
                    one.name: summary(one) | {"epochs_said": [asdict(e) for e in one.epochs]}
                    for one in racers
                },
            }


def _paired(contenders: "Sequence[Contender]", points: int) -> dict[str, Any]:
    """The whole machine, ours and stock, on `points` configurations that are alike."""
    from search.benchmark.measures import paired_ratio, seconds_per_epoch, summary
    from search.training.machine import default_workers

    workers = min(default_workers(()), points)
    ours, stock = (seconds_per_epoch(one.epochs) for one in contenders)
    both = sorted(ours.keys() & stock.keys())
    if len(both) < 2:
        raise Refused(
            f"expected two configurations or more of which both loops trained two epochs, found "
            f"{len(both)} of {points}; their output is in {contenders[0].log.parent}"
        )
    machine = paired_ratio([stock[t] for t in both], [ours[t] / workers for t in both])
    return {
        "workers": workers,
        "seconds_per_epoch": {"ours": ours, "stock": stock},
        "epochs_per_second_ratio": asdict(machine),
        "paired": {one.name: summary(one) for one in contenders},
    }


def _steps(rounds: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "search.benchmark.step", str(rounds)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Refused(f"measuring single steps failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
