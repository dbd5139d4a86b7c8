"""Whatever becomes of this process, process groups that it started do not stay behind."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator

# Nobody's child and of a session of its own: no signal to us, our group or a terminal reaches it.
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
    """Have a small process wait for the end of this one, or of the block.

    The system closes its pipe then, be it by `kill -9`, and it kills the groups that are left, with
    SIGKILL: that reaches what stands stopped, and whatever the programs started in their groups.

    Yields:
        A function to be told a process group when it begins, and again once it has ended.
    """
    with subprocess.Popen(
        # Isolated, and without packages: it starts in a few hundredths of a second.
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
            with contextlib.suppress(BrokenPipeError):  # who kills it means what comes of that
                pipe.write(b"%d\n" % group)

        yield tell
