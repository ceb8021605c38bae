"""Permissions: may this customer be contacted, by which channel. Read again before each send; unknown is no."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pydantic import AwareDatetime

from kairos.decisions import Reason
from kairos.events import Consent
from kairos.instants import Millis, moment
from kairos.offers import Written

__all__ = ["Permission", "Word", "consents", "permitted"]


class Word(Protocol):
    """A word on consent, see `kairos.events.Consent`; the stage keeps them in a form of its own."""

    @property
    def purpose(self) -> str:
        """For what, `*` for all."""
        ...

    @property
    def channel(self) -> str:
        """By which way, `*` for all."""
        ...

    @property
    def granted(self) -> bool:
        """Whether it is a yes."""
        ...

    @property
    def at(self) -> datetime:
        """When it was said."""
        ...


class Permission(Written):
    """The consent in force for one customer; what is not listed was not given.

    `personalisation` is false where the customer does not agree to offers that are made for them alone. A record of a
    worker that did not write it yet says nothing of it, and what that worker asked at the decision stands.
    """

    customer: str
    do_not_contact: bool = False
    consent: tuple[Consent, ...] = ()
    at: AwareDatetime
    until: AwareDatetime | None = None
    personalisation: bool = True

    def refusal(self, purpose: str, channel: str, now: Millis) -> Reason | None:
        """Give why an offer of this purpose may not go to this channel at `now`; None where it may."""
        if self.do_not_contact:
            return Reason.DO_NOT_CONTACT
        if self.until is not None and moment(now) >= self.until:
            return Reason.NO_PERMISSION
        if not permitted(self.consent, purpose, channel):
            return Reason.NO_CONSENT
        return None if self.personalisation else Reason.NO_PERSONALISATION


def permitted(consent: Sequence[Word], purpose: str, channel: str) -> bool:
    """Whether the newest word that covers this purpose and channel grants it; no word is no.

    At the same instant a refusal wins over a grant.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> given = Consent(purpose="*", channel="sms", granted=True, at=datetime(2026, 1, 1, tzinfo=UTC))
    >>> permitted((given,), "marketing", "sms"), permitted((given,), "marketing", "push"), permitted((), "m", "sms")
    (True, False, False)
    >>> left = Consent(purpose="*", channel="*", granted=False, at=datetime(2026, 2, 1, tzinfo=UTC))
    >>> permitted((given, left), "marketing", "sms")
    False

    """
    newest: Word | None = None
    for word in consent:
        if word.purpose not in ("*", purpose) or word.channel not in ("*", channel):
            continue
        if newest is None or word.at > newest.at or (word.at == newest.at and not word.granted):
            newest = word
    return newest is not None and newest.granted


def consents(bank: Sequence[Word], said: Sequence[Word]) -> tuple[Word, ...]:
    """Put together what the bank's profile says and what the customer said since; the newest word wins later."""
    return (*bank, *said)
