"""`kairos uplift`: what rules brought, by arm and form of the offer, for those who run experiments."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from functools import cache
from typing import Annotated, Final

import typer

from console.commands_rule_tests import Language_
from console.explaining import rules_named
from console.output import errors, fail, out, said, settings
from console.publishing import Known, catalogue
from console.telling import meant
from console.uplift import Cell, Shares, Uplift
from console.uplift_lines import uplift_lines
from kairos.instants import DAY, Millis
from rules.policy import Policy
from rules.saying import Language
from rules.shares import expected_shares
from streams import clock
from streams.topic_reader import read_piecewise
from streams.topics import DECISIONS, FEEDBACK

__all__ = ["add_to", "shares_of"]


_NOTHING: Final[Mapping[Language, str]] = {
    "en": "no rule {!r} has decided anything in {} days{}",
    "zh": "最近{1}天内没有{0!r}规则的决策{2}",
}


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(uplift)


def uplift(
    rule: Annotated[str | None, typer.Option(help="this rule alone; all with a control group or several forms")] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="how many days of decisions are read")] = 30,
    language: Language_ = "en",
) -> None:
    """Say what each rule's arms and forms came to, with intervals, and whether their shares can be right.

    Example: kairos uplift --rule groceries-for-newcomers --days 14 --language zh

    Each form is held against its own control group (conversions of those who came through every gate) and against the
    offer as the rule has it (reactions of all whom the rule spoke of). The intervals hold for a moment that was chosen
    before; the check of the shares holds however often one looks. Testers are left out.
    """
    with said():
        found = asyncio.run(_counted(settings().cluster.for_aiokafka(), clock.now() - days * DAY))
    if rule is not None and rule not in found.rules:
        fail(_NOTHING[language].format(rule, days, meant(rule, found.rules, language)))
    out.print("\n".join(uplift_lines(found, language, rule)), markup=False, highlight=False)


async def _counted(client: Mapping[str, object], since: Millis) -> Uplift:
    found = Uplift(shares_of(await catalogue(client)))
    with errors.status("reading decisions ...") as status:
        # Feedback comes after its decision, so it is read when all decisions are known.
        for topic, take in ((DECISIONS, found.decided), (FEEDBACK, found.came_back)):

            def tell(read: int, there: int, topic: str = topic) -> None:
                status.update(f"reading {topic} ... {read:,} of {there:,}")

            async with aclosing(read_piecewise(client, topic, max(1, since), tell)) as pieces:
                async for _, records in pieces:
                    for record in records:
                        take(record)
    return found


def shares_of(known: Known) -> Shares:
    """Give what says the shares that rules should have, as far as the catalogue still holds what decided."""

    @cache
    def found(rule: str, rules: str, policy: str) -> Mapping[Cell, float] | None:
        book, contact = known.contents.get(rules), known.contents.get(policy)
        named = {} if book is None else rules_named(book, [rule])
        if rule not in named or (policy and contact is None):
            return None
        held = Policy.default() if contact is None else Policy.of_content(contact)
        return {(str(arm), form): share for (arm, form), share in expected_shares(named[rule], held).items()}

    return lambda rule, versions: found(rule, versions.get("rules", ""), versions.get("policy", ""))
