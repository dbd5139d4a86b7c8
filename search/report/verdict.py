"""The verdict in three short paragraphs, computed from the facts."""

from collections.abc import Mapping

from models.parameters import TrialParameters
from models.regime import Regime
from search.report.translations import WORDS, Language, in_language
from search.report.values import DesignRow, Facts, TrialRow
from search.report.wall import subject_of
from search.results.headline import SUBJECT, cure
from search.results.payoff import Payoff, sentence
from search.results.sequential import Verdict
from search.results.summary import amount

_SETTINGS = ("learning_rate", "dropout", "l2", "units", "batch_size", "epochs")
# Told only where one has another than the default.
_LATER = ("target", "inputs", "lookback", "schedule")
CURES = ("C3", "C4", "C5", "C6", "C7", "C8")
CLAIMS_COMMAND = "python -m search.run --experiment claims"
SEARCH_COMMAND = "python -m search.run --trials 50"


def sentences(facts: Facts, language: Language) -> list[str]:
    """Say whether `main2` underfits, what cures it, and how good the best network is.

    These are three short paragraphs. If something was not tried, a paragraph says so and gives the
    command.
    """
    words = WORDS[language]
    said = [_underfitting(facts, words), _cures(facts, words), _best(facts, words)]
    return [in_language(paragraph, language) for paragraph in said]


def _underfitting(facts: Facts, words: Mapping[str, str]) -> str:
    found = subject_of(facts)
    if found is None:
        return words["untried"].format(what=SUBJECT, command=CLAIMS_COMMAND)
    count, bias = found.regimes[Regime.UNDERFIT], found.val.get("peak_bias", 0.0)
    own = [
        row.val.get("peak_bias", 0.0)
        for row in facts.trials
        if (row.design, row.study) == (SUBJECT, found.study)
    ]
    return words["yes_underfit" if 2 * count > found.seeds else "not_underfit"].format(
        name=SUBJECT,
        made=_made(found.parameters, words),
        count=count,
        seeds=found.seeds,
        train=amount(found.train["rmse"]),
        unit=facts.unit,
        excess=f"{found.excess:.1f}",
        bias=amount(abs(bias)),
        least=amount(min(own), "+"),
        most=amount(max(own), "+"),
        side=words["too_low" if bias < 0 else "too_high"],
    )


def _cures(facts: Facts, words: Mapping[str, str]) -> str:
    return " ".join(part for part in (_together(facts, words), _single(facts, words)) if part)


def _together(facts: Facts, words: Mapping[str, str]) -> str:
    """How the best network of all differs from the subject, if it is better."""
    subject, best = subject_of(facts), facts.best
    if facts.explanation is not None:
        return cure(facts.explanation, words)
    if subject is None or best is None or _error(facts, best) >= subject.val["rmse"]:
        return ""
    before, after = subject.parameters, best.parameters
    changes = [
        words["change"].format(
            what=words[name],
            before=_setting(getattr(before, name), words),
            after=_setting(getattr(after, name), words),
        )
        for name in (*_SETTINGS, *_LATER)
        if getattr(before, name) != getattr(after, name)
    ]
    if before.ema_epochs != after.ema_epochs:
        changes.append(words["averaged"].format(epochs=_setting(after.ema_epochs, words)))
    return words["together"].format(
        changes=", ".join(changes),
        best=_name(best, words),
        study=best.study,
        rmse=amount(_error(facts, best)),
        unit=facts.unit,
        trained=_trained(facts, best, words),
        name=SUBJECT,
        other=amount(subject.val["rmse"]),
        others=_of_seeds(subject.seeds, words),
    )


def _repeated(facts: Facts, best: TrialRow) -> DesignRow | None:
    """The row of the best network's design: its mean over seeds depends less on luck."""
    own = (best.design, best.study)
    return next((row for row in facts.designs if (row.name, row.study) == own), None)


def _error(facts: Facts, best: TrialRow) -> float:
    """Validation RMSE of the best network; the mean over seeds if it has several."""
    return (_repeated(facts, best) or best).val["rmse"]


def _trained(facts: Facts, best: TrialRow, words: Mapping[str, str]) -> str:
    repeated = _repeated(facts, best)
    return _of_seeds(1 if repeated is None else repeated.seeds, words)


def _of_seeds(seeds: int, words: Mapping[str, str]) -> str:
    return words["one_seed"] if seeds == 1 else words["of_seeds"].format(seeds=seeds)


def _setting(value: object, words: Mapping[str, str]) -> str:
    if isinstance(value, tuple):
        return "/".join(_setting(one, words) for one in value)
    if value is None:  # a lookback
        return words["whole_window"]
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _name(best: TrialRow, words: Mapping[str, str]) -> str:
    return best.design or words["trial"].format(number=best.trial)


def _single(facts: Facts, words: Mapping[str, str]) -> str:
    claims = [claim for claim in facts.claims if claim.id in CURES]
    if not any(one.difference for claim in claims for one in claim.comparisons):
        return words["untried"].format(what=", ".join(CURES), command=CLAIMS_COMMAND)
    holding = [claim for claim in claims if claim.verdict is Verdict.HOLDS]
    compared = [
        (one.difference, one)
        for claim in holding or claims
        for one in claim.comparisons
        if one.difference is not None
    ]
    difference, strongest = min(compared, key=lambda pair: pair[0].mean)
    return words["cures" if holding else "no_cure"].format(
        list=", ".join(claim.id for claim in holding),
        seeds=difference.pairs,
        name=strongest.treatment,
        control=strongest.control,
        mean=amount(difference.mean, "+"),
        low=_end(difference.low),
        high=_end(difference.high),
        unit=facts.unit,
    )


def _end(value: float | None) -> str:
    """An end of an interval as text; a single pair of trials has no interval."""
    return "-" if value is None else amount(value, "+")


def _best(facts: Facts, words: Mapping[str, str]) -> str:
    best = facts.best
    if best is None:
        return words["untried"].format(what=words["search_best"], command=SEARCH_COMMAND)
    said = words["best"].format(
        name=_name(best, words),
        study=best.study,
        regime=words[best.regime],
        rmse=amount(_error(facts, best)),
        unit=facts.unit,
        trained=_trained(facts, best, words),
        made=_made(best.parameters, words),
    )
    if facts.payoff is not None:
        return f"{said} {sentence(_named(facts.payoff, words), facts.unit, words)}"
    if not facts.baselines:  # those of an earlier version, and the data file is gone
        return f"{said} {words['no_floor']}"
    strongest = facts.baselines[0]
    other = strongest.val["rmse"]
    beside = words["ahead" if _error(facts, best) < other else "behind"].format(
        baseline=strongest.name,
        other=amount(other),
        unit=facts.unit,
        share=f"{abs(_error(facts, best) / other - 1):.0%}" if other else "-",
    )
    return f"{said} {beside}"


def _named(payoff: Payoff, words: Mapping[str, str]) -> Payoff:
    """`payoff` with its network in the language of `words`, where it is a trial."""
    kind, _, number = payoff.network.rpartition(" ")
    if kind != "trial" or not number.isdigit():
        return payoff
    return payoff.model_copy(update={"network": words["trial"].format(number=number)})


def _made(parameters: TrialParameters, words: Mapping[str, str]) -> str:
    made = words["made"].format(
        units=_setting(parameters.units, words),
        dropout=_setting(parameters.dropout, words),
        l2=_setting(parameters.l2, words),
        rate=_setting(parameters.learning_rate, words),
        batch=parameters.batch_size,
        epochs=parameters.epochs,
    )
    own = parameters.model_dump(include=set(_LATER))
    return ", ".join([made, *(f"{words[name]} {own[name]}" for name in _LATER if name in own)])
