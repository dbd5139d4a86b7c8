"""Ctrl-C and SIGTERM: when one is another request to stop, and when the same one again."""

import math
import time

# `timeout` sends SIGTERM to the command and to its group: twice within an instant.
_INSTANT_S = 0.2


class AnotherRequest:
    """Called at each signal; True if it is a request of its own."""

    def __init__(self) -> None:
        self._last = -math.inf

    def __call__(self) -> bool:
        """True at the first signal, and at one that comes more than an instant after the last."""
        now = time.monotonic()
        if now - self._last <= _INSTANT_S:
            return False
        self._last = now
        return True
