"""A module of ours in a process of its own: this one never imports TensorFlow."""

import subprocess
import sys
from pathlib import Path

from models.tensorflow_start import ERRORS, cpu_environment
from search.common.errors import Refused


def run_apart(module: str, *words: str, failing: str) -> None:
    """Run `module` with `words`, on the CPU.

    Raises:
        Refused: it failed; the message is `failing` and its last words.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        env=cpu_environment(ERRORS),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise Refused(f"{failing}: {said[:500]}")
