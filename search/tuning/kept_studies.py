"""Attempts as they stand in the study database, read into our records."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from data_pipeline.framing import Framing
from data_pipeline.rules import rules_of_before
from experiments.catalogue import CATALOGUE
from experiments.experiment import Design, Experiment
from experiments.space import Space
from search.common.errors import Refused
from search.common.records import Baseline, Cause, Failure, State, TrialRecord, TrialResult
from search.tuning.storage import Storage

_STATES = {
    TrialState.RUNNING: State.RUNNING,
    TrialState.COMPLETE: State.COMPLETE,
    TrialState.PRUNED: State.PRUNED,
    TrialState.FAIL: State.FAILED,
}


@dataclass(frozen=True)
class KeptStudy:
    """A study as it is in its database, read without taking it over.

    Attributes:
        name: of the study. identity: unique to it, "" if it never ran.
        contract: what holds for all its trials, as `Study.hold_to` kept it.
        baselines: by name; empty if its first run ended before they were judged.
        records: all attempts by number.
        made_with: versions of the packages, and the commit, of its latest run.
        source: of the data, as plain values; empty in a study of before it was kept.
        openings: of the test period, oldest first, as `keep_openings` wrote them.
        data: the data report as plain values. total: finished trials its latest run asked for.
        explanations: what those of it found, as plain values, the latest last.
        payoff: whether an LSTM pays on its data, as plain values; None if nothing was compared.
    """

    name: str
    identity: str
    contract: dict[str, Any]
    baselines: dict[str, Baseline]
    records: tuple[TrialRecord, ...]
    made_with: dict[str, str] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    openings: tuple[dict[str, Any], ...] = ()
    data: dict[str, Any] = field(default_factory=dict)
    total: int = 0
    explanations: tuple[dict[str, Any], ...] = ()
    payoff: dict[str, Any] | None = None

    def experiment(self) -> Experiment:
        """The experiment as this study runs it, in the space and with the designs that it has."""
        experiment = _as_begun(CATALOGUE[self.contract["experiment"]], self.contract)
        plain = experiment.model_dump()
        plain["source"] = rules_of_before(self.source) if self.source else plain["source"]
        if plain["source"]["path"]:
            plain["source"]["path"] = found_again(Path(plain["source"]["path"]))
        return Experiment.model_validate(plain)


def found_again(path: Path) -> Path:
    """A data file of before its folder was moved or renamed, by the end of its path.

    Whoever reads it compares what is in it with what the study has learned from.

    Args:
        path: Where it was.

    Returns:
        Where it is below the current folder; `path` itself if it is there, or nowhere.
    """
    if path.exists():
        return path
    ends = (Path(*path.parts[at:]) for at in range(1, len(path.parts)))
    return next((end.absolute() for end in ends if end.is_file()), path)


def kept_contract(storage: Storage, name: str) -> dict[str, Any] | None:
    """The contract of the study of that name, None if there is no such study or it has none."""
    if name not in optuna.get_all_study_names(storage):
        return None
    study = optuna.load_study(study_name=name, storage=storage)
    contract: dict[str, Any] | None = study.user_attrs.get("contract")
    return contract


def kept_file(storage: Storage, name: str) -> str:
    """The data file that the study of that name was begun with, "" where that is not known."""
    if name not in optuna.get_all_study_names(storage):
        return ""
    source = optuna.load_study(study_name=name, storage=storage).user_attrs.get("source")
    return str((source or {}).get("path") or "")


def need_study(storage: Storage, name: str) -> optuna.Study:
    """The study of that name.

    Raises:
        Refused: there is none.
    """
    try:
        return optuna.load_study(study_name=name, storage=storage)
    except KeyError as error:
        known = ", ".join(sorted(optuna.get_all_study_names(storage))) or "none"
        raise Refused(
            f"there is no study {name!r} in this database; it holds: {known}.\n"
            "Next: check the name, or give another database with --storage."
        ) from error


def read_study(storage: Storage, name: str) -> KeptStudy:
    """Read a study.

    Raises:
        Refused: there is no study of that name, or this program did not make it.
    """
    study = need_study(storage, name)
    contract: dict[str, Any] = study.user_attrs.get("contract") or {}
    if "retest_of" in contract:
        raise Refused(
            f"study {name!r} is the re-test of study {contract['retest_of']!r} on other periods.\n"
            "Next: give that study; what the re-test found is on the page of its promotion."
        )
    if "explain_of" in contract:
        raise Refused(
            f"study {name!r} explains study {contract['explain_of']!r}.\n"
            "Next: give that study; its report shows what was found."
        )
    experiment = CATALOGUE.get(contract.get("experiment", ""))
    if experiment is None:
        raise Refused(
            f"study {name!r} is of no experiment that this version knows.\n"
            "Next: check the name, or use the version that made it."
        )
    experiment = _as_begun(experiment, contract)
    return KeptStudy(
        name,
        study.user_attrs.get("identity", ""),
        contract,
        {key: Baseline(**value) for key, value in study.user_attrs.get("baselines", {}).items()},
        tuple(
            record_of(trial, experiment)
            for trial in study.get_trials(deepcopy=False)
            if trial.state != TrialState.WAITING
        ),
        study.user_attrs.get("made_with", {}),
        study.user_attrs.get("source", {}),
        tuple(study.user_attrs.get("openings", ())),
        study.user_attrs.get("data", {}),
        study.user_attrs.get("total", 0),
        tuple(explanations_of(storage, name)),
        study.user_attrs.get("payoff"),
    )


def _as_begun(experiment: Experiment, contract: Mapping[str, Any]) -> Experiment:
    """The catalogue's experiment with what the contract of a study says otherwise.

    The catalogue's space and designs may have changed since. Claims about designs that the study
    does not have are left out.
    """
    kept = ("epochs", "seed", "weights")
    changes: dict[str, Any] = {name: contract[name] for name in kept if name in contract}
    if "framing" in contract:
        changes["framing"] = Framing.model_validate(contract["framing"])
    if "space" in contract:
        changes["space"] = Space.model_validate({"dimensions": [*contract["space"].values()]})
    if "designs" in contract:
        designs = tuple(_design(name, own) for name, own in contract["designs"].items())
        named = {design.name for design in designs}
        changes["designs"] = designs
        changes["claims"] = tuple(
            claim
            for claim in experiment.claims
            if all({one.treatment, one.control} <= named for one in claim.comparisons)
        )
        if not experiment.sampled:
            planned = len(designs) * experiment.repeats
            changes["trials"] = min(experiment.trials, planned)
    return experiment.model_copy(update=changes)


def _design(name: str, plain: Mapping[str, Any]) -> Design:
    """A design as `Plan.contract` wrote it."""
    parameters = {key: value for key, value in plain.items() if key != "framing"}
    return Design.model_validate(
        {"name": name, "parameters": parameters, "framing": plain.get("framing")}
    )


def designs_of(storage: Storage, name: str) -> set[str]:
    """Names of the designs that a study has trained or queued; none if there is no such study."""
    if name not in optuna.get_all_study_names(storage):
        return set()
    study = optuna.load_study(study_name=name, storage=storage)
    return {
        trial.user_attrs["design"]
        for trial in study.get_trials(deepcopy=False)
        if "design" in trial.user_attrs
    }


def explanations_of(storage: Storage, name: str) -> list[dict[str, Any]]:
    """What the explanations of study `name` found, the latest last; those that have ended."""
    # `get_all_study_summaries` would read every trial of every study.
    found = [
        one.user_attrs["explanation"]
        for one in storage.get_all_studies()
        if one.user_attrs.get("contract", {}).get("explain_of") == name
        and "explanation" in one.user_attrs
    ]
    return sorted(found, key=lambda one: str(one["time"]))


def keep_openings(storage: Storage, name: str, openings: Sequence[dict[str, Any]]) -> None:
    """Keep with study `name` how often its test period was opened; by its holder alone."""
    optuna.load_study(study_name=name, storage=storage).set_user_attr("openings", list(openings))


def keep_payoff(storage: Storage, name: str, payoff: dict[str, Any]) -> None:
    """Keep with study `name` whether an LSTM pays on its data; by its holder alone."""
    optuna.load_study(study_name=name, storage=storage).set_user_attr("payoff", payoff)


def openings_of(storage: Storage, data: str) -> list[dict[str, Any]]:
    """The openings of test periods of the data with that fingerprint, by any study here."""
    studies = storage.get_all_studies()
    found = [one for study in studies for one in study.user_attrs.get("openings", ())]
    return sorted((one for one in found if one["data"] == data), key=lambda one: str(one["time"]))


def record_of(trial: FrozenTrial, experiment: Experiment) -> TrialRecord:
    """What an attempt of a study of `experiment` is, as it stands in the database."""
    attributes = trial.user_attrs
    flat = dict(trial.params)
    complete = not experiment.space.problems(flat)
    design = attributes.get("design", "")
    epochs = int(attributes.get("epochs", experiment.epochs))
    result = attributes.get("result")
    failure = attributes.get("failure")
    state = _STATES[trial.state]
    if failure is not None and failure["cause"] == Cause.INTERRUPTED:
        state = State.INTERRUPTED
    return TrialRecord(
        number=trial.number,
        state=state,
        flat=flat,
        parameters=experiment.parameters_of(flat, epochs, design) if complete else None,
        seed=int(attributes.get("seed", 0)),
        design=design,
        framing=experiment.framing_of(design),
        proposal=attributes.get("proposal", ""),
        retry_of=attributes.get("retry_of"),
        attempt=int(attributes.get("attempt", 1)),
        result=TrialResult.from_stored(result) if result and state is not State.FAILED else None,
        failure=failure_of(failure) if failure else None,
        started=_utc(trial.datetime_start),
        ended=_utc(trial.datetime_complete),
    )


def failure_of(plain: dict[str, str]) -> Failure:
    """The failure that was kept as plain values."""
    return Failure(Cause(plain["cause"]), plain["message"], plain["traceback"])


def _utc(moment: dt.datetime | None) -> dt.datetime | None:
    # Optuna keeps naive local times.
    return None if moment is None else moment.astimezone(dt.UTC)
