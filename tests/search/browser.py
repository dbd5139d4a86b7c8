"""A served UI and a real browser in front of it, for the tests of what a person sees."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.search.command import argv, environment

PATIENCE = 60.0  # seconds, for one thing to appear; most take one, on a busy machine ten
WINDOW = (1400, 900)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
# The invitation to MLflow's assistant would cover a quarter of the page.
NO_ASSISTANT = """
    localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
    localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
"""
# As in the addresses that the command prints; else MLflow shows its pages for language models.
WORKFLOW = "workflowType=machine_learning"


@dataclass(frozen=True)
class Site:
    """Address of a served UI, and the address that it printed for each experiment's runs."""

    address: str
    runs: dict[str, str]


@contextmanager
def served(store: Path, place: Path) -> Iterator[Site]:
    """The MLflow UI of the `mlruns` folder `store`, started as a person does; logs to `place`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    log = place / "log"
    options = ("--port", str(port), "--tracking-uri", f"sqlite:///{store / 'mlflow.db'}")
    with log.open("w") as output:
        server = subprocess.Popen(
            argv("search.ui", *options),
            cwd=place,
            env=environment(),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            links = printed_links(log)
            assert _answers(address), "the address was printed before the server answered"
            wait_for_health(address, server, log)
            yield Site(address, links)
        finally:
            os.killpg(server.pid, signal.SIGINT)
            try:
                server.wait(30)
            finally:
                if server.poll() is None:
                    os.killpg(server.pid, signal.SIGKILL)
                    server.wait()


def printed_links(log: Path) -> dict[str, str]:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = re.findall(r"^  (\S+): (http\S+)$", log.read_text(), re.MULTILINE)
        if found:
            return dict(found)
        time.sleep(0.3)
    pytest.fail(f"the command printed no address of runs: {log.read_text()}")


def _answers(address: str) -> bool:
    with urllib.request.urlopen(f"{address}/health", timeout=60) as answer:
        return bool(answer.status == 200)


def wait_for_health(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"the UI does not answer: {log.read_text()}")


@contextmanager
def newcomer(page: Page) -> Iterator[Page]:
    """A window beside `page`, of a person whose browser has never been anywhere."""
    browser = page.context.browser
    assert browser is not None
    with browser.new_context(viewport={"width": WINDOW[0], "height": WINDOW[1]}) as profile:
        window = profile.new_page()
        window.set_default_timeout(PATIENCE * 1000)
        window.add_init_script(NO_ASSISTANT)
        yield window


@contextmanager
def launched(chromium: str) -> Iterator[Browser]:
    """The browser at that path, without a window."""
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield browser
        browser.close()


def open_window(browser: Browser) -> Page:
    """A window for pages of the MLflow UI."""
    window = browser.new_page(viewport={"width": WINDOW[0], "height": WINDOW[1]})
    window.set_default_timeout(PATIENCE * 1000)
    window.add_init_script(NO_ASSISTANT)
    return window


def screenshot(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.mouse.move(WINDOW[0] - 400, WINDOW[1] - 100)
        page.screenshot(path=Path(folder) / f"{name}.png", animations="disabled")
