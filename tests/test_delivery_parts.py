"""The parts of delivery alone: the last look, the lane of offsets, the gate, and the courier."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.memory import Memory, Outcome
from kairos.decisions import Reason
from kairos.instants import MINUTE, Millis, moment
from kairos.permissions import Permission
from streams.delivery_courier import Courier, Errand
from streams.delivery_end import End, ending, feedback
from streams.delivery_gate import Gate, wait
from streams.delivery_lane import Lane, Mark
from tests.connector_contract import an_offer
from tests.delivery_table import NOW, may, never


class TestEnding:
    def test_an_offer_with_permission_in_hours_may_be_sent(self) -> None:
        assert ending(an_offer(), may(), None, NOW) is None

    def test_an_expired_offer_is_not_sent(self) -> None:
        offer = an_offer(expires_at=moment(NOW))

        assert ending(offer, may(), None, NOW) == End("expired")
        assert ending(offer, may(), None, NOW - 1) is None

    @pytest.mark.parametrize(
        ("permission", "reason"),
        [
            (None, Reason.NO_PERMISSION),
            (may(granted=False), Reason.NO_CONSENT),
            (may(do_not_contact=True), Reason.DO_NOT_CONTACT),
            (may(until=moment(NOW)), Reason.NO_PERMISSION),
            (may(personalisation=False), Reason.NO_PERSONALISATION),
            (Permission(customer="c7", at=moment(0)), Reason.NO_CONSENT),
        ],
    )
    def test_unknown_is_no(self, permission: Permission | None, reason: Reason) -> None:
        assert ending(an_offer(), permission, None, NOW) == End("rejected", reason)

    def test_outside_the_hours_nothing_is_sent(self) -> None:
        assert ending(an_offer(), may(), Reason.QUIET_HOURS, NOW) == End("rejected", Reason.QUIET_HOURS)

    def test_the_record_of_an_end_has_the_same_name_each_time(self) -> None:
        first, second = (feedback(an_offer(), End("accepted"), now) for now in (NOW, NOW + 5))

        assert dict(first.headers)["ce_id"] == dict(second.headers)["ce_id"] == b"offer-1:accepted"
        assert dict(first.headers)["ce_source"] == b"/kairos/delivery/push"
        assert first.key == b"c7"


class TestLane:
    @given(st.lists(st.integers(1, 4), min_size=1, max_size=30), st.data())
    def test_whatever_dies_what_is_not_settled_is_read_again_and_the_rest_is_known(
        self, steps: list[int], data: st.DataObject
    ) -> None:
        offsets = [100 + sum(steps[:count]) for count in range(len(steps))]
        lane = Lane(Mark(100))
        for offset in offsets:
            lane.take(offset)
        settled = data.draw(st.sets(st.sampled_from(offsets)))
        claimed = data.draw(st.sets(st.sampled_from(offsets))) - settled
        for offset in sorted(claimed | settled):
            lane.claim(offset)
        for offset in sorted(settled):
            lane.settle(offset)

        mark = Mark.read(lane.mark.offset, lane.mark.text)
        again = Lane(mark)

        assert {offset for offset in offsets if again.is_settled(offset)} == settled
        assert {offset for offset in offsets if again.is_claimed(offset)} == claimed
        for offset in offsets:
            if again.is_settled(offset):
                again.pass_by(offset)
            else:
                again.take(offset)
                again.settle(offset)
        assert again.mark == Mark(offsets[-1] + 1)


class TestGate:
    def test_the_wait_grows_and_the_gateways_wish_goes_first(self) -> None:
        assert [wait(failures, None, 0.0) for failures in (1, 2, 10)] == [0.25, 0.5, 30.0]
        assert wait(1, 7.0, 0.0) == 7.0
        assert 7.0 < wait(1, 7.0, 0.99) <= 10.5

    async def test_one_probe_at_a_time_goes_to_a_gateway_that_is_down(self) -> None:
        gate = Gate("g", first=0.02, longest=0.02)
        inside: list[int] = []
        most, calls = 0, 0

        async def sender() -> None:
            nonlocal most, calls
            while True:
                async with gate.passage() as passage:
                    calls += 1
                    if calls > 8:
                        passage.worked()
                        return
                    inside.append(1)
                    most = max(most, len(inside)) if passage.is_probe else most
                    await asyncio.sleep(0.005)
                    inside.pop()
                    passage.failed(None, 0.0)

        gate.close(0.01)
        await asyncio.gather(*(sender() for _ in range(20)))

        assert most == 1
        assert gate.is_open

    async def test_requests_that_fail_together_are_one_failure(self) -> None:
        gate = Gate("g", first=10)

        async def sender() -> None:
            async with gate.passage() as passage:
                await asyncio.sleep(0)
                passage.failed(None, 0.0)

        await asyncio.gather(*(sender() for _ in range(20)))

        assert gate.wait(None, 0.0) == 20


@dataclass
class Scripted:
    memory: Memory
    courier: Courier
    errand: Errand
    now: Millis = NOW


def scripted(*script: Outcome, honours_key: bool = True, expires_in: Millis = MINUTE) -> Scripted:
    memory = Memory(script, honours_key=honours_key)
    gate = Gate("memory", first=0.001, longest=0.002)
    errand = Errand(an_offer(expires_at=moment(NOW + expires_in)), permission=may)
    found = Scripted(memory, Courier(memory, gate, never, lambda: found.now), errand)
    return found


class TestCourier:
    async def test_an_outage_is_sat_out(self) -> None:
        s = scripted("down", "down", "down")

        assert await s.courier.bring(s.errand) == End("accepted")
        assert s.memory.reached == ["offer-1"]
        assert len(s.memory.calls) == 4

    async def test_a_lost_answer_does_not_double_the_message(self) -> None:
        s = scripted("lost")

        assert await s.courier.bring(s.errand) == End("accepted")
        assert s.memory.reached == ["offer-1"]

    async def test_where_keys_are_not_honoured_a_lost_answer_is_never_sent_again(self) -> None:
        s = scripted("lost", honours_key=False)

        assert await s.courier.bring(s.errand) == End("unknown", Reason.ANSWER_LOST)
        assert s.memory.calls == ["offer-1"]

    async def test_a_refusal_ends_it(self) -> None:
        s = scripted("refuse")

        end = await s.courier.bring(s.errand)

        assert end is not None
        assert (end.what, end.reason) == ("rejected", Reason.GATEWAY_REFUSED)

    async def test_an_offer_that_expires_while_the_gateway_is_down_ends_in_time(self) -> None:
        s = scripted("busy", expires_in=50)
        waiting = asyncio.create_task(s.courier.bring(s.errand))
        await asyncio.sleep(0.02)
        s.now = NOW + 50

        assert await asyncio.wait_for(waiting, 0.5) == End("expired")
        assert s.memory.reached == []

    async def test_a_customer_who_leaves_during_an_outage_hears_nothing(self) -> None:
        s = scripted("down", "down")
        answers = [may(), may(), None]
        s.errand.permission = lambda: answers.pop(0) if answers else None

        assert await s.courier.bring(s.errand) == End("rejected", Reason.NO_PERMISSION)
        assert s.memory.reached == []

    async def test_a_customer_who_withdraws_from_personalisation_while_an_offer_waits_hears_nothing(self) -> None:
        s = scripted("down", "ok")
        answers = [may(), may()]
        s.errand.permission = lambda: answers.pop(0) if answers else may(personalisation=False)

        assert await s.courier.bring(s.errand) == End("rejected", Reason.NO_PERSONALISATION)
        assert s.memory.reached == []

    async def test_the_offer_is_claimed_before_it_is_sent_and_free_again_when_nothing_was_taken(self) -> None:
        s = scripted("down", "ok")
        noted: list[str] = []

        async def claim() -> None:
            noted.append(f"claim after {len(s.memory.calls)}")

        s.errand.claim, s.errand.unclaim = claim, lambda: noted.append("unclaim")

        await s.courier.bring(s.errand)

        assert noted == ["claim after 0", "unclaim", "claim after 1"]

    async def test_an_offer_in_doubt_is_never_said_to_be_unsent(self) -> None:
        s = scripted("lost", "busy", expires_in=50)
        noted: list[str] = []
        s.errand.unclaim = lambda: noted.append("unclaim")
        waiting = asyncio.create_task(s.courier.bring(s.errand))
        await asyncio.sleep(0.02)
        s.now = NOW + 50

        assert await waiting == End("unknown", Reason.EXPIRED)
        assert noted == []

    async def test_what_a_dead_process_had_claimed_goes_again_only_where_the_key_is_honoured(self) -> None:
        with_key, without = scripted(), scripted(honours_key=False)
        with_key.errand.is_in_doubt = without.errand.is_in_doubt = True

        assert await with_key.courier.bring(with_key.errand) == End("accepted")
        assert await without.courier.bring(without.errand) == End("unknown", Reason.INTERRUPTED)
        assert without.memory.calls == []

    async def test_an_offer_that_was_given_up_is_left_for_the_next_process(self) -> None:
        s = scripted("down")
        s.errand.given_up = True

        assert await s.courier.bring(s.errand) is None
        assert s.memory.calls == []
