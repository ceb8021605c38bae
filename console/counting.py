"""Counting from the topics alone: what the demo shows and sums up is recounted, never read from a process.

`Count` takes records one by one, in whatever order the topics give them, and shares no code with the stages that it
checks. What it remembers of single records is bounded, except a few bytes for each customer, app and offer.
"""

from collections import Counter
from dataclasses import dataclass, field

import msgspec

from console.counting_figures import Figures, Story
from console.counting_latency import Latency
from console.counting_pools import Pools
from console.counting_records import (
    AppsContent,
    DecisionRow,
    EndRow,
    FeedbackRow,
    OfferRow,
    RulesContent,
    UsageRow,
    answer,
    apps_content,
    command,
    decision,
    end,
    example,
    feedback,
    offer,
    pointer,
    rules_content,
    usage,
)
from kairos.ports import Record
from kairos.wire import bare_type
from streams import topics
from streams.withdrawals import WITHDRAWN

__all__ = ["Count"]

_CHANNELS = {topic: channel.value for channel, topic in topics.OFFERS.items()}
_COME_IN = frozenset({topics.APP_USAGE, topics.TRANSACTIONS, topics.CUSTOMERS, topics.FEEDBACK})
"""Topics that others write to: what cannot be read there is a dead letter's affair."""
_KINDS = frozenset({"app_usage", "transaction", "page_view", "login", "customer"})
_REACTIONS = frozenset({"opened", "clicked", "redeemed", "converted"})
_NEWEST = 6


@dataclass(slots=True)
class _Once:
    """Names of which each should come once: the names, and how often one came again."""

    names: set[str] = field(default_factory=set)
    again: int = 0

    def add(self, name: str) -> None:
        self.again += name in self.names
        self.names.add(name)


class Count:
    """Takes the topics' records, and says what they add up to."""

    def __init__(self) -> None:
        self._events: Counter[str] = Counter()
        self._customers: set[bytes] = set()
        self._used: set[tuple[bytes, str]] = set()
        self._classes: set[tuple[bytes, str]] = set()
        self._matches = self._unreadable = self._examples = self._snapshots = 0
        self._states: Counter[str] = Counter()
        self._suppressed: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._won: Counter[str] = Counter()
        self._offers: Counter[str] = Counter()
        self._ends: Counter[str] = Counter()
        self._delivered: Counter[str] = Counter()
        self._dead: Counter[str] = Counter()
        self._reactions: Counter[tuple[str, str]] = Counter()
        self._decided, self._ended, self._offered = _Once(), _Once(), _Once()
        self._open: set[str] = set()
        self._tests: set[str] = set()
        self._taught: set[str] = set()
        self._received: set[str] = set()
        self._pools = Pools()
        self._latency = Latency()
        self._contents: dict[str, bytes] = {}
        self._apps = AppsContent()
        self._names: dict[str, str] = {}
        self._newest: dict[str, DecisionRow] = {}
        self._texts: dict[str, OfferRow] = {}
        self._take = {
            topics.APP_USAGE: self._event,
            topics.TRANSACTIONS: self._event,
            topics.CUSTOMERS: self._event,
            topics.FEEDBACK: self._feedback,
            topics.LEDGER_COMMANDS: self._command,
            topics.LEDGER_ANSWERS: self._answer,
            topics.DECISIONS: self._decision,
            **dict.fromkeys(_CHANNELS, self._offer),
            topics.EXAMPLES: self._example,
            topics.CATALOGUE: self._catalogue,
            topics.DEAD_LETTERS: self._dead_letter,
        }

    def take(self, record: Record) -> None:
        """Count one record; one of Kairos's own that cannot be read is counted as such."""
        counted = self._take.get(record.topic)
        if counted is None:
            return
        try:
            counted(record)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self._unreadable += record.topic not in _COME_IN

    def figures(self) -> Figures:
        """Say what the records so far add up to."""
        self._latency.settle()
        return Figures(
            events=dict(self._events),
            customers=len(self._customers),
            tags=self._tags(),
            matches=self._matches,
            decisions=len(self._decided.names),
            states=dict(self._states),
            suppressed=dict(self._suppressed.most_common()),
            refused=dict(self._refused.most_common()),
            rules=dict(self._won.most_common()),
            offers=dict(self._offers),
            delivered=dict(self._delivered),
            ends=dict(self._ends),
            dead_letters=dict(self._dead.most_common()),
            reactions=self._reacted(),
            pools=self._pools.standing(),
            p50=self._latency.percentile(0.50),
            p99=self._latency.percentile(0.99),
            pending=self._pools.waiting(self._decided.names | self._tests),
            unended=len(self._open - self._ended.names),
            unlabelled=len(self._received - self._taught),
            twice=self._decided.again + self._ended.again + self._offered.again,
            unreadable=self._unreadable,
            examples=self._examples,
            snapshots=self._snapshots,
            tests=len(self._tests),
            newest=tuple(self._stories()),
        )

    def _reacted(self) -> dict[str, int]:
        """Count reactions; whose decision it was is known once all topics were read, in whatever order."""
        found = Counter[str]()
        for (made, what), count in self._reactions.items():
            found[what] += 0 if made in self._tests else count
        return {what: count for what, count in found.items() if count}

    def _event(self, record: Record) -> None:
        kind = bare_type(_header(record, "ce_type"))
        self._events[kind if kind in _KINDS else "other"] += 1
        if record.topic != topics.CUSTOMERS:
            self._latency.happened(record.topic, record.partition, record.offset, record.at)
        if not record.key:
            return
        self._customers.add(record.key)
        if kind == "app_usage":
            self._tag(record.key, usage(record.value or b""))

    def _tag(self, customer: bytes, used: UsageRow) -> None:
        self._used.add((customer, used.app))
        if used.app_class:
            self._classes.add((customer, used.app_class))

    def _tags(self) -> int:
        """Count the pairs of a customer and an app, and of a customer and a class, that the catalogue knows."""
        known = self._apps
        by_app = {(who, known.apps[app]) for who, app in self._used if app in known.apps}
        named = {(who, class_) for who, class_ in self._classes if class_ in known.classes}
        return sum(app in known.apps for _, app in self._used) + len(by_app | named)

    def _feedback(self, record: Record) -> None:
        self._events["feedback"] += 1
        came: FeedbackRow = feedback(record.value or b"")
        if came.simulated and came.what in _REACTIONS:
            self._reactions[came.decision or "", came.what] += 1

    def _command(self, record: Record) -> None:
        self._pools.command(command(record.value or b""))

    def _answer(self, record: Record) -> None:
        self._pools.answer(answer(record.value or b""))

    def _decision(self, record: Record) -> None:
        if _header(record, "ce_type") == "kairos.decision_ended.v1":
            ended = end(record.value or b"")
            if not ended.test:
                self._end(ended)
            return
        made = decision(record.value or b"")
        if made.test:
            self._tests.add(made.id)
            return
        self._decided.add(made.id)
        # What did not happen has no arrival from which a delay could be counted.
        if made.absence is None:
            self._latency.decided(made.event.topic, made.event.partition, made.event.offset, record.at)
        self._matches += len(made.verdicts)
        self._states[made.state] += 1
        for verdict in made.verdicts:
            counter, name = (self._won, verdict.rule) if verdict.verdict == "won" else (self._refused, verdict.verdict)
            counter[name] += 1
        if made.state == "suppressed":
            self._suppressed[made.reason or "unknown"] += 1
        elif made.state == "offered":
            self._open.add(made.id)
            self._tell(made)

    def _tell(self, made: DecisionRow) -> None:
        # One of each rule, the newest last, so that a busy rule does not hide the others.
        rule = next((verdict.rule for verdict in made.verdicts if verdict.verdict == "won"), "")
        self._newest.pop(rule, None)
        self._newest[rule] = made
        while len(self._newest) > _NEWEST:
            del self._newest[next(iter(self._newest))]

    def _end(self, ended: EndRow) -> None:
        self._ended.add(ended.id)
        self._ends[ended.state] += 1
        if ended.state == "delivered":
            self._delivered[ended.channel or "unknown"] += 1
            self._received.add(ended.id)

    def _offer(self, record: Record) -> None:
        if _header(record, "ce_type") == WITHDRAWN:
            return
        made = offer(record.value or b"")
        if made.test:
            return
        self._offers[_CHANNELS[record.topic]] += 1
        self._offered.add(made.id)
        self._texts[made.decision] = made
        # More than are shown, for a decision and its offer may come far apart.
        while len(self._texts) > 500:
            del self._texts[next(iter(self._texts))]

    def _example(self, record: Record) -> None:
        self._examples += 1
        self._taught.add(example(record.value or b"").id)

    def _dead_letter(self, record: Record) -> None:
        # The note that letters were replayed is no letter.
        if _header(record, "ce_type") != "kairos.dead_letters.replayed.v1" or _header(record, "kairos.errors.class"):
            self._dead[_header(record, "kairos.errors.class") or "unknown"] += 1

    def _catalogue(self, record: Record) -> None:
        key, value = (record.key or b"").decode(), record.value or b""
        if not key.startswith("current/"):
            # Models come every few seconds, and say nothing that is counted here.
            if not _header(record, "kind").startswith("model/"):
                self._contents[key] = value
            return
        kind, content = key.removeprefix("current/"), self._contents.get(pointer(value).hash, b"")
        self._snapshots += kind.startswith("model/")
        if kind == "pools":
            self._pools.define(content)
        elif kind == "apps":
            self._apps = apps_content(content)
        elif kind == "rules":
            found: RulesContent = rules_content(content)
            self._names = {rule.id: rule.name for rule in found.rules}

    def _stories(self) -> list[Story]:
        return [
            Story(made, self._texts[made.id], self._names.get(self._texts[made.id].rule, ""))
            for made in reversed(self._newest.values())
            if made.id in self._texts
        ]


def _header(record: Record, name: str) -> str:
    return next((value.decode(errors="replace") for key, value in record.headers if key == name), "")
