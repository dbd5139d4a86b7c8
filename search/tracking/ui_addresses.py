"""Addresses of pages of the MLflow UI, all in its view for model training."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from search.tracking.shown_table import NAME

# Without this, MLflow opens a page in its view for language models.
WORKFLOW = "machine_learning"
_LOGIN = re.compile(r"(://).*@", re.DOTALL)


@dataclass(frozen=True)
class Experiment:
    """An experiment of MLflow: its id, and whether it has the table of `shown_table`."""

    number: str
    has_table: bool


def page(server: str, *place: str) -> str:
    """Return the address of a page, such as that of "models", "power_usage".

    Args:
        server: the server's address; a user and password in it are removed.
        place: names on the way to the page.
    """
    at = _LOGIN.sub(r"\1", server).rstrip("/")
    return f"{at}/#/{'/'.join(quote(name, safe='') for name in place)}?workflowType={WORKFLOW}"


def runs_page(server: str, experiment: Experiment) -> str:
    """Return the address of the runs of an experiment, in our table if it has that."""
    table = f"&viewStateShareKey={NAME}" if experiment.has_table else ""
    return page(server, "experiments", experiment.number, "runs") + table
