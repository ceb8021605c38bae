"""State shown: every record of a store in words, for people and for other programs; nothing here changes anything.

What a record is made of is read by the very structures that the stages keep. A record of a kind that is not known here
is shown by its size, never guessed at.
"""

import base64
import struct
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from kairos.customer import Customer
from kairos.instants import SECOND, rfc3339
from models.tags import count
from rules.rings import until
from streams.absences import Armed
from streams.deadlines import DEADLINE
from streams.deferrals import DEFERRED, Deferred
from streams.keys import decompose
from streams.ledger_records import CODE, CUSTOMER, FORGET, FREE, MOVE, Oddities, Pool, Reservation, Standing
from streams.open_decision import OpenDecision
from streams.profiles import KeptProfile
from streams.timers import timer_of
from streams.warming import FOUND, Found, Warming
from streams.watermark import EventTime
from streams.withdrawals import TOLD
from streams.work import ABSENCE, DECISION, HOT, PROFILE, SAID, TIMER

__all__ = ["HIDDEN", "Shown", "masked", "raw", "record_shown"]

HIDDEN: Final = "***"
"""What stands for what is not to be seen."""

Shown = dict[str, Any]
_Reader = Callable[[bytes, bytes, bool], Any]

_NAME, _END = 12, 1 << 32
_DUE = struct.Struct(">Q")
_INSTANTS = frozenset({"at", "decided", "expires", "last", "mark", "newest", "busy", "deferred", "groups", "since"})
_RINGS = frozenset({"contacts", "purposes", "ignored", "decisions"})
_PERSONAL = frozenset(
    {"attrs", "tags", "consent", "json", "draft", "data", "features", "code", "category", "early", "spending"}
)
"""The fields that may hold what a customer is or did, or what is worth money."""


def record_shown(stage: str, name: bytes, value: bytes, *, unmask: bool) -> Shown:
    """Show one record of a store.

    Parameters
    ----------
    stage
        Whose store it is.
    name, value
        The record as it lies there.
    unmask
        Show keys and personal fields, too.

    """
    key, kind, id_ = decompose(name)
    what, reader = _KINDS.get(stage, {}).get(kind, (f"unknown kind {kind!r}", _size))
    owner = key.decode(errors="replace")
    if stage == "customers" and owner and not unmask:
        owner = masked(owner)
    return {"key": owner, "what": what, **reader(id_, value, unmask)}


def masked(customer: str) -> str:
    """Hide a customer's key but its beginning.

    Examples
    --------
    >>> masked("C00012345")
    'C0***'

    """
    return customer[:2] + HIDDEN


def raw(name: bytes, value: bytes) -> Shown:
    """Give a record as it lies there, in base64."""
    return {"name": base64.b64encode(name).decode(), "packed": base64.b64encode(value).decode()}


def _structure(type_: Any) -> _Reader:
    decode = msgspec.msgpack.Decoder(type_).decode

    def read(id_: bytes, value: bytes, unmask: bool) -> Shown:
        said = {"id": _text(id_)} if id_ else {}
        return {**said, "value": _plain("", decode(value), unmask)}

    return read


def _plain(field: str, value: Any, unmask: bool) -> Any:
    if field in _PERSONAL and value and not unmask and not isinstance(value, bytes | int):
        return HIDDEN
    if field == "customer":
        return value if unmask else masked(value)
    if isinstance(value, msgspec.Struct):
        return {name: _plain(name, getattr(value, name), unmask) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {name: _plain(field, one, unmask) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        found = [_plain(field, one, unmask) for one in value]
        return sorted(found) if isinstance(value, set | frozenset) else found
    if isinstance(value, bytes):
        return _packed(field, value, unmask)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, int) and field in _INSTANTS and value:
        return rfc3339(value)
    return value


def _packed(field: str, value: bytes, unmask: bool) -> Any:
    if field in _RINGS:
        return [rfc3339(second * SECOND) for second in until(value, _END)]
    if field == "seen":
        return f"{len(value) // _NAME} names of events"
    if field == "tags":
        return f"{count(value)} tags"
    if field in ("draft", "json", "data"):
        return msgspec.json.decode(value) if unmask and value else (HIDDEN if value else "")
    return f"{len(value)} bytes"


def _said(_id: bytes, value: bytes, unmask: bool) -> Shown:
    return {"value": msgspec.json.decode(value) if unmask else HIDDEN}


def _timer(id_: bytes, value: bytes, unmask: bool) -> Shown:
    timer = timer_of(id_, value)
    owner = timer.customer if unmask else masked(timer.customer)
    return {"due": rfc3339(timer.due), "for": owner, "does": timer.what, "decision": timer.decision}


def _deadline(id_: bytes, _value: bytes, unmask: bool) -> Shown:
    (due,) = _DUE.unpack_from(id_)
    customer = id_[16:].decode(errors="replace")
    return {"due": rfc3339(due), "for": customer if unmask else masked(customer), "absence": id_[8:16].hex()}


def _found(id_: bytes, value: bytes, unmask: bool) -> Shown:
    customer = id_.decode(errors="replace")
    return {"for": customer if unmask else masked(customer), **_structure(Found)(b"", value, unmask)}


def _code(id_: bytes, value: bytes, unmask: bool) -> Shown:
    pool, _, rest = id_.partition(b"\0")
    told = {"decision": _text(value[1:])} if len(value) > 1 else {}
    shown = _text(rest) if unmask else HIDDEN
    return {"pool": _text(pool), "code": shown, "version": value[0] if value else 0, **told}


def _customer(id_: bytes, value: bytes, unmask: bool) -> Shown:
    pool, _, customer = id_.partition(b"\0")
    whose = customer.decode(errors="replace")
    return {"pool": _text(pool), "for": whose if unmask else masked(whose), "value": int.from_bytes(value)}


def _free(id_: bytes, value: bytes, unmask: bool) -> Shown:
    pool, _, number = id_.partition(b"\0")
    return {"pool": _text(pool), "number": int.from_bytes(number), "code": _text(value) if unmask else HIDDEN}


def _forget(id_: bytes, _value: bytes, _unmask: bool) -> Shown:
    return {"after": rfc3339(int.from_bytes(id_[:8])), "decision": _text(id_[8:])}


def _size(id_: bytes, value: bytes, _unmask: bool) -> Shown:
    return {**({"id": _text(id_)} if id_ else {}), "value": f"{len(value)} bytes"}


def _bare(id_: bytes, value: bytes, _unmask: bool) -> Shown:
    found = {"id": _text(id_)} if id_ else {}
    return {**found, "value": msgspec.msgpack.decode(value)} if value else found


def _text(raw: bytes) -> str:
    return raw.decode() if raw.isascii() and raw.decode().isprintable() else raw.hex()


_KINDS: Final[Mapping[str, Mapping[str, tuple[str, _Reader]]]] = {
    "customers": {
        HOT: ("hot record", _structure(Customer)),
        PROFILE: ("profile", _structure(KeptProfile)),
        SAID: ("said of consent", _said),
        DECISION: ("open decision", _structure(OpenDecision)),
        ABSENCE: ("absence waited for", _structure(Armed)),
        DEFERRED: ("deferred decision", _structure(Deferred)),
        TIMER: ("timer", _timer),
        DEADLINE: ("deadline", _deadline),
        "f": ("first deadline", lambda _id, value, _unmask: {"value": rfc3339(int.from_bytes(value))}),
        "v": ("rules being filled from the past", _structure(Warming)),
        FOUND: ("found in the past", _found),
        "g": ("forgotten", lambda id_, value, _unmask: {"id": id_.hex(), "until": rfc3339(int.from_bytes(value))}),
        "w": ("event time", _structure(EventTime)),
        TOLD: ("stops that the lists were told of", _bare),
        "y": ("since when rules remember", _bare),
    },
    "ledger": {
        "p": ("pool", _structure(Pool)),
        "r": ("reservation", _structure(Reservation)),
        CODE: ("code", _code),
        FREE: ("free code", _free),
        FORGET: ("to be forgotten", _forget),
        "g": ("programme", _structure(Standing)),
        CUSTOMER: ("coupons of a customer", _customer),
        MOVE: ("move of a slice", lambda id_, _value, _unmask: {"id": _text(id_)}),
        "h": ("commands without effect", _structure(Oddities)),
    },
    "learning": {"w": ("weight", _bare), "h": ("model", _bare), "n": ("offers of a rule that were learnt from", _bare)},
}
