"""Stops: what people have stopped at once, and whether that touches a rule or an offer that is on its way.

Each stop is a piece of the catalogue of its own, so that two people who stop two things at the same moment both do.
What cannot be read holds everything: it may have been a stop.
"""

from dataclasses import dataclass, replace
from typing import Final

import msgspec

from kairos.decisions import Reason
from kairos.offers import Channel, Offer
from rules.schema import Rule

__all__ = ["NOTHING", "STOP", "Scope", "Stops", "kind_of", "parts_of", "read_stop", "written"]

STOP: Final = "stop/"
"""What the kind of a stop begins with; its scope follows, then a slash and the name."""
Scope = str
"""`all`, `rule`, `programme`, `channel` or `pool`."""
_SCOPES: Final = ("all", "rule", "programme", "channel", "pool")


class Stop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether something is stopped, and why."""

    format: int
    stopped: bool
    why: str


_decode = msgspec.json.Decoder(Stop).decode
_encode = msgspec.json.Encoder(order="sorted").encode


def kind_of(scope: Scope, name: str = "") -> str:
    """Give the kind of a stop in the catalogue.

    Examples
    --------
    >>> kind_of("all"), kind_of("rule", "noon")
    ('stop/all', 'stop/rule/noon')

    """
    return f"{STOP}{scope}/{name}" if name else f"{STOP}{scope}"


def parts_of(kind: str) -> tuple[Scope, str]:
    """Give the scope and the name of the kind of a stop.

    Examples
    --------
    >>> parts_of("stop/rule/noon"), parts_of("stop/all")
    (('rule', 'noon'), ('all', ''))

    """
    scope, _, name = kind.removeprefix(STOP).partition("/")
    return scope, name


def written(why: str, *, stopped: bool) -> bytes:
    """Write what is published of a stop, or of its end.

    Examples
    --------
    >>> written("wrong text", stopped=True)
    b'{"format":1,"stopped":true,"why":"wrong text"}'

    """
    return _encode(Stop(1, stopped, why))


def read_stop(content: bytes) -> Stop:
    """Read what was published.

    Raises
    ------
    ValueError
        It is no stop, or one of a later format.

    """
    try:
        found = _decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"no stop: {error}") from None
    if found.format != 1:
        raise ValueError(f"a stop of format {found.format}")
    return found


@dataclass(frozen=True, slots=True)
class Stops:
    """What is stopped.

    Parameters
    ----------
    kinds
        The stops in force, by their kinds in the catalogue.
    unread
        Kinds that could not be read, and hold everything.

    Examples
    --------
    >>> NOTHING.having("stop/channel/sms", written("wrong text", stopped=True)).open((Channel.SMS, Channel.PUSH))
    (<Channel.PUSH: 'push'>,)

    """

    kinds: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()

    def having(self, kind: str, content: bytes) -> "Stops":
        """Give the set after one publication; what cannot be understood is held."""
        scope, name = parts_of(kind)
        try:
            stopped = read_stop(content).stopped
        except ValueError:
            return self.holding(kind)
        if scope not in _SCOPES or (scope == "all") == bool(name):
            return self.holding(kind)
        kinds = self.kinds | {kind} if stopped else self.kinds - {kind}
        return replace(self.read(kind), kinds=kinds)

    def holding(self, kind: str) -> "Stops":
        """Give the set where this kind could not be read."""
        return replace(self, unread=self.unread | {kind})

    def read(self, kind: str) -> "Stops":
        """Give the set where this kind could be read."""
        return replace(self, unread=self.unread - {kind}) if kind in self.unread else self

    def of_rule(self, rule: Rule) -> Reason | None:
        """Give why a rule gives nothing now by any channel."""
        if not self.kinds and not self.unread:
            return None
        if self.unread:
            return Reason.HELD
        closed = all(kind_of("channel", channel) in self.kinds for channel in rule.then.channels)
        return Reason.STOPPED if closed or self._names(rule.id, rule.programme, rule.then.offer.pool) else None

    def of_offer(self, offer: Offer, pool: str | None) -> Reason | None:
        """Give why an offer must not go on now; `pool` is where its coupon comes from."""
        if not self.kinds and not self.unread:
            return None
        if self.unread:
            return Reason.HELD
        closed = kind_of("channel", offer.channel) in self.kinds
        return Reason.STOPPED if closed or self._names(offer.rule, offer.programme, pool) else None

    def open(self, channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
        """Give the channels that are not stopped, in their order."""
        if not self.kinds:
            return channels
        return tuple(channel for channel in channels if kind_of("channel", channel) not in self.kinds)

    def _names(self, rule: str, programme: str, pool: str | None) -> bool:
        named = {kind_of("all"), kind_of("rule", rule), kind_of("programme", programme)}
        return not self.kinds.isdisjoint(named if pool is None else named | {kind_of("pool", pool)})


NOTHING: Final = Stops()
"""Nothing is stopped."""
