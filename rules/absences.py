"""Absences: "A and no B within T" as a customer's record remembers them; the deadlines themselves are the engine's.

Two rows of bytes: what is pending, and which Bs came lately. The second one makes the order of arrival of no account:
who paid before the page view was told of is not reminded.
"""

from collections.abc import Iterable
from enum import Enum
from struct import Struct
from typing import NamedTuple

from kairos.customer import Customer
from kairos.ids import content_hash
from kairos.instants import Millis

__all__ = ["KEPT", "MOST", "MOST_BYTES", "Arming", "Pending", "arm", "came", "name_of", "over", "pending"]

MOST = 32
"""How many absences may be pending for one customer; a further one is refused, and its decision says so."""
KEPT = 8
"""How many of the newest Bs are remembered for an A that comes late."""
_PENDING = Struct(">8sQQ")
_MET = Struct(">8sQ")
MOST_BYTES = MOST * _PENDING.size + KEPT * _MET.size
"""How many bytes of a customer's record all of it can take."""


class Pending(NamedTuple):
    """A rule that waits for one value of what it correlates by: since when (t0) and until when (t0 + T)."""

    name: bytes
    armed: Millis
    due: Millis


class Arming(Enum):
    """What became of an A."""

    ARMED = "armed"
    PENDING = "one is pending"
    MET = "B came already"
    FULL = "too many are pending"


def name_of(rule: str, values: Iterable[str]) -> bytes:
    """Name what is pending by the rule and the values of the fields by which B belongs to A: eight bytes.

    Examples
    --------
    >>> name_of("abandoned", ["c1"]) == name_of("abandoned", ["c2"])
    False

    """
    parts = (rule, *values)
    return bytes.fromhex(content_hash("".join([f"{len(part)}:{part}" for part in parts]).encode())[:16])


def pending(customer: Customer) -> list[Pending]:
    """Give what is pending for a customer, in the order in which it was armed."""
    return [Pending(*found) for found in _PENDING.iter_unpack(customer.pending)]


def arm(customer: Customer, wanted: Pending, *, restart: bool) -> tuple[Arming, Pending | None]:
    """Begin to wait, unless B came already or one that overlaps is pending.

    Parameters
    ----------
    customer
        The hot record.
    wanted
        What A asks for.
    restart
        Whether a later A moves the deadline of what is pending; else the first one stays.

    Returns
    -------
    What became of it, and what it took the place of, if anything.

    Examples
    --------
    >>> customer = Customer()
    >>> arm(customer, Pending(b"8 bytes.", 1_000, 4_000), restart=False)
    (<Arming.ARMED: 'armed'>, None)
    >>> arm(customer, Pending(b"8 bytes.", 2_000, 5_000), restart=False)
    (<Arming.PENDING: 'one is pending'>, None)
    >>> arm(customer, Pending(b"8 bytes.", 2_000, 5_000), restart=True)
    (<Arming.ARMED: 'armed'>, Pending(name=b'8 bytes.', armed=1000, due=4000))

    """
    met = _MET.iter_unpack(customer.met)
    if any(name == wanted.name and wanted.armed < at <= wanted.due for name, at in met):
        return Arming.MET, None
    found = pending(customer)
    same = [one for one in found if one.name == wanted.name and one.armed <= wanted.due and wanted.armed <= one.due]
    if same and not (restart and all(one.armed < wanted.armed for one in same)):
        return Arming.PENDING, None
    instead = same[0] if same else None
    if instead is not None:
        over(customer, instead)
    elif len(found) >= MOST:
        return Arming.FULL, None
    customer.pending += _PENDING.pack(*wanted)
    return Arming.ARMED, instead


def came(customer: Customer, name: bytes, at: Millis) -> list[Pending]:
    """Take a B into account; gives what it ends: all that was armed before it and is not due before it.

    Examples
    --------
    >>> customer = Customer()
    >>> _ = arm(customer, Pending(b"8 bytes.", 1_000, 4_000), restart=False)
    >>> came(customer, b"8 bytes.", 1_000), came(customer, b"8 bytes.", 4_001)
    ([], [])
    >>> came(customer, b"8 bytes.", 4_000)
    [Pending(name=b'8 bytes.', armed=1000, due=4000)]

    """
    met = {(then, known) for known, then in _MET.iter_unpack(customer.met)} | {(at, name)}
    customer.met = b"".join([_MET.pack(known, then) for then, known in sorted(met)[-KEPT:]])
    if not customer.pending:
        return []
    ended = [one for one in pending(customer) if one.name == name and one.armed < at <= one.due]
    for one in ended:
        over(customer, one)
    return ended


def over(customer: Customer, one: Pending) -> bool:
    """Forget what is pending; gives whether it was."""
    found = pending(customer)
    left = [other for other in found if other != one]
    customer.pending = b"".join([_PENDING.pack(*other) for other in left])
    return len(left) < len(found)
