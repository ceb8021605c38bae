"""Levers: priorities that lie beside rules, held against them, each finding with its place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from kairos.instants import Millis
from kairos.offers import CouponPool
from rules.book import Book
from rules.check import checked
from rules.lever_fit import Reached, idle, reached, unfit_levers
from rules.priorities import Priorities
from rules.problems import Problem
from rules.yaml_reader import Tree

__all__ = ["Levers", "read_levers"]


@dataclass(frozen=True, slots=True)
class Levers:
    """Priorities that were read.

    Parameters
    ----------
    file
        Where they stand.
    priorities
        What they say.
    tree
        The places of it.
    within
        What they can reach; None where nobody knows, for the rules are not a whole book.

    """

    file: str
    priorities: Priorities
    tree: Tree
    within: Reached | None = None

    def beside(self, book: Book, pools: Mapping[str, CouponPool] | None) -> "Levers":
        """Give them as they are beside the rules of a whole book."""
        return replace(self, within=reached(book.rules.values(), pools))

    def problems(self) -> Iterator[Problem]:
        """Say which levers name what is not there."""
        for path, what in unfit_levers(self.priorities, self.within) if self.within else ():
            yield self.tree.find(path).problem(self.file, what)

    def warnings(self, now: Millis) -> Iterator[Problem]:
        """Say what is odd about them."""
        for path, what in idle(self.priorities, self.within, now):
            yield self.tree.find(path).problem(self.file, f"warning: {what}")


def read_levers(file: str, text: bytes) -> Levers | tuple[Problem, ...]:
    """Read priorities, or say what is wrong with them."""
    found, tree, problems = checked(file, text, Priorities)
    return problems if found is None or problems else Levers(file, found, tree)
