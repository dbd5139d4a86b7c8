"""Many random makes, read and judged; once for docs/reliability.md, or every night.

    python -m tests.measure.makes --makes 100000 --seed 0

It prints how many were read, asked about and refused, each that was refused without a way to the
truth, and each that was read to another series.
Exit code 1 if there was one. `--seconds` ends it early.
"""

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import click

from tests.data_pipeline.makes import judge, make

_SHOWN = 600


@click.command()
@click.option("--makes", type=click.IntRange(min=1), default=100_000, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--begin", type=click.IntRange(min=0), default=0, help="Number of the first.")
@click.option("--seconds", type=float, help="End after this time.")
def main(makes: int, seed: int, begin: int, seconds: float | None) -> None:
    """Judge as many makes as asked for."""
    found: Counter[str] = Counter()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for at in range(begin, begin + makes):
            try:
                verdict = judge(make(random.Random(f"{seed}-{at}")), Path(folder))
                found[verdict] += 1
                if verdict == "refused":
                    click.echo(f"make {seed}-{at}: refused", err=True)
            except AssertionError as error:
                found["read wrongly"] += 1
                click.echo(f"make {seed}-{at}: {str(error)[:_SHOWN]}", err=True)
            if seconds is not None and time.monotonic() - began > seconds:
                break
    spent = time.monotonic() - began
    click.echo(f"{found.total()} makes, seed {seed}, {spent:.0f} s: {dict(found.most_common())}")
    sys.exit(1 if found["read wrongly"] else 0)


if __name__ == "__main__":
    main()
