"""How the kernels are compiled, and where the compiled code is kept.

numba keeps it by function and processor, but does not notice when a function changes that another
one calls. So the folder is named by all that decides the code: the sources of this room, the
versions of numba, llvmlite and Python, and the processor. A new version has a new folder.
"""

import contextlib
import hashlib
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import llvmlite
import llvmlite.binding as llvm
import numba as nb
from filelock import FileLock

_Function = TypeVar("_Function", bound=Callable[..., Any])

# Bytes that must be free; the compiled code takes a third of it.
_ROOM = 2**22
# Threads of one process may run kernels at once; a division by zero gives what IEEE 754 says.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
# All of LLVM's "fast" but what takes NaN and infinity for impossible: they must end a trial.
_FAST = {"contract", "reassoc", "nsz", "arcp"}


def find_place() -> Path | None:
    """The folder for this version's compiled code; None if nothing can be kept there.

    It lies in $NUMBA_CACHE_DIR, else in $XDG_CACHE_HOME, else in `.cache` of the home, and is made
    if need be.
    """
    try:
        asked = os.environ.get("NUMBA_CACHE_DIR")
        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        root = Path(asked) if asked else Path(caches) / "stacked-lstm-search"
        place = root / f"kernels-{_digest()}"
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place) as probe:
            probe.write(bytes(_ROOM))
    except (OSError, RuntimeError):  # read-only, full, or no home: each process compiles for itself
        return None
    return place


def _digest() -> str:
    versions = (nb.__version__, llvmlite.__version__, sys.version_info[:2])
    processor = (platform.machine(), llvm.get_host_cpu_name(), _features())
    code = hashlib.sha256(repr((versions, processor)).encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        code.update(source.read_bytes())
    return code.hexdigest()[:16]


def _features() -> str:
    """What numba compiles for."""
    return str(nb.config.CPU_FEATURES or llvm.get_host_cpu_features().flatten())


PLACE = find_place()


def compiled(*types: Any) -> Callable[[_Function], _Function]:
    """Compile a function that Python calls, for arguments of `types`, when it is defined.

    One process compiles and keeps the code in `PLACE` while the others wait, then load it. An
    error of the file system in between is an `OSError`.
    """

    def compile_now(function: _Function) -> _Function:
        before = nb.config.CACHE_DIR
        with contextlib.nullcontext() if PLACE is None else FileLock(PLACE / "lock"):
            nb.config.CACHE_DIR = "" if PLACE is None else str(PLACE)
            try:
                made: _Function = nb.njit(types, cache=PLACE is not None, **_OPTIONS)(function)
            finally:
                nb.config.CACHE_DIR = before
        return made

    return compile_now


def part(function: _Function) -> _Function:
    """Compile `function` as a part of those that call it.

    Always inlined: else code that was just compiled and code that was loaded could call copies
    that LLVM optimised differently, and differ in the last bits.
    """
    made: _Function = nb.njit(forceinline=True, **_OPTIONS)(function)
    return made


def fast_part(function: _Function) -> _Function:
    """As `part`, for loops over arrays: LLVM may sum in another order, and so by vectors."""
    made: _Function = nb.njit(forceinline=True, fastmath=_FAST, **_OPTIONS)(function)
    return made
