"""Problems: what is wrong with a file that people wrote, where, and what they may have meant."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic_core import PydanticCustomError

__all__ = ["Problem", "by_place", "mistake", "suggest"]


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


def by_place(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Give each problem once, in the order a reader meets them."""
    return tuple(sorted(set(problems), key=lambda p: (p.file, p.line, p.column, p.what)))


def suggest(word: object, known: Iterable[str], otherwise: Literal["list", "nothing"] = "list") -> str:
    """Give the tail of a sentence: the nearest known word, else all of them, or nothing.

    Examples
    --------
    >>> suggest("pussh", ["sms", "push"]), suggest("pigeon", ["sms", "push"])
    ("; did you mean 'push'?", '; it is one of: push, sms')

    """
    names = sorted(known)
    near = difflib.get_close_matches(str(word), names, 1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; it is one of: {', '.join(names)}" if otherwise == "list" and len(names) <= 30 else ""


def mistake(what: str) -> PydanticCustomError:
    """Make the error that a pydantic validator raises for a finished sentence."""
    # The sentence travels beside the template, because a brace in it must stay a brace.
    return PydanticCustomError("kairos", "{what}", {"what": what})
