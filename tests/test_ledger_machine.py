"""The ledger against a plain model: whatever comes in whatever order, the limits hold and no code is out twice."""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kairos.decisions import Arm, Reason
from kairos.ports import Output
from streams.ledger_records import read_oddities
from tests.ledger_table import Said, Table, pool, replay, wish

POOLS = {"made": "generated", "loaded": "imported"}
decisions = st.integers(0, 12).map("d{}".format)
names = st.sampled_from(sorted(POOLS))
limits = st.tuples(st.integers(0, 6), st.integers(0, 3), st.none() | st.integers(0, 8))


class Model:
    """What the ledger ought to hold, in dictionaries."""

    def __init__(self) -> None:
        self.limits: dict[str, tuple[int, int, int | None]] = dict.fromkeys(POOLS, (3, 1, 5))
        self.answers: dict[str, object] = {}
        self.state: dict[str, str] = {}
        self.value: dict[str, int] = {}
        self.of: dict[str, str] = {}
        self.code: dict[str, str] = {}
        self.known: set[str] = set()
        self.free: list[str] = []
        self.odd = Counter[str]()

    def held(self, name: str) -> list[str]:
        return [d for d, state in self.state.items() if self.of[d] == name and state != "released"]

    def money(self, name: str) -> int:
        return sum(self.value[d] for d in self.held(name))

    def refusal(self, name: str) -> Reason | None:
        count, value, budget = self.limits[name]
        if len(self.held(name)) >= count or (name == "loaded" and not self.free):
            return Reason.OUT_OF_STOCK
        if budget is not None and self.money(name) + value > budget:
            return Reason.OVER_BUDGET
        return None


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.table = Table()
        self.model = Model()
        self.outputs: list[Output] = []
        for name in POOLS:
            self.limit(name, self.model.limits[name])

    def heard(self, said: Said) -> Said:
        self.outputs += said.outputs
        return said

    def limit(self, name: str, limits: tuple[int, int, int | None]) -> None:
        count, value, budget = self.model.limits[name] = limits
        self.table.define(pool(name, count, value=value, budget=budget, codes=POOLS[name]))

    @rule(name=names, limits=limits)
    def limits_change(self, name: str, limits: tuple[int, int, int | None]) -> None:
        self.limit(name, limits)

    @rule(codes=st.lists(st.integers(0, 12).map("C{}".format), min_size=1, max_size=5))
    def codes_are_imported(self, codes: list[str]) -> None:
        said = self.heard(self.table.stock(*codes, of="loaded"))
        new = [code for code in dict.fromkeys(codes) if code not in self.model.known]
        self.model.known.update(new)
        self.model.free += new
        assert len(said.dead) == (len(new) < len(codes))

    @rule(decision=decisions, wanted=st.lists(st.sampled_from(["made", "loaded", "none"]), min_size=1, unique=True))
    def a_customer_of_the_control_arm_is_answered_as_if(self, decision: str, wanted: list[str]) -> None:
        before = list(self.table.store.scan(b"takeaway", "p"))
        said = self.reserve(decision, wanted, Arm.CONTROL)
        assert said.offers == []
        assert list(self.table.store.scan(b"takeaway", "p")) == before

    @rule(decision=decisions, wanted=st.lists(st.sampled_from(["made", "loaded", "none"]), min_size=1, unique=True))
    def a_customer_is_reserved_for(self, decision: str, wanted: list[str]) -> None:
        self.reserve(decision, wanted, Arm.TREATMENT)

    def reserve(self, decision: str, wanted: list[str], arm: Arm) -> Said:
        pools = [None if name == "none" else name for name in wanted]
        known = self.model.answers.get(decision)
        said = self.heard(self.table.reserve(decision, *[wish(decision, name, arm=arm) for name in pools]))
        assert len(said.answers) == 1
        if known is not None:
            self.model.odd["repeated"] += 1
            assert (said.answer, said.offers) == (known, [])
            return said
        self.model.answers[decision] = said.answer
        self.compare(decision, pools, said, arm)
        return said

    def compare(self, decision: str, pools: list[str | None], said: Said, arm: Arm) -> None:
        refused = {}
        for name in pools:
            reason = None if name is None else self.model.refusal(name)
            if reason is None:
                self.granted(decision, name, said, arm)
                break
            refused[wish(decision, name).offer.id] = reason
        else:
            assert (said.answer.granted, said.offers) == (None, [])
        assert said.answer.refused == refused

    def granted(self, decision: str, name: str | None, said: Said, arm: Arm) -> None:
        assert said.answer.granted == wish(decision, name).offer.id
        assert said.answer.virtual == (arm is Arm.CONTROL)
        if arm is Arm.CONTROL:
            return
        assert said.offer.id == said.answer.granted
        if name is None:
            assert (said.offer.coupon, said.answer.code) == (None, None)
            return
        model = self.model
        assert name == "made" or said.code == model.free.pop(0)
        model.state[decision], model.of[decision], model.code[decision] = "reserved", name, said.code
        count, model.value[decision], budget = model.limits[name]
        assert len(model.held(name)) <= count
        assert budget is None or model.money(name) <= budget

    @rule(decision=decisions)
    def the_gateway_accepts(self, decision: str) -> None:
        self.change("confirm", decision, {"reserved": "confirmed"}, against={"released"})

    @rule(decision=decisions)
    def the_customer_redeems(self, decision: str) -> None:
        self.change("redeem", decision, {"reserved": "redeemed", "confirmed": "redeemed"}, against={"released"})

    @rule(decision=decisions)
    def it_was_definitely_not_sent(self, decision: str) -> None:
        before = self.model.state.get(decision)
        self.change("release", decision, {"reserved": "released", "confirmed": "released"}, against={"redeemed"})
        if before in ("reserved", "confirmed") and self.model.of[decision] == "loaded":
            self.model.free.append(self.model.code[decision])

    def change(self, kind: str, decision: str, moves: dict[str, str], against: set[str]) -> None:
        said, state = self.heard(self.table.change(kind, decision)), self.model.state.get(decision, "")
        # Each step of a coupon is written down once, and nothing else.
        assert [(e.what, e.decision) for e in said.entries] == ([(moves[state], decision)] if state in moves else [])
        assert len(said.outputs) == len(said.entries)
        self.model.odd["unknown"] += decision not in self.model.answers
        self.model.odd["contradictory"] += state in against
        if state in moves:
            self.model.state[decision] = moves[state]

    @invariant()
    def the_ledger_holds_what_the_model_holds(self) -> None:
        for name in POOLS:
            totals = self.table.totals(name)
            states = [self.model.state[d] for d in self.model.state if self.model.of[d] == name]
            assert totals.reserved == states.count("reserved")
            assert totals.confirmed == states.count("confirmed")
            assert totals.redeemed == states.count("redeemed")
            assert totals.released == states.count("released")
            assert totals.held_minor == self.model.money(name)
            assert totals.codes == (len(self.model.free) if name == "loaded" else 0)
            assert (totals.left > 0) == (self.model.refusal(name) is None)

    @invariant()
    def no_code_is_with_two_customers(self) -> None:
        codes = [self.model.code[d] for d in (*self.model.held("made"), *self.model.held("loaded"))]
        assert len(set(codes)) == len(codes)
        assert not set(codes) & set(self.model.free)
        made = [self.model.code[d] for d in self.model.state if self.model.of[d] == "made"]
        assert len(set(made)) == len(made)

    @invariant()
    def the_free_codes_lie_in_their_order(self) -> None:
        assert [code.decode() for _, code in self.table.store.scan(b"takeaway", "q")] == self.model.free

    @invariant()
    def what_changed_nothing_is_counted(self) -> None:
        oddities = read_oddities(self.table.store, b"takeaway")
        counted = {"repeated": oddities.repeated, "unknown": oddities.unknown, "contradictory": oddities.contradictory}
        assert counted == {kind: self.model.odd[kind] for kind in counted}

    def teardown(self) -> None:
        assert replay(self.table.heard) == (list(self.table.store.items()), self.outputs)


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
