"""`kairos explain` and `kairos why`: why a customer got something, and why not."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

import typer

from console.asking import NoEvent
from console.asking_live import Asked, asked_live, in_force
from console.commands_rule_tests import Language_
from console.decisions_found import Found, NotFound, decision_found, decisions_of
from console.explaining import Telling, lines_of, rules_named
from console.output import errors, fail, out, said, settings
from console.progress import bar
from console.publishing import Known, catalogue
from console.recomputing import recomputed
from console.replayed_lines import replayed_lines, word
from console.rule_inputs import instant_of
from console.telling import meant, no_event
from console.why_lines import answered_lines, decisions_lines
from kairos.decisions import Decision
from rules import findings
from rules.policy import Policy
from rules.saying import Language
from streams import clock
from streams.played import CutOff
from streams.topic_reader import Tell
from streams.versions import Versions

__all__ = ["add_to"]

Unmask = Annotated[bool, typer.Option("--unmask", help="show the customer's key, attributes and texts of the event")]
Whose = Annotated[str | None, typer.Option(help="whose decision it is: one partition is read, and not all of them")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (explain, why):
        app.command()(command)


def explain(
    decision: Annotated[str, typer.Argument(help="the decision's id, or the beginning of it")],
    customer: Whose = None,
    language: Language_ = "en",
    unmask: Unmask = False,
    replay: Annotated[
        bool, typer.Option("--replay", help="make it again from records and journal, and compare")
    ] = False,
) -> None:
    """Say why a decision came out as it did: what was read, and the fate of every candidate, on one screen.

    Example: kairos explain 6bdb08e4 --language zh

    It tells what the decision's own record says, in the sentences of the rules that decided. With --customer one
    partition is read, and not all of them. Keys, attributes and texts are masked unless --unmask is given.

    With --replay the customer's partition is played again from its journal, in memory, until the decision is made
    again: nothing is written and nothing learnt from it. Exit code 0 where every byte is the same, 1 where one is
    not, 2 where Kafka no longer holds what it takes.
    """
    if not decision or set(decision) - set("0123456789abcdef"):
        fail(word("no id", language, decision))
    with _told(language), bar("reading decisions") as tell:
        client = settings().cluster.for_aiokafka()
        found, known = asyncio.run(_found(client, decision, customer, tell))
    _print_found(found, known, language, unmask=unmask)
    if replay:
        _replay(client, found, known, language)


async def _found(client: Mapping[str, object], beginning: str, customer: str | None, tell: Tell) -> tuple[Found, Known]:
    # Side by side: each of them waits for Kafka most of its time.
    found = decision_found(client, beginning, customer, tell)
    return await asyncio.gather(found, catalogue(client))


def _replay(client: Mapping[str, object], found: Found, known: Known, language: Language) -> None:
    with _told(language), bar("replaying") as tell:
        try:
            again = asyncio.run(recomputed(client, found, known.contents, tell))
        except CutOff as cut:
            errors.print(word("cut", language, cut.said(language)), style="yellow", markup=False, highlight=False)
            raise typer.Exit(2) from None
    out.print("\n".join(replayed_lines(again, language)), markup=False, highlight=False)
    if not again.is_equal:
        raise typer.Exit(1)


def why(
    customer: Annotated[str, typer.Argument(help="the customer's key")],
    at: Annotated[str | None, typer.Option(help="when: a local time in the policy's zone, or RFC 3339; now")] = None,
    rule: Annotated[str | None, typer.Option(help="why this rule did, or did not")] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="how many days before that are looked through")] = 7,
    live: Annotated[bool, typer.Option("--live", help="ask the state as it is now; play nothing again")] = False,
    language: Language_ = "en",
    unmask: Unmask = False,
) -> None:
    """Say what was decided for a customer, and why this rule, or why not.

    Example: kairos why C000031 --at "2026-12-01 12:05" --rule trip-for-sleepers --language zh

    Alone it lists the customer's decisions, the newest first. With --at or --rule it takes the customer's newest event
    until then (that could trigger the rule) and tells clause by clause, gate by gate what held, with the values read.

    The state is the one that the event found: the customer's partition is played again from its journal, in memory,
    exact to the bit. Where Kafka no longer holds that, or with --live, it is the state of the last commit, and the
    answer says so: what came after the event is in it, too.
    """
    if not customer:
        fail(word("no key", language))
    with _told(language), bar("reading") as tell:
        client = settings().cluster.for_aiokafka()
        known = asyncio.run(catalogue(client))
        versions = in_force(known)
        if rule is not None and rule not in versions.book.rules:
            fail(word("no rule", language, rule, meant(rule, versions.book.rules, language)))
        zone = versions.policy.zone
        asked = Asked(customer, clock.now() if at is None else instant_of(at, zone, language), days, rule, live)
        telling = Telling({}, zone, language, unmask)
        try:
            told = asyncio.run(_why(client, known, versions, asked, telling, tell, is_about_event=bool(at or rule)))
        except NoEvent as nothing:
            fail(word("days", language, no_event(customer, asked.at, nothing.nearest, zone, language), days))
    out.print("\n".join(told), markup=False, highlight=False)


async def _why(
    client: Mapping[str, object],
    known: Known,
    versions: Versions,
    asked: Asked,
    telling: Telling,
    tell: Tell,
    *,
    is_about_event: bool,
) -> list[str]:
    if is_about_event:
        return list(answered_lines(await asked_live(client, known, versions, asked, tell), telling, asked.rule))
    found = await decisions_of(client, asked.customer, asked.since, tell)
    return list(decisions_lines(asked.customer, found, findings.clock(asked.since, telling.zone), telling))


def _print_found(found: Found, known: Known, language: Language, *, unmask: bool) -> None:
    decision = found.decision
    telling = _telling(decision, known.contents, language, unmask=unmask)
    out.print("\n".join(lines_of(decision, found.end, telling)), markup=False, highlight=False)
    if not telling.rules:
        errors.print(word("rules gone", language), style="yellow", markup=False, highlight=False)


def _telling(decision: Decision, contents: Mapping[str, bytes], language: Language, *, unmask: bool) -> Telling:
    """Give how a decision is told, with the rules and the zone that were in force, as far as they are still there."""
    rules = contents.get(decision.versions.get("rules", ""))
    policy = contents.get(decision.versions.get("policy", ""))
    names = [verdict.rule for verdict in decision.verdicts]
    return Telling(
        {} if rules is None else rules_named(rules, names),
        "UTC" if policy is None else Policy.of_content(policy).zone,
        language,
        unmask,
    )


@contextmanager
def _told(language: Language) -> Iterator[None]:
    try:
        with said():
            yield
    except NotFound as nothing:
        fail(nothing.said(language))
    except ValueError as error:
        fail(str(error))
