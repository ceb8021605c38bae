"""What the recount comes to: the figures of one moment, for the live view and for the summary."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.counting_pools import PoolCount
from console.counting_records import DecisionRow, OfferRow

__all__ = ["Figures", "Story"]


@dataclass(frozen=True, slots=True)
class Story:
    """One offer as people want to see it: the decision behind it, its text, and the name of the rule."""

    decision: DecisionRow
    offer: OfferRow
    rule_name: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that was counted up to one moment.

    `suppressed` counts decisions that became no offer, by reason; `refused` counts candidates, of which a decision may
    have several. `pending` decisions wait for the ledger, `unended` ones were offered and have no end yet,
    `unlabelled` ones were delivered and taught nothing yet. `twice` counts records that should be there once.
    `tests` decisions were made for the bank's own testers, and are counted nowhere else.
    """

    events: Mapping[str, int]
    customers: int
    tags: int
    matches: int
    decisions: int
    states: Mapping[str, int]
    suppressed: Mapping[str, int]
    refused: Mapping[str, int]
    rules: Mapping[str, int]
    offers: Mapping[str, int]
    delivered: Mapping[str, int]
    ends: Mapping[str, int]
    dead_letters: Mapping[str, int]
    reactions: Mapping[str, int]
    pools: Mapping[str, PoolCount]
    p50: int
    p99: int
    pending: int
    unended: int
    unlabelled: int
    twice: int
    unreadable: int
    examples: int
    snapshots: int
    tests: int
    newest: tuple[Story, ...]

    @property
    def happened(self) -> int:
        """Events on the topics of app usage and of transactions."""
        return sum(self.events.values()) - self.events.get("customer", 0) - self.events.get("feedback", 0)
