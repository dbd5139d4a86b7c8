"""The options of `python -m search.benchmark`; quick to import.

It races programs, or makes one of the `COMPARISONS`. Each has its own options.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click
from click.core import ParameterSource

from experiments.catalogue import CATALOGUE

# Optuna's pruners that `--pruners` compares with no pruning.
PRUNERS = ("median", "quartile", "halving", "hyperband", "patient")


@dataclass(frozen=True)
class Budget:
    """How long a race is measured.

    Attributes:
        steps: alternations of single steps.
        points: configurations that both loops train.
        rounds: turns of each contender in the search; None: until those that count trials are done.
        turn: seconds of a turn in the search.
        epochs: maximum epochs of a trial in the search.
        takes: what to expect, in words.
        trials: number of trials in the search, for contenders that count them.
    """

    steps: int
    points: int
    rounds: int | None
    turn: float
    epochs: int
    takes: str
    trials: Mapping[str, int] = field(default_factory=dict)


BUDGETS = {
    "quick": Budget(8, 5, 4, 30.0, 20, "within 15 minutes on two cores"),
    "full": Budget(
        *(15, 8, None, 60.0, 50),
        "50 trials of this project, 8 of the stock loop, and KerasTuner as long as the faster of "
        "these two; over an hour on two cores",
        {"ours": 50, "stock": 8},
    ),
}


def _numbers(_context: click.Context, option: click.Parameter, value: str) -> tuple[int, ...]:
    parts = value.split(",")
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise click.BadParameter(f"expected whole numbers above 0 with commas, found {value!r}")
    found = tuple(int(part) for part in parts)
    if option.name == "retest" and len(found) != 3:
        raise click.BadParameter(f"expected finalists,seeds,folds, found {value!r}")
    return found


def _minutes(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> tuple[float, ...] | None:
    if value is None:
        return None
    try:
        found = tuple(float(part) for part in value.split(","))
    except ValueError as error:
        raise click.BadParameter(f"expected minutes with commas, found {value!r}") from error
    if not all(0 < one < float("inf") for one in found):
        raise click.BadParameter(f"expected minutes above 0, found {value!r}")
    return found


OF_RACE = [
    click.Option(
        ["--budget"],
        type=click.Choice(list(BUDGETS)),
        default="quick",
        show_default=True,
        help="; ".join(f"{name}: {budget.takes}" for name, budget in BUDGETS.items()) + ".",
    ),
    click.Option(
        ["--experiment", "experiment"],
        type=click.Choice([name for name, one in CATALOGUE.items() if one.sampled]),
        default=next(iter(CATALOGUE)),
        show_default=True,
        help="Data, windows and space.",
    ),
    click.Option(["--seed"], type=click.IntRange(0, 2**32 - 1), default=0, show_default=True),
]
OF_TUNERS = [
    click.Option(
        ["--seeds"],
        type=click.IntRange(min=2),
        help="With --tuners or --pruners: searches of each.  [default: 5; pruners: 20]",
    ),
    click.Option(
        ["--minutes"],
        callback=_minutes,
        help="With --tuners or --pruners: minutes of the simulated clock at which to compare.  "
        "[default: 1,2.5]",
    ),
    click.Option(
        ["--overhead"],
        type=click.FloatRange(min=0),
        default=0.15,
        show_default=True,
        help="With --tuners or --pruners: seconds per trial outside training.",
    ),
]
OF_PRUNERS = [
    *OF_TUNERS,
    click.Option(
        ["--pruner", "chosen"],
        multiple=True,
        type=click.Choice(PRUNERS),
        help="With --pruners: compare only this one; may be repeated.  [default: all]",
    ),
]
OF_FLOOR = [
    click.Option(
        ["--period", "periods"],
        type=click.Choice(["q1", "q2", "q3", "q4", "year"]),
        multiple=True,
        help="With --floor: test period; may be repeated.  [default: all]",
    ),
    click.Option(
        ["--horizons"],
        callback=_numbers,
        default="1,24",
        show_default=True,
        help="With --floor: hours ahead.",
    ),
    click.Option(
        ["--trials"],
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="With --floor: trials of the search; 0 measures only the baselines, in ten minutes.",
    ),
    click.Option(
        ["--epochs"],
        type=click.IntRange(min=1),
        help="With --floor: maximum epochs of a trial.  [default: 50]",
    ),
    click.Option(
        ["--retest"],
        callback=_numbers,
        default="5,3,3",
        show_default=True,
        help="With --floor: finalists, seeds and folds of the promotion.",
    ),
]
COMPARISONS = {
    click.Option(
        ["--tuners"],
        is_flag=True,
        help="Compare Optuna's samplers and KerasTuner's oracles instead. Replays measured "
        "learning curves of the default experiment; within a minute on two cores.",
    ): OF_TUNERS,
    click.Option(
        ["--pruners"],
        is_flag=True,
        help="Compare Optuna's pruners instead, with the same replay; within ten minutes.",
    ): OF_PRUNERS,
    click.Option(
        ["--floor"],
        is_flag=True,
        help="Compare baselines, the notes' three networks and a search instead, on the test hours "
        "of each quarter and of the whole built-in year. Run again to resume.",
    ): OF_FLOOR,
}
OF_ALL = [
    click.Option(
        ["--out"],
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("mlruns/benchmark"),
        show_default=True,
        help="Folder for the table, the plot and the JSON file.",
    ),
    click.Option(["--json", "as_json"], is_flag=True, help="Print the result as JSON."),
]
ALL: list[click.Parameter] = list(
    dict.fromkeys(
        [*OF_RACE, *COMPARISONS, *(one for own in COMPARISONS.values() for one in own), *OF_ALL]
    )
)


def refuse_foreign(context: click.Context) -> None:
    """Refuse an option of a comparison that was not requested, rather than ignore it.

    Raises:
        UsageError: there is such an option, or more than one comparison.
    """
    asked = [flag for flag in COMPARISONS if context.params[str(flag.name)]]
    if len(asked) > 1:
        flags = " and ".join(flag.opts[0] for flag in asked)
        raise click.UsageError(f"{flags} are {len(asked)} comparisons: give one of them")
    own = COMPARISONS[asked[0]] if asked else OF_RACE
    for option in ALL:
        given = context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
        if given and option not in [*own, *COMPARISONS, *OF_ALL]:
            homes = [flag.opts[0] for flag, theirs in COMPARISONS.items() if option in theirs]
            flags = " or ".join(homes or [flag.opts[0] for flag in COMPARISONS])
            raise click.UsageError(
                f"{option.opts[0]} goes {'with' if homes else 'without'} {flags}"
            )
