"""Cold starts: which conditions of a book begin to be remembered when it comes into force, and what fills them."""

from dataclasses import dataclass

from rules.book import Book
from rules.fields import EventName

__all__ = ["Cold", "cold", "filled"]

_SAID = b'"warm":"replay"'


@dataclass(frozen=True, slots=True)
class Cold:
    """A condition that remembers nothing yet, or not as much as it asks for.

    Parameters
    ----------
    rule, place
        The rule, and the place in it.
    events
        The types of the events that are read again for it; without any it begins with what happens from now on.

    """

    rule: str
    place: tuple[str | int, ...]
    events: tuple[EventName, ...] = ()

    def __str__(self) -> str:
        """Write it as one line."""
        begins = "is filled from the events that are still kept" if self.events else "begins to be remembered now"
        return f"{self.rule}: when.{'.'.join(map(str, self.place))} {begins}"


def filled(book: Book) -> frozenset[str]:
    """Give the keys of the features that a rule wants filled from the past: all that one with `warm: replay` asks.

    Examples
    --------
    >>> filled(Book.empty())
    frozenset()

    """
    return frozenset(
        feature.key
        for document, apart in book.apart.items()
        # A worker has not read most of its rules; one that does not even say so need not be read for this.
        if _SAID in document and book.rules[apart.clauses.id].warm == "replay"
        for feature in apart.features
    )


def cold(book: Book, before: Book) -> list[Cold]:
    """Give the conditions that start cold where one book takes the place of another, by rule.

    A rule that says `warm: accept` is told of, too: it may fire from the first moment, knowing little. So is one that
    says `warm: replay`, or shares what it looks back on with one that does: until the past was read, it knows little.

    Examples
    --------
    >>> cold(Book.empty(), Book.empty())
    []

    """
    wanted = filled(book)
    new = {
        key
        for key, feature in book.features.items()
        if key not in before.features or before.features[key].capacity < feature.capacity
    }
    found: list[Cold] = []
    for rule in book.rules.values():
        for place, leaf in rule.when.placed():
            begins = [feature for feature in leaf.features(rule.on.selector) if feature.key in new]
            events = {one.event for feature in begins if feature.key in wanted for one in feature.selectors}
            if begins:
                found.append(Cold(rule.id, place, tuple(sorted(events))))
    return found
