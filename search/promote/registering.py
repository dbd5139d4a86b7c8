"""A judged model made ready to be served, checked, and registered."""

from pathlib import Path

import numpy as np

from data_pipeline.windows import open_test
from search.common.errors import Refused
from search.engine.plan import Plan
from search.promote.judging import Judged
from search.serving.model_folder import (
    example_rows,
    facts_of,
    file_name,
    forecast_windows,
    raw_rows,
    save,
)
from search.serving.registry import Registry

# Between what was judged and what the registered model forecasts, in ranges of the target.
_SAME = 1e-3


def register(
    plan: Plan, judged: Judged, registry: Registry, run: str, page: str, place: Path
) -> str:
    """Make the served model, see that it forecasts as what was judged did, and register it.

    Args:
        plan: of the study.
        judged: what is promoted.
        registry: held by this process.
        run: id of the promotion's run in MLflow.
        page: the model card, Markdown.
        place: folder to work in.

    Returns:
        The version that it got; it is not in service yet.

    Raises:
        Refused: what would be served forecasts something else than what was judged.
    """
    source, entrant = plan.experiment.source, judged.entrant
    prepared = open_test(plan.series, plan.experiment.framing, entrant.inputs)
    origins = prepared.held_out.origins
    interval = {
        "begin": entrant.begin.as_plain(),
        "end": judged.after.as_plain(),
        "until": plan.series.local[origins[-1]].isoformat(),
    }
    window = max(plan.experiment.framing.window, entrant.history)
    facts = facts_of(
        plan.series,
        plan.experiment.framing.model_copy(update={"window": window}),
        prepared.scaler,
        prepared.train_rows,
        source.time_name,
        source.tz,
        interval,
        entrant.inputs,
    )
    if len(entrant.parts) > 1:
        facts["parts"] = [
            {"file": file_name(part.model), "weight": part.weight, "name": part.name}
            for part in entrant.parts
        ]
    facts["reading"] = plan.report.rules.model_dump(mode="json")
    rows = raw_rows(plan.series, source.time_name)
    folder = place / "model"
    models = [part.model for part in entrant.parts]
    save(folder, models, facts, example_rows(rows, facts))
    off = float(np.abs(forecast_windows(folder, rows, origins) - entrant.forecast).max())
    if off > _SAME * prepared.target_range:
        raise Refused(
            f"the model as it would be served forecasts up to {off:.4g} {plan.series.unit} "
            "differently from the one that was judged; nothing was promoted"
        )
    version = registry.add(run, folder, page, {"unit": plan.series.unit})
    registry.fetch(version, place / "fetched")
    return version
