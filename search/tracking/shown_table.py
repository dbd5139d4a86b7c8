"""How MLflow shows the runs of an experiment at our addresses: best trial first, with its fit.

MLflow keeps a table that somebody shares as a tag of the experiment, and an address may name it.
So it shows what it would else hide behind a menu in each person's browser.
"""

import json

# Its name in an address.
NAME = "search"
TAG = f"mlflow.sharedViewState.{NAME}"
# The trials of a search have it. Those of a re-test, whose errors are of other hours, do not, and
# come last.
_SKILL = "metrics.`val_skill`"
_COLUMNS = (
    "tags.`regime`",
    "metrics.`fit_gap`",
    "metrics.`fit_excess`",
    "metrics.`val_rmse`",
    "metrics.`train_rmse`",
    _SKILL,
)
_WIDTH = 90  # pixels; all columns fit beside each other


def shown_table() -> str:
    """The value of the tag `TAG`, as MLflow's page reads it."""
    return json.dumps(
        {
            "searchFilter": "",
            "orderByKey": _SKILL,
            "orderByAsc": False,
            "startTime": "ALL",
            "lifecycleFilter": "Active",
            "datasetsFilter": [],
            "modelVersionFilter": "All Runs",
            "selectedColumns": _COLUMNS,
            "columnOrder": ["attributes.`Run Name`", *_COLUMNS],
            "columnWidths": dict.fromkeys(_COLUMNS, _WIDTH),
        }
    )
