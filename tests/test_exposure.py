"""Exposure: where nothing has an effect, both arms meet the same limits, whatever is scarce."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import pytest

from kairos.decisions import Arm
from kairos.ids import share
from kairos.instants import HOUR
from kairos.ports import Batch, Record
from kairos.reservations import Answer, Reserve
from streams import ledger
from streams.ledger_commands import read_command
from streams.memory_store import MemoryStore
from streams.topics import LEDGER_ANSWERS, LEDGER_COMMANDS
from tests.customer_table import Said, Table, versions

HOURS = 36
PEOPLE = [f"c{number}" for number in range(250)]
DAY_TIME = {"sms": "08:00-21:00", "push": "09:00-20:00"}
NARROW: dict[str, Any] = {
    "hours": DAY_TIME,
    "caps": {"sms": {"within": "1d", "at_most": 1}, "push": {"within": "7d", "at_most": 1}},
    "gap": "2h",
    "overall": {"within": "2d", "at_most": 2},
}
FORMS = "half, treatments: [{name: by-push, share: 50%, channels: [push]}]"
Met = tuple[str, str, str, str | None]
"""An exposure: when, who, by which rule, by which channel."""


@dataclass
class World(Table):
    """A town that pays for its lunch, and a ledger that is asked the same for the other arm before each answer."""

    decisions: list[dict[str, Any]] = field(default_factory=list)
    unlike: list[tuple[Answer, Answer]] = field(default_factory=list)

    def live(self) -> "World":
        self.hear(*[self.profile(who) for who in PEOPLE])
        for hour in range(HOURS):
            self.now += HOUR
            # Everybody pays in one of seven hours, drawn for each of them and each hour.
            came = [self.pays(who) for who in PEOPLE if share(f"hour {hour}", who) < 1 / 7]
            said = self.hear(*came)
            self._as_the_other_arm(said)
            answers, _ = self.ledger(said)
            self.decisions += said.decisions + self.hear(*answers).decisions
        return self

    def _as_the_other_arm(self, said: Said) -> None:
        for command in (self.as_record(o) for o in said.outputs if o.topic == LEDGER_COMMANDS):
            order = read_command(command, 0, 1)
            assert isinstance(order, Reserve)
            other = {Arm.CONTROL: Arm.TREATMENT, Arm.TREATMENT: Arm.CONTROL}
            wishes = tuple(wish.model_copy(update={"arm": other[wish.arm]}) for wish in order.wishes)
            swapped = order.model_copy(update={"wishes": wishes})
            twin = Record(command.topic, 0, command.offset, command.key, swapped.model_dump_json().encode())
            one, two = (next(self._told(one)) for one in (command, twin))
            if (one.granted, one.refused) != (two.granted, two.refused):
                self.unlike.append((one, two))

    def _told(self, command: Record) -> Iterator[Answer]:
        books = MemoryStore()
        # What a reservation is answered from; what it takes is taken from this copy.
        for pool, packed in self.books.scan(b"lunch", "p"):
            books.put(b"lunch", "p", pool, packed)
        for output in ledger.step(books, Batch(0, 1, [command], self.now, self.versions)):
            if output.topic == LEDGER_ANSWERS:
                yield Answer.model_validate_json(output.value or b"")

    def met(self) -> list[Met]:
        """All exposures, in the order of their decisions, whichever arm."""
        return sorted(
            (d["decided_at"], d["customer"], won["rule"], d["channel"])
            for d in self.decisions
            if d["state"] in ("offered", "withheld")
            for won in d["verdicts"]
            if won["offer"] == d["offer"]
        )

    def matched(self) -> dict[str, Counter[str]]:
        """The matches of each customer by the reason of the first candidate, under the customer's arm."""
        found: dict[str, Counter[str]] = {arm.value: Counter() for arm in Arm}
        for decision in self.decisions:
            (arm,) = {verdict["arm"] for verdict in decision["verdicts"]}
            found[arm][decision["verdicts"][0]["verdict"]] += 1
        return found


def town(salt: str, cafe: int, tea: int) -> World:
    said = versions(cafe=cafe, tea=tea, control=f"50%, salt: {salt}", policy=NARROW)
    return World(said).live()


@pytest.fixture(scope="module")
def scarce() -> World:
    """A town in which coupons end in the first day, some customers meet their caps, and all of them the night."""
    return town(FORMS, 40, 20)


def per_customer(world: World, arm: Arm) -> list[int]:
    times = Counter(who for _, who, _, _ in world.met())
    arms = {d["customer"]: d["verdicts"][0]["arm"] for d in world.decisions}
    return [times[who] for who, found in arms.items() if found == arm.value]


def apart(one: list[int], two: list[int]) -> float:
    """Give by how many standard errors two means differ."""
    (mean_one, var_one), (mean_two, var_two) = (_moments(found) for found in (one, two))
    return abs(mean_one - mean_two) / sqrt(var_one / len(one) + var_two / len(two))


def _moments(found: list[int]) -> tuple[float, float]:
    mean = sum(found) / len(found)
    return mean, sum((x - mean) ** 2 for x in found) / (len(found) - 1)


def test_both_arms_are_exposed_alike_where_stock_caps_and_hours_run_short(scarce: World) -> None:
    reasons = Counter(v["verdict"] for d in scarce.decisions for v in d["verdicts"])
    control, treatment = (per_customer(scarce, arm) for arm in (Arm.CONTROL, Arm.TREATMENT))

    assert min(reasons[why] for why in ("out_of_stock", "quiet_hours", "won", "control")) > 30, reasons
    assert min(reasons[why] for why in ("gap", "contact_cap", "overall_cap")) > 0, reasons
    assert apart(control, treatment) < 2
    # A house that does not ask the pool for the control group would be found out.
    naive = [len([d for d in scarce.decisions if d["customer"] == who and _asks(d)]) for who in _of(scarce, "control")]
    assert apart(naive, treatment) > 5


def _of(world: World, arm: str) -> list[str]:
    return sorted({d["customer"] for d in world.decisions if d["verdicts"][0]["arm"] == arm})


def _asks(decision: dict[str, Any]) -> bool:
    return any(verdict["rank"] for verdict in decision["verdicts"])


def test_each_form_has_a_control_group_that_is_exposed_as_it_is(scarce: World) -> None:
    for form in ("by-push", None):
        for_form = {d["customer"] for d in scarce.decisions if d["verdicts"][0].get("treatment") == form}
        times = Counter(who for _, who, _, _ in scarce.met())
        arms = {d["customer"]: d["verdicts"][0]["arm"] for d in scarce.decisions}
        control, treated = ([times[who] for who in for_form if arms[who] == arm] for arm in ("control", "treatment"))

        assert min(len(control), len(treated)) > 40
        assert apart(control, treated) < 2
    channels = {(d["verdicts"][0].get("treatment"), d["channel"]) for d in scarce.decisions if d["channel"]}
    assert channels == {("by-push", "push"), (None, "sms"), (None, "push")}


def test_the_ledger_answers_either_arm_the_same_at_the_same_moment(scarce: World) -> None:
    assert scarce.unlike == []
    granted = [d for d in scarce.decisions if d["state"] == "offered"]
    assert len(granted) == 60


def test_the_arms_have_the_shares_they_were_given_at_the_match_and_after_every_gate(scarce: World) -> None:
    arms = [len(_of(scarce, arm)) for arm in ("control", "treatment")]
    suppressed = [d for d in scarce.decisions if d["state"] == "suppressed"]

    # Nobody is lost before the arm is written down: all who matched, however little they got.
    assert sum(arms) == len({d["customer"] for d in scarce.decisions}) > 240
    assert abs(arms[0] - sum(arms) / 2) < 2 * sqrt(sum(arms)) / 2
    assert all(verdict["arm"] for decision in suppressed for verdict in decision["verdicts"])


def test_where_stock_lasts_exactly_the_same_customers_are_exposed_whoever_is_in_which_arm() -> None:
    one, two = (town(salt, 10**6, 10**6) for salt in ("one", "two"))

    assert one.met() == two.met()
    assert len(one.met()) > 250
    assert _of(one, "control") != _of(two, "control")
