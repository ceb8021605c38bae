"""The ledger, checked exhaustively: every command in every state that a small ledger can come to, by the real step.

A crash drops a batch that was not committed, which is to stay in the state before; a replay and a repetition are the
same command once more, and every command is tried in every state. What changes with time and chance is in
`tests/test_ledger_machine.py`.
"""

from collections import Counter

import pytest

from kairos.offers import Offer
from kairos.ports import Output
from kairos.reservations import Answer, Change, Stock
from streams.topics import LEDGER_ANSWERS
from tests.ledger_states import HELD, Definitions, State, Told, search
from tests.ledger_table import AT, OFFERS, pool, reserve, wish

DECISIONS = ("d1", "d2", "d3")
CHANGES = ("confirm", "release", "redeem")


def _commands(*wanted: str) -> list[Told]:
    """Give every word on three decisions; each wants these pools in this order."""
    told = []
    for decision in DECISIONS:
        order = reserve(decision, *[wish(decision, name) for name in wanted])
        told.append(Told(f"reserve {decision}", order.model_dump_json().encode()))
        for kind in CHANGES:
            change = Change.model_validate({"kind": kind, "id": decision, "programme": "takeaway", "at": AT})
            told.append(Told(f"{kind} {decision}", change.model_dump_json().encode()))
    return told


def _codes(*codes: str) -> Told:
    return Told(f"stock {codes}", Stock(pool="cafe", programme="takeaway", codes=codes).model_dump_json().encode())


def _defined(*pools: Definitions) -> list[Told]:
    return [Told(f"define {number}", defines=number) for number in range(len(pools))]


def _by_name(**more: object) -> Definitions:
    return {"cafe": pool("cafe", **more)}  # type: ignore[arg-type]  # fields of the pool, whichever


MADE = [_by_name(count=2)]
CHANGING = [_by_name(count=2), _by_name(count=1), {}, _by_name(count=9, budget=1999)]
LOADED = [_by_name(count=9, codes="imported")]
BOTH = [{"cafe": pool("cafe", count=1, codes="imported"), "tea": pool("tea", count=9, budget=1000)}]


@pytest.mark.parametrize(
    ("definitions", "events", "states"),
    [
        pytest.param(MADE, _commands("cafe"), 373, id="a pool that makes its codes"),
        pytest.param(
            CHANGING, [*_commands("cafe"), *_defined(*CHANGING)], 3_008, id="limits that change, a pool that goes"
        ),
        pytest.param(LOADED, [*_commands("cafe"), _codes("A"), _codes("B", "A")], 731, id="codes that are imported"),
        pytest.param(BOTH, [*_commands("cafe", "tea"), _codes("A", "B")], 686, id="a second choice, and a budget"),
    ],
)
def test_in_every_state_that_can_be_reached_the_limits_hold_and_no_code_is_out_twice(
    definitions: list[Definitions], events: list[Told], states: int
) -> None:
    found = search(events, definitions, lambda *seen: _check(definitions, *seen))

    # A search that stopped early would prove little.
    assert found == (states, states * len(events))


def _check(definitions: list[Definitions], before: State, told: Told, after: State, outputs: list[Output]) -> None:
    offers = [Offer.model_validate_json(o.value or b"") for o in outputs if o.topic in OFFERS]
    answers = [Answer.model_validate_json(o.value or b"") for o in outputs if o.topic == LEDGER_ANSWERS]
    asked = told.name.startswith("reserve ")
    assert len(answers) == asked, told
    assert len(offers) <= asked, told
    for offer in offers:
        assert offer.decision not in before.reservations, "one decision was offered twice"
        _check_room(definitions[before.defined], after, offer)
        _check_code(before, offer)
    for answer in answers:
        known = before.reservations.get(answer.id)
        assert known is None or (answer.granted, answer.code) == (known.granted, known.code), "another answer"
        assert bool(offers) == (known is None and answer.granted is not None)
    _check_sums(before, after, grants=bool(offers))


def _check_room(defined: Definitions, after: State, offer: Offer) -> None:
    assert offer.coupon is not None
    limits, held = defined[offer.coupon.pool], after.held(offer.coupon.pool)
    assert len(held) <= limits.count
    assert limits.budget is None or sum(found.minor for found in held) <= limits.budget


def _check_code(before: State, offer: Offer) -> None:
    assert offer.coupon is not None
    name, code = offer.coupon.pool, offer.coupon.code
    assert code not in [found.code for found in before.held(name)], "two customers have one code"
    free = before.free(name)
    if free:
        assert code == free[0]
    else:
        assert code not in [found.code for found in before.reservations.values()], "a code was made twice"


def _check_sums(before: State, after: State, *, grants: bool) -> None:
    """The header says what the reservations say; nothing but a grant takes; and no imported code is lost."""
    by_pool = Counter[tuple[str, str]]()
    for found in after.reservations.values():
        by_pool[found.pool, found.state] += 1
    for name, header in after.pools.items():
        counted = {state: getattr(header, state).count for state in (*HELD, "released")}
        assert counted == {state: by_pool[name, state] for state in counted}
        assert grants or len(after.held(name)) <= len(before.held(name))
        imported = [found.code for found in after.held(name) if found.imported] + after.free(name)
        made = [found.code for found in after.reservations.values() if not found.imported]
        known = [id_.partition(b"\0")[2].decode() for id_, _ in after.of_kind("c") if id_.startswith(name.encode())]
        there = [code for code in known if code not in made]
        assert sorted(filter(None, imported)) == sorted(there)
