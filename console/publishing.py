"""Publishing: what people put into the catalogue, and what lies there."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaProducer

from console.checking import beside, check_files
from kairos.ids import content_hash
from kairos.instants import Millis
from kairos.offers import CouponPool
from kairos.ports import Output
from rules.arms import forms
from rules.canonical import parsed
from rules.documents import without_text
from rules.lever_fit import reached, unfit_levers
from rules.pools import pools_of_content
from rules.priorities import Priorities
from rules.problems import Problem, many, suggest
from rules.schema import Published, Rule
from rules.template_fit import Beside, unfit
from rules.templates import Templates
from streams.catalogue import CURRENT, Pointer, publication, read_pointer
from streams.connected import connected
from streams.topic_reader import read_topic
from streams.topics import CATALOGUE

__all__ = [
    "GREATEST",
    "Client",
    "Known",
    "Refused",
    "adrift_after",
    "catalogue",
    "contents_of",
    "publish",
    "send",
    "unfit_after",
    "whole_contents_of",
]

GREATEST = 64 * 1024 * 1024
"""The most bytes that are published at once, before they are packed."""
Client = Mapping[str, object]


class Refused(Exception):
    """What was to be published has problems; what is in force stays."""

    def __init__(self, problems: Sequence[Problem | str]) -> None:
        super().__init__(many(len(problems), "problem"))
        self.problems = [str(problem) for problem in problems]


def contents_of(rules: Path, named: Mapping[str, Path | None]) -> dict[str, bytes]:
    """Read and check files, and give what each kind publishes.

    Parameters
    ----------
    rules
        A folder of rule files, or one file.
    named
        The other files by their kind, each optional, see `check_files`.

    Raises
    ------
    Refused
        All problems of all files at once.

    """
    checked = check_files(rules, named)
    if checked.problems:
        raise Refused(checked.problems)
    return dict(checked.contents)


def whole_contents_of(rules: Path, policy: Path, pools: Path, apps: Path) -> dict[str, bytes]:
    """Give what rules need to decide away from a catalogue: the templates beside them belong to it."""
    named = {"policy": policy, "pools": pools, "apps": apps, "templates": beside(rules, "templates")}
    return contents_of(rules, named)


async def publish(
    client: Client, contents: Mapping[str, bytes], by: str, now: Millis, known: "Known | None" = None
) -> dict[str, str]:
    """Put contents into force; gives the hash of each kind.

    Rules come last, so that the pools they draw from are there before them. The catalogue is read unless it is known.

    Raises
    ------
    Refused
        Rules and templates would not fit each other; what is in force stays.

    """
    known = known or await catalogue(client)
    if problems := unfit_after(known, contents):
        raise Refused(problems)
    outputs: list[Output] = []
    for kind in sorted(contents, key=lambda kind: (kind == "rules", kind)):
        old = known.pointers.get(kind)
        before = "" if old is None else old.before if old.hash == content_hash(contents[kind]) else old.hash
        outputs += publication(kind, contents[kind], by, now, before)
    await send(client, outputs)
    return {kind: content_hash(content) for kind, content in contents.items()}


def unfit_after(known: "Known", contents: Mapping[str, bytes]) -> list[str]:
    """Say which rules would have no text, with what is published and what stays in force; all of them at once."""
    if not contents.keys() & {"rules", "templates"}:
        return []
    after = {kind: contents.get(kind) or known.current(kind) for kind in ("rules", "templates", "pools")}
    rules = without_text(after["rules"]) if after["rules"] else ()
    if not rules:
        return []
    templates = Templates.of_content(after["templates"]) if after["templates"] else None
    pools = {pool.pool: pool for pool in pools_of_content(after["pools"])} if after["pools"] else None
    found = ((rule.id, what) for rule in rules for _, what in unfit(rule, Beside(templates, pools)))
    return [f"the rule {id_!r}: {what}" for id_, what in found]


def adrift_after(known: "Known", contents: Mapping[str, bytes]) -> list[str]:
    """Say which rules and levers would name what is not there, with what is published and what stays in force.

    It is said and refuses nothing: such a lever changes no offer, such a rule gives no coupon and each of its decisions
    says so, and a rule must go back or be taken out at once.
    """
    if not contents.keys() & {"rules", "priorities", "pools"}:
        return []
    after = {kind: contents.get(kind) or known.current(kind) for kind in ("rules", "priorities", "pools")}
    priorities = Priorities.of_content(after["priorities"]) if after["priorities"] else None
    rules = parsed(after["rules"], Published).rules if after["rules"] else ()
    pools = {pool.pool: pool for pool in pools_of_content(after["pools"])} if after["pools"] else None
    dry = [f"warning: {what}" for what in _dry(rules, pools or {})]
    if priorities is None or not priorities.levers:
        return dry
    found = unfit_levers(priorities, reached(rules, pools))
    return dry + [f"warning: the lever {priorities.levers[int(path[1])].name!r}: {what}" for path, what in found]


def _dry(rules: Iterable[Rule], pools: Mapping[str, CouponPool]) -> Iterator[str]:
    """Say which rules draw from a pool that would not be there."""
    for rule in rules:
        for name in sorted({pool for form in forms(rule) if (pool := form.then.offer.pool)} - pools.keys()):
            gone = f"the pool {name!r} is not in force{suggest(name, pools)}"
            yield f"the rule {rule.id!r}: {gone}; its decisions say unknown_pool until it is"


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue holds: the newest pointer of each kind, and every content by its hash."""

    pointers: Mapping[str, Pointer]
    contents: Mapping[str, bytes]

    def current(self, kind: str) -> bytes | None:
        """Give the content of a kind that is in force."""
        pointer = self.pointers.get(kind)
        return None if pointer is None else self.contents.get(pointer.hash)


async def catalogue(client: Client) -> Known:
    """Read the catalogue as it stands."""
    rows = [row for row in (await read_topic(client, CATALOGUE)).get(0, []) if row.key and row.value]
    pointers = {
        row.key.removeprefix(CURRENT).decode(): read_pointer(row.value)
        for row in rows
        if row.key and row.value and row.key.startswith(CURRENT)
    }
    contents = {r.key.decode(): r.value for r in rows if r.key and r.value and not r.key.startswith(CURRENT)}
    return Known(pointers, contents)


async def send(client: Client, outputs: Sequence[Output]) -> None:
    """Write records to their topics, one after the other."""
    # The largest book is more than Kafka's topics take; its JSON is a fifth of that, packed.
    producer = AIOKafkaProducer(
        acks="all", enable_idempotence=True, compression_type="gzip", max_request_size=GREATEST, **client
    )
    async with connected(producer):
        for topic, key, value, headers in outputs:
            await producer.send_and_wait(topic, value, key, headers=list(headers))
