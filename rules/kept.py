"""Kept: what rules were taken apart into, written down, so that a later process need not read every rule again.

It is plain data, rule by rule, each under the hash of the form in which it is published. A book that shares most of its
rules with the one that was kept shares the work; a rule that stands there was valid for the version that kept it.
What is kept enters generated source as text, so every piece of it is held against `rules.vocabulary` when it is read.
"""

from collections.abc import Collection, Mapping
from hashlib import blake2b

import msgspec

from rules.clauses import Apart, Clauses, endings_of, features_of
from rules.documents import read_documents
from rules.features import Feature
from rules.undisturbed import undisturbed
from rules.vocabulary import is_harmless

__all__ = ["Kept", "packed"]


class _Row(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One rule: what it asks, the numbers of what is remembered for it, and whether it waits for something."""

    document: bytes
    clauses: Clauses
    features: tuple[int, ...]
    waits: bool


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[_Row]).decode


def packed(apart: Mapping[bytes, Apart]) -> bytes:
    """Write down the rules of a book.

    Parameters
    ----------
    apart
        The rules, each by the form in which it is published.

    """
    numbers: dict[Feature, int] = {}
    rows = [
        _Row(
            _name(document),
            rule.clauses,
            tuple(numbers.setdefault(feature, len(numbers)) for feature in rule.features),
            bool(rule.endings),
        )
        for document, rule in apart.items()
    ]
    return _encode(rows)


class Kept:
    """What was kept of a book.

    Parameters
    ----------
    written
        What `packed` gave.

    Raises
    ------
    ValueError
        It is something else, or says what no condition says.

    """

    @undisturbed()
    def __init__(self, written: bytes) -> None:
        try:
            rows = _decode(written)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ValueError(f"not what was kept of a book: {error}") from None
        # Rules of thousands say the same few things in different numbers, most of them more than once.
        if not is_harmless("\n".join({source for row in rows for source in _sources(row.clauses)})):
            raise ValueError("what was kept says what no condition says")
        self._rows = {row.document: row for row in rows}

    def apart(self, documents: Collection[bytes]) -> dict[bytes, Apart]:
        """Give those of some published rules that were kept.

        What they remember is no plain data: it is asked of a few of the rules themselves, one for each memory.
        """
        found = {one: row for one in documents if (row := self._rows.get(_name(one))) is not None}
        witnesses: dict[int, bytes] = {}
        for one, row in found.items():
            for number in row.features:
                witnesses.setdefault(number, one)
        rules = read_documents({*witnesses.values(), *(one for one, row in found.items() if row.waits)})
        known: dict[int, Feature] = {}
        for one in rules:
            known |= zip(found[one].features, features_of(rules[one]), strict=True)
        return {
            one: Apart(
                row.clauses,
                tuple(known[number] for number in row.features),
                endings_of(rules[one]) if row.waits else (),
            )
            for one, row in found.items()
        }

    def covers(self, documents: Collection[bytes]) -> bool:
        """Whether all of some published rules were kept."""
        return all(_name(one) in self._rows for one in documents)


def _name(document: bytes) -> bytes:
    return blake2b(document, digest_size=16).digest()


def _sources(clauses: Clauses) -> list[str]:
    asked = [part.source for part in (*clauses.trigger, *clauses.past, *clauses.person)]
    words = [wanted.source for wanted in clauses.words]
    return [*asked, *words, *clauses.names, *(text for field in clauses.fields for text in field)]
