"""Withdrawals: what people stop is taken back from the lists by a word in the list itself.

Branches read `offers.list` at their own pace, and nobody asks us before an offer on it is used. So each partition of it
is told once of each stop that reaches it: what was decided until then, and is of that scope, must not be used any more.
"""

from typing import Final

import msgspec

from kairos.instants import moment
from kairos.offers import Channel, Withdrawn
from kairos.ports import Output
from kairos.wire import headers
from rules.stops import parts_of
from streams.topics import OFFERS_LIST
from streams.work import Work

__all__ = ["TOLD", "WITHDRAWN", "withdraw"]

TOLD: Final = "n"
"""The kind of the record in which the customers' store keeps the stops that the list was told of."""
WITHDRAWN: Final = "kairos.offers_withdrawn.v1"
"""The CloudEvents type of a withdrawal."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[str, ...]).decode


def withdraw(work: Work) -> None:
    """Tell the partition's list of every stop that began since the last step; one that ended is forgotten.

    It comes before anything that is decided under the stop. A house without stops keeps nothing for it.
    """
    kept = work.store.get(b"", TOLD)
    told = frozenset(() if kept is None else _decode(kept))
    stops = frozenset(kind for kind in work.versions.stops.kinds if _reaches_lists(kind))
    if stops == told:
        return
    work.outputs += [_withdrawal(work, kind) for kind in sorted(stops - told)]
    if stops:
        work.store.put(b"", TOLD, b"", _encode(tuple(sorted(stops))))
    else:
        work.store.delete(b"", TOLD)


def _reaches_lists(kind: str) -> bool:
    scope, name = parts_of(kind)
    return scope != "channel" or name == Channel.LIST


def _withdrawal(work: Work, kind: str) -> Output:
    scope, name = parts_of(kind)
    word = Withdrawn.model_validate({"scope": scope, "name": name, "until": moment(work.now)})
    head = headers(WITHDRAWN, f"{work.batch.partition}:{kind}:{work.now}", work.now)
    # It is about nobody alone: without a key, and by the stage's own hand into its own partition.
    return Output(OFFERS_LIST, None, word.model_dump_json().encode(), head)
