"""What `search.ui` adds to MLflow's own server: a first page that leads to the runs.

MLflow finds both apps in `search/tracking/mlflow_plugin`, as it finds those of any plugin. The
second bears the name of MLflow's own, for which MLflow makes ready, and is found before it.
"""

import json
import os
from pathlib import Path
from typing import Any

from search.common.errors import Refused
from search.tracking.ui_addresses import WORKFLOW, page

# Where MLflow's server, a process of its own, finds the store that `search.ui` was given.
STORE = "SEARCH_UI_STORE"
PLUGIN = Path(__file__).parent / "mlflow_plugin"
# Before MLflow's scripts: an address without a page goes to the runs, and a browser that has not
# chosen a view has that for model training. MLflow keeps the choice under that name, as JSON.
_SCRIPT = """<script>
if (!location.hash) location.replace({target});
if (localStorage.getItem("mlflow.workflowType_v1") === null)
  localStorage.setItem("mlflow.workflowType_v1", JSON.stringify({workflow}));
</script>"""


def app() -> Any:
    """MLflow's server, its first page leading to the runs."""
    from mlflow.server.fastapi_app import app as served

    _lead()
    return served


def app_with_login() -> Any:
    """The same behind MLflow's login."""
    from mlflow.server.auth import create_app

    _lead()
    return create_app()


def first_page(html: str, tracking_uri: str) -> str:
    """Return MLflow's page with the way to the runs of the store in it.

    One experiment is opened; of several, or none, the list. MLflow's own first page is at `#/`.

    Args:
        html: of MLflow's page, which is the same for all addresses.
        tracking_uri: of the store.
    """
    from search.tracking.existing_runs import experiment_ids

    try:
        found = list(experiment_ids(tracking_uri).values())
    except Refused:  # MLflow's page says why
        found = []
    place = ("experiments", found[0], "runs") if len(found) == 1 else ("experiments",)
    script = _SCRIPT.format(target=json.dumps(page(".", *place)), workflow=json.dumps(WORKFLOW))
    return html.replace("<head>", f"<head>{script}", 1)


def _lead() -> None:
    """Put our first page in the place of MLflow's, behind all that guards it."""
    from mlflow.server import app as flask

    index = Path(flask.static_folder) / "index.html"

    def serve() -> tuple[str, dict[str, str]]:
        html = first_page(index.read_text("utf-8"), os.environ[STORE])
        return html, {"Cache-Control": "no-cache"}

    endpoint, _ = flask.url_map.bind("").match("/")
    flask.view_functions[endpoint] = serve
