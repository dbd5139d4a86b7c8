"""`python -m search.ui`: the MLflow UI for the stores that `search.run` writes."""

import contextlib
import importlib.metadata
import importlib.util
import ipaddress
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import click

from search.common import commands
from search.common.errors import DONE, REFUSED_OR_FAILED, Refused, WrongInput
from search.common.keeper import keeper
from search.common.stores import choose_stores, masked
from search.tracking.start_page import PLUGIN, STORE
from search.tracking.ui_addresses import runs_page

# Seconds for the server to end by itself.
GRACE = 3.0
# Seconds between two looks whether it answers.
_POLL = 0.1
# MLflow's login reads these. Its users are in this file of the current folder.
_KEY, _ADMIN, _CONFIG = (
    "MLFLOW_FLASK_SERVER_SECRET_KEY",
    "MLFLOW_AUTH_ADMIN_PASSWORD",
    "MLFLOW_AUTH_CONFIG_PATH",
)
_USERS = "basic_auth.db"


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
        settings = login_settings() if login else {}
        command = server_command(host, port, tracking_uri, login, insecure)
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        address = f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
        lines = [f"MLflow UI on {address} (Ctrl-C ends it); the runs of"]
        lines += links(address, stores.tracking)
        return _serve(command, settings | {STORE: stores.tracking}, (shown, port), lines)

    sys.exit(commands.exit_code(work))


def _serve(
    command: list[str], settings: dict[str, str], place: tuple[str, int], lines: list[str]
) -> int:
    # The server must find `search.tracking.start_page` from every folder, and MLflow the apps in
    # it.
    places = [str(Path(__file__).parents[1]), str(PLUGIN), os.environ.get("PYTHONPATH", "")]
    ours = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # These ten background processes serve features for language models, which we do not use.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "PYTHONPATH": os.pathsep.join(filter(None, places)),
    }
    environment = os.environ | settings | ours
    # Python keeps ignoring SIGINT if it was ignored at the start, as in a background process.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    click.echo("The MLflow UI starts.", err=True)
    with keeper() as tell:
        # Its own process group, so that none of its processes outlives us.
        server = subprocess.Popen(command, env=environment, process_group=0)
        tell(server.pid)
        try:
            if _answers(server, place):
                click.echo("\n".join(lines), err=True)
            return DONE if server.wait() == 0 else REFUSED_OR_FAILED
        except commands.Terminated:
            raise
        except KeyboardInterrupt:
            return DONE
        finally:
            _end(server)


def _answers(server: "subprocess.Popen[bytes]", place: tuple[str, int]) -> bool:
    """Wait until the server takes connections at host and port; False if it ended before."""
    while server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(place, timeout=1):
            return True
        time.sleep(_POLL)
    return False


def _end(server: "subprocess.Popen[bytes]") -> None:
    """End the server; after `GRACE` seconds or a second Ctrl-C by force.

    Without force the server waits for ever for incomplete requests and answers, such as those of a
    suspended browser.
    """
    server.terminate()
    try:
        server.wait(GRACE)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def login_settings() -> dict[str, str]:
    """Environment variables for MLflow's login that the person did not set.

    Raises:
        WrongInput: a package or the administrator's first password is missing.
    """
    if importlib.util.find_spec("flask_wtf") is None:
        package = f"mlflow[auth]=={importlib.metadata.version('mlflow')}"
        raise WrongInput(
            "--login needs the package Flask-WTF, which is not installed.\n"
            f"Next: {commands.python()} -m pip install '{package}'"
        )
    configured = os.environ.get(_ADMIN) or os.environ.get(_CONFIG)
    if not configured and not Path(_USERS).exists():
        raise WrongInput(
            f"--login: expected users in {_USERS} of this folder, found none. The first start "
            f"makes the user admin.\nNext: put a password of 12 characters or more into {_ADMIN}."
        )
    # It protects the form for new users, which this one process shows.
    return {_KEY: os.environ.get(_KEY) or secrets.token_hex(32)}


def server_command(
    host: str, port: int, tracking_uri: str | None, login: bool, insecure: bool
) -> list[str]:
    """Return the command that serves the store, which is a database, after all checks.

    Raises:
        WrongInput: `host` is not an address of this machine.
        Refused: there is no store yet, the port is taken, or other machines could write.
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
    """Return one line per experiment, with the address of its runs.

    Args:
        address: address of the server that shows the runs.
        tracking_uri: URI of the store.

    Raises:
        Refused: the store cannot be read.
    """
    from search.tracking.existing_runs import experiments

    found = sorted(experiments(tracking_uri).items())
    return [f"  {name}: {runs_page(address, experiment)}" for name, experiment in found]


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
