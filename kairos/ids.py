"""Identity: every effect has a name derived from its cause, so that a repetition is recognised."""

import base64
import hashlib
from functools import lru_cache

__all__ = ["absence_id", "content_hash", "decision_id", "event_id", "event_id_of", "memory_id", "offer_id", "share"]


def _digest(*parts: str) -> str:
    # The length before each part keeps ("ab", "c") and ("a", "bc") apart.
    text = "".join([f"{len(part)}:{part}" for part in parts])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def event_id(source: str, id_: str) -> str:
    """Name an event by its producer's CloudEvents `source` and `id`.

    Examples
    --------
    >>> event_id("/bank/cards", "42")
    '778586b49e19e89aebfc3bcc3387bf8d'

    """
    return _digest("event", source, id_)


def event_id_of(source: bytes, id_: bytes) -> str:
    """Name an event as `event_id` does, by the bytes of its headers: every event passes here, its sources are few.

    Raises
    ------
    UnicodeDecodeError
        They are not UTF-8.

    Examples
    --------
    >>> event_id_of(b"/bank/cards", b"42") == event_id("/bank/cards", "42")
    True

    """
    # A length counts letters, which are bytes where all of them are ASCII.
    number = len(id_) if id_.isascii() else len(id_.decode())
    return hashlib.blake2b(b"%b%d:%b" % (_source(source), number, id_), digest_size=16).hexdigest()


@lru_cache(maxsize=1024)
def _source(source: bytes) -> bytes:
    return b"5:event%d:%b" % (len(source.decode()), source)


def decision_id(customer: str, event: str, book: str) -> str:
    """Name the decision for one customer and event under one rule book.

    Parameters
    ----------
    customer
        The customer's key.
    event
        The event's name, see `event_id`.
    book
        The content hash of the rule book that decided.

    """
    return _digest("decision", customer, event, book)


def absence_id(rule: str, event: str) -> str:
    """Name the event that something did not happen: for one rule, after the event that made it wait.

    It takes the place of an event's name in `decision_id`, for nobody sent it.
    """
    return _digest("absence", rule, event)


def memory_id(content: str) -> str:
    """Name something that customers' records remember by what it is: eight letters, for every record holds them.

    Examples
    --------
    >>> memory_id("logins")
    'fI2wNc4J'

    """
    return base64.urlsafe_b64encode(hashlib.blake2b(content.encode(), digest_size=6).digest()).decode()


def offer_id(decision: str, rule: str) -> str:
    """Name the offer of one rule in one decision: the idempotency key on every channel."""
    return _digest("offer", decision, rule)


def content_hash(content: bytes) -> str:
    """Name a piece of content, such as a rule book or a model's snapshot, by its bytes.

    Examples
    --------
    >>> content_hash(b"format: 1")
    'f4515293e4c1df12cdddea5e62d21d5b'

    """
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def share(salt: str, customer: str) -> float:
    """Place a customer on [0, 1), reproducibly and independently for each salt.

    Parameters
    ----------
    salt
        The experiment's name. Two experiments split the same customers independently.
    customer
        The customer's key.

    Examples
    --------
    >>> share("takeaway-2026", "c7") == share("takeaway-2026", "c7")
    True
    >>> 0.0 <= share("takeaway-2026", "c7") < 1.0
    True

    """
    digest = hashlib.blake2b(f"{salt}:{customer}".encode(), digest_size=8).digest()
    # 53 bits are what a float holds exactly, so that 1.0 cannot come out by rounding.
    return (int.from_bytes(digest) >> 11) / 2.0**53
