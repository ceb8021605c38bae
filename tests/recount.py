"""Recounts: what must be true, counted from the topics by dicts and json alone, sharing no code with the product."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from kafka import KafkaConsumer, TopicPartition

Json = dict[str, Any]


class Row(NamedTuple):
    """One committed record, as it lies in its topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, str]
    at: int = 0
    """When Kafka got it, in milliseconds."""

    @property
    def json(self) -> Json:
        found: Json = json.loads(self.value or b"{}")
        return found

    @property
    def type(self) -> str:
        return self.headers["ce_type"].removeprefix("kairos.").removesuffix(".v1")

    @property
    def name(self) -> tuple[str, str]:
        return self.headers["ce_source"], self.headers["ce_id"]


def read(servers: Sequence[str], topic: str) -> list[Row]:
    """Give every committed record of a topic, each partition in its order."""
    return list(rows_of(servers, topic))


def rows_of(servers: Sequence[str], topic: str) -> Iterator[Row]:
    """The same, one record after the other, for topics that would not fit into memory."""
    settings = {"isolation_level": "read_committed", "enable_auto_commit": False, "auto_offset_reset": "earliest"}
    with closing(KafkaConsumer(bootstrap_servers=list(servers), **settings)) as consumer:
        places = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        while any(consumer.position(place) < ends[place] for place in places):
            for found in consumer.poll(timeout_ms=200).values():
                for row in found:
                    head = {name: (value or b"").decode(errors="replace") for name, value in row.headers}
                    yield Row(row.topic, row.partition, row.offset, row.key, row.value, head, row.timestamp)


def accepted(events: Iterable[Row], dead: Iterable[Row]) -> dict[tuple[str, str, str], Row]:
    """Give the first record of every event that was not refused, by customer, source and id."""
    refused = {places(row) for row in dead}
    assert all(count == 1 for count in Counter(places(row) for row in dead).values()), "a record has two dead letters"
    first: dict[tuple[str, str, str], Row] = {}
    for row in events:
        if (row.topic, row.partition, row.offset) not in refused:
            first.setdefault(((row.key or b"").decode(), *row.name), row)
    return first


def places(dead: Row) -> tuple[str, int, int]:
    """Give where a dead letter's record lay."""
    head = dead.headers
    return head["kairos.errors.topic"], int(head["kairos.errors.partition"]), int(head["kairos.errors.offset"])


def category(row: Row) -> str:
    """Give what the record says of itself: the merchant's category or the app's class; nothing where it says none."""
    found = row.json
    return str(found.get("merchant_category") or found.get("app_class") or "")


def unfollowed(events: Iterable[Row], waited: int) -> dict[str, datetime]:
    """Give the place of every look at a coupon after which nobody paid with it, and when its time was over."""
    paid = defaultdict[tuple[bytes | None, str], list[datetime]](list)
    looks = []
    for row in events:
        at = datetime.fromisoformat(row.headers["ce_time"])
        if row.type == "page_view":
            looks.append((row, at, at + timedelta(milliseconds=waited)))
        elif row.json.get("coupon"):
            paid[row.key, row.json["coupon"]].append(at)
    return {
        f"{row.topic} {row.partition} {row.offset}": end
        for row, at, end in looks
        if not any(at < then <= end for then in paid[row.key, row.json["coupon"]])
    }


def spent(events: Iterable[Row]) -> dict[str, dict[str, tuple[int, int]]]:
    """Count purchases and money by customer and category."""
    found: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for row in events:
        if row.type == "transaction" and row.json["direction"] == "debit":
            mine = found[(row.key or b"").decode()]
            number, money = mine.get(category(row), (0, 0))
            mine[category(row)] = number + 1, money + row.json["amount"]
    return dict(found)


def newest(changelog: Iterable[Row]) -> dict[tuple[str, str, bytes], Any]:
    """Give the state that a changelog tells, by owner, kind and id; its values are lists of plain things."""
    found = {row.key: row.value for row in changelog if row.key}
    state = {}
    for key, value in found.items():
        end = 2 + int.from_bytes(key[:2], "big")
        if value is not None and key[end : end + 1] in b"hp" and end > 2:
            state[key[2:end].decode(), key[end : end + 1].decode(), key[end + 1 :]] = value
    return state


def spending(state: Mapping[tuple[str, str, bytes], bytes]) -> dict[str, dict[str, tuple[int, int]]]:
    """Give purchases and money as the customers' state holds them."""
    found = {}
    for (owner, kind, _), value in state.items():
        if kind == "h" and (kept := msgspec.msgpack.decode(value)[4]):
            found[owner] = {name: (row[0], row[1]) for name, row in kept.items()}
    return found


class Coupons(NamedTuple):
    """What became of every coupon of a pool, counted from the offers and the ledger's commands."""

    reserved: int
    confirmed: int
    redeemed: int
    released: int
    codes: list[str]
    """Those that somebody holds; an imported code that was released may be given again."""

    @property
    def held(self) -> int:
        return self.reserved + self.confirmed + self.redeemed


def coupons(offers: Iterable[Row], commands: Iterable[Row]) -> dict[str, Coupons]:
    """Follow every coupon from its offer to its end."""
    told: dict[str, set[str]] = defaultdict(set)
    for row in commands:
        if row.json["kind"] in ("confirm", "release", "redeem"):
            told[row.json["id"]].add(row.json["kind"])
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for offer in (row.json for row in offers):
        if offer["coupon"]:
            what = told[offer["decision"]]
            state = next((end for end in ("redeem", "release", "confirm") if end in what), "reserve")
            found[offer["coupon"]["pool"]].append((state, offer["coupon"]["code"]))
    result = {}
    for pool, all_ in found.items():
        count = Counter(state for state, _ in all_)
        codes = [code for state, code in all_ if state != "release"]
        result[pool] = Coupons(count["reserve"], count["confirm"], count["redeem"], count["release"], codes)
    return result


def pools(state: Mapping[tuple[str, str, bytes], bytes]) -> dict[str, tuple[int, int, int, int]]:
    """Give reserved, confirmed, redeemed and released as the ledger's state holds them."""
    found = {}
    for (_, kind, id_), value in state.items():
        if kind == "p":
            reserved, confirmed, redeemed, released = (amount[0] for amount in msgspec.msgpack.decode(value)[2:6])
            found[id_.decode()] = reserved, confirmed, redeemed, released
    return found


def once(names: Iterable[str]) -> set[str]:
    """Give the names, each of which is there exactly once."""
    counts = Counter(names)
    twice = {name: count for name, count in counts.items() if count > 1}
    assert not twice, f"{len(twice)} of {len(counts)} are there more than once"
    return set(counts)
