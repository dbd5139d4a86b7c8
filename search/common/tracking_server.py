"""Whether an MLflow server is one, asked before anything is trained."""

import json
import urllib.error
import urllib.request
from http import HTTPStatus
from urllib.parse import urlsplit

from search.common.errors import Refused
from search.common.stores import masked, named_where

# s that the server may take; one that does not answer is waited for while trials train.
PATIENCE = 5.0
_PATH = "/api/2.0/mlflow/experiments/search?max_results=1"
# What only a server answers that does not know MLflow's interface.
_UNKNOWN = (404, 405, 501)


def need_mlflow(uri: str) -> bool:
    """Check that a server at `uri` that answers is an MLflow server; other stores pass.

    One that is away passes too: its answers come later.

    Returns:
        True if it asks for a login; this question brings none.

    Raises:
        Refused: something else answers there.
    """
    if not uri.startswith(("http:", "https:")):
        return False
    parts = urlsplit(uri)
    # Without user and password, which this question does not need.
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")
    found = ""
    try:
        with urllib.request.urlopen(address + _PATH, timeout=PATIENCE) as answer:
            if not isinstance(json.load(answer), dict):
                found = "JSON that is not MLflow's"
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.UNAUTHORIZED:
            return True
        if error.code in _UNKNOWN:
            found = f"HTTP status {error.code} ({error.reason})"
    except OSError:
        return False  # away, or not ready
    except ValueError:
        found = "an answer that is not JSON"
    if found:
        raise Refused(
            f"{named_where(uri)} {masked(uri)}: expected an MLflow server, found {found} for "
            f"{_PATH}.\nNext: give the address of `mlflow server`."
        )
    return False
