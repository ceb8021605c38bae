"""The ledger of contacts: exact windows, the same in both arms, attempts given back."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.customer import Customer, unpack
from kairos.decisions import Arm, Reason
from kairos.instants import DAY, HOUR, MINUTE, SECOND, Millis
from kairos.offers import Channel
from rules.candidates import Candidate
from rules.contacts import shut, take_back
from rules.limits import hold
from rules.policy import Policy
from tests.rules_strategies import NOON, unhurried
from tests.test_policy import SMS, asked, one, policy, then

LEDGER = policy(
    """
caps:
  sms: [{within: 60s, at_most: 1}, {within: 1h, at_most: 3}]
  push: {within: 30m, at_most: 2}
  list: {within: 1d, at_most: 1}
overall: [{within: 10m, at_most: 2}, {within: 2h, at_most: 5}]
gap: 20s
purposes: {service: {caps: {within: 1h, at_most: 2}}}
hours: {sms: "00:00-24:00", push: "00:00-24:00"}
"""
)
RULES = {
    (purpose, channel): one(id=f"{purpose}-{channel}", purpose=purpose, then=then(channels=[channel]))
    for purpose in ("marketing", "service")
    for channel in ("sms", "push", "list")
}
Entry = tuple[int, str, str]


def recount(ledger: list[Entry], second: int, purpose: str, channel: str) -> Reason | None:
    """What the policy above says, counted plainly over the whole list of contacts."""

    def many(within: int, *, by: str = "", for_: str = "") -> int:
        found = [e for e in ledger if second - within < e[0] <= second]
        return len([e for e in found if by in ("", e[1]) and for_ in ("", e[2])])

    channels = {"sms": ((60, 1), (3600, 3)), "push": ((1800, 2),), "list": ((86400, 1),)}
    if many(20):
        return Reason.GAP
    if many(600) >= 2 or many(7200) >= 5:
        return Reason.OVERALL_CAP
    if purpose == "service" and many(3600, for_="service") >= 2:
        return Reason.PURPOSE_CAP
    full = any(many(within, by=channel) >= most for within, most in channels[channel])
    return Reason.CONTACT_CAP if full else None


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 19_999, 20_000, 59_000, 60_000, 599_000, 600_000, 1_800_000, 3_600_000, 7_200_000]),
        st.sampled_from(sorted(RULES)),
        st.sampled_from([None, None, None, 0, 1, 2]),
    ),
    max_size=40,
)


@unhurried
@given(STEPS)
def test_the_ledger_says_what_a_plain_recount_of_all_contacts_says_in_both_arms(
    steps: list[tuple[int, tuple[str, str], int | None]],
) -> None:
    customers = {arm: Customer() for arm in Arm}
    ledger: list[Entry] = []
    now = NOON
    for wait, (purpose, channel), fails in steps:
        now += wait
        found = RULES[purpose, channel]
        expected = recount(ledger, now // 1000, purpose, channel)
        for arm, customer in customers.items():
            candidate = asked(found, LEDGER, customer, now)
            assert candidate.reason is expected
            if candidate.is_open:
                hold(customer, Candidate(found, arm, candidate.channel), now, now)
        if expected is None:
            ledger.append((now // 1000, channel, purpose))
        if fails is not None and fails < len(ledger):
            # An earlier attempt is known to have failed for good.
            second, by, for_ = ledger.pop(-1 - fails)
            for customer in customers.values():
                take_back(customer, Channel(by), for_, second * 1000)
    assert customers[Arm.CONTROL] == customers[Arm.TREATMENT]


@pytest.mark.parametrize(
    ("text", "reason", "length"),
    [
        ("gap: 4h", Reason.GAP, 4 * HOUR),
        ("overall: {within: 2d, at_most: 1}", Reason.OVERALL_CAP, 2 * DAY),
        ("purposes: {marketing: {caps: {within: 90m, at_most: 1}}}", Reason.PURPOSE_CAP, 90 * MINUTE),
        ("caps: {sms: {within: 6h, at_most: 1}}", Reason.CONTACT_CAP, 6 * HOUR),
    ],
)
def test_a_window_ends_to_the_second_and_not_with_a_calendar_day(text: str, reason: Reason, length: Millis) -> None:
    found, customer = policy(f'{text}\nhours: {{sms: "00:00-24:00"}}'), Customer()
    hold(customer, Candidate(one(), Arm.CONTROL, SMS), NOON, NOON)

    assert asked(one(), found, customer, NOON + length - SECOND).reason is reason
    assert asked(one(), found, customer, NOON + length).is_open


def test_an_older_record_of_a_customer_is_read_and_its_contacts_count() -> None:
    ring = (NOON // 1000).to_bytes(4)
    old = msgspec.msgpack.encode([1, b"", b"", {}, {}, {"r": NOON}, {"sms": ring}, b"", b"", {}, {}, {}])
    customer = unpack(old)

    assert (customer.purposes, customer.ignored, customer.deferred) == ({}, {}, {})
    assert asked(one(), policy("gap: 1h"), customer, NOON + MINUTE).reason is Reason.GAP


def capped(customer: Customer, channel: Channel, found: Policy, now: int) -> bool:
    return Reason.CONTACT_CAP in shut(customer, channel, found, now)


def test_a_cap_counts_a_window_that_ends_now() -> None:
    customer, found = Customer(), Policy.default()
    for _ in range(3):
        hold(customer, Candidate(one(), Arm.TREATMENT, Channel.SMS), NOON, NOON)

    assert capped(customer, Channel.SMS, found, NOON + 7 * DAY - SECOND)
    assert not capped(customer, Channel.SMS, found, NOON + 7 * DAY)
    assert not capped(customer, Channel.PUSH, found, NOON)
    assert not capped(customer, Channel.LIST, found, NOON)


def test_a_cap_of_none_lets_nobody_through() -> None:
    found = policy("caps: {sms: {within: 7d, at_most: 0}}")

    assert capped(Customer(), Channel.SMS, found, NOON)
