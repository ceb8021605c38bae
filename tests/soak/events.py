"""What happens during a soak: good events, late ones, twice told ones, broken ones; one seed, one order.

Everything is told when it happens, but for what is late, so only the times are the clock's.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count

from console.simulate import load_events
from kairos.instants import HOUR, MINUTE, SECOND, Millis, rfc3339
from kairos.ports import Headers, Record
from kairos.wire import headers
from streams import clock
from streams.topics import APP_USAGE, CUSTOMERS, FEEDBACK, TRANSACTIONS, partition_of
from tests.fault_load import profiles

NOBODY = 100
"""Customers without a profile, of whom nothing is known."""
UNRELATED = b'{"what":"opened","offer":"none","decision":"none"}'
PULSE = (
    (CUSTOMERS, "customer", b"{}"),
    (FEEDBACK, "feedback", UNRELATED),
    (APP_USAGE, "login", b"{}"),
    (TRANSACTIONS, "transaction", b'{"amount":0,"direction":"credit"}'),
)
"""One harmless event for each topic with event time."""
ANYWHERE = -1
"""The partition of a record that goes where its key belongs."""


class Events:
    """All that the bank's producers tell, one record at a time; `told` counts by kind what was made.

    The kind stands in the event's id: `good`, `again` has the id of the good one it repeats, `bad` must be refused, and
    `fuzz` may be.
    """

    def __init__(self, customers: int, seed: int) -> None:
        self.customers, self.seed = customers, seed
        self.told: Counter[str] = Counter()
        self._last: Millis = 0
        self._chance = random.Random(f"events {seed}")
        self._to_pay: list[tuple[Millis, bytes, bytes]] = []
        self._number = count()
        self._strange = [make for make in STRANGE for _ in range(3)] + [_fuzzed] * 10

    def profiles(self, now: Millis) -> Iterator[Record]:
        """Give the customers who allow everything."""
        for record in profiles(self.customers, now):
            self.told["profile"] += 1
            yield _with(record, dict(record.headers) | {"ce_id": f"profile-{record.offset}".encode()})

    def usual(self) -> Iterator[Record]:
        """Give the everyday stream, for ever."""
        last: Record | None = None
        for place, record in enumerate(load_events(None, self.customers + NOBODY, seed=self.seed)):
            record = self._good(record.topic, record.key, record.value, dict(record.headers)["ce_type"].decode())
            yield record
            if place % 20 == 3:
                yield from self._looked(place)
            if place % 20 == 7 and last is not None:
                self.told["again"] += 1
                yield last
            if place % 50 == 11:
                yield self.strange(record)
            if place % 200 == 13:
                yield self._from_the_future(record)
            # The same record comes again at once, or after a hundred others.
            last = record if place % 100 in (6, 27) else last

    def strange(self, record: Record) -> Record:
        """Give something that is wrong with a good record, or may be."""
        make = self._chance.choice(self._strange)
        kind = "fuzz" if make is _fuzzed else "bad"
        self.told[kind] += 1
        head = dict(record.headers) | {"ce_id": f"{kind}-{next(self._number)}".encode()}
        return make(record, head, self._chance)

    def burst(self, number: int) -> Iterator[Record]:
        """Give good events of one partition's customers, all at once."""
        partition = self._chance.randrange(4)
        keys = [b"L%06d" % n for n in range(self.customers) if partition_of(b"L%06d" % n, 4) == partition]
        for record in load_events(number, len(keys), skew=False, seed=self._chance.randrange(1000)):
            key = keys[int((record.key or b"L0")[1:])]
            yield self._good(record.topic, key, record.value, dict(record.headers)["ce_type"].decode())

    def heavy(self, number: int) -> Iterator[Record]:
        """Give broken records of one partition, each nearly as large as may be: their dead letters fill a commit."""
        key = b"L%06d" % self._chance.randrange(self.customers)
        for _ in range(number):
            self.told["bad"] += 1
            value = b'{"app": 1, "filled": "' + b"x" * 60_000
            yield _event(APP_USAGE, key, value, "app_usage", f"bad-{next(self._number)}", clock.now())

    def storm(self, number: int) -> Iterator[Record]:
        """Give nothing but strange records."""
        for record in load_events(number, self.customers, seed=self._chance.randrange(1000)):
            head = dict(record.headers) | {"ce_time": rfc3339(clock.now()).encode()}
            yield self.strange(_with(record, head))

    def pulse(self, partitions: int) -> Iterator[Record]:
        """Give one event for every partition of every topic with event time, so that what is over is known to be."""
        now = self._now()
        for partition in range(partitions):
            key = next(b"P%d" % n for n in count() if partition_of(b"P%d" % n, partitions) == partition)
            for topic, type_, value in PULSE:
                self.told["pulse"] += 1
                yield _event(topic, key, value, type_, f"pulse-{next(self._number)}", now)

    def _good(self, topic: str, key: bytes | None, value: bytes | None, type_: str) -> Record:
        self.told["good"] += 1
        at = self._now()
        if self._chance.random() < 0.05:
            at -= self._chance.choice([SECOND, 10 * SECOND, 5 * MINUTE, 6 * HOUR])
        return _event(topic, key, value, type_.split(".")[1], f"good-{next(self._number)}", at)

    def _from_the_future(self, record: Record) -> Record:
        """Give a word of a producer whose clock is ahead, but not too far."""
        self.told["future"] += 1
        at = self._now() + self._chance.randrange(4 * MINUTE)
        return _event(FEEDBACK, record.key, UNRELATED, "feedback", f"future-{next(self._number)}", at)

    def _looked(self, place: int) -> Iterator[Record]:
        """Let somebody look at a coupon of their own, and those pay who wanted to by now."""
        key, coupon = b"L%06d" % self._chance.randrange(self.customers), f"c{place}"
        look, now = json.dumps({"page": "coupon", "coupon": coupon}).encode(), self._now()
        self.told["good"] += 1
        yield _event(APP_USAGE, key, look, "page_view", f"good-{next(self._number)}", now)
        paid = {"amount": 100, "direction": "debit", "merchant_category": "grocery", "coupon": coupon}
        # Half of them never pay; a payment is told between one and five seconds after the look.
        if self._chance.random() < 0.5:
            due = now + self._chance.randrange(SECOND, 5 * SECOND)
            heappush(self._to_pay, (due, key, json.dumps(paid).encode()))
        while self._to_pay and self._to_pay[0][0] <= now:
            _, key, payment = heappop(self._to_pay)
            self.told["good"] += 1
            yield _event(TRANSACTIONS, key, payment, "transaction", f"good-{next(self._number)}", self._now())

    def _now(self) -> Millis:
        """No two things happen in the same millisecond."""
        self._last = max(clock.now(), self._last + 1)
        return self._last


def _event(topic: str, key: bytes | None, value: bytes | None, type_: str, id_: str, at: Millis) -> Record:
    return Record(topic, ANYWHERE, 0, key, value, headers(f"kairos.{type_}.v1", id_, at, "/soak"))


def _with(record: Record, head: dict[str, bytes], value: bytes | None = None, key: bytes | None = None) -> Record:
    found: Headers = tuple(head.items())
    return Record(record.topic, ANYWHERE, 0, key or record.key, record.value if value is None else value, found)


def _cut(record: Record, head: dict[str, bytes], chance: random.Random) -> Record:
    return _with(record, head, (record.value or b"")[: chance.randrange(1, 30)])


def _of_no_type(record: Record, head: dict[str, bytes], _: random.Random) -> Record:
    return _with(record, head | {"ce_type": b"kairos.nothing.v1"})


def _without_time(record: Record, head: dict[str, bytes], _: random.Random) -> Record:
    return _with(record, {name: value for name, value in head.items() if name != "ce_time"})


def _too_far_ahead(record: Record, head: dict[str, bytes], _: random.Random) -> Record:
    return _with(record, head | {"ce_time": rfc3339(clock.now() + 6 * HOUR).encode()})


def _misplaced(record: Record, head: dict[str, bytes], _: random.Random) -> Record:
    key = b"nobody"
    return Record(record.topic, (partition_of(key, 4) + 1) % 4, 0, key, record.value, tuple(head.items()))


def _of_another_topic(record: Record, head: dict[str, bytes], _: random.Random) -> Record:
    other = APP_USAGE if record.topic == TRANSACTIONS else TRANSACTIONS
    return Record(other, ANYWHERE, 0, record.key, record.value, tuple(head.items()))


def _without_key(record: Record, head: dict[str, bytes], chance: random.Random) -> Record:
    return Record(record.topic, chance.randrange(4), 0, None, record.value, tuple(head.items()))


def _not_text(record: Record, head: dict[str, bytes], _: random.Random) -> Record:
    return _with(record, head, b'{"app":"\xff\xfe","amount":1}')


def _fuzzed(record: Record, head: dict[str, bytes], chance: random.Random) -> Record:
    value = bytearray(record.value or b"")
    for _ in range(chance.randrange(1, 4)):
        value[chance.randrange(len(value))] = chance.randrange(256)
    return _with(record, head, bytes(value))


STRANGE = (_cut, _of_no_type, _without_time, _too_far_ahead, _misplaced, _of_another_topic, _without_key, _not_text)
"""What must be a dead letter, whatever the record was."""
