"""`kairos stop`, `start` and `stops`: what is stopped is neither decided nor sent; it ends within two seconds."""

import json
from collections.abc import Collection, Iterator
from typing import Annotated

import typer

from console.in_force import in_catalogue, put
from console.output import fail, out
from console.publishing import Known
from kairos.offers import Channel
from rules.problems import suggest
from rules.stops import STOP, kind_of, read_stop, written

__all__ = ["add_to"]

All = Annotated[bool, typer.Option("--all", help="everything, everywhere")]
Rules = Annotated[list[str] | None, typer.Option("--rule", help="a rule by its id; may be given again")]
Programmes = Annotated[list[str] | None, typer.Option("--programme", help="a programme; may be given again")]
Channels = Annotated[list[Channel] | None, typer.Option("--channel", help="a channel; may be given again")]
Pools = Annotated[list[str] | None, typer.Option("--pool", help="a coupon pool; may be given again")]
Why = Annotated[str, typer.Option(help="why; people will read it")]
By = Annotated[str | None, typer.Option(help="who says so; the user's name unless given")]
_MOST = 500


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (stop, start, stops):
        app.command()(command)


def stop(
    why: Why,
    rule: Rules = None,
    programme: Programmes = None,
    channel: Channels = None,
    pool: Pools = None,
    *,
    everything: All = False,
    unknown: Annotated[bool, typer.Option("--unknown", help="also a name that nothing in force has")] = False,
    by: By = None,
) -> None:
    """Stop a rule, a programme, a channel, a pool, or everything; offers that are queued end as `stopped`.

    Example: kairos stop --pool waimai-a-15 --why "the merchant's till refuses the codes"
    """
    wanted = _wanted(rule, programme, channel, pool, everything=everything)
    known = in_catalogue()
    if not unknown:
        _all_known(known, rule or [], programme or [], pool or [])
    put(_contents(wanted, why, stopped=True), by, known)
    for kind in wanted:
        out.print(f"stopped: {_name(kind)}", markup=False, highlight=False)


def start(
    rule: Rules = None,
    programme: Programmes = None,
    channel: Channels = None,
    pool: Pools = None,
    *,
    everything: All = False,
    why: Why = "",
    by: By = None,
) -> None:
    """Take a stop back; what ended meanwhile stays ended.

    Example: kairos start --pool waimai-a-15
    """
    wanted = _wanted(rule, programme, channel, pool, everything=everything)
    known = in_catalogue()
    in_force = dict(_stops(known))
    for kind in wanted:
        if kind not in in_force:
            fail(f"{_name(kind)} is not stopped{suggest(_name(kind), map(_name, in_force), 'nothing')}")
    put(_contents(wanted, why, stopped=False), by, known)
    for kind in wanted:
        out.print(f"started: {_name(kind)}", markup=False, highlight=False)
    for kind in sorted(in_force.keys() - wanted):
        out.print(f"still stopped: {_name(kind)}", markup=False, highlight=False)


def stops() -> None:
    """List what is stopped: what, since when, by whom, and why."""
    found = dict(_stops(in_catalogue()))
    for said_ in found.values():
        out.print(said_, markup=False, highlight=False)
    if not found:
        out.print("nothing is stopped", highlight=False)


def _wanted(
    rules: list[str] | None,
    programmes: list[str] | None,
    channels: list[Channel] | None,
    pools: list[str] | None,
    *,
    everything: bool,
) -> list[str]:
    named = {"rule": rules, "programme": programmes, "channel": channels, "pool": pools}
    found = [kind_of(scope, str(name)) for scope, names in named.items() for name in names or ()]
    found += [kind_of("all")] * everything
    if not found:
        fail("say what: --all, --rule, --programme, --channel or --pool")
    return list(dict.fromkeys(found))


def _all_known(known: Known, rules: Collection[str], programmes: Collection[str], pools: Collection[str]) -> None:
    """Refuse a name that nothing has: a slip would stop nothing, and look as if it had."""
    # Names are all that is asked for: to build a book of thousands of rules would take seconds.
    book, coupons = json.loads(known.current("rules") or b'{"rules":[]}'), json.loads(known.current("pools") or b"[]")
    there = {
        "rule": (rules, {one["id"] for one in book["rules"]}),
        "programme": (programmes, {one["programme"] for one in (*book["rules"], *coupons)}),
        "pool": (pools, {one["pool"] for one in coupons}),
    }
    for scope, (asked, names) in there.items():
        for name in asked:
            if name not in names:
                fail(f"no {scope} {name!r} is in force{suggest(name, names)}; --unknown stops it all the same")


def _stops(known: Known) -> Iterator[tuple[str, str]]:
    """Give each stop in force with what is said of it."""
    for kind, pointer in sorted(known.pointers.items()):
        if not kind.startswith(STOP):
            continue
        try:
            found = read_stop(known.contents.get(pointer.hash, b""))
        except ValueError:
            yield kind, f"{_name(kind)}: cannot be read, so nothing is sent at all ({pointer.at}, {pointer.by})"
            continue
        if found.stopped:
            yield kind, f"{_name(kind)}: since {pointer.at} by {pointer.by}: {found.why}"


def _name(kind: str) -> str:
    return kind.removeprefix(STOP).replace("/", " ", 1)


def _contents(kinds: Collection[str], why: str, *, stopped: bool) -> dict[str, bytes]:
    return dict.fromkeys(kinds, written(why[:_MOST], stopped=stopped))
