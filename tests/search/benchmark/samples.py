"""Made-up results of the floor."""

from typing import Any


def cell(period: str, horizon: int, networks: bool = True) -> dict[str, Any]:
    """A cell with two baselines and, if asked for, a search that is 4 MW behind the better one."""
    shares = {
        "share": 0.85,
        "last_quarter": 0.84,
        "steps": [0.8, 0.9][:horizon],
        "last_quarter_steps": [0.8, 0.9][:horizon],
    }
    baselines = {
        "last_value": {"rmse": 300.0, "covered": shares},
        "ridge_by_hour": {"rmse": 48.0, "covered": shares},
    }
    found: dict[str, Any] = {
        "cell": f"{period}-{horizon}h",
        "period": period,
        "horizon": horizon,
        "unit": "MW",
        "baselines": baselines,
        "networks": {},
    }
    if networks:
        apart = {"difference": 4.0, "low": -1.0, "high": 9.0}
        covered = {"share": 0.91, "last_quarter": 0.88, "steps": [0.91]}
        found["made"] = {"trials": 50, "epochs": None, "retest": [5, 3, 3]}
        found["networks"] = {"search": {"rmse": 52.0, "difference": apart, "covered": covered}}
    return found
