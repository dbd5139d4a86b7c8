"""Servers that training processes are forked from, which begin with TensorFlow imported.

Each command has such a server (`models.fork_server`), whose start takes seconds of computing. So
one process imports TensorFlow once for each process of the tests, and forks the servers. They serve
and end as multiprocessing's own do, but are no children of their command. Tests of processes that
are left behind start their commands without this.

Run as `python -m tests.search.warm_trainers PATH`, it forks a server for each request at the socket
PATH, and ends with its parent.
"""

import contextlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Mapping
from multiprocessing import connection, forkserver, resource_tracker
from pathlib import Path
from typing import Any

import psutil

# What they hold besides is not documented.
_connection: Any = connection
_forkserver: Any = forkserver
_REQUEST = 2**20


class _WarmForkServer(forkserver.ForkServer):
    """Asks for a server that has imported TensorFlow, where it would start another Python."""

    path: str
    _lock: Any
    _forkserver_address: Any
    _forkserver_alive_fd: Any
    _forkserver_pid: int | None

    def ensure_running(self) -> None:
        with self._lock:
            resource_tracker.ensure_running()
            if self._forkserver_pid is not None:
                if psutil.pid_exists(self._forkserver_pid):
                    return
                os.close(self._forkserver_alive_fd)
            with socket.socket(socket.AF_UNIX) as listener:
                address = _connection.arbitrary_address("AF_UNIX")
                listener.bind(address)
                listener.listen()
                reading, writing = os.pipe()
                pid = _asked_for(self.path, [1, 2, listener.fileno(), reading])
                os.close(reading)
            self._forkserver_address = address
            self._forkserver_alive_fd = writing
            self._forkserver_pid = pid


def fork_from(path: str) -> None:
    """Let this process take its fork server from the one that serves at `path`."""
    server = _forkserver._forkserver
    server.__class__ = _WarmForkServer
    server.path = path
    _forkserver.ensure_running = server.ensure_running


def _asked_for(path: str, descriptors: list[int]) -> int:
    """The process that has taken over these: output, errors, its socket, its commands' pipe."""
    request = {"place": str(Path.cwd()), "env": dict(os.environ), "command": os.getpid()}
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asking:
        asking.connect(path)
        socket.send_fds(asking, [json.dumps(request).encode()], descriptors)
        return int(asking.recv(32))


def _serve(path: str) -> None:
    """Fork a server for each request, and kill it when its command has ended."""
    commands: dict[int, int] = {}
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(path)
        listener.listen()
        os.write(1, b"\n")
        while True:
            ready, _, _ = select.select([listener.fileno(), *commands], [], [])
            for ended in commands.keys() & set(ready):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(commands[ended], signal.SIGKILL)
                del commands[ended]
                os.close(ended)
            if listener.fileno() not in ready:
                continue
            asking, _ = listener.accept()
            with asking:
                content, descriptors, *_ = socket.recv_fds(asking, _REQUEST, 4)
                request = json.loads(content)
                pid = os.fork()
                if pid == 0:
                    break
                asking.send(str(pid).encode())
            for one in descriptors:
                os.close(one)
            with contextlib.suppress(ProcessLookupError):  # it has ended, and its pipe says so
                commands[os.pidfd_open(request["command"])] = pid
    for one in commands:
        os.close(one)
    _fork_trainers(request, descriptors)


def _fork_trainers(request: Mapping[str, Any], descriptors: list[int]) -> None:
    """Be multiprocessing's fork server, until no process of the command is left."""
    os.setsid()
    os.chdir(request["place"])
    os.environ.clear()
    os.environ.update(request["env"])
    for stream, place in zip(descriptors[:2], (1, 2), strict=True):
        os.dup2(stream, place)
        os.close(stream)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        _forkserver.main(*descriptors[2:], [])
    finally:
        os._exit(0)


if __name__ == "__main__":
    import models.preloaded  # noqa: F401

    # Nobody asks how the servers have ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _serve(sys.argv[1])
