"""Training the candidates again: rounds of fresh seeds on rolling origins, resumable, parallel."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import optuna

from data_pipeline.framing import Framing
from experiments.experiment import Experiment
from search.conduct import Crew, conduct, held
from search.optuna_sampling import trial_seed
from search.plan import Plan, study_facts
from search.progress import Progress
from search.promote.candidates import Candidate, cell, retest_experiment, retest_name
from search.promote.ranking import Cell, hopeless
from search.records import State, TrialRecord
from search.stores import Stores, check_name
from search.study import Study


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

    The last fold is as long as the search's own training; every one is judged as there. Run again,
    it goes on where it stopped.

    Args:
        plan: of the study.
        of: its name.
        candidates: see `choose`.
        folds: see `rolling`.
        seeds: rounds.
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
    out: set[str] = set()
    total = 0
    with held(stores, name):
        for repeat in range(seeds):
            left = [one for one in candidates if one.name not in out]
            total += len(left) * len(folds)
            experiment = whole.model_copy(update={"repeats": repeat + 1, "trials": total})
            dropped = frozenset(name for name, (who, _) in place.items() if who in out)
            study = Study(storage, name, experiment, whole.seed, "random", "none", dropped=dropped)
            study.hold_to(contract)
            study.reconcile()
            last = repeat + 1 == seeds
            if study.finished < total or last:
                # After the last round also to deliver what MLflow has not got yet.
                _round(plan, experiment, study, stores, crew, quiet)
            records = [r for r in study.records.values() if r.seed in repeats]
            cells = _cells(records, place, repeats)
            known = [one for one in cells if one.repeat <= repeat]
            leaving = hopeless(known, finalists) - out
            if leaving and not last:
                say(
                    f"After {repeat + 1} of {seeds} seeds measurably worse than the leading "
                    f"finalist, and not trained again: {', '.join(sorted(leaving))}."
                )
            out |= leaving
        numbers = {
            (*place[record.design], repeats[record.seed]): record.number
            for record in records
            if record.state is State.COMPLETE
        }
        return Retest(name, study.identity, tuple(cells), numbers)


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
        rmse, best = record.result.validation["rmse"], record.result.best_epoch
        found.append(Cell(candidate, fold, repeats[record.seed], rmse, best))
    return found
