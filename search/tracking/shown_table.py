"""How MLflow shows the runs of an experiment at our addresses: best trial first, with its fit.

MLflow keeps a table that somebody shares as a tag of the experiment, and an address may name it.
So it shows what it would else hide behind a menu in each person's browser.
"""

import json

# Its name in an address.
NAME = "search"
TAG = f"mlflow.sharedViewState.{NAME}"
_ERROR = "metrics.`val_rmse`"
_COLUMNS = (
    "tags.`regime`",
    "metrics.`fit_gap`",
    "metrics.`fit_excess`",
    _ERROR,
    "metrics.`train_rmse`",
    "metrics.`val_skill`",
)
_WIDTH = 90  # pixels; all columns fit beside each other


def shown_table() -> str:
    """The value of the tag `TAG`, as MLflow's page reads it."""
    return json.dumps(
        {
            "searchFilter": "",
            "orderByKey": _ERROR,
            "orderByAsc": True,
            "startTime": "ALL",
            "lifecycleFilter": "Active",
            "datasetsFilter": [],
            "modelVersionFilter": "All Runs",
            "selectedColumns": _COLUMNS,
            "columnOrder": ["attributes.`Run Name`", *_COLUMNS],
            "columnWidths": dict.fromkeys(_COLUMNS, _WIDTH),
        }
    )
