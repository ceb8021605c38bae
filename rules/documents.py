"""Documents: the rules of a published book, each as the JSON it stands there, read when somebody asks for it."""

from collections.abc import Collection, Container, Iterator, Mapping, ValuesView

import msgspec

from rules.canonical import parsed, split
from rules.schema import Published, Rule
from rules.undisturbed import undisturbed

__all__ = ["Rules", "documents_of", "read_documents", "without_text"]


class _Named(msgspec.Struct):
    id: str


_named = msgspec.json.Decoder(_Named).decode


def documents_of(content: bytes, names: Container[str]) -> list[bytes]:
    """Give some rules of a published book as they stand in it, unread; none where it is no book of ours.

    Examples
    --------
    >>> documents_of(b'{"format":1,"rules":[{"id":"a"},{"id":"b"}]}', {"b"})
    [b'{"id":"b"}']

    """
    return [document for document in split(content) or () if _named(document).id in names]


def read_documents(documents: Collection[bytes]) -> dict[bytes, Rule]:
    """Read some rules.

    Raises
    ------
    ValueError
        One of them is none.

    """
    # The same reader as for a whole book, so that nothing gets in that it would refuse.
    found = parsed(b'{"format":1,"rules":[%s]}' % b",".join(documents), Published).rules
    return dict(zip(documents, found, strict=True))


class _Offer(msgspec.Struct):
    then: dict[str, msgspec.Raw]


_offer = msgspec.json.Decoder(_Offer).decode


def without_text(content: bytes) -> tuple[Rule, ...]:
    """Give the rules of a published book that leave a text to a template, in some form of their offer.

    Raises
    ------
    ValueError
        The content is no published book.

    """
    written = split(content)
    if written is None:
        return parsed(content, Published).rules
    # Of ten thousand rules few may; to read them all takes seconds.
    few = [one for one in written if "text" not in _offer(one).then or b'"with":' in one]
    return tuple(read_documents(few).values()) if few else ()


class Rules(Mapping[str, Rule]):
    """The rules of a book by their ids, in its order.

    A worker asks for few of ten thousand: those that match. What was compiled stands for the others.

    Parameters
    ----------
    documents
        The rules as they are published.
    read
        Those that were read already.

    """

    def __init__(self, documents: Mapping[str, bytes], read: Mapping[str, Rule]) -> None:
        self._documents = documents
        self._read = dict(read)

    def __getitem__(self, rule_id: str) -> Rule:
        """Give a rule; it is read now if it was not before."""
        found = self._read.get(rule_id)
        if found is None:
            self._take((self._documents[rule_id],))
            found = self._read[rule_id]
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._documents)

    def __len__(self) -> int:
        return len(self._documents)

    def __contains__(self, rule_id: object) -> bool:
        return rule_id in self._documents

    @undisturbed()
    def values(self) -> ValuesView[Rule]:
        """Give all of them; those that were not read before are read in one go, which is faster than one by one."""
        self._take([document for name, document in self._documents.items() if name not in self._read])
        return super().values()

    def already(self, documents: Container[bytes]) -> dict[str, Rule]:
        """Give those that were read, of the rules that stand in some documents."""
        # Copied at once: in another thread somebody may ask for one more.
        return {name: rule for name, rule in self._read.copy().items() if self._documents[name] in documents}

    def _take(self, documents: Collection[bytes]) -> None:
        for rule in read_documents(documents).values():
            # Two threads that ask at once are given the same one.
            self._read.setdefault(rule.id, rule)
