"""The published form of what people write: canonical JSON, named by the hash of its bytes."""

import json
from decimal import Decimal
from functools import cached_property
from typing import Self, TypeVar

import msgspec
from pydantic import BaseModel

from kairos.ids import content_hash
from rules.asked import Written

__all__ = ["Document", "canonical", "parsed", "split"]

M = TypeVar("M", bound=BaseModel)


def canonical(model: BaseModel) -> bytes:
    """Write a model as JSON in its one form: sorted keys, no blanks, UTF-8, nothing that is not said."""
    said = model.model_dump(mode="json", exclude_none=True, by_alias=True)
    return json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def parsed(content: bytes, model: type[M]) -> M:
    """Read a published form.

    Raises
    ------
    ValueError
        It is none: it was made by something else, or by a later version of this format.

    """
    try:
        return model.model_validate(json.loads(content, parse_float=Decimal))
    except RecursionError:
        raise ValueError("the content is nested too deeply") from None


class Document(Written):
    """A file that is published whole, such as the contact policy."""

    @classmethod
    def of_content(cls, content: bytes) -> Self:
        """Read the published form.

        Raises
        ------
        ValueError
            The content is none.

        """
        return parsed(content, cls)

    @cached_property
    def content(self) -> bytes:
        """The published form: canonical JSON."""
        return canonical(self)

    @cached_property
    def hash(self) -> str:
        """The content's name."""
        return content_hash(self.content)


class _Rules(msgspec.Struct, forbid_unknown_fields=True):
    format: int
    rules: list[msgspec.Raw]


_split = msgspec.json.Decoder(_Rules).decode


def split(content: bytes) -> list[bytes] | None:
    """Give the rules of a published book as they stand in it, unread; None where it is none of ours.

    Examples
    --------
    >>> split(b'{"format":1,"rules":[{"id":"a"},{"id":"b"}]}')
    [b'{"id":"a"}', b'{"id":"b"}']

    """
    try:
        found = _split(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return [bytes(rule) for rule in found.rules] if found.format == 1 else None
