"""The floor under a study: the baselines on its own windows, judged once and kept with it."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from data_pipeline.calendar import hour_of_week
from data_pipeline.errors import DataError
from data_pipeline.windows import Prepared
from models.metrics import seasonal_scale
from search.optuna_records import KeptStudy
from search.plan import Plan, make_plan
from search.records import Baseline

if TYPE_CHECKING:
    from models.baselines import BaselineData
    from search.study import Study


def baseline_data(prepared: Prepared) -> "BaselineData":
    """The rows and windows of `prepared` as the baselines take them."""
    # scikit-learn takes a second to import, and bad input should be refused before that.
    from models.baselines import BaselineData
    from models.forecasters import Rows

    history = prepared.history
    return BaselineData(
        Rows(np.column_stack([history.covariates, history.target]), hour_of_week(history.local)),
        train_origins=prepared.train.origins,
        origins=prepared.validation.origins,
        window=prepared.train.x.shape[1],
        horizon=prepared.validation.y.shape[1],
    )


def judge_baselines(prepared: Prepared) -> dict[str, Baseline]:
    """Score every baseline on exactly the validation windows of the trials."""
    from models.baselines import score_all

    data = baseline_data(prepared)
    target = data.rows.target
    actual = target[data.origins[:, None] + np.arange(data.horizon)]
    scale = seasonal_scale(target[: prepared.train_rows])
    return {
        name: Baseline((judged.rmse / prepared.target_range) ** 2, judged.as_dict())
        for name, judged in score_all(data, actual, scale).items()
    }


def baselines_of(plan: Plan, study: "Study") -> dict[str, Baseline]:
    """Score every baseline once in a study's life, and keep the scores with it."""
    kept = study.recall("baselines")
    if isinstance(kept, dict) and is_of_today(kept):
        return {name: Baseline(**value) for name, value in kept.items()}
    judged = judge_baselines(plan.prepared)
    study.remember("baselines", {name: asdict(value) for name, value in judged.items()})
    return judged


def is_of_today(baselines: Mapping[str, object]) -> bool:
    """False of a study whose baselines an earlier, weaker family was judged for."""
    from models.baselines import BASELINES

    return set(baselines) == set(BASELINES)


def with_floor(kept: KeptStudy, say: Callable[[str], None]) -> KeptStudy:
    """The study beside today's baselines, so that no earlier, weaker ones are compared with.

    Args:
        kept: a study as it was kept.
        say: is told, where the data are gone, that it stands without baselines.
    """
    if not kept.baselines or is_of_today(kept.baselines):
        return kept
    try:
        plan = make_plan(kept.experiment())
        found = plan.series.fingerprint == kept.contract["data"]
    except DataError:
        found = False
    if not found:
        say(
            f"warning: study {kept.name} kept the scores of baselines of an earlier version, which "
            "are too weak to compare with, and its data are not where they were: it is shown "
            "without baselines"
        )
    judged = judge_baselines(plan.prepared) if found else {}
    return dataclasses.replace(kept, baselines=judged)


def strongest(baselines: Mapping[str, Baseline]) -> tuple[str, Baseline]:
    """The name and the scores of the baseline of the lowest validation error."""
    return min(baselines.items(), key=lambda item: item[1].objective)
