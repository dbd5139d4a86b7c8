"""Lets several programs run in turns, so that a drift of the machine affects all equally.

Each program has its own process group. Outside its turn the whole group is stopped, and so is its
clock: a contender's time is the wall time of its turns, including its start.
"""

import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.tensorflow_start import cpu_environment
from search.common.errors import Refused
from search.common.keeper import keeper


@dataclass(frozen=True)
class Epoch:
    """An epoch (from 1) of `trial` that ended at `at` seconds of its contender's time.

    `value` is the validation MSE without penalty, scaled; `flops` the epoch's operations.
    """

    at: float
    trial: str
    epoch: int
    value: float
    flops: float


@dataclass
class Contender:
    """One program: its command, the seconds of each of its turns, and its reports.

    An `endless` one does not end by itself. It gets turns until the first of the others has ended.
    """

    name: str
    command: Sequence[str]
    log: Path
    turn: float
    endless: bool = False
    epochs: list[Epoch] = field(default_factory=list)
    seconds: float = 0.0
    done: bool = False
    _process: "subprocess.Popen[str] | None" = None
    _lines: "queue.SimpleQueue[str]" = field(default_factory=queue.SimpleQueue)

    def take_turn(self, tell: Callable[[int], None]) -> None:
        """Run for one turn, or until the program ends.

        Args:
            tell: the function of a keeper; gets the program's group at its begin and its end.

        Raises:
            Refused: the program failed; the message shows its last output.
        """
        began = time.monotonic()
        if self._process is None:
            self._start(tell)
        else:
            os.killpg(self._process.pid, signal.SIGCONT)
        process = self._process
        assert process is not None
        while (now := time.monotonic() - began) < self.turn:
            self._read(began, min(0.2, self.turn - now))
            if process.poll() is not None:
                break
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGSTOP)
        self._read(began, 0.0)
        self.seconds += time.monotonic() - began
        if process.poll() is not None:
            self.done = True
            tell(process.pid)
            if process.returncode != 0:
                words = self.log.read_text(errors="replace").strip().splitlines()[-5:]
                raise Refused(
                    f"the benchmark's contender {self.name!r} ended with code "
                    f"{process.returncode}:\n" + "\n".join(words) + f"\nAll of it: {self.log}"
                )

    def end(self) -> None:
        """Kill all of its processes that still run."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _start(self, tell: Callable[[int], None]) -> None:
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                self.command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                process_group=0,
                env=cpu_environment(),
            )
        tell(self._process.pid)  # before it can be stopped
        stream = self._process.stdout
        assert stream is not None

        def listen() -> None:
            with stream:
                for line in stream:
                    self._lines.put(line)

        threading.Thread(target=listen, daemon=True).start()

    def _read(self, began: float, wait: float) -> None:
        """Read the reports; wait up to `wait` seconds for the first line."""
        try:
            line = self._lines.get(timeout=wait) if wait else self._lines.get_nowait()
            while True:
                if line.startswith("{"):  # libraries may print lines of their own
                    at = self.seconds + time.monotonic() - began
                    self.epochs.append(Epoch(at=at, **json.loads(line)))
                line = self._lines.get_nowait()
        except queue.Empty:
            return


def run_in_turns(
    contenders: Sequence[Contender], rounds: int | None
) -> Iterator[tuple[int, Contender]]:
    """Give the contenders turns, one after the other.

    Contenders that are done get no more turns. Endless ones get none once another one is done.

    Args:
        contenders: not started yet; killed at the end, also if this process is killed.
        rounds: turns of each; None: until those that end by themselves are done.

    Yields:
        The round, from 1, and the contender after each of its turns.
    """
    ending = [one for one in contenders if not one.endless]
    with keeper() as tell:
        try:
            for number in itertools.count(1) if rounds is None else range(1, rounds + 1):
                if rounds is None and all(one.done for one in ending):
                    return
                for contender in contenders:
                    past = contender.endless and any(one.done for one in ending)
                    if not (contender.done or past):
                        contender.take_turn(tell)
                        yield number, contender
        finally:
            for contender in contenders:
                contender.end()


def module_command(module: str, *words: str) -> list[str]:
    """The command that runs a module of this project."""
    return [sys.executable, "-m", module, *words]
