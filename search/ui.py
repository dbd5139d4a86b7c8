"""`python -m search.ui`: the MLflow UI on the stores that `search.run` writes."""

import ipaddress
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import click

from search.common import commands
from search.common.errors import DONE, REFUSED_OR_FAILED, TERMINATED, Refused, WrongInput
from search.common.keeper import keeper
from search.common.stores import choose_stores, masked
from search.tracking.start_page import PLUGIN, STORE
from search.tracking.ui_addresses import page

# Seconds that the server has to end by itself.
GRACE = 3.0


@click.command(context_settings={"max_content_width": 100})
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
@click.option("--tracking-uri", help="MLflow store.  [default: mlruns/mlflow.db]")
@click.option("--login", is_flag=True, help="Ask for a user and password (MLflow's basic-auth).")
@click.option("--insecure", is_flag=True, help="Let other machines connect without a login.")
def main(host: str, port: int, tracking_uri: str | None, login: bool, insecure: bool) -> None:
    """Start the MLflow UI; Ctrl-C stops it. If the store is a server, print the runs' address."""

    def work() -> int:
        stores = choose_stores(None, tracking_uri)
        if stores.artifacts is None:
            first = f"MLflow is served by {masked(stores.tracking)}; the runs of"
            click.echo("\n".join([first, *links(stores.tracking, stores.tracking)]))
            return DONE
        command = server_command(host, port, tracking_uri, login, insecure)
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        address = f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
        lines = [f"MLflow UI on {address} (Ctrl-C ends it); the runs of"]
        return _serve(command, stores.tracking, lines + links(address, stores.tracking))

    sys.exit(commands.exit_code(work))


def _serve(command: list[str], tracking_uri: str, lines: list[str]) -> int:
    # Whatever folder we are in, the server is to find `search.tracking.start_page`, and MLflow the
    # apps in it.
    places = [str(Path(__file__).parents[1]), str(PLUGIN), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # Ten background processes that serve features for language models; nothing of ours.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "PYTHONPATH": os.pathsep.join(filter(None, places)),
        STORE: tracking_uri,
    }
    # SIGTERM is to end the server too, not to leave it behind with the port.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    # Python leaves SIGINT ignored where it was at the start, as in a script's background process.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    click.echo("\n".join(lines), err=True)
    with keeper() as tell:
        # A group of its own, so that nothing of it outlives us.
        server = subprocess.Popen(command, env=environment, process_group=0)
        tell(server.pid)
        try:
            return DONE if server.wait() == 0 else REFUSED_OR_FAILED
        except KeyboardInterrupt:
            return DONE
        finally:
            _end(server)


def _end(server: "subprocess.Popen[bytes]") -> None:
    """End the server, by force after `GRACE` seconds or at another Ctrl-C.

    By itself it waits without limit for connections whose request or answer is not complete, such
    as those of a browser that is suspended.
    """
    server.terminate()
    try:
        server.wait(GRACE)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def server_command(
    host: str, port: int, tracking_uri: str | None, login: bool, insecure: bool
) -> list[str]:
    """Return the command that serves the store, a database, once it is sure that it may.

    Raises:
        WrongInput: `host` is no address of this machine.
        Refused: there is no store yet, the port is taken, or everybody in reach could write.
    """
    stores = choose_stores(None, tracking_uri)
    assert stores.artifacts is not None
    if not _is_loopback(host) and not (login or insecure):
        raise Refused(
            f"--host {host} lets every machine that reaches it read, change and delete runs.\n"
            "Next: stay on 127.0.0.1, or add --login, or --insecure if a proxy asks for one."
        )
    if stores.missing_tracking:
        first = commands.module("search.run", "--trials", "50")
        raise Refused(f"there is no {stores.missing_tracking} yet.\nNext: {first}")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Refused(
                f"cannot listen on {host} port {port}: {error.strerror}.\n"
                "Next: give another one with --port."
            ) from error
    command = [sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port)]
    command += ["--backend-store-uri", stores.tracking]
    command += ["--default-artifact-root", stores.artifacts.as_uri(), "--workers", "1"]
    return [*command, "--app-name", "basic-auth" if login else "search"]


def links(address: str, tracking_uri: str) -> list[str]:
    """Return a line for each experiment, with the address of its runs.

    Args:
        address: of the server that shows them.
        tracking_uri: of the store.

    Raises:
        Refused: the store cannot be read.
    """
    from search.tracking.existing_runs import experiment_ids

    found = sorted(experiment_ids(tracking_uri).items())
    return [f"  {name}: {page(address, 'experiments', number, 'runs')}" for name, number in found]


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError as error:
        raise WrongInput(
            f"--host {host!r}: expected an IP address or localhost, such as 127.0.0.1"
        ) from error


if __name__ == "__main__":
    main()
