"""Coupon codes: made so that nobody can guess one, written so that a till finds slips, and looked up as people type.

A made code is the pool's prefix, its serial, which is never used twice, eight letters that depend on a key and the
decision, and a check letter. With the same key a replay makes the same codes; the journal names the key by its hash.
"""

import hashlib
from collections.abc import Iterable

from kairos.offers import CouponPool
from kairos.ports import Store
from streams.ledger_records import (
    CODE,
    FREE,
    VERSION,
    Pool,
    number,
    pools_of,
    read_pool,
    within,
    write_pool,
)

__all__ = ["CodesKey", "add_codes", "check_letter", "free_code", "generated_code", "note_code", "whose"]

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, which people mistake."""
_VALUES = {letter: value for value, letter in enumerate(_LETTERS)}
# x^5 + x^2 + 1 is primitive: no two of the first 31 places count alike.
_DOUBLED = tuple(2 * element ^ 0b100101 if element & 16 else 2 * element for element in range(32))
_MISTAKEN = str.maketrans({"I": "1", "L": "1", "O": "0"})
_SHORTEST, _LONGEST = 32, 64


class CodesKey(bytes):
    """The key that codes are made with: 32 to 64 bytes that nobody can guess."""

    @classmethod
    def of_content(cls, content: bytes) -> "CodesKey":
        """Take a key.

        Raises
        ------
        ValueError
            It is too short to be a secret, or longer than what can be used of it.

        """
        if not _SHORTEST <= len(content) <= _LONGEST:
            raise ValueError(f"a key for codes has {_SHORTEST} to {_LONGEST} bytes, this one has {len(content)}")
        return cls(content)


def generated_code(pool: CouponPool, serial: int, decision: str, key: bytes = b"") -> str:
    """Make a code.

    Without a key the letters are a hash of the decision's name and hold no secret from those who may read decisions.
    Two pools of one merchant need different prefixes.

    Examples
    --------
    >>> pool = CouponPool(pool="cafe-30", programme="takeaway", merchant="cafe", value=3000, count=500)
    >>> generated_code(pool, 31, "d1"), generated_code(pool, 32, "d2", b"a key of the bank's own")
    ('K00000Z879HA7J2Z', 'K000010YAXYFNANT')

    """
    digest = hashlib.blake2b(
        f"{pool.pool}:{serial}:{decision}".encode(), digest_size=5, key=key, person=b"kairos.coupon"
    ).digest()
    body = _base32(serial, 6) + _base32(int.from_bytes(digest), 8)
    return pool.prefix + body + check_letter(body)


def check_letter(body: str) -> str:
    """Give the letter that a till checks a typed code by: it finds any one wrong letter and any two exchanged ones.

    The letters are numbers of the field of 32 elements; each counts by its place, a power of the element 2.

    Examples
    --------
    >>> check_letter("00000Z9F4FAV3K"), check_letter("00000Z9F4FVA3K")
    ('5', '4')

    """
    total = 0
    for letter in body:
        total = _DOUBLED[total ^ _VALUES[letter]]
    return _LETTERS[total]


def free_code(store: Store, programme: bytes, pool: str, header: Pool, code: str) -> None:
    """Put an imported code behind those that wait."""
    store.put(programme, FREE, within(pool, number(header.tail)), code.encode())
    header.tail += 1


def note_code(store: Store, programme: bytes, pool: str, code: str, decision: str) -> None:
    """Note to whom a code was given, so that it is found again when a till tells of it."""
    store.put(programme, CODE, within(pool, code.encode()), VERSION + decision.encode())


def add_codes(store: Store, programme: bytes, pool: str, codes: Iterable[str], siblings: Iterable[str] = ()) -> int:
    """Take imported codes into a pool, and give how many were refused.

    Refused is what the pool has, or had, and what one of its siblings has: the merchant's other pools of the programme.
    """
    header, refused = read_pool(store, programme, pool), 0
    pools = (pool, *siblings)
    for code in codes:
        if any(store.get(programme, CODE, within(name, code.encode())) is not None for name in pools):
            refused += 1
            continue
        store.put(programme, CODE, within(pool, code.encode()), VERSION)
        free_code(store, programme, pool, header, code)
    header.duplicates += refused
    write_pool(store, programme, pool, header)
    return refused


def whose(store: Store, programme: bytes, pool: str | None, typed: str) -> tuple[str, str, str] | None:
    """Find the decision that a code was last given to, its pool, and the code; in one pool or in all there ever were.

    A code is first looked for as it stands, then as people mean it: in capitals, without spaces and dashes, and with
    the digits for which they mistake letters.
    """
    pools = [pool] if pool is not None else [name for name, _ in pools_of(store, programme)]
    plain = "".join(letter for letter in typed.upper() if letter not in " -")
    for code in dict.fromkeys((typed, plain, plain[:-15] + plain[-15:].translate(_MISTAKEN))):
        for name in pools:
            packed = store.get(programme, CODE, within(name, code.encode()))
            if packed is not None and len(packed) > len(VERSION):
                return packed[len(VERSION) :].decode(), name, code
    return None


def _base32(value: int, least: int) -> str:
    letters = ""
    while value or len(letters) < least:
        value, last = divmod(value, 32)
        letters = _LETTERS[last] + letters
    return letters
