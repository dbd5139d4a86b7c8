"""Addresses of pages of the MLflow UI, all in its view for model training."""

import re
from urllib.parse import quote

# Without this, MLflow opens a page in its view for language models.
WORKFLOW = "machine_learning"
_LOGIN = re.compile(r"(://).*@", re.DOTALL)


def page(server: str, *place: str) -> str:
    """Return the address of a page, such as that of "experiments", "1", "runs".

    Args:
        server: the server's address; a user and password in it are removed.
        place: names on the way to the page.
    """
    at = _LOGIN.sub(r"\1", server).rstrip("/")
    return f"{at}/#/{'/'.join(quote(name, safe='') for name in place)}?workflowType={WORKFLOW}"
