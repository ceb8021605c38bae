"""Composite keys: one sorted row of bytes for (key, kind, id), in RocksDB, in the changelog and in memory alike.

The length comes first: one owner's records lie together, and no key can be mistaken for the beginning of another.
"""

__all__ = ["compose", "decompose"]

_LENGTH = 2
_LETTERS = {chr(code): bytes([code]) for code in range(128)}
_LENGTHS = [length.to_bytes(_LENGTH) for length in range(256)]
"""Of the keys that most customers have; each event makes three composite keys."""
_join = b"".join


def compose(key: bytes, kind: str, id_: bytes) -> bytes:
    r"""Write the composite key: two bytes of the key's length, the key, one character of kind, the id.

    Raises
    ------
    ValueError
        The kind is not one ASCII character.
    OverflowError
        The key is longer than 65,535 bytes.

    Examples
    --------
    >>> compose(b"takeaway", "p", b"cafe-30")
    b'\x00\x08takeawaypcafe-30'

    """
    length = len(key)
    try:
        return _join((_LENGTHS[length] if length < 256 else length.to_bytes(_LENGTH), key, _LETTERS[kind], id_))
    except KeyError:
        raise ValueError(f"a kind is one character, {kind!r} is not") from None


def decompose(composite: bytes) -> tuple[bytes, str, bytes]:
    """Read a composite key: key, kind, id.

    Raises
    ------
    ValueError
        It is none.

    Examples
    --------
    >>> decompose(compose(b"takeaway", "p", b"cafe-30"))
    (b'takeaway', 'p', b'cafe-30')

    """
    end = _LENGTH + int.from_bytes(composite[:_LENGTH])
    if len(composite) <= end:
        raise ValueError(f"{composite[:60]!r} is no composite key")
    return composite[_LENGTH:end], composite[end : end + 1].decode("ascii"), composite[end + 1 :]
