"""Cold starts: which conditions of a book begin to be remembered when it comes into force."""

from dataclasses import dataclass

from rules.book import Book

__all__ = ["Cold", "cold"]


@dataclass(frozen=True, slots=True)
class Cold:
    """A condition that remembers nothing yet, or not as much as it asks for: the rule, and the place in it."""

    rule: str
    place: tuple[str | int, ...]

    def __str__(self) -> str:
        """Write it as one line."""
        return f"{self.rule}: when.{'.'.join(map(str, self.place))} begins to be remembered now"


def cold(book: Book, before: Book) -> list[Cold]:
    """Give the conditions that start cold where one book takes the place of another, by rule.

    A rule that says `warm: accept` is told of, too: it may fire from the first moment, knowing little.

    Examples
    --------
    >>> cold(Book.empty(), Book.empty())
    []

    """
    new = {
        key
        for key, feature in book.features.items()
        if key not in before.features or before.features[key].capacity < feature.capacity
    }
    return [
        Cold(rule.id, place)
        for rule in book.rules.values()
        for place, leaf in rule.when.placed()
        if any(feature.key in new for feature in leaf.features(rule.on.selector))
    ]
