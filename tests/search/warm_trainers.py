"""Fork servers of training processes that begin with TensorFlow imported.

Each command has such a server (`models.fork_server`), whose start takes seconds of computing. A
warm command has a child instead, forked from a process that has imported TensorFlow. It waits until
the command would start its server, then serves and ends as multiprocessing's own does.
"""

import json
import os
import signal
import socket
from multiprocessing import connection, forkserver, resource_tracker
from pathlib import Path
from typing import Any, NoReturn

from models.fork_server import leave_with_parent
from models.tensorflow_start import hide_gpus, one_thread, quiet_start

# What they hold besides is not documented.
_connection: Any = connection
_forkserver: Any = forkserver
_REQUEST = 2**20


class _WarmForkServer(forkserver.ForkServer):
    """Asks the child that waits, where it would start another Python; if that dies, it does."""

    child: tuple[int, socket.socket] | None
    _lock: Any
    _forkserver_address: Any
    _forkserver_alive_fd: Any
    _forkserver_pid: int | None

    def ensure_running(self) -> None:
        if self.child is None:
            super().ensure_running()
            return
        pid, asking = self.child
        self.child = None
        with self._lock, asking, socket.socket(socket.AF_UNIX) as listener:
            resource_tracker.ensure_running()
            address = _connection.arbitrary_address("AF_UNIX")
            listener.bind(address)
            listener.listen()
            reading, writing = os.pipe()
            blocked = [int(one) for one in signal.pthread_sigmask(signal.SIG_BLOCK, [])]
            request = {"place": str(Path.cwd()), "env": dict(os.environ), "blocked": blocked}
            streams = [listener.fileno(), reading]
            socket.send_fds(asking, [json.dumps(request).encode()], streams)
            os.close(reading)
            self._forkserver_address = address
            self._forkserver_alive_fd = writing
            self._forkserver_pid = pid


def fork_early() -> None:
    """Fork the child that may become this process's fork server, before there is anything else."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        ours.close()
        _serve_when_asked(theirs)
    theirs.close()
    server = _forkserver._forkserver
    server.__class__ = _WarmForkServer
    server.child = pid, ours
    _forkserver.ensure_running = server.ensure_running


def _serve_when_asked(theirs: socket.socket) -> NoReturn:
    """Be multiprocessing's fork server as if begun now, until no process of the command is left."""
    try:
        leave_with_parent()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        with theirs:
            content, descriptors, *_ = socket.recv_fds(theirs, _REQUEST, 2)
        if content:
            request = json.loads(content)
            os.chdir(request["place"])
            os.environ.clear()
            os.environ.update(request["env"])
            quiet_start()
            hide_gpus()
            one_thread()
            signal.pthread_sigmask(signal.SIG_SETMASK, request["blocked"])
            _forkserver.main(*descriptors, [])
    finally:
        os._exit(0)
