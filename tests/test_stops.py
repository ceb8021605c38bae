"""Stops: what is stopped is not decided, not granted and not sent, and what cannot be read holds everything."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.memory import Memory
from kairos.decisions import Arm, Reason
from kairos.instants import MINUTE, moment
from kairos.offers import Channel, Coupon
from rules.policy import Policy
from rules.sending import held_back
from rules.stops import NOTHING, Stops, kind_of, written
from streams.catalogue import CatalogueReader, publication
from streams.delivery_courier import Courier, Errand
from streams.delivery_end import End
from streams.delivery_gate import Gate
from streams.versions import Versions
from tests.connector_contract import an_offer
from tests.customer_table import Table as Customers
from tests.customer_table import versions
from tests.delivery_table import NOW, may
from tests.ledger_table import Table as Ledger
from tests.ledger_table import pool, wish
from tests.test_catalogue import told

GO = written("", stopped=False)
HALT = written("wrong text", stopped=True)
SCOPES = ("all", "rule/card", "programme/cards", "channel/sms", "channel/push", "pool/cafe")


def stopping(*scopes: str) -> Stops:
    found = NOTHING
    for scope in scopes:
        found = found.having(f"stop/{scope}", HALT)
    return found


@pytest.mark.parametrize(
    ("scopes", "reason", "channel"),
    [
        (["all"], "stopped", None),
        (["rule/card"], "stopped", None),
        (["programme/cards"], "stopped", None),
        (["channel/sms", "channel/push"], "stopped", None),
        # The rule goes on by its other channel.
        (["channel/sms"], None, "push"),
        (["rule/tea", "programme/lunch", "pool/cafe", "channel/list"], None, "sms"),
    ],
)
def test_each_stop_refuses_what_it_names_and_nothing_else(
    scopes: list[str], reason: str | None, channel: str | None
) -> None:
    table = Customers(replace(versions(), stops=stopping(*scopes)))
    table.hear(table.profile())

    told_ = table.hear(table.pays(category="fuel")).decision

    assert (told_["reason"], told_["channel"]) == (reason, channel)
    assert (told_["state"] == "offered") == (reason is None)


def test_what_is_started_again_is_as_if_it_had_never_been_stopped() -> None:
    first = Versions()

    assert first.having("stop/rule/x", HALT).having("stop/rule/x", GO) == first


@given(st.lists(st.tuples(st.sampled_from(SCOPES), st.booleans()), max_size=12))
def test_what_is_stopped_is_what_the_last_word_on_each_says(words: list[tuple[str, bool]]) -> None:
    found, last = Versions(), dict[str, bool]()
    for scope, stopped in words:
        found = found.having(f"stop/{scope}", written("x", stopped=stopped))
        last[scope] = stopped

    stopped_ = {f"stop/{scope}" for scope, is_stopped in last.items() if is_stopped}
    assert found.stops.kinds == found.hashes.keys() == stopped_


@pytest.mark.parametrize("scope", ["all", "rule/rule", "programme/takeaway", "channel/push", "pool/cafe"])
def test_a_stop_reaches_an_offer_that_is_queued_already(scope: str) -> None:
    coupon = Coupon(pool="cafe", code="K1", merchant="m", value=1, currency="CNY")
    offer = an_offer().model_copy(update={"coupon": coupon, "rule": "rule", "programme": "takeaway"})

    assert held_back(Policy.default(), stopping(scope), offer, NOW) is Reason.STOPPED
    assert held_back(Policy.default(), stopping("rule/other", "pool/tea", "channel/sms"), offer, NOW) is None


@pytest.mark.parametrize("arm", list(Arm))
def test_a_stopped_pool_gives_out_nothing_more_in_either_arm(arm: Arm) -> None:
    ledger = Ledger(pool("cafe"), pool("tea"))
    ledger.stops = stopping("pool/cafe")

    said = ledger.reserve("d1", wish("d1", "cafe", arm=arm), wish("d1", "tea", arm=arm))

    (answer,) = said.answers
    assert list(answer.refused.values()) == [Reason.STOPPED]
    assert answer.granted == wish("d1", "tea").offer.id
    assert ledger.totals("cafe").reserved == 0


@pytest.mark.parametrize("content", [b"", b"{", b'{"format":2,"stopped":false,"why":""}', b'{"format":1,"stop":true}'])
@pytest.mark.parametrize("kind", ["stop/all", "stop/rule/x", "stop/branch/7", "stop/rule", "policy"])
def test_an_unreadable_catalogue_means_hold(kind: str, content: bytes) -> None:
    reader = CatalogueReader()
    reader.versions = replace(versions(), hashes={}, policy=Policy.default())

    assert told(reader, *publication(kind, content, "bob", 0))[-1]

    table = Customers(reader.versions)
    table.hear(table.profile())
    assert table.hear(table.pays(category="fuel")).decision["reason"] == "held"
    assert reader.problems == {kind: "it cannot be read, so nothing is sent"}
    assert held_back(reader.versions.policy, reader.versions.stops, an_offer(), NOW) is Reason.HELD
    # With the same contents a replay of the journal holds as well.
    assert Versions().having(kind, content).stops == reader.versions.stops


def test_a_stop_whose_content_is_gone_holds() -> None:
    reader = CatalogueReader()
    _, pointer = publication("stop/rule/x", HALT, "bob", 0)

    assert told(reader, pointer) == [True]
    assert reader.versions.stops.unread == {"stop/rule/x"}


def test_a_bad_policy_never_replaces_a_good_one() -> None:
    reader = CatalogueReader()
    good = Policy.model_validate({"format": 1, "zone": "Asia/Shanghai", "gap": "1h"})
    told(reader, *publication("policy", good.content, "ann", 0))

    assert told(reader, *publication("policy", b'{"format": 1}', "bob", 1)) == [False, False]

    assert (reader.versions.policy, reader.versions.stops) == (good, NOTHING)
    assert reader.problems.keys() == {"policy"}


def test_a_readable_policy_ends_the_hold() -> None:
    reader = CatalogueReader()
    told(reader, *publication("policy", b"{", "bob", 0))
    told(reader, *publication("policy", Policy.default().content, "ann", 1))

    assert (reader.versions.stops, reader.problems) == (NOTHING, {})


class TestCourier:
    async def test_what_is_stopped_while_it_waits_ends_as_stopped_and_is_never_sent(self) -> None:
        memory, stops = Memory(("down", "down")), [NOTHING, NOTHING, NOTHING, stopping("all")]

        end = await self._brought(memory, stops)

        assert end == End("rejected", Reason.STOPPED)
        assert memory.reached == []

    async def test_a_stop_that_comes_while_the_claim_is_written_is_in_time(self) -> None:
        memory, now = Memory(), [NOTHING]
        errand = Errand(an_offer(expires_at=moment(NOW + MINUTE)), permission=may)

        async def claim() -> None:
            now[0] = stopping("all")

        errand.claim = claim
        courier = Courier(memory, Gate("g"), lambda offer, at: held_back(DAYLONG, now[0], offer, at), lambda: NOW)

        assert await courier.bring(errand) == End("rejected", Reason.STOPPED)
        assert memory.calls == []

    async def test_what_is_held_waits_and_goes_when_the_catalogue_can_be_read(self) -> None:
        memory = Memory()

        end = await self._brought(memory, [NOTHING.holding("policy")] * 3 + [NOTHING])

        assert end == End("accepted")
        assert memory.calls == ["offer-1"]

    async def test_what_is_held_too_long_expires(self) -> None:
        memory, now = Memory(), [NOW]
        errand = Errand(an_offer(expires_at=moment(NOW + MINUTE)), permission=may)
        held = NOTHING.holding("policy")
        courier = Courier(memory, Gate("g"), lambda offer, at: held_back(DAYLONG, held, offer, at), lambda: now[0])
        waiting = asyncio.create_task(courier.bring(errand))
        await asyncio.sleep(0.05)
        now[0] += MINUTE

        assert await asyncio.wait_for(waiting, 2) == End("expired")
        assert memory.calls == []

    @staticmethod
    async def _brought(memory: Memory, stops: list[Stops]) -> End | None:
        """Bring an offer; each look at what is stopped finds the next of these, at last the last for ever."""

        def look() -> Stops:
            return stops.pop(0) if len(stops) > 1 else stops[0]

        gate = Gate("memory", first=0.001, longest=0.002)
        courier = Courier(memory, gate, lambda offer, at: held_back(DAYLONG, look(), offer, at), lambda: NOW)
        return await courier.bring(Errand(an_offer(expires_at=moment(NOW + MINUTE)), permission=may))


DAYLONG = Policy.model_validate({"format": 1, "zone": "UTC", "hours": dict.fromkeys(Channel, "00:00-24:00")})


def test_kinds_are_names_that_last() -> None:
    assert [kind_of(*scope.split("/")) for scope in SCOPES] == [f"stop/{scope}" for scope in SCOPES]
