"""Explains a study, from its trials to the waterfall: train, measure, keep, log."""

import csv
import datetime as dt
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from search.common.errors import Refused
from search.common.records import State as Standing
from search.common.stores import Stores
from search.engine.facts import with_floor
from search.engine.opening import hold_study
from search.engine.session import sync_study
from search.explain.settings import Setting
from search.explain.trainings import Trainings
from search.explain.way import CHOOSING, Way, find_way
from search.figures import png
from search.results.ablation import Ablation, NoResult, ablate, most_runs
from search.results.explanation import (
    Explanation,
    Shown,
    State,
    changes_of,
    explanation_lines,
    state_of,
)
from search.results.explanation_figure import draw
from search.results.summary import fits
from search.tracking.existing_runs import KeptRuns, NotThere
from search.training.pool import Crew
from search.training.pools import one_pool
from search.tuning.kept_studies import KeptStudy, read_study
from search.tuning.storage import open_existing, refusing_failures


@dataclass(frozen=True)
class Wish:
    """The request for an explanation.

    Attributes:
        study: the study to explain. start, goal: "best", "trial_N" or a design.
        seeds: number of measuring seeds. crew: who trains.
        dry_run: True only shows the plan. quiet: True shows no progress.
    """

    study: str
    start: str
    goal: str
    seeds: int
    crew: Crew
    dry_run: bool
    quiet: bool


@refusing_failures()
def explain(wish: Wish, stores: Stores, say: Callable[[str], None]) -> Explanation | None:
    """Find the way from one network of a study to another. A second call resumes.

    Args:
        wish: the request.
        stores: the study's stores.
        say: gets each line for the person.

    Returns:
        The explanation; None in a dry run.

    Raises:
        Refused: study, data or networks do not allow it, or another process holds the study.
        search.explain.trainings.Stopped: it was interrupted, or its time is over.
    """
    storage = open_existing(stores.storage, stores.schema_lock)
    kept = with_floor(read_study(storage, wish.study), say)
    way = find_way(kept, wish.start, wish.goal, wish.seeds)
    for line in _plan_lines(way, wish.crew):
        say(line)
    if wish.dry_run:
        return None
    began = time.monotonic()

    def left() -> float | None:
        timeout = wish.crew.timeout
        return None if timeout is None else timeout - (time.monotonic() - began)

    series, framing = way.plan.series, way.plan.experiment.framing
    with (
        hold_study(way.name, stores, storage),
        one_pool(series, framing, wish.crew, say) as pool,
    ):
        trainings = Trainings(way, storage, stores, pool, left, wish.quiet)
        names = [setting.name for setting in way.settings]
        try:
            found = ablate(names, trainings, way.choosing, way.measuring)
        except NoResult as error:
            raise Refused(f"the explanation could not be completed: {error}") from error
        trainings.deliver()
        explanation = _explanation(way, found, trainings, kept)
        assert trainings.session is not None
        plain = explanation.model_dump(mode="json")
        trainings.session.study.remember("explanation", plain)
        identity = trainings.session.study.identity
    _log(explanation, kept, identity, stores, say)
    try:
        sync_study(wish.study, stores, say)  # so that its page begins with the explanation
    except Refused as error:
        say(f"The page of study {wish.study} in MLflow does not show it yet: {error}")
    return explanation


def _plan_lines(way: Way, crew: Crew) -> list[str]:
    fewest, most = most_runs(len(way.settings), CHOOSING, way.seeds)
    lines = [
        f"Study {way.name}: from {way.start} to {way.goal} of study {way.of} in "
        f"{len(way.settings)} settings: {', '.join(one.name for one in way.settings)}",
        f"{fewest} to {most} trainings; {CHOOSING} seeds choose, {way.seeds} others measure",
    ]
    if not crew.workers:
        return [*lines, f"Training on the Ray cluster {crew.cluster}, as many as it has room for"]
    few, many = way.minutes(crew.workers)
    return [
        *lines,
        f"Estimated: {few} to {many} minutes with {crew.workers} worker(s), less if trainings "
        "stop early, on cores like those of docs/performance.md",
    ]


def _explanation(way: Way, found: Ablation, trainings: Trainings, kept: KeptStudy) -> Explanation:
    records = trainings.records()
    learned = [
        (one.result.train["rmse"], one.result.held_out["rmse"])
        for one in kept.records
        if one.state is Standing.COMPLETE and one.result is not None
    ]
    labels = fits(records.values(), kept.baselines, learned)
    states = [
        state_of([records[changed, seed] for seed in found.seeds], labels) for changed in found.path
    ]
    return Explanation(
        study=way.of,
        start=way.start,
        goal=way.goal,
        unit=way.plan.series.unit,
        time=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        first=states[0],
        changes=changes_of(found, {one.name: _values(one) for one in way.settings}, states[1:]),
    )


def _values(setting: Setting) -> tuple[Shown, Shown]:
    """The value before and after, as a person reads it."""
    if setting.name == "use_l2":  # no penalty is a penalty of 0
        return setting.before.get("l2", 0.0), setting.after.get("l2", 0.0)
    return setting.before.get(setting.name), setting.after.get(setting.name)


def _log(
    found: Explanation, kept: KeptStudy, identity: str, stores: Stores, say: Callable[[str], None]
) -> None:
    """Log figure and table to the runs of both studies: the explained one and the explanation."""
    experiment = kept.contract["experiment"]
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "waterfall.png").write_bytes(png(draw(found)))
        write_table(found, place / "waterfall.csv")
        (place / "explanation.txt").write_text(
            "\n".join(explanation_lines(found)) + "\n", encoding="utf-8"
        )
        for one in (kept.identity, identity):
            try:
                KeptRuns(stores.tracking, experiment, one).log_figures(place)
            except NotThere as error:
                say(f"Not logged to MLflow: {error}")


def write_table(found: Explanation, file: Path) -> None:
    """Write one row per network on the way, as CSV."""
    columns = ["setting", "before", "after", "difference", "low", "high", "seeds"]
    columns += ["train_rmse", "val_rmse", "val_peak_bias", "regime", "taken_back"]
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerow(["start", *[""] * 6, *_state_cells(found.first), ""])
        for one in found.changes:
            worth = one.worth
            cells = [one.setting, one.before, one.after, worth.mean, worth.low, worth.high]
            back = "" if one.taken_back is None else one.taken_back.mean
            writer.writerow([*cells, worth.seeds, *_state_cells(one.state), back])


def _state_cells(state: State) -> list[object]:
    return [state.train, state.validation, state.bias, str(state.regime)]
