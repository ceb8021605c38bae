"""What the bank knows: the names that rules may use, and what it says of each.

Of every kind there is a list, or None where nobody listed it; then its names are not checked.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from heapq import nlargest
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from kairos.apps import Apps, AppsFile
from kairos.offers import CouponPool
from rules.asked import Written
from rules.check import checked
from rules.problems import Problem, by_place, mistake, shown, suggest
from rules.words import Format, Word

__all__ = ["Attribute", "Known", "Names", "NamesFile", "load_apps", "load_names"]

_FEW = 200
_NEAR = 30


def _form(value: object) -> str:
    return "list" if isinstance(value, list | tuple) else "kind"


Attribute = Literal["number", "word", "flag"] | tuple[Word, ...]
"""What an attribute holds: a number, any word, a yes or no, or one of some words."""


def _once(values: tuple[str, ...]) -> tuple[str, ...]:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise mistake(f"{shown(value)} stands here a second time")
        seen.add(value)
    return values


Declared = Annotated[
    Annotated[Literal["number", "word", "flag"], Tag("kind")]
    | Annotated[tuple[Word, ...], Field(min_length=1, max_length=500), AfterValidator(_once), Tag("list")],
    Discriminator(_form),
]
Listed = Annotated[tuple[Word, ...], Field(max_length=20_000), AfterValidator(_once)] | None


class NamesFile(Written):
    """The names that rules may use; a kind that is left out is not checked."""

    format: Format
    tags: Listed = None
    attributes: Annotated[dict[Word, Declared], Field(max_length=1_000)] | None = None
    merchants: Listed = None
    merchant_categories: Listed = None
    products: Listed = None
    templates: Listed = None
    models: Listed = None
    purposes: Listed = None
    """What customers are asked their consent for: a rule for any other purpose would reach nobody."""


class Names:
    """The names of one kind, and the nearest one to a name that is none of them.

    Examples
    --------
    >>> names = Names(["vip", "staff"])
    >>> "vip" in names, names.meant("stuff"), names.meant("dog")
    (True, "; did you mean 'staff'?", '; it is one of: staff, vip')

    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._meant: dict[str, str] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def meant(self, name: str) -> str:
        """Give the tail of the sentence that says there is no such name."""
        if name not in self._meant:
            self._meant[name] = suggest(name, self._alike(name))
        return self._meant[name]

    def _alike(self, name: str) -> Collection[str]:
        # To measure how near each of 10,000 names is takes 50 ms a question; those that share most pairs are enough.
        if len(self._names) <= _FEW:
            return self._names
        pairs = _pairs(name)
        near = nlargest(_NEAR, self._pairs.items(), key=lambda known: (len(pairs & known[1]), -len(known[1])))
        return [name for name, _ in near]

    @cached_property
    def _pairs(self) -> Mapping[str, frozenset[str]]:
        return {name: _pairs(name) for name in sorted(self._names)}


def _pairs(name: str) -> frozenset[str]:
    return frozenset(map("".join, pairwise(name)))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of each kind; None is not checked."""

    pools: Mapping[str, CouponPool] | None = None
    attributes: Mapping[str, Attribute] | None = None
    names: Mapping[str, Names] = field(default_factory=dict)
    """By kind: pool, tag, attribute, merchant, merchant category, product, template, model, purpose, app class."""

    @classmethod
    def of(
        cls, pools: Iterable[CouponPool] | None = None, file: NamesFile | None = None, apps: AppsFile | None = None
    ) -> "Known":
        """Put together what the files say, each of which may be missing."""
        by_id = None if pools is None else {pool.pool: pool for pool in pools}
        listed = dict(_listed(file)) if file else {}
        listed |= {} if by_id is None else {"pool": by_id}
        listed |= {} if apps is None else {"app class": apps.classes}
        return cls(by_id, file.attributes if file else None, {kind: Names(names) for kind, names in listed.items()})


def _listed(file: NamesFile) -> Iterator[tuple[str, Iterable[str]]]:
    for kind, names in (
        ("tag", file.tags),
        ("attribute", file.attributes),
        ("merchant", file.merchants),
        ("merchant category", file.merchant_categories),
        ("product", file.products),
        ("template", file.templates),
        ("model", file.models),
        ("purpose", file.purposes),
    ):
        if names is not None:
            yield kind, names


def load_names(text: str | bytes, file: str = "names.yaml") -> tuple[NamesFile | None, tuple[Problem, ...]]:
    """Read a file of names, or say what is wrong with it."""
    made, _, problems = checked(file, text, NamesFile)
    return (None if problems else made), by_place(problems)


def load_apps(text: str | bytes, file: str = "apps.json") -> tuple[AppsFile | None, tuple[Problem, ...]]:
    """Read the catalogue of apps, or say what is wrong with it; JSON is YAML, so its mistakes have places."""
    made, tree, problems = checked(file, text, AppsFile)
    if made is not None and not problems:
        classes = Names(made.classes)
        problems = tuple(
            tree.find(("apps", app)).problem(file, f"there is no app class {shown(class_)}{classes.meant(class_)}")
            for app, class_ in made.apps.items()
            if class_ not in classes
        )
        try:
            Apps.of(made)
        except ValueError as error:
            problems = problems or (Problem(file, 1, 1, str(error)),)
    return (None if problems else made), by_place(problems)
