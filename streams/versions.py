"""Versions: the catalogue as one immutable set, built from contents that are named by their hashes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kairos.apps import Apps, AppsFile
from kairos.ids import content_hash
from kairos.offers import CouponPool, Programme
from models.snapshot import Snapshot
from rules.book import Book
from rules.kept import Kept
from rules.policy import Policy
from rules.pools import published_pools
from rules.priorities import Priorities
from rules.stops import NOTHING, STOP, Stops
from rules.templates import Templates
from rules.undisturbed import at_once
from streams.coupon_codes import CodesKey

__all__ = ["CODES_KEY", "KINDS", "MODEL", "Versions"]

MODEL = "model/"
"""What the kind of a model's snapshot begins with; the objective follows."""
CODES_KEY = "codes-key"
"""The kind of the key that codes are made with: told by a setting, never published; the journal names its hash."""


@dataclass(frozen=True, slots=True)
class Versions:
    """What is in force for one batch.

    Parameters
    ----------
    hashes
        The content hash of each kind.
    book
        The rules.
    policy
        How customers may be contacted.
    apps
        The classes of apps.
    pools
        The coupon pools by name.
    programmes
        What limits whole programmes, by their names.
    codes_key
        What coupon codes are made with.
    templates
        What customers are told.
    models
        The newest snapshot of each objective.
    stops
        What people have stopped, and what could not be read and therefore holds everything.
    priorities
        What the business adds when offers compete.

    """

    hashes: Mapping[str, str] = field(default_factory=dict)
    book: Book = field(default_factory=Book.empty)
    policy: Policy = field(default_factory=Policy.default)
    apps: Apps = field(default_factory=Apps)
    pools: Mapping[str, CouponPool] = field(default_factory=dict)
    programmes: Mapping[str, Programme] = field(default_factory=dict)
    codes_key: bytes = field(default=b"", repr=False)
    templates: Templates = field(default_factory=Templates.none)
    models: Mapping[str, Snapshot] = field(default_factory=dict)
    stops: Stops = NOTHING
    priorities: Priorities = field(default_factory=Priorities.default)

    def having(
        self, kind: str, content: bytes, kept: Kept | None = None, between: Callable[[], None] = at_once
    ) -> "Versions":
        """Give the set with one kind replaced.

        Parameters
        ----------
        kind, content
            What is replaced, and by what.
        kept
            What was kept of an earlier book, so that fewer rules are read.
        between
            Is called between two steps of a long work.

        Raises
        ------
        ValueError
            The content cannot be read, or the kind is unknown; the set that is in force stays.

        """
        if kind.startswith(STOP):
            return self._stopping(kind, content)
        if kind == "rules":
            # A campaign changes one rule of thousands; the others are taken over as they are.
            book = Book.of_content(content, self.book, kept, between)
            return replace(self, hashes={**self.hashes, kind: book.hash}, book=book)
        hashes = {**self.hashes, kind: content_hash(content)}
        if kind.startswith(MODEL):
            models = {**self.models, kind.removeprefix(MODEL): Snapshot.from_bytes(content)}
            return replace(self, hashes=hashes, models=models)
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no kind of the catalogue; there are {', '.join(KINDS)} and {MODEL}...")
        try:
            found = replace(self, hashes=hashes, **KINDS[kind](content))
        except ValueError:
            # With another policy than people wrote nobody is contacted; a good one that is in force goes on.
            if kind != "policy" or (kind in self.hashes and kind not in self.stops.unread):
                raise
            return replace(self, hashes=hashes, stops=self.stops.holding(kind))
        return replace(found, stops=self.stops.read(kind)) if self.stops.unread else found

    def _stopping(self, kind: str, content: bytes) -> "Versions":
        stops = self.stops.having(kind, content)
        hashes = {name: hash_ for name, hash_ in self.hashes.items() if name != kind}
        if kind in stops.kinds | stops.unread:
            hashes[kind] = content_hash(content)
        return replace(self, hashes=hashes, stops=stops)


def _apps(content: bytes) -> Mapping[str, Any]:
    return {"apps": Apps.of(AppsFile.model_validate_json(content))}


def _pools(content: bytes) -> Mapping[str, Any]:
    known = published_pools(content)
    return {
        "pools": {pool.pool: pool for pool in known.pools},
        "programmes": {limits.programme: limits for limits in known.programmes},
    }


KINDS: Mapping[str, Callable[[bytes], Mapping[str, Any]]] = {
    "rules": lambda content: {"book": Book.of_content(content)},
    "policy": lambda content: {"policy": Policy.of_content(content)},
    "apps": _apps,
    "pools": _pools,
    "templates": lambda content: {"templates": Templates.of_content(content)},
    "priorities": lambda content: {"priorities": Priorities.of_content(content)},
    CODES_KEY: lambda content: {"codes_key": CodesKey.of_content(content)},
}
"""How each kind is read from its content: what it says of the set."""
