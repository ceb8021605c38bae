"""Profiles in the store: kept in a form of their own, told to others as they came."""

import json

from hypothesis import given
from hypothesis import strategies as st

from kairos.events import Profile
from kairos.permissions import Permission
from streams.profiles import pack_profile, person, spoken, unpack_profile
from streams.topics import FEEDBACK
from streams.work import PROFILE
from tests.customer_table import Table

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
instants = st.builds(
    lambda at, zone: at.isoformat() + zone,
    st.datetimes(),
    st.sampled_from(["Z", "+00:00", "-00:00", "+08:00", "-03:30", "+05:45", "+14:00", "-23:59"]),
)
words = st.fixed_dictionaries(
    {"purpose": names, "channel": names, "granted": st.booleans(), "at": instants | st.integers(0, 4 * 10**12)}
)
attributes = names | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
profiles = st.fixed_dictionaries(
    {
        "attrs": st.dictionaries(names, attributes, max_size=4),
        "tags": st.lists(names, max_size=4),
        "consent": st.lists(words, max_size=3),
        "do_not_contact": st.booleans(),
        "personalisation": st.booleans(),
    }
)


@given(profiles)
def test_a_kept_profile_says_what_the_bank_said(said: dict[str, object]) -> None:
    profile = Profile.model_validate_json(json.dumps(said))

    kept = person(unpack_profile(pack_profile(7, profile)))

    assert list(map(repr, kept.attrs.items())) == list(map(repr, profile.attrs.items()))
    assert (kept.tags, kept.do_not_contact, kept.personalisation) == (
        profile.tags,
        profile.do_not_contact,
        profile.personalisation,
    )
    assert spoken(kept.consent) == profile.consent


@given(profiles)
def test_a_permission_is_written_with_the_instants_as_they_came(said: dict[str, object]) -> None:
    profile = Profile.model_validate_json(json.dumps(said))
    at = "2026-12-01T00:00:00Z"
    told = Permission.model_validate({"customer": "c1", "consent": profile.consent, "at": at})

    kept = unpack_profile(pack_profile(7, profile))

    again = Permission.model_validate({"customer": "c1", "consent": spoken(kept.consent), "at": at})
    assert again.model_dump_json() == told.model_dump_json()


def test_the_order_in_which_tags_are_said_is_not_kept() -> None:
    one, other = (Profile(tags=frozenset(tags)) for tags in (["a", "b", "c", "d"], ["d", "c", "b", "a"]))

    assert pack_profile(7, one) == pack_profile(7, other)


OLD = (
    b"\x93\x01\xcf\x00\x00\x01\xa2/\xc2j\xfa\xc4\x96"
    b'{"attrs":{"age":30},"tags":["vip"],"personalisation":true,'
    b'"consent":[{"purpose":"*","channel":"sms","granted":true,"at":"2026-01-01T08:00:00+08:00"}]}'
)
"""A record as version 1 wrote it."""


def test_a_profile_that_an_older_worker_kept_decides_and_is_told_as_before() -> None:
    table = Table()
    table.store.put(b"c1", PROFILE, b"", OLD)

    decision = table.hear(table.pays("c1", "fuel")).decision
    left = table.event(FEEDBACK, "feedback", "c1", {"what": "opted_out", "channel": "push", "purpose": "*"})
    (permission,) = table.hear(left).permissions

    assert (decision["state"], decision["facts"]["attr.age"]) == ("offered", 30)
    assert [(word["channel"], word["granted"]) for word in permission["consent"]] == [("sms", True), ("push", False)]
    assert permission["consent"][0]["at"] == "2026-01-01T08:00:00+08:00"
