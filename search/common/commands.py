"""What all commands share: how they are typed, how they read options, how they end."""

import csv
import gc
import importlib.util
import io
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from search.common.errors import (
    INTERRUPTED,
    REFUSED_OR_FAILED,
    TERMINATED,
    WRONG_INPUT,
    Refused,
    WrongInput,
)
from search.common.stop_signals import AnotherRequest

# Blocks of a small picture in text, and what stands for them.
_BLOCKS = "▁▂▃▄▅▆▇█"
_SIGNS = "_.:-=+*#"
# New objects after which Python looks for garbage. What a start imports stays: with Python's 700
# it looked that over again and again, a fifth of the start.
_COLLECT_AFTER = 100_000


_CONTINUE = "Run the same command again to continue."
# The message where a second call goes on.
CONTINUES = f"Interrupted.\n{_CONTINUE}"


class Terminated(KeyboardInterrupt):
    """SIGTERM: it ends a command as Ctrl-C does, so that nothing of it is left."""


def exit_code(work: Callable[[], int], interrupted: str = "Interrupted.") -> int:
    """Do `work` and return its exit code. If it fails, say why on standard error.

    Args:
        work: a function that returns an exit code.
        interrupted: the message after Ctrl-C and SIGTERM.
    """
    gc.set_threshold(_COLLECT_AFTER, *gc.get_threshold()[1:])
    from data_pipeline.errors import DataError

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A console of one country cannot write all names: never a traceback.
            stream.reconfigure(errors="backslashreplace")
    try:
        with _terminable():
            return work()
    except (WrongInput, DataError) as error:
        click.echo(f"Error: {error}", err=True)
        return WRONG_INPUT
    except Refused as error:
        click.echo(f"Refused: {error}", err=True)
        return REFUSED_OR_FAILED
    except BrokenPipeError:
        raise  # nobody reads our output any more
    except OSError as error:
        click.echo(
            f"Refused: {error}\nNext: free space or repair the permissions, then run the same "
            "command again.",
            err=True,
        )
        return REFUSED_OR_FAILED
    except KeyboardInterrupt as error:
        click.echo(interrupted, err=True)
        return TERMINATED if isinstance(error, Terminated) else INTERRUPTED


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM raises `Terminated` until somebody else deals with it."""
    another = AnotherRequest()

    def end(_number: int, _frame: FrameType | None) -> None:
        if another():
            raise Terminated

    kept = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, kept)


def for_console(text: str) -> str:
    """The text, its small pictures in plain signs where standard output has no blocks."""
    try:
        _BLOCKS.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return text.translate(str.maketrans(_BLOCKS, _SIGNS))
    return text


def need_ray() -> None:
    """Check that the package for `--cluster` is installed.

    Raises:
        WrongInput: it is not installed.
    """
    if importlib.util.find_spec("ray") is None:
        raise WrongInput(
            "--cluster needs the package ray, which is not installed.\n"
            "Next: sh scripts/setup requirements-cluster.lock"
        )


def names(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    """Read an option that lists names, separated by commas. This is a callback for `click`.

    A name that contains a comma is written in double quotes.
    """
    if value is None:
        return None
    try:
        cells = next(csv.reader([value], skipinitialspace=True, strict=True), [])
    except csv.Error:
        cells = value.split(",")
    return tuple(name.strip() for name in cells if name.strip())


def python() -> str:
    """How to call this Python: "python" if its environment is active, else its path."""
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


def ended_early(reason: str, signum: int | None) -> int:
    """Say that the command ended early, and return its exit code.

    Args:
        reason: why.
        signum: the signal that ended it; None if there was none.
    """
    click.echo(f"Ended early: {reason}\n{_CONTINUE}", err=True)
    if signum is None:
        return REFUSED_OR_FAILED
    return INTERRUPTED if signum == signal.SIGINT else TERMINATED
