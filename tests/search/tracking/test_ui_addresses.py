"""What a person sees of a finished study in the MLflow UI, looked at with a real browser.

Retake the pictures of the documentation, from the studies of an `mlruns` folder:

    SCREENSHOTS=docs/images STORE=mlruns python -m pytest -n 0 -k page tests/search

(the registry's page is looked at in promote/test_promote.py). Without STORE a smoke study is run
first. Without Chromium the tests are skipped, unless
REQUIRE_BROWSER=1 says that they must run.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.search.browser import WORKFLOW, Site, screenshot
from tests.search.command import query

pytestmark = pytest.mark.timeout(600)

ROWS = ".ag-pinned-left-cols-container [role=row]"


@dataclass(frozen=True)
class Study:
    """The newest study of a store, as the store itself has it."""

    database: Path
    experiment: str
    run_id: str
    name: str

    def trials(self) -> list[str]:
        """Names of its trials, newest first."""
        return [
            name
            for (name,) in query(
                self.database,
                f"""select name from runs join tags using (run_uuid)
                    where key = 'mlflow.parentRunId' and value = '{self.run_id}'
                    order by start_time desc""",
            )
        ]

    def runs_in_experiment(self) -> int:
        ((count,),) = query(
            self.database,
            f"""select count(*) from runs join experiments using (experiment_id)
                where experiments.name = '{self.experiment}'
                and runs.lifecycle_stage = 'active'""",
        )
        return int(count)

    def best(self) -> tuple[str, str]:
        """Id and name of its best completed trial."""
        ((run_id, name),) = query(
            self.database,
            f"""select runs.run_uuid, name from runs
                join tags using (run_uuid) join latest_metrics using (run_uuid)
                where tags.key = 'mlflow.parentRunId' and tags.value = '{self.run_id}'
                and latest_metrics.key = 'best_val_mse' and status = 'FINISHED'
                order by latest_metrics.value, start_time limit 1""",
        )
        return run_id, name

    def leaders(self) -> list[str]:
        """Names of the experiment's trials, lowest objective first."""
        rows = query(
            self.database,
            f"""select runs.name from runs join experiments using (experiment_id)
                join latest_metrics using (run_uuid)
                where experiments.name = '{self.experiment}' and key = 'best_val_mse'
                and runs.lifecycle_stage = 'active'
                order by latest_metrics.value, start_time desc, run_uuid""",
        )
        return [name for (name,) in rows]

    def params(self, run_id: str) -> dict[str, str]:
        rows = query(self.database, f"select key, value from params where run_uuid = '{run_id}'")
        return dict(rows)


@pytest.fixture(scope="module")
def store(chromium: str, request: pytest.FixtureRequest) -> Path:
    """An `mlruns` folder with a finished study."""
    if given := os.environ.get("STORE"):
        return Path(given).resolve()
    place: Path = request.getfixturevalue("smoke_study")[0]
    return place / "mlruns"


@pytest.fixture(scope="module")
def study(store: Path) -> Study:
    database = store / "mlflow.db"
    ((experiment, run_id, name),) = query(
        database,
        """select experiments.name, run_uuid, runs.name from runs
           join experiments using (experiment_id) join tags using (run_uuid)
           where key = 'search.kind' and value = 'study' and status = 'FINISHED'
           order by start_time desc limit 1""",
    )
    return Study(database, experiment, run_id, name)


def open_runs(page: Page, site: Site, study: Study) -> None:
    """Follow the address that the command printed, in a browser that has never been there."""
    page.goto(site.runs[study.experiment])
    expect(page.get_by_text("matching runs")).to_be_visible()


def open_run(page: Page, site: Site, study: Study, run_id: str) -> None:
    ((experiment_id,),) = query(
        study.database, f"select experiment_id from runs where run_uuid = '{run_id}'"
    )
    page.goto(f"{site.address}/#/experiments/{experiment_id}/runs/{run_id}?{WORKFLOW}")
    expect(page.get_by_text("About this run")).to_be_visible()


def row(page: Page, index: int) -> Locator:
    return page.locator(f'{ROWS}[row-index="{index}"]')


def test_the_experiment_lists_the_study_and_under_it_its_trials(
    page: Page, site: Site, study: Study
) -> None:
    # In MLflow's own table, not the one of the printed address.
    page.goto(re.sub("&viewStateShareKey=.*", "", site.runs[study.experiment]))
    expect(page.get_by_text(f"{study.runs_in_experiment()} matching runs")).to_be_visible()
    parent = page.locator(ROWS).filter(has=page.get_by_role("link", name=study.name, exact=True))
    expect(parent).to_have_count(1)
    for trial in study.trials():
        expect(page.get_by_role("link", name=trial, exact=True)).to_have_count(0)
    parent.get_by_role("button").click()
    first = int(parent.get_attribute("row-index") or 0) + 1
    for index, trial in enumerate(study.trials()[:5], start=first):
        expect(row(page, index).get_by_role("link")).to_have_text(trial)


def test_the_study_page_describes_the_best_trial_and_the_trade_off(
    page: Page, site: Site, study: Study
) -> None:
    open_run(page, site, study, study.run_id)
    page.get_by_text("Show more", exact=True).click()
    _, best = study.best()
    for sentence in (
        f"Best: {best}.",
        "The best trial does not beat the strongest baseline",
        "Trade-off: the best trial's fit is",
        # A store of one's own may hold a promoted study.
        "The test period" if os.environ.get("STORE") else "The test period has not been opened.",
        f"python -m search.promote --study {study.name}",
    ):
        expect(page.get_by_text(sentence)).to_be_visible()
    expect(page.get_by_role("columnheader", name="skill")).to_be_visible()
    expect(page.get_by_role("cell", name="same_hour_last_week")).to_be_visible()
    expect(page.get_by_text("Finished", exact=True)).to_be_visible()


def test_a_trial_page_shows_parameters_curves_and_figures(
    page: Page, site: Site, study: Study
) -> None:
    run_id, name = study.best()
    open_run(page, site, study, run_id)
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_text("Finished", exact=True)).to_be_visible()
    parameters = study.params(run_id)
    expect(page.get_by_text(f"Parameters ({len(parameters)})")).to_be_visible()
    shown = page.locator("body").inner_text()
    for key in ("units", "learning_rate", "batch_size", "window", "seed"):
        assert re.search(rf"^{key}\s+{re.escape(parameters[key])}$", shown, re.MULTILINE), key
    for tag in ("device", "device_name", "version.keras", "unit"):
        assert tag in shown
    expect(page.get_by_text("Parent run")).to_be_visible()
    expect(page.get_by_text("Child runs")).to_have_count(0)  # it says that there are none
    screenshot(page, "trial")

    page.get_by_role("tab", name="Model metrics").click()
    for curve in ("loss", "val_mse"):
        page.get_by_placeholder("Search metric charts").fill(f"^{curve}$")
        # Only a metric of several epochs has its steps as an axis.
        expect(page.get_by_text("Step", exact=True)).to_have_count(1)
        expect(page.get_by_text(f"{name} ({curve})")).to_be_visible()

    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("figures", exact=True).click()
    for figure in ("loss_curves", "residuals_by_hour", "one_week"):
        page.get_by_text(f"{figure}.png", exact=True).click()
        picture = page.get_by_alt_text(f"figures/{figure}.png")
        expect(picture).to_be_visible()
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 500
    page.get_by_text("model", exact=True).click()
    expect(page.get_by_text("model.keras", exact=True)).to_be_visible()


def test_sorting_by_the_objective_puts_the_best_first(page: Page, site: Site, study: Study) -> None:
    open_runs(page, site, study)
    page.get_by_test_id("sort-select-dropdown").click()
    page.get_by_test_id("sort-select-asc").click()
    page.get_by_test_id("sort-select-dropdown").click()
    page.get_by_placeholder("Search", exact=True).fill("best_val_mse")
    page.get_by_text("best_val_mse", exact=True).click()
    expect(page).to_have_url(re.compile(r"best_val_mse.*orderByAsc=true"))
    leaders = study.leaders()
    assert study.best()[1] in leaders
    for index, name in enumerate(leaders[:5]):
        expect(row(page, index).get_by_role("link")).to_have_text(name)
    if "SCREENSHOTS" in os.environ:
        choose_columns(page)
        screenshot(page, "run-list")


def choose_columns(page: Page) -> None:
    """Show what tells trials apart in place of what they have in common."""
    page.get_by_test_id("column-selection-dropdown").first.click()
    for column in ("Dataset", "Source", "Models", "val_rmse", "val_skill", "units", "l2"):
        page.get_by_placeholder("Search columns").fill(column)
        tree = page.get_by_test_id("column-selector-tree")
        tree.locator("[title='']").filter(has_text=re.compile(f"^{column}$")).click()
    page.keyboard.press("Escape")
    expect(page.get_by_placeholder("Search columns")).to_be_hidden()
