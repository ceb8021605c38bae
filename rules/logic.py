"""Logic: conditions joined by `all`, `any` and `not`, in three values.

What is unknown is never enough: it speaks neither for a condition nor for its opposite. So each condition can
be written twice, as what makes it hold and as what makes it fail, and `not` takes the other one.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Protocol, Self

from pydantic import Field, model_validator

from rules.asked import Written
from rules.judged import Judged, Seen, all_hold, opposite, some_hold
from rules.problems import mistake
from rules.saying import WORDS, Language, denied
from rules.scope import Scope
from rules.shapes import Shape
from rules.source import all_of, any_of

__all__ = ["Condition", "Tree", "conjunction"]


class Condition(Protocol):
    """What can hold, fail, or be unknown."""

    def holds(self, scope: Scope) -> str:
        """Write that it holds."""
        ...

    def fails(self, scope: Scope) -> str:
        """Write that it fails."""
        ...

    def judged(self, seen: Seen, scope: Scope) -> Judged:
        """Judge it plainly: the reference that both sources must agree with."""
        ...

    def said(self, language: Language) -> str:
        """Say it."""
        ...

    def denied(self, language: Language) -> str:
        """Say that it fails."""
        ...


class Tree(Written):
    """Exactly one of the keys: one condition, or `all`, `any` or `not` of others."""

    all: Annotated[tuple[Self, ...], Field(max_length=50)] | None = None
    """All of these hold; of none, always."""
    any: Annotated[tuple[Self, ...], Field(min_length=1, max_length=50)] | None = None
    """At least one of these holds."""
    none: Self | None = Field(None, alias="not")
    """This does not hold; what is unknown is not enough."""

    shapes: ClassVar[tuple[Shape, ...]] = ({"minProperties": 1, "maxProperties": 1},)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        fields = type(self).model_fields
        if sum(getattr(self, name) is not None for name in fields) != 1:
            keys = [field.alias or name for name, field in fields.items()]
            raise mistake(f"give one of {', '.join(keys)}; a second condition is a second item of the list")
        return self

    @property
    def leaf(self) -> Condition:
        """The condition, where it is one."""
        raise NotImplementedError

    @property
    def parts(self) -> tuple[Self, ...] | None:
        """What is joined here, or None where this is one condition."""
        return (self.none,) if self.none is not None else self.all if self.any is None else self.any

    def leaves(self) -> Iterator[Condition]:
        """Give every condition below, from left to right."""
        parts = self.parts
        if parts is None:
            yield self.leaf
        for part in parts or ():
            yield from part.leaves()

    def holds(self, scope: Scope) -> str:
        """Write that it holds."""
        if self.none is not None:
            return self.none.fails(scope)
        if self.parts is None:
            return self.leaf.holds(scope)
        return (all_of if self.any is None else any_of)(part.holds(scope) for part in self.parts)

    def fails(self, scope: Scope) -> str:
        """Write that it fails."""
        if self.none is not None:
            return self.none.holds(scope)
        if self.parts is None:
            return self.leaf.fails(scope)
        return (any_of if self.any is None else all_of)(part.fails(scope) for part in self.parts)

    def judged(self, seen: Seen, scope: Scope) -> Judged:
        """Judge it, every part of it, also those that no longer matter."""
        if self.parts is None:
            return self.leaf.judged(seen, scope)
        found = [part.judged(seen, scope).holds for part in self.parts]
        if self.none is not None:
            return Judged(opposite(found[0]))
        return Judged(all_hold(found) if self.any is None else some_hold(found))

    def said(self, language: Language) -> str:
        """Say it."""
        if self.none is not None:
            return self.none.denied(language)
        if self.parts is None:
            return self.leaf.said(language)
        if self.any is None:
            return conjunction(self.parts, language) or WORDS[language]["always"]
        return WORDS[language]["or"].join(_within_any(part, language) for part in self.parts)

    def denied(self, language: Language) -> str:
        """Say that it fails."""
        return self.leaf.denied(language) if self.parts is None else denied(self.said(language), language)


def conjunction(trees: Sequence[Tree], language: Language, *, flat: bool = False) -> str:
    """Say that all of them hold.

    Parameters
    ----------
    trees
        What must hold.
    language
        In which language.
    flat
        Whether what is joined by `all` itself is said as if it stood here.

    """
    said = []
    for tree in trees:
        is_bare = len(trees) == 1 or not _is_joined(tree) or (flat and len(tree.all or ()) > 1)
        said.append(tree.said(language) if is_bare else _in_brackets(tree, language))
    return WORDS[language]["and"].join(said)


def _within_any(tree: Tree, language: Language) -> str:
    said = tree.said(language)
    # A condition that itself says "and", such as one with two bounds, would be read as two.
    has_and = tree.none is None and WORDS[language]["and"] in said
    return _in_brackets(tree, language) if _is_joined(tree) or has_and else said


def _in_brackets(tree: Tree, language: Language) -> str:
    return f"（{tree.said(language)}）" if language == "zh" else f"({tree.said(language)})"


def _is_joined(tree: Tree) -> bool:
    parts = tree.parts
    if tree.none is not None or not parts:
        return False
    return len(parts) > 1 or _is_joined(parts[0])
