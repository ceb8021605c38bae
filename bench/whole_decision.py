"""A whole decision as the customers' stage makes it of an event that matched: gates, features, ranks, records, writes.

The store is in memory and the match is not in it, but the customer's record and profile are read, as once a decision.
"""

from collections.abc import Callable
from itertools import cycle
from random import Random

from bench.place import contents_of
from bench.warm import lives
from bench.workload import events
from kairos.instants import HOUR, Millis
from kairos.ports import Batch
from kairos.wire import read
from streams.cause import Cause
from streams.deciding import decide_on
from streams.memory_store import MemoryStore
from streams.versions import Versions
from streams.work import HOT, PROFILE, Work

__all__ = ["whole_decision"]

_CUSTOMERS = 300


def whole_decision(candidates: int, now: Millis) -> Callable[[], object]:
    """Give what makes one decision among so many of 1,000 rules, of one customer after the other."""
    versions, chance, store = Versions(), Random("whole"), MemoryStore()
    for kind, content in contents_of(1000).items():
        versions = versions.having(kind, content)
    # What these customers lived through lies some hours back, so that no rule rests for them.
    found = lives(versions, now - 3 * HOUR)[:_CUSTOMERS]
    keys = [b"L%06d" % number for number in range(len(found))]
    for key, life in zip(keys, found, strict=True):
        store.put(key, HOT, b"", life[HOT])
        store.put(key, PROFILE, b"", life[PROFILE])
    batch, asked = Batch(0, 1, [], now, versions), []
    for record in events(keys, now, "whole"):
        event = read(record, now, versions.apps)
        rules = [rule for rule in versions.book.rules.values() if rule.on.event == event.type]
        if rules:
            asked.append((event, record, chance.sample(rules, candidates)))
    turn = cycle(asked)

    def decide() -> object:
        event, record, rules = next(turn)
        work = Work.on(store, batch)
        decide_on(work, Cause.of(event, record), rules)
        return work.outputs

    for _ in asked:
        decide()
    return decide
