"""The ledger through a rescale: workers come and go, and its commands are read again over another number of partitions.

Commands lie in a log for each partition, as in Kafka; every commit is a piece of its changelog. Whom the group gives a
partition to works on it from a disk that may be behind, or from none. The promises are counted from what was committed.
"""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kairos.offers import CouponPool, Offer, Programme, Slice
from kairos.ports import Batch, Output, Record
from kairos.reservations import Change, Move, Order, Stock
from streams.keys import decompose
from streams.ledger import step
from streams.ledger_records import read_reservation
from streams.memory_store import MemoryStore
from streams.pools import totals
from streams.topics import LEDGER_COMMANDS, partition_of
from tests.ledger_recount import HELD
from tests.ledger_table import AT, NOON, OFFERS, Catalogue, pool, reserve, wish

PROGRAMMES = ("takeaway", "travel", "wealth", "cards", "books")
WHOLE = 6
COUNT = 3
_COUNTED = "h"
"""The kind of what changed nothing, such as a command that was told once more."""
State = dict[bytes, bytes]


def _pools() -> Mapping[str, CouponPool]:
    made = [pool(f"made-{p}", COUNT, programme=p, value=1, prefix=p[:2].upper()) for p in PROGRAMMES]
    loaded = [pool(f"loaded-{p}", COUNT, programme=p, value=1, codes="imported") for p in PROGRAMMES]
    return MappingProxyType({one.pool: one for one in (*made, *loaded)})


def _limits() -> Mapping[str, Programme]:
    whole = {name: WHOLE if name == "takeaway" else 0 for name in PROGRAMMES}
    slices = {n: Slice(budget="spring", home="takeaway", minor=minor, currency="CNY") for n, minor in whole.items()}
    return MappingProxyType({name: Programme(programme=name, slices=(one,)) for name, one in slices.items()})


KNOWN = Catalogue(_pools(), programmes=_limits())


class House:
    """The ledger over some partitions, and the workers that share them."""

    def __init__(self, partitions: int, log: Mapping[int, list[Record]] | None = None) -> None:
        self.partitions = partitions
        self.log = {number: list((log or {}).get(number, ())) for number in range(partitions)}
        self.commits: dict[int, list[dict[bytes, bytes | None]]] = {number: [] for number in range(partitions)}
        self.places = dict.fromkeys(range(partitions), 0)
        self.disks: dict[tuple[int, int], tuple[int, State]] = {}
        self.workers = [1]
        self.outputs: list[Output] = []

    def tell(self, key: bytes, value: bytes | None) -> None:
        number = partition_of(key, self.partitions)
        self.log[number].append(Record(LEDGER_COMMANDS, number, len(self.log[number]), key, value))

    def work(self, number: int, many: int) -> None:
        """Let whoever has the partition commit some commands."""
        worker, commits = self.workers[number % len(self.workers)], self.commits[number]
        records = self.log[number][self.places[number] : self.places[number] + many]
        store = self.opened(worker, number)
        outputs = step(store, Batch(number, self.partitions, records, NOON, KNOWN))
        commits.append(dict(store.changes()))
        self.disks[worker, number] = (len(commits), dict(store.items()))
        self.places[number] += len(records)
        self.outputs += outputs
        for output in outputs:
            if output.topic == LEDGER_COMMANDS:
                self.tell(output.key or b"", output.value)

    def opened(self, worker: int, number: int) -> MemoryStore:
        """Give the worker's disk, brought up by what the changelog has behind it."""
        seen, state = self.disks.get((worker, number), (0, State()))
        for commit in self.commits[number][seen:]:
            state = {n: v for n, v in {**state, **commit}.items() if v is not None}
        store = MemoryStore()
        for name, value in state.items():
            store.put(*decompose(name), value)
        store.changes()
        return store

    def store_of(self, programme: str) -> MemoryStore:
        number = partition_of(programme.encode(), self.partitions)
        return self.opened(self.workers[number % len(self.workers)], number)

    def drained(self) -> "House":
        while any(self.places[number] < len(self.log[number]) for number in self.log):
            for number in self.log:
                self.work(number, 100)
        return self

    def over(self, partitions: int) -> "House":
        """Give a new house whose topic has every command that was ever told, each key's in their order."""
        wide = House(partitions)
        for number in sorted(self.log):
            for record in self.log[number]:
                wide.tell(record.key or b"", record.value)
        return wide

    def state(self) -> dict[str, State]:
        """What is known of each programme; how often something was told once more is no promise."""
        found: dict[str, State] = {name: {} for name in PROGRAMMES}
        for number in self.log:
            worker = self.workers[number % len(self.workers)]
            for name, value in self.opened(worker, number).items():
                programme, kind, _ = decompose(name)
                assert partition_of(programme, self.partitions) == number
                if kind != _COUNTED:
                    found[programme.decode()][name] = value
        return found


class Rescaling(RuleBasedStateMachine):
    kinds = st.lists(st.sampled_from(["made", "loaded"]), min_size=1, unique=True)
    names, programmes, numbers = st.integers(0, 6), st.sampled_from(PROGRAMMES), st.integers(0, 6)

    def __init__(self) -> None:
        super().__init__()
        self.house = House(3)
        for name in PROGRAMMES:
            self.tell(Stock(pool=f"loaded-{name}", programme=name, codes=tuple(f"{name}-{n}" for n in range(4))))

    def tell(self, order: Order) -> None:
        self.house.tell(order.programme.encode(), order.model_dump_json().encode())

    @rule(programme=programmes, number=numbers, kinds=kinds)
    def a_coupon_is_asked_for(self, programme: str, number: int, kinds: list[str]) -> None:
        decision = f"{programme}{number}"
        self.tell(reserve(decision, *[wish(decision, f"{kind}-{programme}", programme=programme) for kind in kinds]))

    @rule(programme=programmes, number=numbers, kind=st.sampled_from(["confirm", "redeem", "release"]))
    def something_becomes_of_it(self, programme: str, number: int, kind: str) -> None:
        told = {"kind": kind, "id": f"{programme}{number}", "programme": programme, "at": AT}
        self.tell(Change.model_validate(told))

    @rule(of=programmes, to=programmes, minor=st.integers(1, 4), name=names)
    def a_part_of_the_budget_is_moved(self, of: str, to: str, minor: int, name: int) -> None:
        self.tell(Move(id=f"{of}{to}{minor}{name}", programme=of, to=to, budget="spring", minor=minor, at=AT))

    @rule(number=numbers, many=st.integers(1, 8))
    def a_partition_commits(self, number: int, many: int) -> None:
        self.house.work(number % self.house.partitions, many)

    @rule(worker=st.integers(1, 4))
    def a_worker_comes(self, worker: int) -> None:
        if worker not in self.house.workers:
            self.house.workers.append(worker)

    @rule(worker=st.integers(1, 4), loses_its_disk=st.booleans())
    def a_worker_goes(self, worker: int, loses_its_disk: bool) -> None:
        if self.house.workers != [worker] and worker in self.house.workers:
            self.house.workers.remove(worker)
            if loses_its_disk:
                self.house.disks = {place: disk for place, disk in self.house.disks.items() if place[0] != worker}

    @invariant()
    def the_limits_hold_and_no_code_is_with_two_customers(self) -> None:
        held, codes = 0, list[tuple[str, str | None]]()
        for name in PROGRAMMES:
            store = self.house.store_of(name)
            for kind in ("made", "loaded"):
                found = totals(store, KNOWN.pools[f"{kind}-{name}"])
                assert found.reserved + found.confirmed + found.redeemed <= COUNT
                held += found.held_minor
            for decision, _ in store.scan(name.encode(), "r"):
                one = read_reservation(store, name.encode(), decision.decode())
                if one is not None and one.state in HELD:
                    codes.append((one.pool, one.code))
        assert held <= WHOLE
        assert len(set(codes)) == len(codes)

    def teardown(self) -> None:
        before = self.house.drained()
        for partitions in (1, 2, 7):
            wide = before.over(partitions).drained()
            # The same coupons lie with the same decisions, and each is in the state that it had.
            assert wide.state() == before.state()
            assert _coupons(wide.outputs) == _coupons(before.outputs)


def _coupons(outputs: list[Output]) -> Counter[tuple[str, str, str]]:
    offers = [Offer.model_validate_json(output.value or b"") for output in outputs if output.topic in OFFERS]
    return Counter((one.decision, one.coupon.pool, one.coupon.code) for one in offers if one.coupon is not None)


TestRescaling = Rescaling.TestCase
TestRescaling.settings = settings(stateful_step_count=40, deadline=None)
