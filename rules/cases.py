"""The tests inside rules, run: each event through the same match, gates and limits as in the engine."""

from dataclasses import dataclass

from kairos.customer import Customer, Standing
from kairos.events import Consent, Profile
from kairos.instants import Millis, moment, rfc3339
from rules.book import Book
from rules.decide import convinced, gates
from rules.limits import hold
from rules.policy import Policy
from rules.schema import Rule, Status
from rules.told import Case

__all__ = ["Failure", "run"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that did not come out as its rule says."""

    rule: str
    case: str
    expected: tuple[Millis, ...]
    got: tuple[Millis, ...]

    def __str__(self) -> str:
        """Write it as one line, times in UTC."""
        return f"{self.rule}: {self.case}: should fire at {_times(self.expected)}, fires at {_times(self.got)}"


def run(book: Book) -> tuple[Failure, ...]:
    """Run the tests of every rule alone; a published book has none.

    Consent is given, every hour is open and no cap holds: a test is about its rule. Processing time is the
    events' own time, and the rule counts as active.
    """
    return tuple(
        Failure(rule.id, case.name, tuple(sorted(case.fires)), got)
        for rule in book.rules.values()
        for case in rule.tests
        if (got := _fired(rule, case)) != tuple(sorted(case.fires))
    )


def _fired(rule: Rule, case: Case) -> tuple[Millis, ...]:
    book = Book.of((rule.model_copy(update={"status": Status.ACTIVE}),))
    customer, standing, policy = Customer(), _willing(case), _open()
    fired: list[Millis] = []
    for at, event in case.story:
        book.observe(event, customer)
        matched = book.match(event, customer, lambda: standing)
        for candidate in gates(event, customer, standing, matched, policy, at):
            if convinced(candidate, case.customer.scores).is_open:
                hold(customer, candidate, at)
                fired.append(at)
    return tuple(fired)


def _willing(case: Case) -> Standing:
    everything = Consent(purpose="*", channel="*", granted=True, at=moment(0))
    told = case.customer
    return Standing(Profile(attrs=told.attrs, tags=told.tags, consent=(everything,), personalisation=True))


def _open() -> Policy:
    day, always = "00:00-24:00", {"within": "1s", "at_most": 64}
    return Policy.model_validate(
        {
            "format": 1,
            "zone": "UTC",
            "hours": {"sms": day, "push": day, "list": day},
            "caps": {"sms": always, "push": always},
        }
    )


def _times(instants: tuple[Millis, ...]) -> str:
    return ", ".join(rfc3339(instant) for instant in instants) or "no time"
