"""The state that Kairos starts from: every customer has a past, so that each event reads and writes a full record.

The past is made by the product's own step: a few hundred customers live through some days in memory, and their
records are handed out to all. Peers start empty, which is to their favour.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import mean

from bench.rulebook import SEGMENTS
from bench.workload import PARTITIONS, Workload, events
from kairos.instants import DAY, Millis, rfc3339
from kairos.ports import Batch, Record
from streams import customers
from streams.keys import compose, decompose
from streams.memory_store import MemoryStore
from streams.store import RocksStore
from streams.topics import CUSTOMERS
from streams.versions import Versions

__all__ = ["PLAIN", "Warm", "lives", "plain", "with_rules"]

PLAIN = 600
"""The size of the record that the empty stage keeps for a customer."""
_LIVES, _PAST = 500, 16
"""How many pasts there are, and how many events each has."""


@dataclass(frozen=True)
class Warm:
    """A prepared state: a folder with one store for each partition, and what a customer's records weigh."""

    folder: Path
    size: float
    more: str = ""


def plain(folder: Path, workload: Workload) -> Warm:
    """Prepare the empty stage's state."""
    _write(folder, workload, [{"h": bytes(PLAIN)}])
    return Warm(folder, PLAIN)


def with_rules(folder: Path, workload: Workload, versions: Versions, now: Millis) -> Warm:
    """Prepare the customers' stage's state under these rules."""
    found = lives(versions, now)
    _write(folder, workload, found)
    profile = mean(len(life["p"]) for life in found)
    return Warm(folder, mean(len(life["h"]) for life in found), f" and a profile of {profile:.0f}")


def lives(versions: Versions, now: Millis) -> list[dict[str, bytes]]:
    """Let some customers live through some days; gives each one's records by kind."""
    store, chance = MemoryStore(), Random("lives")
    keys = [b"past-%d" % number for number in range(_LIVES)]
    profiles = [profile(key, number, chance, now) for number, key in enumerate(keys)]
    drawn = keys * _PAST
    chance.shuffle(drawn)
    past = events(drawn, now - DAY // 4, "past", apart=2 * DAY // len(drawn))
    customers.step(store, Batch(0, 1, [*profiles, *past], now, versions))
    found: dict[bytes, dict[str, bytes]] = defaultdict(dict)
    for name, value in store.items():
        key, kind, id_ = decompose(name)
        if kind in ("h", "p") and not id_:
            found[key][kind] = value
    return list(found.values())


def profile(key: bytes, number: int, chance: Random, now: Millis) -> Record:
    """Invent what the bank knows of a customer."""
    tags = ",".join(f'"t{chance.randrange(10_000):04d}"' for _ in range(20))
    at = rfc3339(now - 30 * DAY)
    value = (
        f'{{"attrs":{{"segment":"s{number % SEGMENTS}","mobile_bank":"active","aum":{chance.randrange(10**6)}}},'
        f'"tags":["has_debit_card",{tags}],"personalisation":true,'
        f'"consent":[{{"purpose":"marketing","channel":"*","granted":true,"at":"{at}"}}]}}'
    )
    headers = (("ce_id", key), ("ce_source", b"/bench"), ("ce_type", b"kairos.customer.v1"), ("ce_time", at.encode()))
    return Record(CUSTOMERS, 0, number, key, value.encode(), headers, now)


def _write(folder: Path, workload: Workload, lives: list[dict[str, bytes]]) -> None:
    for partition in range(PARTITIONS):
        store = RocksStore(folder / str(partition))
        rows = list(_rows(workload, partition, lives))
        for start in range(0, len(rows), 5_000):
            store.apply(rows[start : start + 5_000], 0)
        store.close()


def _rows(workload: Workload, partition: int, lives: list[dict[str, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    chance = Random(f"lives {partition}")
    for key, placed in zip(workload.keys, workload.placed, strict=True):
        if placed == partition:
            for kind, value in chance.choice(lives).items():
                yield compose(key, kind, b""), value
