"""A real search on two Ray nodes beside this machine's own pool.

    python -m tests.scale.nodes --trials 20 --rounds 3

The same trials, drawn at random with one seed, by two workers: on this machine's pool, and on two
nodes in network namespaces with one worker each, in turns. Counted is the time from the begin of
the first trial to the end of the last one, so starts do not count.
"""

import statistics
import subprocess
import tempfile
from datetime import datetime
from pathlib import Path

import click
import numpy as np
from scipy import stats

from tests.search.command import argv, environment, query
from tests.search.two_nodes import TwoNodes, two_nodes

_SPAN = "select min(datetime_start), max(datetime_complete) from trials"


def seconds_of_trials(place: Path, trials: int, nodes: TwoNodes | None) -> float:
    """Run a search in the empty folder `place`; return s from the first trial to the end."""
    place.mkdir()
    words = ["--trials", str(trials), "--epochs", "20", "--workers", "2"]
    words += ["--sampler", "random", "--pruner", "none"]
    inside: tuple[str, ...] = ()
    told = environment()
    if nodes is not None:
        inside, told = nodes.inside, nodes.environment
        words += ["--cluster", nodes.address]
    command = [*inside, *argv("search.run", *words)]
    subprocess.run(command, cwd=place, env=told, check=True, capture_output=True)
    ((began, ended),) = query(place / "mlruns" / "optuna.db", _SPAN)
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


@click.command()
@click.option("--trials", default=20, show_default=True, help="Of each search.")
@click.option("--rounds", default=3, show_default=True, help="Searches on each pool.")
def main(trials: int, rounds: int) -> None:
    """Compare the two pools."""
    ratios = []
    with tempfile.TemporaryDirectory() as name, two_nodes() as nodes:
        for number in range(rounds):
            here = seconds_of_trials(Path(name, f"here{number}"), trials, None)
            there = seconds_of_trials(Path(name, f"there{number}"), trials, nodes)
            ratios.append(np.log(there / here))
            click.echo(f"{here:.1f} s on this machine's pool, {there:.1f} s on two nodes")
    interval = stats.ttest_1samp(ratios, 0).confidence_interval(0.95)
    mean, low, high = np.exp([statistics.mean(ratios), interval.low, interval.high])
    click.echo(f"two nodes / own pool {mean:.3f} ({low:.3f} to {high:.3f}), {rounds} pairs")


if __name__ == "__main__":
    main()
