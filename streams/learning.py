"""The learning stage: examples become one model an objective, and the model becomes snapshots in the catalogue.

Each weight's sums are one record in the store, so a batch writes what it changed and nothing else.
"""

import msgspec
from pydantic import ValidationError

from kairos.examples import Example
from kairos.instants import SECOND, Millis
from kairos.ports import Batch, Output, Record, Store
from kairos.wire import BadRecord
from models.features import rule_of
from models.ftrl import FTRLProximal
from models.snapshot import Snapshot
from streams.catalogue import publication
from streams.dead_letters import dead_letter
from streams.versions import MODEL, Versions

__all__ = ["PRIOR", "snapshot", "step"]

WEIGHT, HEADER, SHOWN = "w", "h", "n"
"""The kinds of the learning store: the sums of one weight, the objective's header, how often a rule was shown."""

PRIOR = 0.05
"""The chance of a reaction before anything was learnt."""
_EVERY: Millis = 5 * SECOND
_AFTER = 500


class _Header(msgspec.Struct, array_like=True):
    """How much one model has learnt, how much of it was published, and when."""

    version: int = 1
    learnt: int = 0
    published: int = 0
    at: Millis = 0


_encode = msgspec.msgpack.Encoder().encode
_sums = msgspec.msgpack.Decoder(tuple[float, float]).decode
_header = msgspec.msgpack.Decoder(_Header).decode
_count = msgspec.msgpack.Decoder(int).decode


def step(store: Store, batch: Batch[Versions]) -> list[Output]:
    """Learn from the batch's examples, and publish what is due."""
    outputs: list[Output] = []
    models: dict[str, FTRLProximal] = {}
    for record in batch.records:
        try:
            example = _example(record)
        except BadRecord as error:
            outputs.append(dead_letter(record, "learning", error, batch.now))
        else:
            _learn(store, models.setdefault(example.objective, _model()), example)
    for objective, model in models.items():
        _keep(store, objective, model)
    for objective in _objectives(store):
        outputs += _publish(store, objective, batch.now)
    return outputs


def snapshot(store: Store, objective: str) -> Snapshot:
    """Give the model as it stands: the weights that are not zero."""
    model = _model()
    model.load({id_.decode(): _sums(packed) for id_, packed in store.scan(objective.encode(), WEIGHT)})
    shown = {id_.decode(): _count(packed) for id_, packed in store.scan(objective.encode(), SHOWN)}
    return Snapshot(objective, PRIOR, model.weights(), shown)


def _example(record: Record) -> Example:
    try:
        return Example.model_validate_json(record.value or b"")
    except ValidationError as error:
        raise BadRecord("invalid", f"no example: {error.error_count()} problems") from None


def _model() -> FTRLProximal:
    return FTRLProximal(alpha=0.1, beta=1.0, l1=0.0, l2=1.0, prior=PRIOR)


def _learn(store: Store, model: FTRLProximal, example: Example) -> None:
    key = example.objective.encode()
    found = {name: store.get(key, WEIGHT, name.encode()) for name in model.missing(example.features)}
    model.load({name: _sums(packed) for name, packed in found.items() if packed is not None})
    if example.corrects:
        model.unlearn_one(example.features, y=False)
    model.learn_one(example.features, y=example.label)
    rule = rule_of(example.features)
    # A late reaction is the same offer told of again.
    if rule is not None and not example.corrects:
        packed = store.get(key, SHOWN, rule.encode())
        store.put(key, SHOWN, rule.encode(), _encode(1 if packed is None else _count(packed) + 1))
    header = _read(store, example.objective)
    header.learnt += 1
    store.put(key, HEADER, b"", _encode(header))
    store.put(b"", HEADER, key, b"")


def _keep(store: Store, objective: str, model: FTRLProximal) -> None:
    for name, sums in model.take_changes().items():
        store.put(objective.encode(), WEIGHT, name.encode(), _encode(sums))


def _objectives(store: Store) -> list[str]:
    return [id_.decode() for id_, _ in store.scan(b"", HEADER)]


def _read(store: Store, objective: str) -> _Header:
    packed = store.get(objective.encode(), HEADER)
    return _Header() if packed is None else _header(packed)


def _publish(store: Store, objective: str, now: Millis) -> list[Output]:
    header = _read(store, objective)
    news = header.learnt - header.published
    if not news or (news < _AFTER and now - header.at < _EVERY):
        return []
    header.published, header.at = header.learnt, now
    store.put(objective.encode(), HEADER, b"", _encode(header))
    content = snapshot(store, objective).to_bytes()
    return publication(MODEL + objective, content, "learning", now)
