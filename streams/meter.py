"""The meter of a stage: counts, after each commit, what the commit was made of. The step knows nothing of it.

It must cost next to nothing an event: outputs are counted by topic, and looked into only where a label asks for it;
latencies are counted by bound, since Kafka's timestamps ascend within a batch.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from operator import attrgetter, itemgetter
from typing import Final

import msgspec
import structlog
from aiokafka import ConsumerRecord, TopicPartition

from kairos.decisions import MADE
from kairos.entries import Low
from kairos.instants import SECOND, Millis
from kairos.ports import Output, Record
from streams.dead_letters import ERRORS
from streams.delivery_end import TEST
from streams.metrics import METRICS, Name
from streams.topics import ALERTS, DEAD_LETTERS, DECISIONS, FEEDBACK, OFFERS

__all__ = ["Meter", "Spread"]

log = structlog.get_logger(__name__)

_CHANNELS: Final = {topic: channel.value for channel, topic in OFFERS.items()}
_DELIVERY = b"/kairos/delivery/"
_RECEIPTS = frozenset({"accepted", "delivered", "undelivered", "rejected", "expired", "unknown"})
_AT = attrgetter("timestamp")


class _Outcome(msgspec.Struct):
    state: str
    reason: str | None = None
    test: bool = False


class _Handed(msgspec.Struct):
    test: bool = False


_outcome = msgspec.json.Decoder(_Outcome).decode
_handed = msgspec.json.Decoder(_Handed).decode


class Spread:
    """How many values lie below each bound, how many there are, and their sum.

    Examples
    --------
    >>> spread = Spread((1.0, 10.0))
    >>> for value in (0.5, 1.0, 7.0, 99.0):
    ...     spread.add(value)
    >>> spread.below, spread.count, spread.sum
    ([2, 3], 4, 107.5)

    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self._in = [0] * len(bounds)
        self.count, self.sum = 0, 0.0

    @property
    def below(self) -> list[int]:
        """How many values are no larger than each bound."""
        return list(accumulate(self._in))

    def add(self, value: float) -> None:
        """Take one value."""
        place = bisect_left(self.bounds, value)
        if place < len(self._in):
            self._in[place] += 1
        self.count += 1
        self.sum += value

    def add_since(self, rows: Sequence[ConsumerRecord], now: Millis) -> None:
        """Take the age in seconds of many records, whose timestamps ascend."""
        older = len(rows)
        for place, bound in enumerate(self.bounds):
            first = bisect_left(rows, now - bound * SECOND, key=_AT)
            self._in[place] += max(0, older - first)
            older = min(older, first)
        self.count += len(rows)
        self.sum += max(0, len(rows) * now - sum(map(_AT, rows))) / SECOND


class Meter:
    """The counts of one stage in this process, over all its partitions."""

    def __init__(self) -> None:
        bounds = {metric.name: metric.bounds for metric in METRICS}
        self.batch = Spread(bounds["kairos_batch_records"])
        self.step = Spread(bounds["kairos_step_seconds"])
        self.commit = Spread(bounds["kairos_commit_seconds"])
        self.latency = Spread(bounds["kairos_latency_seconds"])
        self.counts: dict[Name, Counter[tuple[str, ...]]] = {
            metric.name: Counter() for metric in METRICS if metric.kind == "counter"
        }

    def computed(self, step: float, commit: float) -> None:
        """Take the two times of a committed batch, in seconds."""
        self.step.add(step)
        self.commit.add(commit)

    def committed(
        self,
        stage: str,
        taken: Mapping[TopicPartition, Sequence[ConsumerRecord]],
        outputs: Sequence[Output],
        now: Millis,
    ) -> None:
        """Count what a commit was made of.

        Parameters
        ----------
        stage
            The stage's name.
        taken
            The records it took, by place.
        outputs
            The records it wrote.
        now
            When it was done.

        """
        read = 0
        for place, rows in taken.items():
            read += len(rows)
            self.counts["kairos_records_total"][stage, place.topic] += len(rows)
            self.latency.add_since(rows, now)
            if place.topic == FEEDBACK:
                self._deliveries(rows)
        if read:
            self.batch.add(read)
        written = Counter(map(itemgetter(0), outputs))
        if written.keys() & _CHANNELS.keys():
            self._offers(outputs)
        if DECISIONS in written:
            self._decisions(outputs)
        if DEAD_LETTERS in written:
            self._dead_letters(stage, outputs)
        if ALERTS in written:
            self._alerts(outputs)

    def reread(self, stage: str, records: Iterable[Record]) -> None:
        """Count the records of a commit that were taken before, and were read again."""
        for record in records:
            self.counts["kairos_reread_records_total"][stage, record.topic] += 1

    def _deliveries(self, rows: Sequence[ConsumerRecord]) -> None:
        for row in rows:
            found = dict(row.headers)
            source = found.get("ce_source") or b""
            if not source.startswith(_DELIVERY) or TEST in row.headers:
                continue
            channel = source.removeprefix(_DELIVERY).decode(errors="replace")
            receipt = (found.get("ce_id") or b"").rpartition(b":")[2].decode(errors="replace")
            # Anybody may write to this topic: what is none of ours is no label.
            if channel in _CHANNELS.values() and receipt in _RECEIPTS:
                self.counts["kairos_deliveries_total"][channel, receipt] += 1

    def _offers(self, outputs: Sequence[Output]) -> None:
        for topic, _, value, headers in outputs:
            # Testers are outside of every statistic; on a list there are withdrawals, too.
            if topic in _CHANNELS and ("ce_type", b"kairos.offer.v1") in headers and not _handed(value or b"{}").test:
                self.counts["kairos_offers_total"][(_CHANNELS[topic],)] += 1

    def _decisions(self, outputs: Sequence[Output]) -> None:
        for topic, _, value, headers in outputs:
            if topic != DECISIONS:
                continue
            found = _outcome(value or b"")
            if found.test:
                continue
            if MADE in headers:
                self.counts["kairos_decisions_total"][found.state, found.reason or ""] += 1
            else:
                self.counts["kairos_decision_ends_total"][(found.state,)] += 1

    def _alerts(self, outputs: Sequence[Output]) -> None:
        for topic, _, value, _ in outputs:
            if topic == ALERTS:
                low = Low.model_validate_json(value or b"")
                self.counts["kairos_alerts_total"][("low",)] += 1
                log.warning("pool is running low", pool=low.pool, programme=low.programme, left=low.left)

    def _dead_letters(self, stage: str, outputs: Sequence[Output]) -> None:
        for topic, _, _, headers in outputs:
            if topic == DEAD_LETTERS:
                code = dict(headers)[f"{ERRORS}class"].decode()
                self.counts["kairos_dead_letters_total"][stage, code] += 1
