"""The report of a check: problems first, then warnings, then every rule in words, then what the book is."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from console.checking import Checked
from console.filling import beginnings
from rules.book import Book
from rules.cold import cold
from rules.cost import cost
from rules.problems import Problem, many
from rules.sentence import LANGUAGES, sentence

__all__ = ["Form", "Told", "first", "told_of"]

SHOWN = 100
"""How many lines of a kind are printed; whoever has more mends these first."""


class Form(StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of some files."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    book: Book | None

    def summary(self) -> Iterator[str]:
        """Say every rule in both languages, and what the book asks an engine to remember of each customer."""
        if self.book is None:
            return
        for rule in self.book.rules.values():
            yield "\n".join((rule.id, *(f"  {sentence(rule, language)}" for language in LANGUAGES)))
        yield from beginnings(one for one in cold(self.book, Book.empty()) if one.events)
        yield from map(str, cost(self.book))
        yield f"{many(len(self.book.rules), 'rule')}, book {self.book.hash}"

    def json(self) -> str:
        """Write all of it as JSON."""
        rules = {} if self.book is None else self.book.rules
        return json.dumps(
            {
                "problems": [asdict(problem) for problem in self.problems],
                "warnings": [asdict(problem) for problem in self.warnings],
                "book": None if self.book is None else self.book.hash,
                "cost": [] if self.book is None else [asdict(one) for one in cost(self.book)],
                "rules": {id_: {word: sentence(rule, word) for word in LANGUAGES} for id_, rule in rules.items()},
            },
            ensure_ascii=False,
            indent=2,
        )


def told_of(checked: Checked, warnings: tuple[Problem, ...]) -> Told:
    """Put together what is told; where there are problems there is no book."""
    return Told(tuple(checked.problems), warnings, None if checked.problems else checked.book)


def first(lines: Sequence[object]) -> Iterator[str]:
    """Give the first lines, and how many there are beside them.

    Examples
    --------
    >>> list(first(range(102)))[99:]
    ['99', '... and 2 more']

    """
    yield from map(str, lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"... and {len(lines) - SHOWN} more"
