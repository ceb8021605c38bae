"""Trials: a template sent to the bank's testers with its example values, to see how it looks where it arrives."""

from collections.abc import Iterator

from kairos.ids import decision_id, offer_id
from kairos.instants import HOUR, Millis, moment
from kairos.offers import Message, Offer, Text
from rules.message import ids_of
from rules.template_preview import previews
from rules.template_values import example
from rules.templates import Templates

__all__ = ["TRIAL", "trials"]

TRIAL = "template-test"
"""The programme and the rule of a trial: no rule of anybody has decided on it, and `kairos stop` may name it."""


def trials(templates: Templates, name: str, customer: str, now: Millis) -> Iterator[Offer]:
    """Give an offer for each text of a template, marked as a test; it holds for an hour.

    No decision was made: nothing is counted, no coupon is taken, and what comes back answers nobody.

    Parameters
    ----------
    templates
        The templates.
    name
        Which one.
    customer
        The tester's key.
    now
        When it is sent: the same template may be tried again, as another offer.

    """
    template = templates.templates[name]
    values = {
        parameter: example(templates.money(asked), templates.zone, templates.words)
        for parameter, asked in template.parameters.items()
    }
    for one in previews(templates, name):
        decision = decision_id(customer, f"{TRIAL}:{now}:{one.channel}:{one.language}", templates.hash)
        used = template.texts[one.channel].parameters
        yield Offer(
            id=offer_id(decision, TRIAL),
            decision=decision,
            customer=customer,
            programme=TRIAL,
            rule=TRIAL,
            channel=one.channel,
            purpose=template.purpose,
            template=name,
            text=Text(zh=one.text, en=one.text),
            decided_at=moment(now),
            expires_at=moment(now + HOUR),
            test=True,
            message=Message(
                content=template.hash,
                language=one.language,
                values={parameter: values[parameter] for parameter in sorted(used)},
                ids=ids_of(templates, template, one.channel, one.language),
                is_html=any(gateway.html for gateway in templates.serving(one.channel).values()),
            ),
        )
