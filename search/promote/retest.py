"""Training the candidates again: rounds of fresh seeds on rolling origins, resumable, parallel."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.common.records import State, TrialRecord
from search.common.stores import Stores
from search.engine.opening import Session, hold_study, open_fixed
from search.engine.progress import Progress
from search.engine.session import conduct
from search.promote.ranking import Cell, hopeless, outclassed
from search.promote.schedule import Round, Schedule
from search.tracking.existing_runs import KeptRuns, NotThere
from search.training.pool import Pool
from search.tuning.storage import Storage

FloatArray = npt.NDArray[np.float64]


class Stopped(Exception):
    """The person or the system ended the re-test; `signum` tells by what, if by a signal."""

    def __init__(self, reason: str, signum: int | None) -> None:
        super().__init__(reason)
        self.signum = signum


@dataclass(frozen=True)
class Retest:
    """A finished re-test.

    Attributes:
        name: of its study. identity: of its study, for MLflow.
        cells: its trainings that came to a result.
        numbers: of those trainings in its study, by candidate, fold and repeat.
    """

    name: str
    identity: str
    cells: tuple[Cell, ...]
    numbers: Mapping[tuple[str, int, int], int]


@dataclass(frozen=True)
class Resources:
    """What a re-test is done with.

    Attributes:
        storage: the study database. stores: where it, MLflow and the spool are.
        pool: returns the pool that trains.
        say: is told who is dropped, a line at a time.
        quiet: True shows no progress.
    """

    storage: Storage
    stores: Stores
    pool: Callable[[], Pool]
    say: Callable[[str], None]
    quiet: bool


def retest(schedule: Schedule, resources: Resources) -> Retest:
    """Train every candidate on every fold, a seed at a time; after each, hopeless ones leave.

    The last fold is as long as the search's own training; every one is judged as there. It comes
    first, so that references that are outclassed there leave at once. Run again, it
    continues.

    Args:
        schedule: who is trained on what.
        resources: with what.

    Raises:
        Stopped: it did not come to its end.
        Refused: another process is at it.
    """
    out: set[str] = set()
    rounds = schedule.rounds
    with hold_study(schedule.name, resources.stores, resources.storage):
        for now in rounds:
            last = now == rounds[-1]
            session = _train_round(schedule, now, out, resources, deliver=last)
            cells, numbers = _found(schedule, session.study.records.values())
            if last:
                return Retest(schedule.name, session.study.identity, tuple(cells), numbers)
            out |= _leaving_by_seeds(schedule, now, cells, out, resources.say)
            if now == rounds[0]:
                own = {who: n for (who, *at), n in numbers.items() if at == [schedule.folds, 0]}
                out |= _leaving_by_blocks(schedule, session, own, resources)
    raise AssertionError("a schedule has a last round")


def _train_round(
    schedule: Schedule, now: Round, out: set[str], resources: Resources, deliver: bool
) -> Session:
    """Train what this round asks for, without those that are `out`.

    Where nothing is left to train, MLflow may still lack something: then `deliver` brings it.
    """
    experiment = schedule.whole.model_copy(update={"repeats": now.repeat + 1})
    plan = dataclasses.replace(schedule.plan, experiment=experiment)
    dropped = frozenset(schedule.place) - schedule.cells_of(now, out)
    session = open_fixed(
        plan, schedule.name, resources.storage, resources.stores, schedule.contract, dropped
    )
    study = session.study
    if study.waiting or deliver:
        progress = Progress(session.facts, study.finished, resources.quiet)
        _, ending, signum = conduct(resources.pool(), session, progress, goes_on=True)
        if study.finished < session.facts.total or signum:
            raise Stopped(ending.reason, signum or None)
    return session


def _found(
    schedule: Schedule, records: Iterable[TrialRecord]
) -> tuple[list[Cell], dict[tuple[str, int, int], int]]:
    """The trainings that came to a result, and the numbers of these trials."""
    cells: list[Cell] = []
    numbers: dict[tuple[str, int, int], int] = {}
    for record in records:
        if record.state is not State.COMPLETE or record.result is None:
            continue
        if record.seed not in schedule.repeats:
            continue
        (candidate, fold), repeat = schedule.place[record.design], schedule.repeats[record.seed]
        rmse, best = record.result.held_out["rmse"], record.result.best_epoch
        cells.append(Cell(candidate, fold, repeat, rmse, best))
        numbers[candidate, fold, repeat] = record.number
    return cells, numbers


def _leaving_by_seeds(
    schedule: Schedule, now: Round, cells: list[Cell], out: set[str], say: Callable[[str], None]
) -> set[str]:
    """Who is dropped by the seeds up to this round."""
    known = [one for one in cells if schedule.is_up_to(now, one.fold, one.repeat)]
    leaving = hopeless(known, schedule.finalists) - out
    if leaving:
        say(
            f"After {now.repeat + 1} of {schedule.seeds} seeds significantly worse than the best "
            f"finalist, so not trained again: {_names(leaving)}."
        )
    return leaving


def _leaving_by_blocks(
    schedule: Schedule, session: Session, numbers: Mapping[str, int], resources: Resources
) -> set[str]:
    """References that are dropped by their errors on the last fold, block by block."""
    experiment = schedule.plan.experiment.name
    errors = _errors(resources.stores, experiment, session.study.identity, numbers)
    leaving = outclassed(
        {who: errors[who] for who in errors.keys() & schedule.references},
        {who: errors[who] for who in errors.keys() & schedule.finalists},
    )
    if leaving:
        resources.say(
            "Block by block significantly worse than every finalist on the last fold, and "
            f"not trained again: {_names(leaving)}."
        )
    return leaving


def _errors(
    stores: Stores, experiment: str, identity: str, numbers: Mapping[str, int]
) -> dict[str, FloatArray]:
    """Forecast minus actual, by name; none while MLflow, which keeps the forecasts, is away."""
    try:
        runs = KeptRuns(stores.tracking, experiment, identity)
        found = {name: runs.forecasts(number) for name, number in numbers.items()}
    except NotThere:
        return {}
    return {name: kept.forecast - kept.actual for name, kept in found.items()}


def _names(candidates: Iterable[str]) -> str:
    return ", ".join(sorted(candidates))
