"""What is the same for all trials of a study, collected and kept."""

import dataclasses
import importlib.metadata
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from data_pipeline.errors import DataError
from data_pipeline.rules import ReadingRules
from data_pipeline.source import DataSource
from search.common.drawing import KERAS_TUNER
from search.common.records import Baseline, StudyFacts
from search.engine.plan import Plan, make_plan
from search.results.baselines import is_of_today, judge_baselines
from search.tuning.kept_studies import KeptStudy

if TYPE_CHECKING:
    from search.tuning.study import Study


_VERSIONED = ("tensorflow", "keras", "optuna", "mlflow", "numpy", "scikit-learn")


def keep_facts(plan: Plan, study: "Study", facts: StudyFacts) -> None:
    """Keep with the study what other commands need of it when the data file is gone."""
    study.remember("source", kept_source(plan.experiment.source, plan.report.rules))
    study.remember("made_with", facts.versions | {"commit": facts.commit})
    study.remember("data", facts.data)
    study.remember("total", facts.total)


def kept_source(source: DataSource, rules: ReadingRules) -> dict[str, object]:
    """The data source as plain values, so that a later command finds the file from anywhere.

    With the reading rules that were decided, it is read again in the same way.
    """
    path = None if source.path is None else str(source.path.absolute())
    return source.model_dump(mode="json") | rules.model_dump(mode="json") | {"path": path}


def study_facts(
    plan: Plan,
    study: str,
    identity: str,
    baselines: dict[str, Baseline],
    openings: int = 0,
) -> StudyFacts:
    """Collect what is the same for all trials of the study."""
    experiment = plan.experiment
    used = (KERAS_TUNER,) if plan.drawing.tuner == KERAS_TUNER else ()
    versioned = _VERSIONED + used
    return StudyFacts(
        name=study,
        identity=identity,
        experiment=experiment.name,
        summary=experiment.summary,
        seed=experiment.seed,
        total=experiment.trials,
        contract=plan.contract,
        unit=plan.series.unit,
        baselines=baselines,
        data=plan.report.as_dict() | {"name": plan.series.name},
        versions={name: importlib.metadata.version(name) for name in versioned},
        commit=_git_commit(),
        log_names=experiment.space.log_names,
        openings=openings,
    )


def _git_commit() -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    done = subprocess.run(
        [git, "rev-parse", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def baselines_of(plan: Plan, study: "Study") -> dict[str, Baseline]:
    """Score every baseline once in a study's life, and keep the scores with it."""
    kept = study.recall("baselines")
    if isinstance(kept, dict) and is_of_today(kept):
        return {name: Baseline(**value) for name, value in kept.items()}
    judged = judge_baselines(plan.prepared)
    study.remember("baselines", {name: asdict(value) for name, value in judged.items()})
    return judged


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


def facts_of_kept(kept: KeptStudy, identity: str) -> StudyFacts:
    """The facts of a study as its database holds them; the data file is not needed."""
    experiment = kept.experiment()
    made_with = dict(kept.made_with)
    commit = made_with.pop("commit", "")
    return StudyFacts(
        name=kept.name,
        identity=identity,
        experiment=experiment.name,
        summary=experiment.summary,
        seed=experiment.seed,
        total=kept.total,
        contract=kept.contract,
        unit=kept.contract["unit"],
        baselines=kept.baselines,
        data=kept.data,
        versions=made_with,
        commit=commit,
        log_names=experiment.space.log_names,
        openings=len(kept.openings),
    )
