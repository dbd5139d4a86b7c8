"""A server that is no MLflow is refused before training; one that is away is not."""

import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from search.common.errors import Refused
from search.common.tracking_server import need_mlflow


@contextmanager
def _server(status: int, body: bytes) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *words: object) -> None:
            """Be quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://me:geheim@127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "found"),
    [(404, b"", "404"), (501, b"", "501"), (200, b"<html>", "not JSON"), (200, b"[]", "MLflow's")],
)
def test_another_server_is_refused_without_its_password(
    status: int, body: bytes, found: str
) -> None:
    with _server(status, body) as uri, pytest.raises(Refused, match=found) as refusal:
        need_mlflow(uri)
    assert "geheim" not in str(refusal.value) and "mlflow server" in str(refusal.value)


@pytest.mark.parametrize(("status", "body"), [(200, b"{}"), (401, b""), (503, b"")])
def test_mlflow_a_login_and_a_server_that_restarts_pass(status: int, body: bytes) -> None:
    with _server(status, body) as uri:
        need_mlflow(uri)


def test_a_server_that_is_away_passes_and_so_does_a_database() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    need_mlflow(f"http://127.0.0.1:{port}")
    need_mlflow("sqlite:///none.db")
