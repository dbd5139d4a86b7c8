"""What may draw points in the place of Optuna's sampler; the study knows no more of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from experiments.space import FlatParameters, Value
from search.common.records import TrialRecord


@dataclass(frozen=True)
class Proposal:
    """A point that an oracle proposes to train.

    `name` is the oracle's for it; `epochs` where they are not the experiment's; `continues` is the
    name of the earlier proposal of the same point that is to be trained for longer, if there is
    one.
    """

    name: str
    flat: dict[str, Value]
    epochs: int | None = None
    continues: str | None = None


class Oracle(Protocol):
    """What may draw points in the place of Optuna's sampler; it is told how every trial ends.

    Attributes:
        name: for messages.
    """

    name: str

    @property
    def state(self) -> Mapping[str, Any]:
        """What it needs, beside the trials, to go on where it stopped; plain values."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up an earlier `state`, once all trials are known."""

    def begin(self, name: str, flat: FlatParameters) -> None:
        """Know of a proposal of an earlier process that has not come to its end."""

    def end(self, record: TrialRecord) -> None:
        """Learn how a trial ended."""

    def propose(self, seed: int) -> Proposal | None:
        """Draw a point, or None if there is none before a running trial ends, or ever."""
