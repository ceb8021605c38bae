"""The ledger's worker, dying: whatever is lost, repeated or read again, what was committed keeps every promise.

Commands lie in a log, as in Kafka. A worker takes some, computes, and commits all of it or, where it dies, nothing. A
new one goes on from the committed place, with the disk of the old one or with what the changelog tells. The promises
are counted from the log and the committed outputs alone.
"""

from types import MappingProxyType

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kairos.instants import DAY
from kairos.offers import CouponPool, Programme
from kairos.ports import Batch, Output, Record
from kairos.reservations import Change, Order, Redemption, Stock
from streams.keys import decompose
from streams.ledger import step
from streams.memory_store import MemoryStore
from streams.topics import LEDGER_COMMANDS
from tests.ledger_recount import Recount
from tests.ledger_table import AT, NOON, Catalogue, pool, reserve, wish

SOURCES = {"made": "generated", "loaded": "imported"}
decisions = st.integers(0, 9).map("d{}".format)
names = st.sampled_from(sorted(SOURCES))
wanted = st.lists(names, min_size=1, unique=True)


class Deaths(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.log: list[Order] = []
        self.place, self.now = 0, NOON
        self.disk, self.changelog = MemoryStore(), dict[bytes, bytes | None]()
        self.pools: dict[str, CouponPool] = {}
        self.programmes: dict[str, Programme] = {}
        self.recount = Recount()
        self.heard: list[Batch[Catalogue]] = []
        self.outputs: list[Output] = []
        for name in SOURCES:
            self.limits_are_published(name, 3, 1, None)

    @rule(name=names, count=st.integers(0, 4), value=st.integers(0, 3), budget=st.none() | st.integers(0, 6))
    def limits_are_published(self, name: str, count: int, value: int, budget: int | None) -> None:
        made = pool(name, count, value=value, budget=budget, codes=SOURCES[name])
        self.pools = {**self.pools, name: made}

    @rule(name=names, per_day=st.none() | st.integers(0, 2), money=st.none() | st.integers(0, 4))
    def a_pool_is_limited_by_time(self, name: str, per_day: int | None, money: int | None) -> None:
        more = {"per_day": per_day, "budget_per_day": money, "budget_per_month": money}
        made = self.pools.get(name, pool(name, 3, codes=SOURCES[name]))
        self.pools = {**self.pools, name: made.model_copy(update=more)}

    @rule(
        count=st.none() | st.integers(0, 4), budget=st.none() | st.integers(0, 6), per_day=st.none() | st.integers(0, 3)
    )
    def the_programme_is_limited(self, count: int | None, budget: int | None, per_day: int | None) -> None:
        limits = Programme(programme="takeaway", count=count, budget=budget, per_day=per_day)
        self.programmes = {"takeaway": limits}

    @rule()
    def the_programmes_limits_are_deleted(self) -> None:
        self.programmes = {}

    @rule(decision=decisions, till=st.integers(0, 2))
    def a_till_redeems_a_code(self, decision: str, till: int) -> None:
        code = self.recount.coupons[decision].code if decision in self.recount.coupons else "nobody's"
        told = {"id": f"till-{code}-{till}", "programme": "takeaway", "code": code, "at": AT}
        self.log.append(Redemption.model_validate(told))

    @rule(name=names)
    def a_pool_is_deleted(self, name: str) -> None:
        self.pools = {of: found for of, found in self.pools.items() if of != name}

    @rule(decision=decisions, of=wanted)
    def a_reservation_is_asked_for(self, decision: str, of: list[str]) -> None:
        self.log.append(reserve(decision, *[wish(decision, name) for name in of]))

    @rule(decision=decisions, kind=st.sampled_from(["confirm", "release", "redeem"]))
    def something_becomes_of_it(self, decision: str, kind: str) -> None:
        self.log.append(Change.model_validate({"kind": kind, "id": decision, "programme": "takeaway", "at": AT}))

    @rule(codes=st.lists(st.integers(0, 9).map("C{}".format), min_size=1, max_size=5))
    def codes_are_imported(self, codes: list[str]) -> None:
        self.log.append(Stock(pool="loaded", programme="takeaway", codes=tuple(codes)))

    @rule(many=st.integers(1, 6))
    def what_was_told_is_told_again(self, many: int) -> None:
        self.log += self.log[-many:]

    @rule(days=st.integers(1, 40))
    def days_turn(self, days: int) -> None:
        self.now += days * DAY

    @rule(many=st.integers(1, 6))
    def a_worker_commits(self, many: int) -> None:
        store, batch, outputs = self._computed(many)
        orders = self.log[self.place : self.place + many]
        self.recount.take(orders, batch, outputs)
        self.disk, self.place = store, self.place + len(orders)
        self.changelog.update(store.changes())
        self.heard.append(batch)
        self.outputs += outputs

    @rule(many=st.integers(1, 6))
    def a_worker_dies_before_its_commit(self, many: int) -> None:
        before = list(self.disk.items())
        _, _, outputs = self._computed(many)
        _, _, again = self._computed(many)
        assert outputs == again
        assert list(self.disk.items()) == before

    @rule()
    def its_disk_is_lost_or_another_host_takes_over(self) -> None:
        before = list(self.disk.items())
        self.disk = _of({name: value for name, value in self.changelog.items() if value is not None})
        assert list(self.disk.items()) == before

    def _computed(self, many: int) -> tuple[MemoryStore, Batch[Catalogue], list[Output]]:
        orders = self.log[self.place : self.place + many]
        rows = [
            Record(LEDGER_COMMANDS, 0, self.place + n, b"takeaway", order.model_dump_json().encode())
            for n, order in enumerate(orders)
        ]
        batch = Batch(
            0, 1, rows, self.now, Catalogue(MappingProxyType(self.pools), programmes=MappingProxyType(self.programmes))
        )
        store = _of(dict(self.disk.items()))
        return store, batch, step(store, batch)

    @invariant()
    def no_code_is_with_two_customers(self) -> None:
        self.recount.check_codes()

    def teardown(self) -> None:
        store, outputs = MemoryStore(), list[Output]()
        for batch in self.heard:
            outputs += step(store, batch)
        assert outputs == self.outputs
        assert list(store.items()) == list(self.disk.items())


def _of(records: dict[bytes, bytes]) -> MemoryStore:
    store = MemoryStore()
    for name, value in records.items():
        store.put(*decompose(name), value)
    store.changes()
    return store


TestDeaths = Deaths.TestCase
TestDeaths.settings = settings(stateful_step_count=40)
