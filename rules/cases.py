"""The tests inside rules, run: each event through the same match, gates and limits as in the engine."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from kairos.customer import Customer, Standing
from kairos.decisions import Reason
from kairos.events import Consent, Event, Profile
from kairos.instants import Millis, moment, rfc3339
from rules.book import Book
from rules.decide import convinced, gates
from rules.explain import Explanation, explain
from rules.judged import Seen
from rules.limits import hold
from rules.policy import Policy
from rules.schema import Rule, Status
from rules.told import Case

__all__ = ["Failure", "run"]

_ASKED: Final = frozenset({Reason.NOT_VALID, Reason.STALE, Reason.COOLDOWN, Reason.SCORE_TOO_LOW})
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
    events' own time, and the rule counts as active.

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
    reason = None if found is None else found.reason
    if reason is None:
        return "nothing: it fires"
    return None if reason.is_of(said) else reason.kind


def _played(
    rule: Rule, case: Case, asked: Collection[Millis], zone: str
) -> tuple[tuple[Millis, ...], dict[Millis, Explanation]]:
    """Play a test; gives when the rule fired, and what became of it at the instants that are asked for."""
    rule = rule.model_copy(update={"status": Status.ACTIVE})
    book, customer, standing, policy = Book.of((rule,)), Customer(), _willing(case), _open(zone)
    fired: list[Millis] = []
    explained: dict[Millis, Explanation] = {}
    for at, event in case.story:
        book.observe(event, customer)
        if at in asked:
            seen = Seen(event, customer, lambda: standing)
            found = explain(rule, seen, policy, at, dict(case.customer.scores))
            explained[at] = replace(found, gates=tuple(gate for gate in found.gates if gate.kind in _ASKED))
        if _fires(book, event, customer, standing, policy, case):
            fired.append(at)
    return tuple(fired), explained


def _fires(book: Book, event: Event, customer: Customer, standing: Standing, policy: Policy, case: Case) -> bool:
    for candidate in gates(event, customer, standing, book.match(event, customer, lambda: standing), policy, event.at):
        if convinced(candidate, case.customer.scores).is_open:
            hold(customer, candidate, event.at)
            return True
    return False


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
