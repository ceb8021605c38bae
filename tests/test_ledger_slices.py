"""A budget that programmes share: slices that move between ledgers, and never add up to more than the whole."""

from collections import deque

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kairos.decisions import Reason
from kairos.offers import Slice
from kairos.ports import Output
from kairos.reservations import Change, Move, Moved, Reserve, command
from streams.ledger_records import read_oddities, read_standing
from streams.topics import LEDGER_COMMANDS
from tests.ledger_table import AT, Said, Table, pool, reserve, wish

PROGRAMMES = ("takeaway", "travel", "wealth")
WHOLE = 10


def slice_of(programme: str, whole: int = WHOLE) -> Slice:
    return Slice(budget="spring", home="takeaway", minor=whole if programme == "takeaway" else 0, currency="CNY")


def shared(*programmes: str, value: int = 1) -> Table:
    table = Table(*[pool(f"of-{name}", 99, programme=name, value=value) for name in programmes])
    for name in programmes:
        table.limit(name, slices=(slice_of(name),))
    return table


def ask(decision: str, programme: str) -> Reserve:
    return reserve(decision, wish(decision, f"of-{programme}", programme=programme))


def move(name: str, minor: int, of: str = "takeaway", to: str = "travel") -> Move:
    return Move(id=name, programme=of, to=to, budget="spring", minor=minor, at=AT)


def followed(table: Table, said: Said) -> Said:
    """Carry out what the ledger told the next one."""
    onward = [command.validate_json(o.value or b"") for o in said.outputs if o.topic == LEDGER_COMMANDS]
    return table.hear(*onward)


def refusals(said: Said) -> list[Reason]:
    return [reason for answer in said.answers for reason in answer.refused.values()]


def test_the_whole_lies_with_its_home_until_a_part_is_moved() -> None:
    table = shared("takeaway", "travel", value=4)

    assert refusals(table.hear(ask("d1", "travel"))) == [Reason.OVER_SLICE]
    followed(table, table.hear(move("m1", 4)))

    assert refusals(table.hear(ask("d2", "travel"))) == []
    assert refusals(table.hear(ask("d3", "travel"))) == [Reason.OVER_SLICE]
    assert [refusals(table.hear(ask(d, "takeaway"))) for d in ("d4", "d5")] == [[], [Reason.OVER_SLICE]]


def test_between_the_two_steps_what_is_moved_belongs_to_nobody() -> None:
    table = shared("takeaway", "travel", value=10)

    said = table.hear(move("m1", 10))

    assert [o.key for o in said.outputs] == [b"travel"]
    for programme in ("takeaway", "travel"):
        assert refusals(table.hear(ask(f"of {programme}", programme))) == [Reason.OVER_SLICE]
    followed(table, said)
    assert refusals(table.hear(ask("d1", "travel"))) == []


def test_each_step_of_a_move_is_done_once_however_often_it_is_told() -> None:
    table = shared("takeaway", "travel")
    first = table.hear(move("m1", 4))

    assert table.hear(move("m1", 4)).outputs == []
    for _ in range(3):
        followed(table, first)

    standings = [read_standing(table.store, name.encode()) for name in ("takeaway", "travel")]
    assert [standing and standing.moved for standing in standings] == [
        {"takeaway/spring": -4},
        {"takeaway/spring": 4},
    ]
    assert [read_oddities(table.store, name).repeated for name in (b"takeaway", b"travel")] == [1, 2]


@pytest.mark.parametrize(
    ("wrong", "reason", "says"),
    [
        (move("m1", 11), b"not_free", b"0.08 CNY of spring are free in takeaway, 0.11 CNY were to be moved"),
        (move("m1", 9), b"not_free", b"0.08 CNY of spring are free"),
        (move("m1", 1, to="cards"), b"unknown_slice", b"takeaway and cards share no budget spring"),
        (move("m1", 1, of="travel", to="travel"), b"unknown_slice", b"travel and travel share"),
        (move("m1", 1, of="travel"), b"unknown_slice", b"travel and travel share"),
        (move("m1", 1, of="travel", to="takeaway"), b"not_free", b"0.00 CNY of spring are free in travel"),
    ],
)
def test_a_move_that_cannot_be_is_a_dead_letter_and_moves_nothing(wrong: Move, reason: bytes, says: bytes) -> None:
    table = shared("takeaway", "travel", value=1)
    table.hear(ask("d1", "takeaway"), ask("d2", "takeaway"))

    (letter,) = table.hear(wrong).dead

    head = dict(letter.headers)
    assert head["kairos.errors.class"] == reason
    assert head["kairos.errors.message"].startswith(says)
    (mended,) = table.hear(wrong.model_copy(update={"minor": 8, "to": "travel", "programme": "takeaway"})).outputs
    assert mended.topic == LEDGER_COMMANDS


def test_a_budget_lowered_below_what_its_home_holds_grants_nothing_new_there_and_takes_nothing_back() -> None:
    table = shared("takeaway", "travel", value=4)
    table.hear(ask("d1", "takeaway"), ask("d2", "takeaway"))

    table.limit("takeaway", slices=(slice_of("takeaway", 4),))

    assert refusals(table.hear(ask("d3", "takeaway"))) == [Reason.OVER_SLICE]
    assert table.hear(move("m1", 1)).dead
    assert table.totals("of-takeaway").held == 2


def test_what_arrives_where_the_budget_is_gone_from_the_definition_is_not_lost() -> None:
    table = shared("takeaway", "travel", value=4)
    said = table.hear(move("m1", 4))
    table.limit("travel", slices=())
    followed(table, said)

    table.limit("travel", slices=(slice_of("travel"),))

    assert refusals(table.hear(ask("d1", "travel"))) == []


class Sharing(RuleBasedStateMachine):
    """Three programmes; what one ledger tells the other comes late, twice, and in any order."""

    names, programmes = st.integers(0, 9), st.sampled_from(PROGRAMMES)

    def __init__(self) -> None:
        super().__init__()
        self.table = shared(*PROGRAMMES)
        self.on_the_way = deque[Output]()
        self.arrived: list[Output] = []

    @rule(number=st.integers(0, 30), programme=programmes)
    def a_coupon_is_asked_for(self, number: int, programme: str) -> None:
        self.table.hear(ask(f"{programme}{number}", programme))

    @rule(number=st.integers(0, 30), programme=programmes, kind=st.sampled_from(["confirm", "redeem", "release"]))
    def something_becomes_of_it(self, number: int, programme: str, kind: str) -> None:
        order = {"kind": kind, "id": f"{programme}{number}", "programme": programme, "at": AT}
        self.table.hear(Change.model_validate(order))

    @rule(name=names, of=programmes, to=programmes, minor=st.integers(1, 12))
    def a_part_is_moved(self, name: int, of: str, to: str, minor: int) -> None:
        # One name is one move: a person who writes another one names it anew.
        said = self.table.hear(move(f"{of}{to}{minor}{name}", minor, of, to))
        self.on_the_way += [output for output in said.outputs if output.topic == LEDGER_COMMANDS]

    @rule(turned=st.integers(0, 3))
    def a_part_arrives(self, turned: int) -> None:
        if self.on_the_way:
            self.on_the_way.rotate(turned)
            self.arrived.append(self.on_the_way.popleft())
            self.table.hear(command.validate_json(self.arrived[-1].value or b""))

    @rule()
    def what_arrived_is_told_again(self) -> None:
        for output in self.arrived[-2:]:
            self.table.hear(command.validate_json(output.value or b""))

    @invariant()
    def the_slices_and_what_is_on_the_way_are_the_whole(self) -> None:
        orders = [command.validate_json(output.value or b"") for output in self.on_the_way]
        away = sum(order.minor for order in orders if isinstance(order, Moved))
        slices = [slice_of(name).minor + self.moved(name) for name in PROGRAMMES]
        assert min(slices) >= 0
        assert sum(slices) + away == WHOLE

    @invariant()
    def what_is_held_is_within_each_slice_and_the_whole(self) -> None:
        held = {name: self.table.totals(f"of-{name}").held_minor for name in PROGRAMMES}
        assert all(held[name] <= slice_of(name).minor + self.moved(name) for name in PROGRAMMES)
        assert sum(held.values()) <= WHOLE

    def moved(self, programme: str) -> int:
        standing = read_standing(self.table.store, programme.encode())
        return 0 if standing is None else standing.moved.get("takeaway/spring", 0)


TestSharing = Sharing.TestCase
TestSharing.settings = settings(stateful_step_count=40)
