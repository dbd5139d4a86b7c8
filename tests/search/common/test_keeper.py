"""Process groups end with the process that started them, however it ends."""

import signal
import subprocess
import sys

import psutil
import pytest

from search.common.keeper import keeper
from tests.search.command import REPOSITORY, wait_until

# A program that has started another.
PAIR = ["sh", "-c", "sleep 1000 & sleep 1000; true"]
STARTS_STOPS_AND_IS_KILLED = """
import os, signal, subprocess, sys
from search.common.keeper import keeper
with keeper() as tell:
    program = subprocess.Popen(sys.argv[1:], process_group=0, stdout=subprocess.DEVNULL)
    tell(program.pid)
    print(program.pid, flush=True)
    sys.stdin.readline()
    os.killpg(program.pid, signal.SIGSTOP)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def _group(leader: int) -> list[psutil.Process]:
    """The processes of `leader`, once it has started both of its own."""
    one = psutil.Process(leader)
    wait_until(lambda: len(one.children()) == 2)
    return [one, *one.children()]


@pytest.mark.parametrize("time", range(1, 4))
def test_a_group_that_is_stopped_ends_with_a_process_that_is_killed(time: int) -> None:
    command = [sys.executable, "-c", STARTS_STOPS_AND_IS_KILLED, *PAIR]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdin is not None and starter.stdout is not None
        group = _group(int(starter.stdout.readline()))
        starter.stdin.write("\n")
        starter.stdin.flush()
        assert starter.wait() == -signal.SIGKILL
    _, left = psutil.wait_procs(group, timeout=60)
    assert left == []


def test_a_group_ends_with_the_block_unless_it_was_let_go() -> None:
    with (
        subprocess.Popen(PAIR, process_group=0) as kept,
        subprocess.Popen(PAIR, process_group=0) as let_go,
    ):
        groups = _group(kept.pid), _group(let_go.pid)
        with keeper() as tell:
            for program in (kept, let_go, let_go):
                tell(program.pid)
        _, left = psutil.wait_procs(groups[0], timeout=60)
        assert left == []
        assert [one.is_running() for one in groups[1]] == [True] * 3
        for one in groups[1]:
            one.kill()


def test_the_ui_takes_its_server_with_it_when_it_is_killed() -> None:
    code = (
        "import sys; from search.ui import _serve; "
        "sys.exit(_serve(sys.argv[1:], {}, ('127.0.0.1', 1), []))"
    )
    with subprocess.Popen([sys.executable, "-c", code, *PAIR], cwd=REPOSITORY) as ui:
        wait_until(lambda: len(psutil.Process(ui.pid).children(recursive=True)) == 3)
        group = psutil.Process(ui.pid).children(recursive=True)
        ui.kill()
    _, left = psutil.wait_procs(group, timeout=60)
    assert left == []
