"""Collects and keeps what is the same for all trials of a study."""

import dataclasses
import importlib.metadata
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from data_pipeline.errors import DataError
from data_pipeline.source import DataSource
from experiments.experiment import Experiment
from search.common.drawing import KERAS_TUNER
from search.common.records import Baseline, StudyFacts
from search.engine.plan import Plan, make_plan
from search.results.baselines import is_of_today, judge_baselines
from search.tuning.kept_studies import KeptStudy

if TYPE_CHECKING:
    from search.tuning.study import Study


# The library whose version decides which days are public holidays.
_HOLIDAYS = "holidays"
_VERSIONED = ("tensorflow", "keras", "optuna", "mlflow", "numpy", "scikit-learn")


def keep_facts(study: "Study", source: DataSource, facts: StudyFacts) -> None:
    """Store with the study what `facts_of_kept` needs if the data file is gone."""
    study.remember("source", kept_source(source))
    study.remember("made_with", facts.versions | {"commit": facts.commit})
    study.remember("data", facts.data)
    study.remember("total", facts.total)


def kept_source(source: DataSource) -> dict[str, object]:
    """The data source as plain values, with a path that is valid in every folder."""
    path = None if source.path is None else str(source.path.absolute())
    return source.model_dump(mode="json") | {"path": path}


def study_facts(
    plan: Plan,
    study: str,
    identity: str,
    baselines: dict[str, Baseline],
    openings: int = 0,
) -> StudyFacts:
    """Collect what is the same for all trials of the study."""
    experiment = plan.experiment
    used = [KERAS_TUNER] if plan.drawing.tuner == KERAS_TUNER else []
    used += [_HOLIDAYS] if experiment.source.holidays else []
    versioned = (*_VERSIONED, *used)
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
        data=data_facts(plan),
        versions={name: importlib.metadata.version(name) for name in versioned},
        commit=_git_commit(),
        log_names=experiment.space.log_names,
        openings=openings,
    )


def data_facts(plan: Plan) -> dict[str, object]:
    """The data report and the names of the data, as plain values."""
    return plan.report.as_dict() | {"name": plan.series.name}


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
    """The score of every baseline, measured once per study and kept with it."""
    kept = study.recall("baselines")
    if isinstance(kept, dict) and is_of_today(kept):
        return {name: Baseline(**value) for name, value in kept.items()}
    judged = judge_baselines(plan.prepared)
    study.remember("baselines", {name: asdict(value) for name, value in judged.items()})
    return judged


def with_floor(kept: KeptStudy, say: Callable[[str], None], plan: Plan | None = None) -> KeptStudy:
    """The study with the scores of today's baselines; those of earlier versions are weaker.

    Args:
        kept: the kept study.
        say: gets a warning if the data are gone and the study has no baselines.
        plan: the study's plan, if its data were already read.
    """
    if not kept.baselines or is_of_today(kept.baselines):
        return kept
    try:
        plan = plan or make_plan(kept.experiment())
        found = plan.series.fingerprint == kept.contract["data"]
    except DataError:
        found = False
    if not found:
        say(
            f"warning: study {kept.name} has scores of an earlier version's baselines, which are "
            "too weak for a comparison, and its data file is not found: it is shown without "
            "baselines"
        )
    judged = judge_baselines(plan.prepared) if plan is not None and found else {}
    return dataclasses.replace(kept, baselines=judged)


def facts_of_kept(kept: KeptStudy, experiment: Experiment) -> StudyFacts:
    """The facts of a study of `experiment`, as `keep_facts` stored them, without a data file."""
    made_with = dict(kept.made_with)
    commit = made_with.pop("commit", "")
    return StudyFacts(
        name=kept.name,
        identity=kept.identity,
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
        explanation=kept.explanations[-1] if kept.explanations else None,
        payoff=kept.payoff,
    )
