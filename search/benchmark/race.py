"""The race: single training steps, the same points for both loops, and a search in turns."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from experiments.catalogue import CATALOGUE
from experiments.lstm_space import to_flat
from experiments.space import Value
from search.benchmark.job import Job, draw_points, in_common
from search.benchmark.measures import paired_ratio, seconds_per_epoch, summary
from search.benchmark.options import Budget
from search.benchmark.turns import Contender, module_command, run_in_turns
from search.common.errors import Refused
from search.training.machine import default_workers

POINT_EPOCHS = 3
# Seconds of a turn on equal points, in proportion to the expected times, so that both loops are
# busy all the time.
PAIRED_TURNS = {"ours": 6.0, "stock": 24.0}
TUNERS = ("hyperband", "bayesian")


@dataclass(frozen=True)
class _Race:
    """The race's contenders and seed; `out` is for their logs, `place` for their files."""

    budget: Budget
    experiment: str
    seed: int
    out: Path
    place: Path

    def paired(self, name: str, points: Sequence[dict[str, Value]]) -> Contender:
        """A contender that trains exactly these points."""
        job = Job(
            experiment=self.experiment,
            epochs=POINT_EPOCHS,
            seed=self.seed,
            points=tuple(points),
            folder=self.place / f"{name}-paired",
        )
        return self._contender(name, job, [name], PAIRED_TURNS[name])

    def searching(self, name: str, *command: str) -> Contender:
        """A contender that searches. Without a number of trials it does not end by itself."""
        trials = self.budget.trials.get(name)
        job = Job(
            experiment=self.experiment,
            epochs=self.budget.epochs,
            seed=self.seed,
            folder=self.place / f"{name}-search",
            trials=trials,
        )
        return self._contender(name, job, command, self.budget.turn, endless=trials is None)

    def _contender(
        self, name: str, job: Job, command: Sequence[str], turn: float, endless: bool = False
    ) -> Contender:
        module, *words = command
        argv = [*module_command(f"search.benchmark.{module}", *words), job.model_dump_json()]
        return Contender(name, argv, self.out / f"{job.folder.name}.log", turn, endless)


def race(budget: Budget, experiment: str, seed: int, out: Path) -> Iterator[dict[str, Any]]:
    """Measure, and yield the results so far: steps, equal points, the search after every turn.

    Args:
        budget: how long to measure.
        experiment: name in the catalogue.
        seed: seed of points and searches.
        out: an existing folder for the contenders' logs.

    Raises:
        Refused: a contender failed, or too little was measured.
    """
    raced = in_common(CATALOGUE[experiment])
    points = [to_flat(design.parameters) for design in raced.designs]
    points += draw_points(raced.space, max(budget.points - len(points), 2), seed)
    click.echo("1 of 3: single training steps, one thread", err=True)
    yield {"steps": _steps(budget.steps), "points": points}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        of = _Race(budget, experiment, seed, out, Path(folder))
        click.echo(f"2 of 3: {len(points)} equal points, {POINT_EPOCHS} epochs", err=True)
        both = [of.paired(name, points) for name in PAIRED_TURNS]
        for number, one in run_in_turns(both, None):
            _say(number, one)
        yield _paired(both, len(points))
        counted = ", ".join(f"{count} trials of {name}" for name, count in budget.trials.items())
        until = counted or f"{budget.rounds} turns"
        click.echo(f"3 of 3: search, {until}, {budget.turn:g} s a turn", err=True)
        racers = [of.searching("ours", "ours"), of.searching("stock", "stock")]
        racers += [of.searching(name, "keras_tuner_loop", name) for name in TUNERS]
        for number, one in run_in_turns(racers, budget.rounds):
            _say(number, one)
            found = {
                one.name: summary(one) | {"epochs_said": [asdict(e) for e in one.epochs]}
                for one in racers
            }
            yield {"trials": dict(budget.trials), "search": found}


def _say(number: int, one: Contender) -> None:
    best = min((epoch.value for epoch in one.epochs), default=float("nan"))
    click.echo(
        f"round {number:2d}  {one.name:<12} {one.seconds:7.0f} s  {len(one.epochs):4d} epochs"
        f"  best MSE {best:.6f}",
        err=True,
    )


def _paired(contenders: Sequence[Contender], points: int) -> dict[str, Any]:
    """The whole machine, ours and stock, on `points` equal configurations."""
    workers = min(default_workers(()), points)
    ours, stock = (seconds_per_epoch(one.epochs) for one in contenders)
    both = sorted(ours.keys() & stock.keys())
    if len(both) < 2:
        raise Refused(
            f"expected two or more configurations of which both loops trained two epochs, found "
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
