"""Commands as a person can type them here and now."""

import os
import shlex
import sys
from pathlib import Path


def python() -> str:
    """How to call this Python: "python" where its environment is active, else its path."""
    here = Path(sys.executable)
    if os.environ.get("VIRTUAL_ENV") == sys.prefix or sys.prefix == sys.base_prefix:
        return "python"
    try:
        return shlex.quote(str(here.relative_to(Path.cwd())))
    except ValueError:
        return shlex.quote(str(here))


def module(name: str, *words: str) -> str:
    """The command that runs our module `name` with `words`."""
    return " ".join([python(), "-m", name, *map(shlex.quote, words)])
