"""Training the candidates again: rounds of fresh seeds on rolling origins, resumable, parallel."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import optuna

from data_pipeline.framing import Framing
from experiments.experiment import Experiment
from search.common.records import State, TrialRecord
from search.common.seeds import trial_seed
from search.common.stores import Stores, check_name
from search.engine.facts import study_facts
from search.engine.plan import Plan
from search.engine.progress import Progress
from search.engine.session import conduct
from search.promote.candidates import Candidate, cell, retest_experiment, retest_name
from search.promote.ranking import Cell, hopeless, outclassed
from search.tracking.existing_runs import KeptRuns, NotThere
from search.training.pool import Crew
from search.tuning.lock import held
from search.tuning.study import Study

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


def retest(
    plan: Plan,
    of: str,
    candidates: Sequence[Candidate],
    folds: Sequence[Framing],
    seeds: int,
    storage: optuna.storages.BaseStorage,
    stores: Stores,
    crew: Crew,
    say: Callable[[str], None],
    quiet: bool,
) -> Retest:
    """Train every candidate on every fold, a seed at a time; after each, hopeless ones leave.

    The last fold is as long as the search's own training; every one is judged as there. It comes
    first, so that references that are outclassed there leave at once. Run again, it goes on where
    it stopped.

    Args:
        plan: of the study.
        of: its name.
        candidates: see `choose`.
        folds: see `rolling`.
        seeds: of every candidate that does not leave.
        storage: the study database.
        stores: where MLflow and the spool are.
        crew: who trains.
        say: is told who leaves.
        quiet: True shows no progress.

    Raises:
        Stopped: it did not come to its end.
        Refused: another process is at it.
    """
    whole = retest_experiment(plan.experiment, candidates, folds, seeds)
    name = check_name("--study", retest_name(of, whole))
    contract = {
        "retest_of": of,
        "experiment": whole.name,
        "data": plan.series.fingerprint,
        "unit": plan.series.unit,
        "framing": plan.experiment.framing.model_dump(mode="json"),
        "designs": {d.name: d.model_dump(mode="json") for d in whole.designs},
        "epochs": whole.epochs,
        "seed": whole.seed,
    }
    place = {cell(c.name, n): (c.name, n) for c in candidates for n in range(1, len(folds) + 1)}
    repeats = {trial_seed(whole.seed, repeat): repeat for repeat in range(seeds)}
    finalists = {one.name for one in candidates if not one.reference}
    references = {one.name for one in candidates if one.reference}
    out: set[str] = set()
    known: list[Cell] = []
    rounds = _rounds(len(folds), seeds, apart=bool(references))
    with held(stores, name):
        for repeat, now in rounds:
            left = {n for n, (who, fold) in place.items() if who not in out and fold in now}
            experiment = whole.model_copy(update={"repeats": repeat + 1})
            dropped = frozenset(place) - left
            study = Study(storage, name, experiment, whole.seed, "random", "none", dropped=dropped)
            study.hold_to(contract)
            study.reconcile()
            last = (repeat, now) == rounds[-1]
            if study.waiting or last:
                # After the last round also to deliver what MLflow has not got yet.
                total = study.finished + study.waiting
                experiment = experiment.model_copy(update={"trials": total})
                _round(plan, experiment, study, stores, crew, quiet)
            records = [r for r in study.records.values() if r.seed in repeats]
            cells = _cells(records, place, repeats)
            numbers = {
                (*place[record.design], repeats[record.seed]): record.number
                for record in records
                if record.state is State.COMPLETE
            }
            if last:
                break
            known += [one for one in cells if one.repeat == repeat and one.fold in now]
            leaving = hopeless(known, finalists) - out
            if leaving:
                say(
                    f"After {repeat + 1} of {seeds} seeds measurably worse than the leading "
                    f"finalist, and not trained again: {_names(leaving)}."
                )
            out |= leaving
            if (repeat, now) == rounds[0]:
                own = {who: n for (who, *at), n in numbers.items() if at == [len(folds), 0]}
                errors = _errors(stores, plan.experiment.name, study.identity, own)
                leaving = outclassed(
                    {who: errors[who] for who in errors.keys() & references},
                    {who: errors[who] for who in errors.keys() & finalists},
                )
                if leaving:
                    say(
                        "Block by block measurably worse than every finalist on the last fold, and "
                        f"not trained again: {_names(leaving)}."
                    )
                out |= leaving
        return Retest(name, study.identity, tuple(cells), numbers)


def _rounds(folds: int, seeds: int, apart: bool) -> list[tuple[int, range]]:
    """What is trained at once, in turn: a seed, counted from 0, and its folds, from 1.

    The last fold of the first seed comes first where it is to be judged `apart`.
    """
    whole = [(repeat, range(1, folds + 1)) for repeat in range(seeds)]
    if not apart or folds == 1:
        return whole
    return [(0, range(folds, folds + 1)), (0, range(1, folds)), *whole[1:]]


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


def _round(
    plan: Plan, experiment: Experiment, study: Study, stores: Stores, crew: Crew, quiet: bool
) -> None:
    """Train what one more seed asks for."""
    facts = study_facts(dataclasses.replace(plan, experiment=experiment), study.name, "", {})
    facts = dataclasses.replace(facts, identity=study.identity)
    progress = Progress(facts, study.finished, quiet)
    _, ending, signum = conduct(plan, study, facts, stores, crew, progress)
    if study.finished < experiment.trials or signum:
        raise Stopped(ending.reason, signum or None)


def _cells(
    records: Iterable[TrialRecord],
    place: Mapping[str, tuple[str, int]],
    repeats: Mapping[int, int],
) -> list[Cell]:
    found = []
    for record in records:
        if record.state is not State.COMPLETE or record.result is None:
            continue
        candidate, fold = place[record.design]
        rmse, best = record.result.held_out["rmse"], record.result.best_epoch
        found.append(Cell(candidate, fold, repeats[record.seed], rmse, best))
    return found
