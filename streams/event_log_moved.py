"""The times inside an event log's values, moved: those of the bank's feed, and of what profiles say of consent."""

import msgspec

from kairos.instants import Millis, from_rfc3339, rfc3339

__all__ = ["feed_line_later", "later", "profile_later"]


class _Profile(msgspec.Struct):
    consent: list[dict[str, object]] = []


def feed_line_later(raw: str, shift: Millis) -> str:
    """Move the time in a line of the bank's feed."""
    time, semicolon, rest = raw.partition(";")
    return f"{later(time, shift)}{semicolon}{rest}"


def profile_later(data: msgspec.Raw, shift: Millis) -> bytes:
    """Move the times of a profile's consents."""
    try:
        profile = msgspec.json.decode(data, type=_Profile)
    except msgspec.ValidationError:
        # No profile: the door says so better than we could.
        return bytes(data)
    if not profile.consent:
        return bytes(data)
    moved = [_given(consent, shift) for consent in profile.consent]
    return msgspec.json.encode({**msgspec.json.decode(data), "consent": moved})


def _given(consent: dict[str, object], shift: Millis) -> dict[str, object]:
    at = consent.get("at")
    return {**consent, "at": later(at, shift)} if isinstance(at, str) else consent


def later(time: str, shift: Millis) -> str:
    """Move a time; one that cannot be read stays as it is."""
    try:
        return rfc3339(from_rfc3339(time) + shift)
    except (ValueError, OverflowError):
        return time
