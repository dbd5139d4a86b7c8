"""Whether an LSTM pays on a study's data: network, strongest baseline and their blend compared."""

import math
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from models.metrics import skill
from search.results.bootstrap import FEWEST_BLOCKS, Compared
from search.results.combination import Combined
from search.results.summary import amount

# Where the errors were measured: on the windows that chose the network, or on rolling origins.
Where = Literal["search", "retest"]

WORDS = {
    "payoff_yes": "An LSTM pays on these data: {network} has an RMSE of {own} {unit} {where}, "
    "against {other} {unit} of the strongest baseline, {floor} ({share} lower; difference "
    "{difference} {unit}, 95 % interval {low} to {high}){tail}.",
    "payoff_open": "Whether an LSTM pays on these data is open: {network} has an RMSE of {own} "
    "{unit} {where}, against {other} {unit} of the strongest baseline, {floor} (difference "
    "{difference} {unit}, 95 % interval {low} to {high}){tail}.",
    "payoff_no": "An LSTM does not pay on these data: {network} has an RMSE of {own} {unit} "
    "{where}, against {other} {unit} of the strongest baseline, {floor} ({share} higher; "
    "difference {difference} {unit}, 95 % interval {low} to {high}){tail}.",
    "payoff_search": "on the validation windows that chose it",
    "payoff_retest": "with new seeds on {folds} rolling origin(s)",
    "payoff_blend": "; what pays is a blend, {weight} x the network + {rest} x {floor}, with "
    "{blend} {unit} (difference from {floor} {difference} {unit}, 95 % interval {low} to {high})",
    "payoff_safer": "; a blend, {weight} x the network + {rest} x {floor}, has {blend} {unit}, "
    "measurably better than {floor} but not than the network",
    "payoff_no_blend": "; a blend of both does not help measurably",
    "payoff_floor": "; the safe choice is {floor}",
    "payoff_few": "; {blocks} blocks of hours are few for an interval",
}


class Payoff(BaseModel):
    """A network beside the strongest baseline and their blend, on the same windows.

    Attributes:
        where: the errors were measured; see `Where`.
        folds: rolling origins; 1 in a search.
        attempts: of the study that had ended by then.
        network: name of the network.
        beside: it compared with the strongest baseline.
        weight: of the network in the blend. blended: the blend compared with that baseline. Both
            None if none was asked for.
        blend_pays: True if the blend is measurably better than network and baseline alone; in a
            search, whose windows are few, by the two intervals without a least number of blocks.
        blend_safer: True if it is measurably better than the baseline alone and the windows cannot
            tell it from the network.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    where: Where
    folds: int
    attempts: int
    network: str
    beside: Compared
    weight: float | None = None
    blended: Compared | None = None
    blend_pays: bool = False
    blend_safer: bool = False

    def with_blend(self, found: Combined | None) -> Self:
        """The same beside the blend of both; unchanged without one."""
        if found is None:
            return self
        against = (found.against_first, found.against_second)
        by_interval = all(one.high < 0 for one in against)
        changes = {
            "weight": found.weight,
            "blended": found.against_second,
            "blend_pays": found.pays if self.where == "retest" else by_interval,
            "blend_safer": found.safer,
        }
        return self.model_copy(update=changes)


def sentence(found: Payoff, unit: str, words: Mapping[str, str] = WORDS) -> str:
    """Say whether an LSTM pays, by how much against the baseline, and what else would.

    Args:
        found: what was compared.
        unit: of the data.
        words: of a language, see `WORDS`.
    """
    beside = found.beside
    answer = "yes" if beside.high < 0 else "no" if beside.low > 0 else "open"
    share = skill(beside.challenger, beside.other)
    return words[f"payoff_{answer}"].format(
        network=found.network,
        own=amount(beside.challenger),
        other=amount(beside.other),
        floor=beside.name,
        share=f"{abs(share):.1%}" if math.isfinite(share) else "-",
        where=words[f"payoff_{found.where}"].format(folds=found.folds),
        unit=unit,
        tail=_tail(found, answer, unit, words),
        **_interval(beside),
    )


def _tail(found: Payoff, answer: str, unit: str, words: Mapping[str, str]) -> str:
    """What else would pay, blend or baseline; and whether the hours are few."""
    few = ""
    if found.beside.blocks < FEWEST_BLOCKS:
        few = words["payoff_few"].format(blocks=found.beside.blocks)
    return _else(found, answer, unit, words) + few


def _else(found: Payoff, answer: str, unit: str, words: Mapping[str, str]) -> str:
    floor, blended = found.beside.name, found.blended
    if blended is not None and found.weight is not None and (found.blend_pays or found.blend_safer):
        return words["payoff_blend" if found.blend_pays else "payoff_safer"].format(
            weight=f"{found.weight:g}",
            rest=f"{1 - found.weight:g}",
            floor=floor,
            blend=amount(blended.challenger),
            unit=unit,
            **_interval(blended),
        )
    tail = "" if answer == "yes" else words["payoff_floor"].format(floor=floor)
    return tail + ("" if blended is None else words["payoff_no_blend"])


def _interval(one: Compared) -> dict[str, str]:
    ends = {"difference": one.difference, "low": one.low, "high": one.high}
    return {name: amount(value, "+") for name, value in ends.items()}
