"""`kairos dlq`: look at dead letters, and write their records back once the cause is mended."""

import asyncio
import getpass
import re
import sys
from collections import Counter
from enum import StrEnum
from typing import Annotated

import typer
from aiokafka.errors import ProducerFenced

from console.letters import as_json, plan_lines, shown, summary_lines, table_lines
from console.output import errors, fail, out, said, settings
from kairos.instants import DAY, HOUR, MINUTE, SECOND, Millis, from_rfc3339
from streams import clock
from streams.dead_letters import Kind, Place
from streams.dead_letters_read import Found, Wanted, find
from streams.dead_letters_replay import replay_letters, why_not
from streams.delivery import until_signalled
from streams.hooks import Hooks
from streams.topics import FOREIGN, TOPICS

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_UNITS: dict[str, Millis] = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}


class Format(StrEnum):
    """How letters are listed."""

    TEXT = "text"
    JSON = "json"


Topic = Annotated[str | None, typer.Option(help="the topic the record lay on; `events.transactions` is enough")]
Stage = Annotated[str | None, typer.Option(help="who refused it: customers, ledger, learning, door, kairos.deliver.*")]
Class = Annotated[str | None, typer.Option("--class", help="the word for why, such as `future`")]
Since = Annotated[str | None, typer.Option(help="written from then on: `2h` ago, or RFC 3339")]
Until = Annotated[str | None, typer.Option(help="written before: `2h` ago, or RFC 3339")]
Customer = Annotated[str | None, typer.Option(help="the record's key")]
KeyHash = Annotated[str | None, typer.Option(help="the key's hash as `list` shows it, or its beginning")]
Unmask = Annotated[bool, typer.Option("--unmask", help="show keys, and headers that may be personal")]


@app.command(name="list")
def list_(
    topic: Topic = None,
    stage: Stage = None,
    class_: Class = None,
    since: Since = None,
    until: Until = None,
    customer: Customer = None,
    key_hash: KeyHash = None,
    summary: Annotated[bool, typer.Option("--summary", help="count them by class instead")] = False,
    format_: Annotated[Format, typer.Option("--format", help="json: one object a line")] = Format.TEXT,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="how many are listed")] = 50,
    unmask: Unmask = False,
) -> None:
    """List dead letters, the newest first; never a value, and no key unless asked."""
    found = _find(_wanted(None, topic, stage, class_, since, until, customer, key_hash), limit)
    all_ = found.waiting.total() + found.replayed.total()
    if not all_:
        errors.print("no dead letters")
    elif summary:
        _print(summary_lines(found))
    elif format_ is Format.JSON:
        _print([as_json(found, letter, unmask=unmask) for letter in found.newest])
    else:
        _print(table_lines(found, unmask=unmask))
    if len(found.newest) < all_ and not summary:
        errors.print(f"the newest {len(found.newest):,} of {all_:,}; --limit shows more", highlight=False)


@app.command()
def show(
    place: Annotated[str, typer.Argument(help="TOPIC:PARTITION:OFFSET of the letter, or of the record it was")],
    value: Annotated[bool, typer.Option("--value", help="show the value")] = False,
    unmask: Unmask = False,
) -> None:
    """Show one dead letter: its reason and its headers."""
    found = _find(Wanted(place=_place(place)), 10)
    if not found.newest:
        fail(f"no dead letter lies at {place} or came from there")
    for letter in found.newest:
        _print(shown(found, letter, value=value, unmask=unmask))


@app.command()
def replay(
    place: Annotated[str | None, typer.Argument(help="TOPIC:PARTITION:OFFSET; all that fit unless given")] = None,
    topic: Topic = None,
    stage: Stage = None,
    class_: Class = None,
    since: Since = None,
    until: Until = None,
    customer: Customer = None,
    key_hash: KeyHash = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be written, and write nothing")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Write records back to where they came from, each once; Ctrl-C ends after the commit under way."""
    wanted = _wanted(place, topic, stage, class_, since, until, customer, key_hash)
    waiting = _find(wanted, 0).waiting
    _print(plan_lines(waiting, lambda kind: why_not(kind, wanted)))
    total = sum(count for kind, count in waiting.items() if why_not(kind, wanted) is None)
    if dry_run or not total:
        out.print(f"{total:,} would be replayed" if dry_run else "nothing to replay", highlight=False)
        return
    if not yes:
        if not sys.stdin.isatty():
            fail(f"{total:,} records would be written; say --yes", 2)
        typer.confirm(f"write {total:,} records?", abort=True)
    with said():
        try:
            done = asyncio.run(_replay(wanted))
        except ProducerFenced:
            fail("another replay was begun and goes on with what is left; nothing is written twice")
    left = total - done.total()
    out.print(f"{done.total():,} replayed" + (f", {left:,} still there" if left > 0 else ""), highlight=False)
    if left > 0:
        raise typer.Exit(130)


async def _replay(wanted: Wanted) -> Counter[Kind]:
    told, stop = settings(), until_signalled()
    client = told.cluster.for_aiokafka()
    with errors.status("replaying ...") as status:
        return await replay_letters(
            client,
            wanted,
            getpass.getuser(),
            clock.now,
            lambda done, all_: status.update(f"replaying ... {done:,} of {all_:,}"),
            is_stopped=stop.is_set,
            hooks=Hooks(told.pauses),
        )


def _find(wanted: Wanted, most: int) -> Found:
    with said(), errors.status("reading dead letters ...") as status:
        client = settings().cluster.for_aiokafka()
        return asyncio.run(
            find(client, wanted, most, lambda read, all_: status.update(f"reading ... {read:,} of {all_:,}"))
        )


def _wanted(
    place: str | None,
    topic: str | None,
    stage: str | None,
    code: str | None,
    since: str | None,
    until: str | None,
    customer: str | None,
    key_hash: str | None,
) -> Wanted:
    return Wanted(
        place=None if place is None else _place(place),
        topic=None if topic is None else _topic(topic),
        stage=stage,
        code=code,
        since=None if since is None else _instant(since),
        until=None if until is None else _instant(until),
        key=None if customer is None else customer.encode(),
        hash=key_hash,
    )


def _place(text: str) -> Place:
    try:
        place = Place.read(text)
    except ValueError as error:
        fail(str(error), 2)
    return place._replace(topic=_topic(place.topic))


def _topic(name: str) -> str:
    return next(
        (f.name for f in (*TOPICS, *FOREIGN) if f.name.removeprefix("kairos.").removesuffix(".v1") == name), name
    )


def _instant(text: str) -> Millis:
    if ago := re.fullmatch(r"(\d{1,6})([smhd])", text):
        return clock.now() - int(ago[1]) * _UNITS[ago[2]]
    try:
        found = from_rfc3339(text)
    except (ValueError, OverflowError):
        found = -1
    # Nobody wrote to Kafka before 1970, and it cannot be asked for that.
    if found < 0:
        fail(f"{text!r} is no instant; write 2h, or RFC 3339 with a zone", 2)
    return found


def _print(lines: list[str]) -> None:
    for line in lines:
        out.print(line, markup=False, highlight=False)
