"""The tests inside rules, run: each event through the same match, gates and limits as in the engine."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from kairos.customer import Customer, Standing
from kairos.decisions import Reason
from kairos.events import Consent, Event, Profile
from kairos.instants import Millis, moment, rfc3339
from rules.absences import Pending, arm, came, name_of, over, pending
from rules.book import Book
from rules.decide import convinced, gates
from rules.explain import Explanation, explain, waiting
from rules.judged import Seen
from rules.limits import hold
from rules.policy import Policy
from rules.schema import Rule, Status
from rules.told import Case

__all__ = ["Failure", "run"]

_FOR_EVER: Final[Millis] = 2**62
_ASKED: Final = frozenset(
    {Reason.NOT_VALID, Reason.STALE, Reason.COOLDOWN, Reason.CUSTOMER_LIMIT, Reason.SCORE_TOO_LOW}
)
"""The gates that can refuse in a test; the others are open, and to tell of them would hide what matters."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that did not come out as its rule says.

    Parameters
    ----------
    rule, case
        The rule's id and the test's name.
    number
        Which of the rule's tests it is, from 0.
    expected, got
        When the rule should fire, and when it does.
    other_reasons
        Where the rule is silent for another reason than `why_not` says: the reason said and the one found.
    explained
        What became of every clause at each instant at which the two differ; None where no event happens then.

    """

    rule: str
    case: str
    number: int
    expected: tuple[Millis, ...]
    got: tuple[Millis, ...]
    other_reasons: Mapping[Millis, tuple[str, str]]
    explained: Mapping[Millis, Explanation | None]

    def __str__(self) -> str:
        """Write it as one line, times in UTC."""
        said = f"{self.rule}: {self.case}:"
        if self.expected != self.got:
            return f"{said} should fire at {_times(self.expected)}, fires at {_times(self.got)}"
        at, (wanted, found) = next(iter(self.other_reasons.items()))
        return f"{said} should be silent at {rfc3339(at)} because of {wanted}, is because of {found}"


def run(book: Book, zones: Mapping[str, str] | None = None) -> tuple[Failure, ...]:
    """Run the tests of every rule alone; a published book has none.

    Consent is given, every hour is open and no cap holds: a test is about its rule. Processing time is the
    events' own time, and runs on to every deadline; the rule counts as active.

    Parameters
    ----------
    book
        The rules with their tests.
    zones
        In which zone a rule's times are explained, by its id; UTC for all others.

    """
    known = zones or {}
    found = (
        _failure(rule, case, number, known.get(rule.id, "UTC"))
        for rule in book.rules.values()
        for number, case in enumerate(rule.tests)
    )
    return tuple(failure for failure in found if failure is not None)


def _failure(rule: Rule, case: Case, number: int, zone: str) -> Failure | None:
    expected = tuple(sorted(case.fires))
    got, explained = _played(rule, case, case.why_not, zone)
    other = {at: (said, why) for at, said in case.why_not.items() if (why := _other_reason(explained.get(at), said))}
    if got == expected and not other:
        return None
    told = sorted({*expected} ^ {*got} | other.keys())
    _, explained = _played(rule, case, told, zone)
    return Failure(rule.id, case.name, number, expected, got, other, {at: explained.get(at) for at in told})


def _other_reason(found: Explanation | None, said: str) -> str | None:
    """Give what is in the way, where that is not what the test says."""
    if found is None:
        return "nothing: no wait would be over then"
    reason = found.reason
    if reason is None:
        return "nothing: it fires"
    return None if reason.is_of(said) else reason.kind


def _played(
    rule: Rule, case: Case, asked: Collection[Millis], zone: str
) -> tuple[tuple[Millis, ...], dict[Millis, Explanation]]:
    """Play a test; gives when the rule fired, and what became of it at the instants that are asked for."""
    run = _Run(rule.model_copy(update={"status": Status.ACTIVE}), case, asked, zone)
    for _, event in case.story:
        run.hear(event)
    run.wait(_FOR_EVER)
    return tuple(run.fired), run.explained


class _Run:
    """A test under way: the customer, what is waited for, when the rule fired, and what is to be explained."""

    def __init__(self, rule: Rule, case: Case, asked: Collection[Millis], zone: str) -> None:
        self._rule, self._book, self._policy = rule, Book.of((rule,)), _open(zone)
        self._customer, self._standing, self._scores = Customer(), _willing(case), dict(case.customer.scores)
        self._asked, self._said, self._armed = asked, case.why_not, dict[Pending, Event]()
        self.fired: list[Millis] = []
        self.explained: dict[Millis, Explanation] = {}

    def hear(self, event: Event) -> None:
        """Let something happen, and before it what was due before it."""
        self.wait(event.at - 1)
        self._book.observe(event, self._customer)
        for rule, belongs in self._book.ends(event):
            for one in came(self._customer, name_of(rule, belongs), event.at):
                self._explain(self._due(one), came=event.at)
        self._explain(event)
        matched = self._book.match(event, self._customer, lambda: self._standing)
        if self._rule.absent is None:
            self._decide(matched, event)
        elif matched and (values := self._rule.absent.values(event)) is not None:
            wanted = Pending(name_of(self._rule.id, values), event.at, self._rule.absent.deadline(event.at))
            arm(self._customer, wanted, restart=self._rule.absent.rearm == "restart")
            self._armed[wanted] = event

    def wait(self, until: Millis) -> None:
        """Let time pass: what is waited for and does not come by its deadline makes the rule fire."""
        for one in sorted(pending(self._customer), key=lambda one: one.due):
            if one.due <= until:
                over(self._customer, one)
                event = self._due(one)
                self._explain(event, is_over=True)
                self._decide((self._rule,), event)

    def _due(self, one: Pending) -> Event:
        """Give the event that a wait is over."""
        armed = self._armed[one]
        return Event("", armed.type, one.due, "", armed.category, armed.data)

    def _explain(self, event: Event, *, is_over: bool = False, came: Millis | None = None) -> None:
        if event.at in self._asked and not self._is_told(event.at):
            seen = Seen(event, self._customer, lambda: self._standing)
            found = explain(self._rule, seen, self._policy, event.at, self._scores)
            told = tuple(gate for gate in found.gates if gate.kind in _ASKED)
            found = replace(found, gates=told)
            self.explained[event.at] = found if is_over else waiting(found, came, self._policy.zone)

    def _is_told(self, at: Millis) -> bool:
        """Whether what the test names is found already, of several things that happen at one time."""
        said, found = self._said.get(at), self.explained.get(at)
        return said is not None and found is not None and found.reason is not None and found.reason.is_of(said)

    def _decide(self, matched: tuple[Rule, ...], event: Event) -> None:
        for candidate in gates(event, self._customer, self._standing, matched, self._policy, event.at):
            if convinced(candidate, self._scores).is_open:
                hold(self._customer, candidate, event.at, event.at)
                self.fired.append(event.at)


def _willing(case: Case) -> Standing:
    everything = Consent(purpose="*", channel="*", granted=True, at=moment(0))
    told = case.customer
    return Standing(Profile(attrs=told.attrs, tags=told.tags, consent=(everything,), personalisation=True))


def _open(zone: str) -> Policy:
    day, always = "00:00-24:00", {"within": "1s", "at_most": 64}
    return Policy.model_validate(
        {
            "format": 1,
            "zone": zone,
            "hours": {"sms": day, "push": day, "list": day},
            "caps": {"sms": always, "push": always},
        }
    )


def _times(instants: tuple[Millis, ...]) -> str:
    return ", ".join(rfc3339(instant) for instant in instants) or "no time"
