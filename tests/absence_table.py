"""The customers' stage on the table with one rule that waits: "looked at a coupon and did not pay with it"."""

from datetime import datetime
from functools import lru_cache
from typing import Any, Self

from kairos.instants import MINUTE, Millis, moment
from kairos.ports import Record
from rules.book import load
from streams.customers import TIMED
from streams.topics import APP_USAGE, TRANSACTIONS
from streams.versions import Versions
from streams.watermark import IDLE
from tests.customer_table import NOON, Table, versions

LATE: Millis = 5_000
"""How much longer than its deadline an absence waits, the lateness that is borne."""
RULE = """
  - id: {id}
    name: a rule
    scenario: activation
    programme: cards
    status: {status}
    on: {{event: page_view, where: {{page: coupon}}}}
    who: {{all: [{{not: {{tag: staff}}}}]}}
    when: {{all: [{when}]}}
    then:
      offer: {{product: card}}
      channels: [sms, push]
      template: t
      text: {{zh: 券, en: A coupon}}
      expires: 4h
    fresh: {fresh}
    valid: {{until: {until}}}
    experiment: {{control: {control}}}
"""


ABSENT = "{absent: {event: transaction, where: {coupon: {same_as: on}}, for: 30m, rearm: %s}}"
_USUAL = {"id": "abandoned", "status": "active", "fresh": "10m", "until": "2027-12-31", "control": "0%"}


def text(*, rearm: str = "keep", **changes: str) -> str:
    """The rule, as it is or changed."""
    return RULE.format(**_USUAL | {"when": ABSENT % rearm} | changes)


@lru_cache
def rule(*more: str, **changes: str) -> bytes:
    """A book of the rule and of others, as it is published."""
    written = "format: 1\nzone: Asia/Shanghai\ncurrency: CNY\nrules:"
    loaded = load({"rules.yaml": written + text(**changes) + "".join(more)})
    assert loaded.book is not None, loaded.problems
    return loaded.book.content


class Waiting(Table):
    """A table whose topics are all read to their end, so that event time goes on with the clock."""

    def __init__(self, content: bytes | None = None) -> None:
        super().__init__(_versions(rule() if content is None else content), drained=TIMED)
        self.hear(self.profile())

    def put_in_force(self, content: bytes) -> None:
        self.versions = self.versions.having("rules", content)

    def later(self, wait: Millis) -> Self:
        """Let time pass before what comes next is told."""
        self.now += wait
        return self

    def looks(self, coupon: str | None = "c-1", key: str = "c1", ago: Millis = 0, **more: Any) -> Record:
        data = {"page": "coupon", "coupon": coupon} if coupon else {"page": "coupon"}
        return self.event(APP_USAGE, "page_view", key, data, ago=ago, **more)

    def buys(self, coupon: str | None = "c-1", key: str = "c1", ago: Millis = 0) -> Record:
        data = {"amount": 1200, "direction": "debit", "coupon": coupon}
        return self.event(TRANSACTIONS, "transaction", key, data, ago=ago)

    def fired(self, *records: Record, after: Millis = 0) -> list[str]:
        """Give a batch, and tell the deadlines of the absences that were decided, as minutes after noon."""
        told = [row["absence"] for row in self.hear(*records, after=after).decisions if row["absence"]]
        return [minutes(row["deadline"]) for row in told]

    def rest(self, wait: Millis = 60 * MINUTE) -> list[str]:
        """Let time pass minute by minute, so that nothing is stale; tells what was decided on the way."""
        return [one for _ in range(wait // MINUTE) for one in self.fired(after=MINUTE)]


@lru_cache
def _versions(content: bytes) -> Versions:
    return versions().having("rules", content)


def minutes(deadline: str) -> str:
    after = datetime.fromisoformat(deadline) - moment(NOON)
    return f"{after.total_seconds() / 60:g}"


__all__ = ["IDLE", "LATE", "Waiting", "rule", "text"]
