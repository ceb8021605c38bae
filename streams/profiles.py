"""Profiles as the store keeps them: what the bank said of a customer, checked once and read quickly ever after."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from kairos.events import Attribute, Consent, Profile
from kairos.instants import Millis
from kairos.permissions import Word

__all__ = ["KeptProfile", "KeptWord", "pack_profile", "person", "spoken", "unpack_profile"]


class KeptWord(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One word on consent; `at` lies in the store as text, for msgpack's own instants forget their zone."""

    purpose: str
    channel: str
    granted: bool
    at: datetime


class KeptProfile(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The bank's newest word on a customer, and when it was said.

    Version 1 kept the record's JSON as it came and none of the other fields; the layout since then is version 2. A
    field is only ever added at the end.
    """

    version: int
    at: Millis
    json: bytes = b""
    attrs: dict[str, Attribute] = {}
    tags: frozenset[str] = frozenset()
    consent: tuple[KeptWord, ...] = ()
    do_not_contact: bool = False
    personalisation: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(KeptProfile).decode


def pack_profile(at: Millis, profile: Profile) -> bytes:
    """Write what the bank said at an instant; equal profiles are equal bytes.

    Examples
    --------
    >>> unpack_profile(pack_profile(7, Profile(attrs={"age": 30}, tags=frozenset({"b", "a"})))).attrs
    {'age': 30}

    """
    consent = [(word.purpose, word.channel, word.granted, word.at.isoformat()) for word in profile.consent]
    # The order of a set is chance.
    tags = sorted(profile.tags)
    return _encode((2, at, b"", profile.attrs, tags, consent, profile.do_not_contact, profile.personalisation))


def unpack_profile(packed: bytes) -> KeptProfile:
    """Read what was kept, of any version."""
    return _decode(packed)


def person(kept: KeptProfile) -> Profile | KeptProfile:
    """Give what is known of the customer, whatever version it was kept in."""
    return Profile.model_validate_json(kept.json) if kept.version == 1 else kept


def spoken(words: Iterable[Word]) -> tuple[Consent, ...]:
    """Give words on consent as the records that others read."""
    return tuple(
        Consent(purpose=word.purpose, channel=word.channel, granted=word.granted, at=word.at) for word in words
    )
