"""A function of ours in a process of its own: this one never imports TensorFlow."""

from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from models.fork_server import deaf_to_stop_signals, leave_with_parent, processes
from models.tensorflow_start import hide_gpus, quiet_start, tensorflow_start
from search.common.errors import Refused


def run_apart(function: Callable[..., None], *files: Path, failing: str) -> None:
    """Call `function`, which stands in a module, with `files`, on the CPU.

    Raises:
        Refused: it failed; the message is `failing` and the reason.
    """
    context = processes()
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_call, args=(sending, function, files))
    with deaf_to_stop_signals():
        process.start()
    sending.close()
    try:
        said = receiving.recv()
    except EOFError:
        said = "its process was ended"
    finally:
        process.kill()
        process.join()
    if said:
        raise Refused(f"{failing}: {said}")


def _call(sending: Connection, function: Callable[..., None], files: tuple[Path, ...]) -> None:
    leave_with_parent()
    quiet_start()
    hide_gpus()
    try:
        with tensorflow_start():  # where a driver is missing, the first use says so
            from models.device import prepare_device

            prepare_device(threads=1)
        function(*files)
        sending.send("")
    except Exception as error:  # noqa: BLE001 - the border of the process: told on the other side
        sending.send(f"{type(error).__name__}: {str(error)[:500]}")
