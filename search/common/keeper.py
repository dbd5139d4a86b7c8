"""Ends the process groups that this process started, however this process ends."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator

# It has no parent and its own session: no signal to us, our group or a terminal reaches it.
_KEEPER = """
import os, signal, sys
if os.fork():
    os._exit(0)
groups = set()
for line in sys.stdin:
    groups ^= {int(line)}
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass  # it has ended
"""


@contextlib.contextmanager
def keeper() -> Iterator[Callable[[int], None]]:
    """Start a small process that waits for the end of this process or of the block.

    The system then closes its pipe, even after `kill -9`. It kills the remaining groups with
    SIGKILL, which reaches stopped processes and everything that runs in these groups.

    Yields:
        A function. Call it with a process group when the group begins, and again when it has ended.
    """
    with subprocess.Popen(
        # Isolated and without packages, so it starts in a few hundredths of a second.
        [sys.executable, "-I", "-S", "-c", _KEEPER],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        cwd="/",
        start_new_session=True,
    ) as begun:
        begun.wait()
        pipe = begun.stdin
        assert pipe is not None

        def tell(group: int) -> None:
            with contextlib.suppress(BrokenPipeError):  # somebody killed the keeper on purpose
                pipe.write(b"%d\n" % group)

        yield tell
