"""Kills searches and reports what survived.

    python -m tests.chaos --kills 100 --seed 0
    python -m tests.chaos --kills 10 --workers 8
    python -m tests.chaos --kills 10 --tuner keras-tuner
    python -m tests.chaos --every-write 1
    python -m tests.chaos --starts 20
    python -m tests.chaos --starts 20 --storage postgresql
    python -m tests.chaos --seconds 20 --storage postgresql
    python -m tests.chaos --memory 200
    python -m tests.chaos --storage postgresql --cluster two-nodes --kill trainer=17 \\
        --kill agent=17 --kill node=16 --kill coordinator=20 --kill database=5

Exit code 0 if nothing was lost, left behind or doubled; else 1.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import click

from search.common.drawing import KERAS_TUNER, OPTUNA
from tests.chaos import kills as under_kills
from tests.chaos import starts as many_starts
from tests.chaos import writes

# A process may grow by so much more than planned before it is replaced.
MARGIN = 1.25
# Seconds until attempts of a dead coordinator are queued again, and until its workers are gone.
SLOWEST = 10.0


@click.command()
@click.option(
    "--kills", type=click.IntRange(min=1), help="Number of workers, and of coordinators, to kill."
)
@click.option("--trials", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True)
@click.option(
    "--tuner", type=click.Choice([OPTUNA, KERAS_TUNER]), default=OPTUNA, show_default=True
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Seed of the moments and processes to kill.",
)
@click.option(
    "--every-write",
    "step",
    type=click.IntRange(min=1),
    help="Kill the coordinator at every Nth write.",
)
@click.option("--first", type=click.IntRange(min=1), default=1, help="First write to kill at.")
@click.option("--starts", type=click.IntRange(min=1), help="Start this many searches at once.")
@click.option(
    "--kill",
    "parts",
    multiple=True,
    metavar="KIND=N",
    help="With --storage or --cluster: kill N of trainer, agent, node or coordinator, or restart "
    "the database N times; repeatable.",
)
@click.option(
    "--storage",
    type=click.Choice(["postgresql"]),
    help="Study in a PostgreSQL server of its own.",
)
@click.option(
    "--cluster",
    type=click.Choice(["two-nodes"]),
    help="Trials on a Ray cluster started here, in two network namespaces.",
)
@click.option(
    "--seconds",
    type=click.IntRange(min=1),
    help="Start a study in PostgreSQL this often while another process runs it.",
)
@click.option("--memory", type=click.IntRange(min=10), help="Run this many tiny trials.")
def main(
    kills: int | None,
    trials: int,
    workers: int,
    tuner: str,
    seed: int,
    step: int | None,
    first: int,
    starts: int | None,
    parts: tuple[str, ...],
    storage: str | None,
    cluster: str | None,
    seconds: int | None,
    memory: int | None,
) -> None:
    """Run the chosen tests in temporary folders and print the results."""
    if not any((kills, step, starts, seconds, parts, memory)):
        some = "--kills, --kill, --every-write, --starts, --seconds or --memory"
        raise click.UsageError(f"give {some}")
    asked = _by_kind(parts, bool(storage), bool(cluster))
    began = time.monotonic()
    sound = True
    with tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as folder:
        if kills:
            sound &= _kills(_new(folder, "kills"), kills, trials, workers, tuner, seed)
        if step:
            sound &= _writes(step, first)
        if starts:
            worked = many_starts.first_starts(_new(folder, "starts"), starts, bool(storage))
            click.echo(f"{worked} of {starts} simultaneous first starts worked")
            sound &= worked == starts
        if asked:
            place = _new(folder, "servers")
            sound &= _servers(place, asked, trials, seed, bool(cluster), bool(storage))
        if seconds:
            refused = many_starts.second_coordinators(_new(folder, "seconds"), seconds)
            click.echo(f"{refused} of {seconds} second coordinators were refused by name")
            sound &= refused == seconds
        if memory:
            sound &= _memory(_new(folder, "memory"), memory, workers)
    click.echo(f"{time.monotonic() - began:.0f} s; {'sound' if sound else 'NOT SOUND'}")
    sys.exit(0 if sound else 1)


def _new(folder: str, name: str) -> Path:
    place = Path(folder) / name
    place.mkdir()
    return place


def _kills(place: Path, kills: int, trials: int, workers: int, tuner: str, seed: int) -> bool:
    def say(line: str) -> None:
        click.echo(line, err=True)

    outcome = under_kills.search_under_kills(place, kills, trials, seed, say, workers, tuner)
    found = outcome.audit
    assert found is not None
    click.echo(
        f"killed: {outcome.killed['worker']} workers, {outcome.killed['coordinator']} "
        f"coordinators\n"
        f"acknowledged ends: {len(outcome.acknowledged)}, lost: {len(found.lost)}\n"
        f"finished trials: {found.finished} of {outcome.total}\n"
        f"attempts left running by a coordinator: {outcome.orphans}, "
        f"still running: {len(found.orphans)}\n"
        f"runs: {len(found.duplicates)} doubled, {len(found.missing)} missing, "
        f"{len(found.contradictions)} with another status, "
        f"{len(found.without_files)} without files\n"
        f"s until taken up again: {_spread(outcome.recovery)}\n"
        f"s until the workers were gone: {_spread(outcome.leaving)}"
    )
    for name, what in found.faults().items():
        click.echo(f"FAULT {name}: {what}")
    slowest = max([0.0, *outcome.recovery, *outcome.leaving])
    if slowest > SLOWEST:
        click.echo(f"FAULT too slow: {slowest:.1f} s, at most {SLOWEST:.0f} are allowed")
    return not found.faults() and found.finished == outcome.total and slowest <= SLOWEST


def _by_kind(parts: tuple[str, ...], storage: bool, cluster: bool) -> dict[str, int]:
    """Read `KIND=N` words; each kind has to be there to be killed."""
    if not parts:
        return {}
    from tests.chaos import servers

    there = {servers.TRAINER, servers.COORDINATOR}
    there |= {servers.AGENT, servers.NODE} if cluster else set()
    there |= {servers.DATABASE} if storage else set()
    asked = {}
    for part in parts:
        kind, _, count = part.partition("=")
        if kind not in there or not count.isdecimal():
            expected = f"expected KIND=N with one of {', '.join(sorted(there))}"
            raise click.UsageError(f"--kill {part}: {expected}")
        asked[kind] = int(count)
    return asked


def _servers(
    place: Path, asked: dict[str, int], trials: int, seed: int, cluster: bool, postgresql: bool
) -> bool:
    from tests.chaos import servers

    outcome = servers.search_with_servers(
        place, asked, trials, seed, lambda line: click.echo(line, err=True), cluster, postgresql
    )
    found = outcome.audit
    assert found is not None
    killed = ", ".join(f"{outcome.killed[kind]} {kind}" for kind in asked)
    click.echo(
        f"killed: {killed}\n"
        f"acknowledged ends: {len(outcome.acknowledged)}, lost: {len(found.lost)}\n"
        f"finished trials: {found.finished} of {outcome.total}\n"
        f"still running: {len(found.orphans)}, queued twice: {len(found.repeated_retries)}\n"
        f"runs: {len(found.duplicates)} doubled, {len(found.missing)} missing, "
        f"{len(found.contradictions)} with another status, "
        f"{len(found.without_files)} without files\n"
        f"starts refused while the database restarted: {outcome.refused}\n"
        f"s until agents and training processes were gone: {_spread(outcome.leaving)}"
    )
    for name, what in found.faults().items():
        click.echo(f"FAULT {name}: {what}")
    return outcome.sound


def _spread(seconds: list[float]) -> str:
    if not seconds:
        return "none"
    return f"median {statistics.median(seconds):.1f}, at most {max(seconds):.1f}"


def _writes(step: int, first: int) -> bool:
    sound, tried, count = True, 0, 0
    for number, count, found in writes.every(step, first):
        tried += 1
        if found.faults() or found.finished != writes.TRIALS:
            sound = False
            click.echo(f"FAULT at write {number}: {found.finished} finished, {found.faults()}")
        elif tried % 10 == 0:
            click.echo(f"write {number} of {count}", err=True)
    click.echo(f"killed before {tried} of {count} writes")
    return sound


def _memory(place: Path, trials: int, workers: int) -> bool:
    base, most, last = under_kills.memory_of_tiny_trials(place, trials, workers)
    from search.training.slot import MOST_GROWTH

    allowed = base + MARGIN * MOST_GROWTH
    click.echo(
        f"{trials} tiny trials: {base:.0f} MB after the first, at most {most:.0f} MB "
        f"(allowed {allowed:.0f}), {last:.0f} MB at the end"
    )
    return most <= allowed


if __name__ == "__main__":
    main()
