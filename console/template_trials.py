"""Sending a template to named testers: those whom the contact policy in force names, and nobody else."""

from collections.abc import Collection, Sequence

from console.publishing import Client, Refused, catalogue, send
from kairos.instants import Millis
from kairos.offers import Channel, Offer
from rules.policy import Policy
from rules.problems import shown, suggest
from rules.saying import Language
from rules.template_trial import trials
from rules.templates import Templates
from streams.trials import trial_outputs

__all__ = ["send_trials", "wanted_trials"]


async def send_trials(client: Client, offers: Sequence[Offer], now: Millis) -> None:
    """Put trials on the topics that deliveries read.

    Raises
    ------
    Refused
        Somebody is no tester of the policy in force; nothing was sent.

    """
    content = (await catalogue(client)).current("policy")
    policy = Policy.default() if content is None else Policy.of_content(content)
    testers = () if policy.testers is None else policy.testers.customers
    others = sorted({offer.customer for offer in offers} - {*testers})
    if others:
        raise Refused(
            [f"{shown(one)} is no tester that the policy in force names{suggest(one, testers)}" for one in others]
        )
    await send(client, trial_outputs(offers, now))


def wanted_trials(
    templates: Templates,
    name: str,
    to: Collection[str],
    only: tuple[Channel | None, Language | None],
    now: Millis,
) -> list[Offer]:
    """Give the trials of a template: for each tester, of each channel and language or of one."""
    channel, language = only
    found = (offer for customer in dict.fromkeys(to) for offer in trials(templates, name, customer, now))
    return [
        offer
        for offer in found
        if channel in (None, offer.channel) and offer.message is not None and language in (None, offer.message.language)
    ]
