"""What `search.ui` adds to MLflow's server: a first page that leads to the runs.

MLflow finds both apps in `search/tracking/mlflow_plugin`, like the apps of any plugin. The second
has the name of MLflow's own login app, because MLflow prepares the login for that name. Ours is
found first.
"""

import json
import os
from pathlib import Path
from typing import Any

from search.common.errors import Refused
from search.tracking.ui_addresses import WORKFLOW, page, runs_page

# MLflow's server is another process. In this variable it finds the store of `search.ui`.
STORE = "SEARCH_UI_STORE"
PLUGIN = Path(__file__).parent / "mlflow_plugin"
# This runs before MLflow's scripts. An address without a page leads to the runs. A browser without
# a chosen view gets the one for model training, and MLflow's assistant, which asks for a service of
# language models, does not open by itself. MLflow stores such choices in these keys, as JSON.
_ASSISTANT = "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1"
_SCRIPT = """<script>
if (!location.hash) location.replace({target});
if (localStorage.getItem("mlflow.workflowType_v1") === null)
  localStorage.setItem("mlflow.workflowType_v1", JSON.stringify({workflow}));
if (localStorage.getItem({assistant}) === null) localStorage.setItem({assistant}, "true");
</script>"""


def app() -> Any:
    """MLflow's server with a first page that leads to the runs."""
    from mlflow.server.fastapi_app import app as served

    _lead()
    return served


def app_with_login() -> Any:
    """The same server behind MLflow's login."""
    from mlflow.server.auth import create_app

    _lead()
    return create_app()


def first_page(html: str, tracking_uri: str) -> str:
    """Return MLflow's page with a script that leads to the runs of the store.

    If there is one experiment, it is opened, else the list. MLflow's own first page is at `#/`.

    Args:
        html: MLflow's page, which is the same for all addresses.
        tracking_uri: URI of the store.
    """
    from search.tracking.existing_runs import experiments

    try:
        found = list(experiments(tracking_uri).values())
    except Refused:  # MLflow's page says why
        found = []
    target = runs_page(".", found[0]) if len(found) == 1 else page(".", "experiments")
    script = _SCRIPT.format(
        target=json.dumps(target), workflow=json.dumps(WORKFLOW), assistant=json.dumps(_ASSISTANT)
    )
    return html.replace("<head>", f"<head>{script}", 1)


def _lead() -> None:
    """Replace MLflow's first page with ours, behind the same guards."""
    from mlflow.server import app as flask

    index = Path(flask.static_folder) / "index.html"

    def serve() -> tuple[str, dict[str, str]]:
        html = first_page(index.read_text("utf-8"), os.environ[STORE])
        return html, {"Cache-Control": "no-cache"}

    endpoint, _ = flask.url_map.bind("").match("/")
    flask.view_functions[endpoint] = serve
