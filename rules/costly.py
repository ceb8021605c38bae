"""Costly: what a book asks of the engine beyond stated bounds, with the place that asks most, and with a reason."""

from collections.abc import Iterator

from rules.absences import MOST
from rules.book import Book
from rules.cost import cost
from rules.fields import CATEGORY
from rules.schema import Rule, Status
from rules.warnings import Warned

__all__ = ["MOST_BYTES", "MOST_FEATURES", "MOST_WALKED", "costly"]

MOST_BYTES = 10_000
"""How many bytes of one customer all rules together may make the engine keep: ten million who fill them take 100 GB."""
MOST_FEATURES = 200
"""How many memories all rules together may have; an event costs some two microseconds for each that it is put into."""
MOST_WALKED = 100
"""How many rules and memories may be asked about every event of a type; so many take some four microseconds."""


def costly(book: Book) -> Iterator[Warned]:
    """Say what a book costs beyond the bounds.

    Examples
    --------
    >>> list(costly(Book.empty()))
    []

    """
    everything = cost(book)[-1]
    if everything.most_bytes > MOST_BYTES:
        most = max(book.features, key=lambda key: (book.features[key].most_bytes, key))
        what = f"the rules make the engine keep up to {everything.most_bytes:,} bytes of each customer, more than"
        yield _asking(book, most, f"{what} {MOST_BYTES:,}; no memory is larger than this one's")
    if everything.features > MOST_FEATURES:
        what = f"the rules have {everything.features} memories, more than {MOST_FEATURES}"
        rule = max(book.apart.values(), key=lambda one: (len(one.features), one.clauses.id)).clauses.id
        yield Warned(
            rule, ("when",), f"{what}; rules that count the same events share one, and none has more than this"
        )
    yield from _waiting(book)
    yield from _walked(book)


def _asking(book: Book, key: str, what: str) -> Warned:
    """Say something of a memory where it is first asked for."""
    return next(
        Warned(rule.id, ("when", *place), what)
        for rule in book.rules.values()
        for place, leaf in rule.when.placed()
        if any(feature.key == key for feature in leaf.features(rule.on.selector))
    )


def _waiting(book: Book) -> Iterator[Warned]:
    waits = [rule for rule in book.rules.values() if rule.absent is not None and rule.status is not Status.DRAFT]
    if len(waits) > MOST:
        what = f"{len(waits)} rules wait for something, and one customer waits for {MOST} at the most;"
        yield Warned(waits[MOST].id, ("when",), f"{what} what goes beyond is refused as too_many_pending")


def _walked(book: Book) -> Iterator[Warned]:
    """Look for the types of events of which everything must be asked, because nothing says which category is meant."""
    for event in dict.fromkeys(of for of, _ in (*book.matchers.buckets, *book.watchers.buckets)):
        rules = [rule for rule in book.rules.values() if _is_walked(rule, event)]
        memories = len(book.watchers.buckets.get((event, None), ((), None))[0])
        if rules and len(rules) + memories > MOST_WALKED:
            said = f"every {event} is held against {len(rules)} rules and {memories} memories, more than {MOST_WALKED}"
            name = CATEGORY.get(event)
            yield Warned(rules[0].id, ("on",), f"{said}; {f'name {name} where you can' if name else 'write fewer'}")


def _is_walked(rule: Rule, event: str) -> bool:
    selector = rule.on.selector
    return selector.event == event and not selector.categories and rule.status is not Status.DRAFT
