"""Where one gets from the addresses of the served MLflow UI, each in a browser's first visit."""

import dataclasses
import importlib.metadata
import re
import sys
import types
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from search.common.records import State
from search.results.summary import StudySummary
from search.tracking import start_page
from search.tracking.start_page import PLUGIN, STORE, first_page
from search.tracking.study_runs import StudyRuns
from search.tracking.ui_addresses import page as address_of
from tests.search.browser import WORKFLOW, Site, newcomer
from tests.search.command import REPOSITORY, query
from tests.search.mlflow_stores import empty_store
from tests.search.samples import facts, record, result
from tests.search.sleeping_pool import undrawn

RECORDS = (record(0, result(0.02)), record(1, result(0.03)))
# Of a re-test on other hours, which no baseline stands beside.
ON_A_FOLD = record(7, result(0.01))
ROWS = ".ag-pinned-left-cols-container [role=row]"
HTML = "<!doctype html><html><head><title>MLflow</title></head></html>"
DATABASE = "mlflow.db"


def add_experiment(store: Path, name: str) -> None:
    """Put a study of two trials and its re-test into `store`, under an experiment of their own."""
    of_study = dataclasses.replace(facts(identity=name), name=name, experiment=name)
    again = f"{name}.retest"
    of_retest = dataclasses.replace(of_study, name=again, identity=again, baselines={})
    uri, lock = f"sqlite:///{store / DATABASE}", store / "lock"
    for of_either, records in ((of_study, RECORDS), (of_retest, (ON_A_FOLD,))):
        runs = StudyRuns(uri, store / "artifacts", lock, store / "spool", of_either)
        runs.connect()
        with undrawn():
            for one in records:
                runs.write_trial(one)
            runs.write_study(StudySummary(records, finished=len(records)), State.COMPLETE)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An `mlruns` folder with one experiment."""
    place = tmp_path_factory.mktemp("front")
    empty_store(place)
    add_experiment(place, "power_usage")
    return place


@pytest.fixture
def visitor(page: Page) -> Iterator[Page]:
    with newcomer(page) as window:
        yield window


def model_training(page: Page) -> None:
    """See that the view for model training is open, and not the one for language models."""
    side = page.locator("nav")
    expect(side.get_by_role("link", name="Model registry")).to_be_visible()
    for of_language_models in ("AI Gateway", "Prompts", "Overview"):
        expect(side.get_by_role("link", name=of_language_models)).to_have_count(0)
    assert not re.search("genai|overview|traces", page.url)


def the_runs(page: Page, name: str = "power_usage") -> None:
    """See that the table of runs is open, with the runs of study, re-test and their trials."""
    expect(page.get_by_text("5 matching runs")).to_be_visible()
    expect(page.locator(ROWS).get_by_role("link", name=name, exact=True)).to_be_visible()
    expect(page.get_by_text("Traces", exact=True)).to_have_count(1)  # in the list at the side
    assert re.search(rf"#/experiments/[0-9]+/runs[?].*{WORKFLOW}", page.url)
    model_training(page)


def test_the_bare_address_leads_to_the_runs(visitor: Page, site: Site) -> None:
    visitor.goto(site.address)
    the_runs(visitor)


def test_every_printed_address_opens_the_runs(visitor: Page, site: Site) -> None:
    assert set(site.runs) == {"power_usage"}
    visitor.goto(site.runs["power_usage"])
    the_runs(visitor)


def test_the_printed_address_shows_the_fit_of_every_trial_the_best_one_first(
    visitor: Page, site: Site
) -> None:
    visitor.goto(site.runs["power_usage"])
    the_runs(visitor)
    for column in ("regime", "fit_gap", "fit_excess", "val_rmse", "train_rmse", "val_skill"):
        expect(visitor.get_by_role("columnheader", name=column).first).to_be_in_viewport()
    names = visitor.locator(ROWS).get_by_role("link")
    expect(names).to_have_count(5)
    for place, name in enumerate(("trial 0", "trial 1")):
        expect(names.nth(place)).to_have_text(name)
    regimes = visitor.get_by_role("gridcell", name=re.compile("^(underfit|balanced|overfit)$"))
    expect(regimes.first).to_be_in_viewport()


def test_mlflows_assistant_waits_until_it_is_asked(page: Page, site: Site) -> None:
    page.goto(site.address)  # not as `visitor`, whose browser knows it
    the_runs(page)
    expect(page.get_by_placeholder("Ask a question")).to_have_count(0)


def test_from_mlflows_own_first_page_a_click_opens_the_runs(visitor: Page, site: Site) -> None:
    visitor.goto(f"{site.address}/#/")
    expect(visitor.get_by_text("Welcome to MLflow")).to_be_visible()
    model_training(visitor)
    visitor.get_by_role("link", name="power_usage", exact=True).click()
    the_runs(visitor)


def test_addresses_without_a_view_open_for_model_training(
    visitor: Page, site: Site, store: Path
) -> None:
    ((experiment, run),) = query(
        store / DATABASE, "select experiment_id, run_uuid from runs where name = 'power_usage'"
    )
    visitor.goto(f"{site.address}/#/experiments/{experiment}")
    the_runs(visitor)
    visitor.goto(f"{site.address}/#/experiments/{experiment}/runs/{run}")
    expect(visitor.get_by_text("About this run")).to_be_visible()
    model_training(visitor)


def test_who_chooses_the_other_view_keeps_it(visitor: Page, site: Site) -> None:
    visitor.goto(f"{site.address}/#/")
    visitor.get_by_text("GenAI", exact=True).click()
    of_language_models = visitor.locator("nav").get_by_role("link", name="AI Gateway")
    expect(of_language_models).to_be_visible()
    visitor.reload()
    expect(of_language_models).to_be_visible()
    # What names its view opens in it all the same.
    visitor.goto("about:blank")
    visitor.goto(site.address)
    the_runs(visitor)


def test_our_first_page_stands_behind_what_guards_mlflows(site: Site) -> None:
    with urllib.request.urlopen(site.address) as answer:
        assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert WORKFLOW in answer.read().decode()
    elsewhere = urllib.request.Request(site.address, headers={"Host": "rebound.example"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(elsewhere)


def test_with_several_experiments_the_bare_address_leads_to_their_list(
    visitor: Page, site: Site, store: Path
) -> None:
    add_experiment(store, "smoke")  # while the UI is open
    visitor.goto(site.address)
    expect(visitor.get_by_role("link", name="power_usage", exact=True)).to_be_visible()
    model_training(visitor)
    visitor.get_by_role("link", name="smoke", exact=True).click()
    the_runs(visitor, "smoke")


@pytest.mark.parametrize(
    ("server", "place", "address"),
    [
        ("http://h:5000", ("experiments", "1", "runs"), "http://h:5000/#/experiments/1/runs"),
        ("https://h/mlflow/", ("experiments",), "https://h/mlflow/#/experiments"),
        ("http://me:a/b@c@h", ("models", "a b/c", "versions", "2"), None),
        (".", ("experiments",), "./#/experiments"),
    ],
)
def test_p8_every_address_names_the_view_and_none_a_password(
    server: str, place: tuple[str, ...], address: str | None
) -> None:
    expected = address or "http://h/#/models/a%20b%2Fc/versions/2"
    assert address_of(server, *place) == f"{expected}?{WORKFLOW}"


def test_addresses_are_made_in_one_place() -> None:
    made = {
        str(file.relative_to(REPOSITORY))
        for room in ("search", "models", "data_pipeline", "experiments")
        for file in (REPOSITORY / room).rglob("*.py")
        if re.search(r"#/[{\w]", file.read_text("utf-8"))
    }
    assert made == {"search/tracking/ui_addresses.py"}


def test_a_store_that_cannot_be_read_leads_to_the_list(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"not a database, " * 500)
    assert "./#/experiments?" in first_page(HTML, f"sqlite:///{tmp_path / DATABASE}")


def test_mlflow_finds_our_apps_by_their_names() -> None:
    (plugin,) = importlib.metadata.distributions(path=[str(PLUGIN)])
    assert {one.name: one.load() for one in plugin.entry_points if one.group == "mlflow.app"} == {
        "search": start_page.app,
        "basic-auth": start_page.app_with_login,
    }


def test_behind_the_login_is_the_same_first_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.server import app as flask

    monkeypatch.setattr(flask, "view_functions", dict(flask.view_functions))
    # MLflow's own needs a package that is not among ours.
    login = types.ModuleType("mlflow.server.auth")
    login.create_app = lambda: "behind a login"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlflow.server.auth", login)
    monkeypatch.setenv(STORE, empty_store(tmp_path))
    assert start_page.app_with_login() == "behind a login"
    served = flask.test_client().get("/").text
    assert "./#/experiments?" in served and "<title>MLflow</title>" in served
