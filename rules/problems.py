"""Problems: what is wrong with a file that people wrote, where, and what they may have meant."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, NamedTuple

from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

__all__ = [
    "MOST_PROBLEMS",
    "Place",
    "Problem",
    "at_places",
    "bounded",
    "by_place",
    "many",
    "mistake",
    "shown",
    "suggest",
]

MOST_PROBLEMS = 1_000
"""How many problems of one file are told; whoever made more of them made one that comes again and again."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: the file, the place in it (counted from 1), and a sentence; suggestions are in the sentence.

    Examples
    --------
    >>> print(Problem("lunch.yaml", 20, 44, "unknown key 'atleast'" + suggest("atleast", ["at_least", "within"])))
    lunch.yaml:20:44: unknown key 'atleast'; did you mean 'at_least'?

    """

    file: str
    line: int
    column: int
    what: str

    def __str__(self) -> str:
        """Write it the way editors and terminals can jump to."""
        return f"{self.file}:{self.line}:{self.column}: {self.what}"


class Place(NamedTuple):
    """Line and column, counted from 1; and the file, where it is another one than the one that is read."""

    line: int
    column: int
    file: str = ""

    def problem(self, file: str, what: str) -> Problem:
        """Say what is wrong here, in a file unless the place is in another one."""
        return Problem(self.file or file, self.line, self.column, what)


def by_place(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Give each problem once, in the order a reader meets them."""
    return tuple(sorted(set(problems), key=lambda p: (p.file, p.line, p.column, p.what)))


def bounded(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Give the first `MOST_PROBLEMS`, and where there are more, one that says so."""
    if len(problems) <= MOST_PROBLEMS:
        return problems
    said = f"more than {MOST_PROBLEMS} problems; what follows was not looked at"
    return (*problems[:MOST_PROBLEMS], replace(problems[MOST_PROBLEMS], what=said))


def shown(value: object) -> str:
    """Write a value as its author would find it again, however long it is and whatever it holds.

    Examples
    --------
    >>> print(shown("x" * 100), shown(True), shown(None), shown([1]), shown(Decimal("0.0000001")))
    'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' true nothing a list 0.0000001

    """
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "nothing"
        case int() | float():
            return str(value)
        case Decimal():
            return format(value, "f")
        case str():
            return repr(value if len(value) <= 60 else value[:57] + "...")
        case list() | tuple() | set() | frozenset():
            return "a list"
    return "a mapping"


def suggest(word: object, known: Iterable[str], otherwise: Literal["list", "nothing"] = "list") -> str:
    """Give the tail of a sentence: the nearest known word, else all of them, or nothing.

    Examples
    --------
    >>> suggest("pussh", ["sms", "push"]), suggest("pigeon", ["sms", "push"])
    ("; did you mean 'push'?", '; it is one of: push, sms')

    """
    names = sorted(known)
    near = difflib.get_close_matches(str(word)[:200], names, 1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; it is one of: {', '.join(names)}" if otherwise == "list" and 0 < len(names) <= 30 else ""


def many(number: int, what: str) -> str:
    """Say how many there are of something, in English.

    Examples
    --------
    >>> many(1, "problem"), many(2_000, "rule")
    ('1 problem', '2,000 rules')

    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def at_places(told: Mapping[tuple[str | int, ...], str]) -> ValidationError:
    """Make the error that a validator raises for finished sentences, each at a place below its own."""
    errors = [InitErrorDetails(type=mistake(what), loc=place, input=None) for place, what in told.items()]
    return ValidationError.from_exception_data("value", errors)


def mistake(what: str) -> PydanticCustomError:
    """Make the error that a pydantic validator raises for a finished sentence."""
    # The sentence travels beside the template, because a brace in it must stay a brace.
    return PydanticCustomError("kairos", "{what}", {"what": what})
