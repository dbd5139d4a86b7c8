"""Threads or processes? Training steps per second of the whole machine, by network size.

    python -m tests.measure.layout

It compares one single-threaded process per core with one process that has one thread per core. The
layouts take turns on the same machine, so a drift of the machine affects both equally.
"""

import json
import subprocess
import sys
import time
from dataclasses import asdict
from typing import Any

import click
import numpy as np

from models.parameters import TrialParameters
from search.benchmark.measures import paired_ratio
from search.training.machine import default_workers

SIZES = ((16, 8), (64, 32), (128, 64))
BATCH, WINDOW, FEATURES = 64, 168, 6


class _Process:
    """A training process that works on request."""

    def __init__(self, threads: int, units: tuple[int, ...]) -> None:
        words = ["--child", str(threads), ",".join(map(str, units))]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.measure.layout", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.read()  # ready

    def begin(self, seconds: float) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()

    def read(self) -> float:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise click.ClickException("a training process ended early")
        return float(line)

    def end(self) -> None:
        self._process.kill()
        with self._process:  # closes its pipes and waits
            pass


def measure(units: tuple[int, ...], rounds: int, seconds: float, cores: int) -> dict[str, Any]:
    """Steps per second of both layouts in every round, and their paired ratio."""
    layouts = {"processes": [(1, units)] * cores, "threads": [(cores, units)]}
    started: dict[str, list[_Process]] = {name: [] for name in layouts}
    rates: dict[str, list[float]] = {name: [] for name in layouts}
    try:
        for name, processes in layouts.items():
            started[name] += [_Process(*one) for one in processes]
        for _ in range(rounds):
            for name, running in started.items():
                for one in running:
                    one.begin(seconds)
                rates[name].append(sum(one.read() for one in running))
    finally:
        for running in started.values():
            for one in running:
                one.end()
    ratio = paired_ratio(rates["processes"], rates["threads"])
    return {"units": units, "rates": rates, "ratio": asdict(ratio), "text": str(ratio)}


def _train_when_told(threads: int, units: tuple[int, ...]) -> None:
    from models.device import prepare_device

    prepare_device(threads=threads)
    from models.build import build
    from models.fit import training_step

    parameters = TrialParameters(
        units=units,
        dropout=(0.2,) * len(units),
        l2=1e-4,
        learning_rate=1e-3,
        batch_size=BATCH,
        patience=1,
        epochs=1,
    )
    step = training_step(build(parameters, WINDOW, FEATURES, 1, seed=0))
    generator = np.random.default_rng(0)
    x = generator.normal(size=(BATCH, WINDOW, FEATURES)).astype(np.float32)
    y = generator.normal(size=(BATCH, 1)).astype(np.float32)
    for _ in range(2):
        float(step(x, y))
    sys.stdout.write("0\n")
    sys.stdout.flush()
    for line in sys.stdin:
        began, steps = time.perf_counter(), 0
        while time.perf_counter() - began < float(line):
            float(step(x, y))
            steps += 1
        sys.stdout.write(f"{steps / (time.perf_counter() - began)}\n")
        sys.stdout.flush()


@click.command()
@click.option("--rounds", type=click.IntRange(min=2), default=6, show_default=True)
@click.option("--seconds", type=click.FloatRange(min=0.1), default=5.0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--child", type=(int, str), hidden=True)
def main(rounds: int, seconds: float, as_json: bool, child: tuple[int, str] | None) -> None:
    """Compare one single-threaded process per core with one process with a thread per core."""
    if child is not None:
        _train_when_told(child[0], tuple(int(part) for part in child[1].split(",")))
        return
    cores = default_workers(())
    found = [measure(units, rounds, seconds, cores) for units in SIZES]
    if as_json:
        click.echo(json.dumps({"cores": cores, "sizes": found}, indent=2))
        return
    click.echo(f"{'units':<10}{'processes':>12}{'threads':>12}  processes / threads")
    for row in found:
        name = "/".join(map(str, row["units"]))
        means = [float(np.mean(rates)) for rates in row["rates"].values()]
        click.echo(f"{name:<10}{means[0]:>10.2f}/s{means[1]:>10.2f}/s  {row['text']}")


if __name__ == "__main__":
    main()
