"""Programs that run in turns: only one at a time, each with a clock of its own."""

import itertools
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from search.benchmark.turns import Contender, run_in_turns
from search.common.errors import Refused

# Python without packages starts within a turn on a busy machine, too.
PYTHON = [sys.executable, "-I", "-S", "-c"]
# Says the wall time as its value, ten times a second.
TICKING = """
import json, sys, time
for i in range(1, 1 + int(sys.argv[1])):
    print("a line of a library")
    print(json.dumps({"trial": "0", "epoch": i, "value": time.monotonic(), "flops": 1.0}))
    sys.stdout.flush()
    time.sleep(0.1)
"""


def _ticking(folder: Path, name: str, turn: float, ticks: int = 1000) -> Contender:
    command = [*PYTHON, TICKING, str(ticks)]
    return Contender(name, command, folder / f"{name}.log", turn)


def _processes() -> set[psutil.Process]:
    """What this process has started; also what others than these tests did and still use."""
    return set(psutil.Process().children(recursive=True))


def _run(contenders: list[Contender], rounds: int | None) -> None:
    for _ in run_in_turns(contenders, rounds):
        pass


def test_no_two_contenders_run_at_once_and_each_has_its_own_time(tmp_path: Path) -> None:
    pair = [_ticking(tmp_path, "a", 0.8), _ticking(tmp_path, "b", 0.8)]
    began = time.monotonic()
    _run(pair, 3)
    lasted = time.monotonic() - began
    for one in pair:
        assert 2.4 <= one.seconds < 3.2
        assert [e.epoch for e in one.epochs] == list(range(1, len(one.epochs) + 1))
        assert all(0 <= e.at <= one.seconds for e in one.epochs)
        # The wall time that its ticks span holds the other's turns, its own clock does not.
        wall = one.epochs[-1].value - one.epochs[0].value
        assert wall - (one.epochs[-1].at - one.epochs[0].at) > 1.0
    assert lasted >= sum(one.seconds for one in pair) - 0.1
    spans = sorted((e.value, one.name) for one in pair for e in one.epochs)
    changes = sum(a[1] != b[1] for a, b in itertools.pairwise(spans))
    assert changes == 5  # a b a b a b


def test_a_contender_that_ends_is_done_and_the_other_goes_on(tmp_path: Path) -> None:
    short, long = _ticking(tmp_path, "short", 5, ticks=3), _ticking(tmp_path, "long", 0.5)
    _run([short, long], 3)
    assert short.done and len(short.epochs) == 3 and short.seconds < 3
    assert not long.done and long.seconds == pytest.approx(1.5, abs=0.3)


def test_an_endless_contender_runs_for_as_long_as_the_first_that_ends(tmp_path: Path) -> None:
    ends = _ticking(tmp_path, "ends", 0.5, ticks=12)
    later = _ticking(tmp_path, "later", 0.5, ticks=30)
    endless = _ticking(tmp_path, "endless", 0.5)
    endless.endless = True
    _run([ends, later, endless], None)
    assert ends.done and len(ends.epochs) == 12
    assert later.done and len(later.epochs) == 30
    assert not endless.done and endless.seconds == pytest.approx(ends.seconds, abs=0.6)


def test_nothing_is_left_running_or_stopped(tmp_path: Path) -> None:
    before = _processes()
    _run([_ticking(tmp_path, "a", 0.3)], 1)
    assert _processes() <= before


def test_contenders_end_when_the_benchmark_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "from search.benchmark.turns import Contender, run_in_turns\n"
        "place = pathlib.Path(sys.argv[1])\n"
        "command = [sys.executable, '-I', '-S', '-c', sys.argv[2], '100000']\n"
        "pair = [Contender(n, command, place / n, 0.5) for n in 'ab']\n"
        "for number, _ in run_in_turns(pair, 1000):\n"
        "    print(number, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), TICKING], stdout=subprocess.PIPE, text=True
    ) as benchmark:
        assert benchmark.stdout is not None
        for _ in range(3):
            benchmark.stdout.readline()
        children = psutil.Process(benchmark.pid).children(recursive=True)
        assert len(children) == 2
        benchmark.kill()
    _, left = psutil.wait_procs(children, timeout=10)
    assert left == []


def test_a_contender_that_fails_is_named_with_its_last_words(tmp_path: Path) -> None:
    command = [*PYTHON, "raise SystemExit('out of luck')"]
    failing = Contender("failing", command, tmp_path / "log", 5)
    other = _ticking(tmp_path, "other", 0.3)
    before = _processes()
    with pytest.raises(Refused, match=r"'failing' ended with code 1:\nout of luck"):
        _run([other, failing], 2)
    assert _processes() <= before
