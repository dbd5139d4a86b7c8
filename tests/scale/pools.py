"""What a trial costs outside training on a Ray cluster, beside this machine's own pool.

    python -m tests.scale.pools --trials 30 --rounds 5

Real searches of tiny networks with one worker, on both pools in turns. The cost of a trial is the
time from the end of one to the end of the next, less its time of training; of each search the
median counts, so starts do not. The cluster is a head of its own on this machine.
"""

import json
import statistics
import subprocess
import tempfile
from datetime import datetime
from pathlib import Path

import click
from scipy import stats

from tests.search.command import SMOKE, argv, environment, query
from tests.search.ray_cluster import ray_head

_ENDS = """select datetime_complete, value_json from trials join trial_user_attributes
           using (trial_id) where key = 'result' order by datetime_complete"""


def cost_of_a_trial(place: Path, *options: str, trials: int) -> float:
    """Run a search in the empty folder `place`; return s of a trial outside training."""
    place.mkdir()
    words = (*SMOKE, "--trials", str(trials), "--pruner", "none", *options)
    subprocess.run(
        argv("search.run", *words), cwd=place, env=environment(), check=True, capture_output=True
    )
    rows = query(place / "mlruns" / "optuna.db", _ENDS)
    ends = [datetime.fromisoformat(end) for end, _ in rows]
    trained = [json.loads(result)["seconds"] for _, result in rows]
    between = zip(ends, ends[1:], trained[1:], strict=False)
    return float(statistics.median((b - a).total_seconds() - s for a, b, s in between))


@click.command()
@click.option("--trials", default=30, show_default=True, help="Of each search.")
@click.option("--rounds", default=5, show_default=True, help="Searches on each pool.")
def main(trials: int, rounds: int) -> None:
    """Compare the two pools."""
    differences = []
    with tempfile.TemporaryDirectory() as name, ray_head(cpus=1) as address:
        for number in range(rounds):
            here = cost_of_a_trial(Path(name, f"here{number}"), trials=trials)
            there = cost_of_a_trial(
                Path(name, f"there{number}"), "--cluster", address, trials=trials
            )
            differences.append(there - here)
            click.echo(f"{here:.3f} s a trial on this machine's pool, {there:.3f} s on Ray")
    mean = statistics.mean(differences)
    interval = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    click.echo(
        f"on Ray {mean:+.3f} s a trial ({interval.low:+.3f} to {interval.high:+.3f}), "
        f"{rounds} pairs of searches"
    )


if __name__ == "__main__":
    main()
