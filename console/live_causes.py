"""Causes: why a backtest and a live run came to different ends, by what is known to have differed before the decision.

A cause is evidence and no proof: it is there, and it comes before the decision. Of several the first in the order of
`CAUSES` is told first.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from console.live_fates import Pair
from console.live_histories import History, Seen
from kairos.decisions import SHARED
from kairos.instants import Millis
from streams.versions import CODES_KEY, MODEL

__all__ = ["CAUSES", "Cause", "Difference", "Why", "explained"]

Cause = Literal["events", "versions", "order", "feedback", "models", "earlier", "shared", "clock", "unknown"]
CAUSES: Final[tuple[Cause, ...]] = (
    "events", "versions", "order", "feedback", "models", "earlier", "shared", "clock", "unknown",
)  # fmt: skip
_Place = Seen | Millis | str


class Why(NamedTuple):
    """One cause, and the places or names by which it is told."""

    cause: Cause
    told: tuple[_Place, ...] = ()


class Difference(NamedTuple):
    """A rule at an event that came to different ends, and why, the likeliest cause first."""

    pair: Pair
    whys: tuple[Why, ...]


def explained(pairs: Iterable[Pair], live: History, back: History, versions: Mapping[str, str]) -> Iterator[Difference]:
    """Say of each difference what differed before it.

    Parameters
    ----------
    pairs
        Those that are not the same.
    live, back
        In which order either run took the events of their customers.
    versions
        The content hashes under which the backtest ran.

    """
    ordered = sorted(pairs, key=lambda pair: (pair.some.event_at, pair.key))
    before: dict[str, str] = {}
    for pair in ordered:
        customer = pair.key[0]
        whys = tuple(_whys(pair, (live, back), versions))
        if (first := before.get(customer)) not in (None, pair.some.event):
            whys += (Why("earlier", (first or "",)),)
        whys = tuple(sorted(whys, key=lambda why: CAUSES.index(why.cause))) or (Why("unknown"),)
        before.setdefault(customer, pair.some.event)
        yield Difference(pair, whys)


def _whys(pair: Pair, histories: tuple[History, History], versions: Mapping[str, str]) -> Iterator[Why]:
    live, back = (history.before(pair.key[0], pair.some.event) for history in histories)
    in_force = pair.live.versions if pair.live else live[-1].versions if live else None
    yield from _of_versions(in_force, versions)
    if live is None or back is None:
        # Where only decisions are known, an event without one says nothing.
        if histories[0].is_whole or back is None:
            yield Why("events", ("live" if live is None else "log",))
    else:
        yield from _of_events(live, back, histories, pair.key[0])
    if {fate.verdict for fate in (pair.live, pair.back) if fate} & SHARED:
        yield Why("shared")
    moments = [
        fate.at if fate else seen[-1].now if seen else None for fate, seen in zip(pair[1:], (live, back), strict=True)
    ]
    if None not in moments and moments[0] != moments[1]:
        yield Why("clock", tuple(moment for moment in moments if moment is not None))


def _of_versions(live: Mapping[str, str] | None, back: Mapping[str, str]) -> Iterator[Why]:
    if live is None:
        return
    other = {kind for kind in live.keys() | back.keys() if live.get(kind) != back.get(kind)} - {CODES_KEY}
    models = {kind for kind in other if kind.startswith(MODEL)}
    if other - models:
        yield Why("versions", tuple(sorted(other - models)))
    if models:
        yield Why("models", tuple(sorted(models)))


def _of_events(
    live: Sequence[Seen], back: Sequence[Seen], histories: tuple[History, History], customer: str
) -> Iterator[Why]:
    """Hold the events before a decision beside each other: those of one run alone, their order, what came back."""
    everyone = [{seen.id: seen for seen in history.events.get(customer, [])} for history in histories]
    if histories[0].is_whole:
        alone = [seen for seen in live if seen.id not in everyone[1]], [s for s in back if s.id not in everyone[0]]
        for place, found in zip(("log", "live"), alone, strict=True):
            if happened := [seen for seen in found if seen.type != "feedback"]:
                yield Why("events", (place, happened[0]))
        if answers := [seen for found in alone for seen in found if seen.type == "feedback"]:
            yield Why("feedback", (answers[0], str(Counter(seen.type for seen in answers)["feedback"])))
    orders = ([s for s in one if s.id in everyone[0] and s.id in everyone[1]] for one in (live, back))
    if (first := _first(*orders)) is not None:
        yield Why("order", first)


def _first(live: Sequence[Seen], back: Sequence[Seen]) -> tuple[Seen, Seen] | None:
    """Give the first two events that were taken in another order: the first of them came first live.

    Examples
    --------
    >>> a, b = Seen("a", "login", 1, 1), Seen("b", "login", 2, 2)
    >>> _first([a, b], [b, a]) == (a, b), _first([b], [a, b]) == (b, a), _first([a, b], [b]) == (a, b)
    (True, True, True)
    >>> _first([a, b], [a, b]) is None
    True

    """
    for place in range(max(len(live), len(back))):
        one = live[place] if place < len(live) else None
        two = back[place] if place < len(back) else None
        if one is None or two is None or one.id != two.id:
            # Where one run had taken fewer by then, the decided event itself came before the next one.
            return (one or live[-1], two or back[-1])
    return None
