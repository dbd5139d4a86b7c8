"""One start of the real search command, and the ends of attempts that it reports."""

import re
import threading
from collections.abc import Mapping
from pathlib import Path

from tests.search.command import start

STUDY = "chaos"
OPTIONS = ("--experiment", "smoke", "--study", STUDY)
# The longest time in s that a start may need to end.
LONGEST = 600.0
_ENDED = re.compile(r"^trial (\d+)\b.*? (complete|pruned|failed)\b")
_STATES = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}


class Started:
    """The search command, running in a folder.

    Two threads read its output, so that it never waits for a full pipe.
    """

    def __init__(
        self,
        place: Path,
        options: tuple[str, ...],
        acknowledged: dict[int, str],
        inside: tuple[str, ...] = (),
        told: Mapping[str, str] | None = None,
    ) -> None:
        """Start the command.

        Args:
            place: folder of the stores; what the command says is appended to its `chaos.log`.
            options: options beside `OPTIONS`.
            acknowledged: gets the number of every attempt that is reported as ended, with its
                state in the database.
            inside: words before the command, such as those of a network namespace.
            told: its environment; None: the tests' own.
        """
        self.process = start(
            place, *OPTIONS, *options, inside=inside, told=told, warm_trainers=False
        )
        self._acknowledged = acknowledged
        self._log = (place / "chaos.log").open("a")
        self._readers = [threading.Thread(target=self._read), threading.Thread(target=self._drop)]
        for reader in self._readers:
            reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._log.write(line)
            self._log.flush()
            if found := _ENDED.match(line):
                self._acknowledged[int(found[1])] = _STATES[found[2]]

    def _drop(self) -> None:
        assert self.process.stdout is not None
        self.process.stdout.read()

    @property
    def ended(self) -> bool:
        """True if the command has ended."""
        return self.process.poll() is not None

    def close(self) -> int:
        """Wait for the end and for all output; return the exit code."""
        code = self.process.wait(timeout=LONGEST)
        for reader in self._readers:
            reader.join()
        for stream in (self.process.stdout, self.process.stderr, self._log):
            assert stream is not None
            stream.close()
        return code
