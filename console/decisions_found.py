"""Decisions found: the records of single decisions, looked for in their topic piece by piece and kept as bytes."""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from kairos.decisions import Decision, DecisionEnded
from kairos.instants import Millis, rfc3339
from kairos.ports import Record
from rules.saying import Language
from streams.topic_reader import Tell, nobody, read_piecewise
from streams.topics import DECISIONS

__all__ = ["Found", "NotFound", "decision_found", "decisions_of"]

_MOST: Final = 5
_ENDED: Final = ("ce_type", b"kairos.decision_ended.v1")


_SAID: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "several": "{} decisions begin with {}: {}; write more of the id",
        "more": " and {} more",
        "empty": "the topic of decisions is empty",
        "empty there": "the topic of decisions is empty, where those of this customer lie",
        "none": "no decision begins with {}; the oldest record that is still kept is of {}, and what was older is gone",
        "none there": "no decision begins with {}; the oldest record of this customer's partition that is still kept "
        "is of {}, and what was older is gone",
    },
    "zh": {
        "several": "有{}条决策以{}开头：{}；请多写几位",
        "more": "，另有{}条",
        "empty": "决策主题是空的",
        "empty there": "该客户所在的决策分区是空的",
        "none": "没有以{}开头的决策；仍保留的最早记录是{}的，更早的已删除",
        "none there": "没有以{}开头的决策；该客户所在分区仍保留的最早记录是{}的，更早的已删除",
    },
}


class NotFound(Exception):
    """There is no such decision, or more than one; the message says what to do.

    Parameters
    ----------
    beginning
        How its id was said to begin.
    several
        The ids that do, where there are more than one.
    customer
        Whose decision it was said to be.
    oldest
        The time of the oldest record that was read; None where there was none.

    Examples
    --------
    >>> print(NotFound("ab", ["ab1", "ab2"]).said("zh"))
    有2条决策以ab开头：ab1, ab2；请多写几位

    """

    def __init__(
        self, beginning: str, several: Sequence[str] = (), customer: str | None = None, oldest: Millis | None = None
    ) -> None:
        self._beginning, self._several, self._oldest = beginning, several, oldest
        self._there = "" if customer is None else " there"
        super().__init__(self.said("en"))

    def said(self, language: Language) -> str:
        """Say what was found instead, and what to do."""
        words, names = _SAID[language], self._several
        if names:
            more = words["more"].format(len(names) - _MOST) if len(names) > _MOST else ""
            return words["several"].format(len(names), self._beginning, ", ".join(names[:_MOST]) + more)
        if self._oldest is None:
            return words[f"empty{self._there}"]
        return words[f"none{self._there}"].format(self._beginning, rfc3339(self._oldest))


@dataclass(slots=True)
class Found:
    """A decision's records as they lie in the topic.

    Parameters
    ----------
    made
        The decision's one record.
    ended
        Its end, if it came to one of its own.

    """

    made: Record
    ended: Record | None = None

    @property
    def decision(self) -> Decision:
        """Read the decision."""
        return Decision.model_validate_json(self.made.value or b"")

    @property
    def end(self) -> DecisionEnded | None:
        """Read its end."""
        return None if self.ended is None else DecisionEnded.model_validate_json(self.ended.value or b"")


async def decision_found(
    client: Mapping[str, object],
    beginning: str,
    customer: str | None,
    tell: Tell,
    topic: str = DECISIONS,
) -> Found:
    """Look for the one decision whose id begins so.

    Parameters
    ----------
    client
        Servers and security.
    beginning
        The id or its beginning.
    customer
        Whose decision it is: then one partition is read, and not all of them.
    tell
        Whom to tell how far it is.
    topic
        Where decisions lie.

    Raises
    ------
    NotFound
        None begins so, or several do.

    """
    wanted, found = b'{"id":"%s' % beginning.encode(), dict[bytes, Found]()
    oldest: Millis | None = None
    async with aclosing(read_piecewise(client, topic, tell=tell, only=customer)) as pieces:
        async for _, rows in pieces:
            for row in rows:
                oldest = row.at if oldest is None else min(oldest, row.at)
                if (row.value or b"").startswith(wanted):
                    _keep(found, row)
    if len(found) == 1:
        return next(iter(found.values()))
    raise NotFound(beginning, [name.decode() for name in found], customer, oldest)


async def decisions_of(client: Mapping[str, object], customer: str, since: Millis, tell: Tell = nobody) -> list[Found]:
    """Give a customer's decisions that were written since, the oldest first; one partition is read."""
    found = dict[bytes, Found]()
    async with aclosing(read_piecewise(client, DECISIONS, since, tell, customer)) as pieces:
        async for _, rows in pieces:
            for row in rows:
                if row.key == customer.encode():
                    _keep(found, row)
    return list(found.values())


def _keep(found: dict[bytes, Found], row: Record) -> None:
    # An end lies behind its decision in the same partition.
    name = (row.value or b"")[len(b'{"id":"') :].partition(b'"')[0]
    if _ENDED not in row.headers:
        found[name] = Found(row)
    elif name in found:
        found[name].ended = row
