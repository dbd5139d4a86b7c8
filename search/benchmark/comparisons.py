"""Which tuner, and which pruner, finds the lowest validation error in the same time?

    python -m search.benchmark --tuners
    python -m search.benchmark --pruners

Both are tables over one contest of replayed searches, see `search.benchmark.replay_contest`.
Tuners: the default, Optuna's samplers without pruning, and KerasTuner's oracles, which never prune.
Pruners: the default search, the same without pruning, and with each of Optuna's pruners after some
warm-ups.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy import stats

from search.benchmark.curves import FloatArray
from search.benchmark.measures import Ratio, paired_ratio
from search.benchmark.replay_contest import Contest, Contestant, shown, surrogate_line
from search.common.drawing import BY_OPTUNA, KERAS_TUNER, OPTUNA, SAMPLERS, Drawing
from search.figures.canvas import (
    BLUE,
    GREY,
    INK,
    LABEL_PT,
    dress_panel,
    legend_below,
    new_panels,
)
from search.tuning.factory import missing_packages
from search.tuning.pruners import WARM_UP_EPOCHS

CONFIDENCE = 0.95
RESAMPLES = 9999
# The table of pruners also shows the error after this many trials.
TRIALS = 50
WARM_UPS = (4, 8, 16)
_COLUMNS = 4
# The last part of the time that sets the scale of a figure: the documents' networks come first, and
# their errors are several times as high.
LATE = 0.7


def named(drawing: Drawing) -> Contestant:
    """A way of drawing, with its name in the tables."""
    pruned = f" + {drawing.pruner}" if drawing.pruner != "none" else ""
    return Contestant(f"{drawing.tuner} {drawing.sampler}{pruned}", drawing)


DEFAULT = named(BY_OPTUNA)
TUNERS = (
    DEFAULT,
    # The simplest sampler with the default's pruner shows what the default's sampler adds.
    named(Drawing(OPTUNA, "random", DEFAULT.drawing.pruner)),
    *(named(Drawing(OPTUNA, sampler, "none")) for sampler in SAMPLERS[OPTUNA]),
    *(named(Drawing(KERAS_TUNER, sampler, "none")) for sampler in SAMPLERS[KERAS_TUNER]),
)


def with_pruner(pruner: str, warm_up: int) -> Contestant:
    """The default search with this pruner and warm-up, in epochs."""
    drawing = replace(BY_OPTUNA, pruner=pruner)
    return Contestant(f"{pruner}, {warm_up} epochs", drawing, warm_up)


UNPRUNED = Contestant("none", replace(BY_OPTUNA, pruner="none"))
DEFAULT_PRUNER = with_pruner(BY_OPTUNA.pruner, WARM_UP_EPOCHS)


def tuners_here() -> tuple[list[Contestant], list[str]]:
    """The tuners that can be replayed here, and a line for each that cannot."""
    there = [one for one in TUNERS if not missing_packages(one.drawing)]
    absent = [
        f"{one.name}: left out, needs {' and '.join(missing_packages(one.drawing))}"
        for one in TUNERS
        if one not in there
    ]
    return there, absent


def pruners(names: Sequence[str]) -> list[Contestant]:
    """The default pruner, none, and each of the pruners `names` with each of the warm-ups."""
    others = (with_pruner(one, warm_up) for one in names for warm_up in WARM_UPS)
    return list(dict.fromkeys([DEFAULT_PRUNER, UNPRUNED, *others]))


@dataclass(frozen=True)
class TunerRow:
    """One tuner: its errors after some numbers of minutes, and its rank at the end.

    Attributes:
        name: the contestant's name. trials: its mean number of trials in the whole time.
        errors: RMSE in the data's unit, geometric mean over seeds.
        ratio: its RMSE over the default's, paired by seed, at the end; None for the default.
        rank: mean over seeds; 1 is the lowest error; ties share a rank.
        rank_low, rank_high: 95 % bootstrap interval of the rank over seeds (percentile).
    """

    name: str
    trials: float
    errors: tuple[float, ...]
    ratio: Ratio | None
    rank: float
    rank_low: float
    rank_high: float


@dataclass(frozen=True)
class PrunerRow:
    """One pruner; errors are RMSE in the data's unit.

    Attributes:
        pruner: its name. trials: mean number in the whole time. pruned: share of pruned trials.
        errors: errors after some numbers of minutes, geometric mean over seeds.
        ratios: these errors over the default pruner's, paired by seed; below 1 is better.
        missed: share of seeds in which a pruned trial would have become the best.
        minutes_50, at_50, ratio_50: minutes until `TRIALS` trials have ended, RMSE then, and its
            ratio to the default pruner's; None if a seed does not reach that number.
    """

    pruner: str
    trials: float
    pruned: float
    errors: tuple[float, ...]
    ratios: tuple[Ratio | None, ...]
    missed: float
    minutes_50: float | None
    at_50: float | None
    ratio_50: Ratio | None


@dataclass(frozen=True)
class Advice:
    """The recommendation.

    Attributes:
        leader: the lowest mean rank. equal: others whose error is not significantly higher.
        recommended: the default if it leads or is among the equal, else the leader.
    """

    leader: str
    equal: tuple[str, ...]
    recommended: str


def tuner_table(contest: Contest, minutes: Sequence[float]) -> list[TunerRow]:
    """One row per tuner, lowest rank first."""
    last = max(minutes)
    placed = _ranks(contest, last)
    rows = []
    for at, (one, played) in enumerate(contest.played.items()):
        low, high = _interval(placed[:, at])
        rows.append(
            TunerRow(
                name=one.name,
                trials=float(np.mean([len(found.steps) for found in played])),
                errors=tuple(contest.mean_rmse(one, minute) for minute in minutes),
                ratio=None if one == DEFAULT else contest.ratio(one, DEFAULT, last),
                rank=float(placed[:, at].mean()),
                rank_low=low,
                rank_high=high,
            )
        )
    return sorted(rows, key=lambda row: row.rank)


def _ranks(contest: Contest, minutes: float) -> FloatArray:
    errors = np.column_stack([contest.rmse(one, minutes) for one in contest.played])
    return np.asarray(stats.rankdata(errors, axis=1), dtype=np.float64)


def _interval(values: FloatArray) -> tuple[float, float]:
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    found = stats.bootstrap(
        (values,),
        np.mean,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def advise(contest: Contest, minutes: float) -> Advice:
    """The recommendation from the errors after `minutes`.

    A contestant is as good as the leader if the 95 % interval of the ratio of their errors, paired
    by seed, includes 1. This is not corrected for the number of contestants, which can only make
    the list of equals too short.
    """
    ranks = _ranks(contest, minutes).mean(axis=0)
    everyone = list(contest.played)
    leader = everyone[int(np.argmin(ranks))]
    equal = tuple(
        one.name
        for one in everyone
        if one != leader and contest.ratio(one, leader, minutes).low <= 1.0
    )
    kept = DEFAULT.name in (leader.name, *equal)
    return Advice(leader.name, equal, DEFAULT.name if kept else leader.name)


def tuner_lines(
    contest: Contest, rows: Sequence[TunerRow], advice: Advice, minutes: Sequence[float], seeds: int
) -> list[str]:
    """The text for a person: the basis, the table as Markdown, the recommendation."""
    heads = [f"RMSE {contest.unit} after {minute:g} min" for minute in minutes]
    names = ["tuner", "trials", *heads, "RMSE / default's (95 %)", f"rank of {len(rows)} (95 %)"]
    cells = [
        [
            row.name,
            f"{row.trials:.0f}",
            *(f"{error:.1f}" for error in row.errors),
            _shown(row.ratio),
            f"{row.rank:.1f} ({row.rank_low:.1f} to {row.rank_high:.1f})",
        ]
        for row in rows
    ]
    text = [
        surrogate_line(contest),
        f"{seeds} seeds, two workers; overlapping intervals of a pair decide nothing",
        "",
        *_markdown(names, cells),
    ]
    same = ", ".join(advice.equal) or "none"
    text += [
        "",
        f"Lowest mean rank: {advice.leader}. Not significantly worse: {same}.",
        f"Recommended: {advice.recommended}"
        + (", the default." if advice.recommended == DEFAULT.name else f", not {DEFAULT.name}."),
    ]
    return text


def pruner_table(contest: Contest, minutes: Sequence[float]) -> list[PrunerRow]:
    """One row per pruner, in the order of the contest, which includes `DEFAULT_PRUNER`."""
    # RMSE after `TRIALS` trials by seed, for pruners that reached this number with every seed.
    whole: dict[Contestant, list[float]] = {}
    ended: dict[Contestant, float] = {}
    for one, played in contest.played.items():
        steps = [found.steps[TRIALS - 1] for found in played if len(found.steps) >= TRIALS]
        if len(steps) == len(played):
            whole[one] = [contest.to_unit * float(np.sqrt(error)) for _, error in steps]
            ended[one] = float(np.mean([at for at, _ in steps])) / 60
    rows = []
    for one, played in contest.played.items():
        itself = one == DEFAULT_PRUNER
        both = not itself and one in whole and DEFAULT_PRUNER in whole
        rows.append(
            PrunerRow(
                pruner=one.name,
                trials=float(np.mean([len(found.steps) for found in played])),
                pruned=float(np.mean([found.pruned / len(found.steps) for found in played])),
                errors=tuple(contest.mean_rmse(one, minute) for minute in minutes),
                ratios=tuple(
                    None if itself else contest.ratio(one, DEFAULT_PRUNER, minute)
                    for minute in minutes
                ),
                missed=float(np.mean([found.missed < found.steps[-1][1] for found in played])),
                minutes_50=ended.get(one),
                at_50=float(np.exp(np.log(whole[one]).mean())) if one in whole else None,
                ratio_50=paired_ratio(whole[one], whole[DEFAULT_PRUNER]) if both else None,
            )
        )
    return rows


def pruner_lines(
    contest: Contest, rows: Sequence[PrunerRow], minutes: Sequence[float]
) -> list[str]:
    """The text for a person: the basis, and the table as Markdown."""
    unit, against = contest.unit, "/ default's"
    names = ["pruner", "trials", "pruned"]
    for minute in minutes:
        names += [f"RMSE {unit} after {minute:g} min", against]
    names += ["missed", f"min for {TRIALS} trials", f"RMSE {unit} then", against]
    cells = []
    for row in rows:
        line = [row.pruner, f"{row.trials:.0f}", f"{row.pruned:.0%}"]
        for error, ratio in zip(row.errors, row.ratios, strict=True):
            line += [f"{error:.1f}", _shown(ratio)]
        until = "longer" if row.minutes_50 is None else f"{row.minutes_50:.1f}"
        then = "" if row.at_50 is None else f"{row.at_50:.1f}"
        cells.append([*line, f"{row.missed:.0%}", until, then, _shown(row.ratio_50)])
    return [surrogate_line(contest), *_markdown(names, cells)]


def _shown(ratio: Ratio | None) -> str:
    return "" if ratio is None else shown(ratio)


def _markdown(names: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    rules = "|---|" + "---:|" * (len(names) - 1)
    return [f"| {' | '.join(names)} |", rules, *(f"| {' | '.join(row)} |" for row in cells)]


def figure(contest: Contest, minutes: float) -> Figure:
    """Draw the best RMSE so far against time: one panel per contestant, with the default in all.

    Higher errors than those of the last part of the time lie above the panels.
    """
    grid = np.linspace(0, minutes, 200)[1:]
    bands = {one: _band(contest, one, grid) for one in contest.played}
    columns = min(_COLUMNS, len(bands))
    rows = -(-len(bands) // columns)
    drawn, panels = new_panels(rows, columns, 2.6 * rows + 0.9, "Best validation error so far")
    default = next((one for one in (DEFAULT, DEFAULT_PRUNER) if one in bands), None)
    for axes, one in zip(panels.ravel(), bands, strict=False):
        mean, low, high = bands[one]
        axes.fill_between(grid, low, high, color=BLUE, alpha=0.18, linewidth=0)
        axes.plot(grid, mean, color=BLUE, linewidth=1.8, label="this one, mean and 95 %")
        if default is not None:
            axes.plot(grid, bands[default][0], color=GREY, linestyle="--", label=default.name)
        dress_panel(axes, one.name, "Time (min)")
        axes.set_xlim(0, minutes)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    for axes in panels.ravel()[len(bands) :]:
        axes.set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylabel(f"RMSE ({contest.unit})", fontsize=LABEL_PT, color=INK)
    shown = round(LATE * len(grid))
    late = np.concatenate([edge[-shown:] for _, *edges in bands.values() for edge in edges])
    late = late[np.isfinite(late)]
    if late.size:
        panels[0, 0].set_ylim(0.99 * late.min(), 1.01 * late.max())
    legend_below(drawn, panels[0, 0], columns=2)
    return drawn


def _band(
    contest: Contest, one: Contestant, grid: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Geometric mean over seeds and its 95 % t interval, at times when every seed has a result."""
    logs = np.log([contest.rmse(one, float(minute)) for minute in grid])
    logs[~np.isfinite(logs).all(axis=1)] = np.nan
    mean = logs.mean(axis=1)
    count = logs.shape[1]
    reach = stats.t.ppf(0.5 + CONFIDENCE / 2, count - 1) * logs.std(axis=1, ddof=1) / count**0.5
    return np.exp(mean), np.exp(mean - reach), np.exp(mean + reach)
