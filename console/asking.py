"""Asking why: one customer's part of a log, replayed up to one event, and what became of every rule at that event."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from kairos.decisions import Decision
from kairos.events import Event, Feedback, Profile
from kairos.instants import Millis
from kairos.ports import Batch, Record
from kairos.wire import BadRecord, read
from models.features import features
from rules.arms import drawn
from rules.decide import refused
from rules.explain import Explanation, explain
from rules.judged import EVER, Seen
from rules.schema import Rule
from streams.facts import around, offered
from streams.replay import Replay
from streams.topics import DECISIONS
from streams.versions import Versions
from streams.work import Work

__all__ = ["Answer", "NoEvent", "Question", "asked", "explanations"]


class NoEvent(Exception):
    """No event of this customer happened at or before the time; `nearest` are the times of the next ones, if any."""

    def __init__(self, nearest: Sequence[Millis]) -> None:
        super().__init__("no event at or before this time")
        self.nearest = tuple(nearest)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of the rules at one event.

    Parameters
    ----------
    event
        The newest at or before the time that was asked for.
    explanations
        Those that fired first, then the nearest misses.
    decision
        What the engine made of the event, if a rule matched.

    """

    event: Event
    explanations: tuple[Explanation, ...]
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Parameters
    ----------
    customer, at
        Whose event, and when; the newest one that is not later.
    rule
        The only rule to be explained; without it, all that this type of event triggers.
    by_arrival
        Whether processing time is when the records arrived, as it was live; else it is the events' own time.

    """

    customer: str
    at: Millis
    rule: str | None = None
    by_arrival: bool = False


def asked(records: Iterable[Record], versions: Versions, question: Question) -> Answer:
    """Replay a customer's records through the live stages, and explain the newest event at or before a time.

    Other customers are left out: what they took from a pool or a budget does not count.

    Parameters
    ----------
    records
        The log, in the order of arrival.
    versions
        Rules, policy, pools and apps.
    question
        What is asked.

    Raises
    ------
    NoEvent
        There is no such event.

    """
    own = [record for record in records if record.key == question.customer.encode()]
    events = dict(_events(own, versions))
    before = [number for number, event in events.items() if event.at <= question.at]
    if not before:
        raise NoEvent(sorted(event.at for event in events.values())[:3])
    place = max(before, key=lambda number: (events[number].at, number))
    event = events[place]
    replay = Replay(versions)
    for record in own[:place]:
        _arrive(replay, record, question)
        for _ in replay.take(record):
            pass
    _arrive(replay, own[place], question)
    explanations = _explained(replay, versions, event, question.rule)
    decisions = [out.value for out in replay.take(own[place]) if out.topic == DECISIONS and out.value]
    made = Decision.model_validate_json(decisions[0]) if decisions else None
    return Answer(event, explanations, made)


def _arrive(replay: Replay, record: Record, question: Question) -> None:
    if question.by_arrival:
        replay.now = max(replay.now, record.at)


def _events(own: Sequence[Record], versions: Versions) -> Iterator[tuple[int, Event]]:
    now = 0
    for number, record in enumerate(own):
        now = max(now, record.at)
        try:
            event = read(record, now, versions.apps)
        except BadRecord:
            continue
        if not isinstance(event.data, Profile | Feedback):
            yield number, event


def _explained(replay: Replay, versions: Versions, event: Event, only: str | None) -> tuple[Explanation, ...]:
    now = max(replay.now, event.at)
    work = Work.on(replay.stores["customers"], Batch(0, 1, [], now, versions))
    versions.book.observe(event, work.customer(event.customer))
    return explanations(work, event, only)


def explanations(
    work: Work, event: Event, only: str | None, since: Mapping[str, int] = EVER
) -> tuple[Explanation, ...]:
    """Say what became of the rules at an event: those that fired first, then the nearest misses.

    Parameters
    ----------
    work
        The desk as the event left it: its customer has observed it.
    event
        The event.
    only
        The only rule that is asked about; without it, all that this type of event triggers.
    since
        Since when each feature is remembered.

    """
    versions, customer, standing = work.versions, work.customer(event.customer), work.standing(event.customer)
    seen = Seen(event, customer, lambda: standing, since)
    rules = [r for r in versions.book.rules.values() if (r.id == only if only else r.on.event == event.type)]
    forms = [drawn(rule, event.customer, versions.policy).form(rule) for rule in rules]
    found = [explain(r, seen, versions.policy, work.now, _scores(work, r, seen), versions.stops) for r in forms]
    return tuple(sorted(found, key=lambda one: (not one.fires, not one.matches, one.misses, one.rule)))


def _scores(work: Work, rule: Rule, seen: Seen) -> Mapping[str, float | None]:
    models = {asked.model: work.versions.models.get(asked.model) for asked in rule.who.scores()}
    if not models:
        return {}
    candidate = replace(refused(rule, seen.event.customer, work.versions.policy, None), channel=rule.then.channels[0])
    known = features(offered(work, candidate), around(work, seen.event))
    return {name: None if model is None else model.score(known) for name, model in models.items()}
