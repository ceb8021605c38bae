"""Dead letters as people read them: no customer and no value is shown unless somebody asks for it by name."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from console.explaining import masked
from kairos.instants import rfc3339
from streams.dead_letters import ERRORS, REPLAYED, Kind, Letter
from streams.dead_letters_read import Found, key_hash

__all__ = ["as_json", "plan_lines", "shown", "summary_lines", "table_lines"]

_NAMED = ("ce_", "content-type", ERRORS, REPLAYED)
"""The beginnings of headers that hold nothing personal by their meaning."""


def table_lines(found: Found, *, unmask: bool) -> list[str]:
    """Write letters as a table, the newest first."""
    head = ("written", "from", "stage", "class", "attempts", "key", "key hash", "replayed", "message")
    rows = [
        (
            rfc3339(letter.record.at),
            str(letter.origin),
            letter.kind.stage,
            letter.kind.code,
            str(letter.attempts),
            _key(letter, unmask=unmask),
            key_hash(letter.record.key),
            "" if found.is_open(letter) else "yes",
            letter.message,
        )
        for letter in found.newest
    ]
    return _table(head, rows)


def summary_lines(found: Found) -> list[str]:
    """Count letters by class, topic and stage, those that wait first."""
    waiting = found.waiting
    kinds = sorted(waiting.keys() | found.replayed.keys(), key=lambda kind: (-waiting[kind], kind))
    rows = [(kind.code, kind.topic, kind.stage, f"{waiting[kind]:,}", f"{found.replayed[kind]:,}") for kind in kinds]
    return _table(("class", "topic", "stage", "waiting", "replayed"), rows)


def plan_lines(counts: Counter[Kind], why_not: Callable[[Kind], str | None]) -> list[str]:
    """Say what a replay writes, by topic and class, and what it leaves."""
    return [
        f"{count:>9,}  {kind.topic}  {kind.code}" + (f"  left: {why}" if (why := why_not(kind)) else "")
        for kind, count in sorted(counts.items())
    ]


def as_json(found: Found, letter: Letter, *, unmask: bool) -> str:
    """Write a letter as one JSON object, without its value."""
    return json.dumps(
        {
            "written": rfc3339(letter.record.at),
            "letter": str(letter.place),
            "from": str(letter.origin),
            "stage": letter.kind.stage,
            "class": letter.kind.code,
            "message": letter.message,
            "attempts": letter.attempts,
            "first_failed_at": letter.first_failed_at,
            "key": _key(letter, unmask=unmask),
            "key_hash": key_hash(letter.record.key),
            "replayed": not found.is_open(letter),
        },
        ensure_ascii=False,
    )


def shown(found: Found, letter: Letter, *, value: bool, unmask: bool) -> list[str]:
    """Write one letter with its headers; its value only if it is asked for."""
    return [
        f"letter    {letter.place}{'' if found.is_open(letter) else ', replayed'}",
        f"from      {letter.origin}",
        f"written   {rfc3339(letter.record.at)}, attempt {letter.attempts}, failed first {letter.first_failed_at}",
        f"refused   by {letter.kind.stage}: {letter.kind.code}: {_printable(letter.message)}",
        f"key       {_key(letter, unmask=unmask)}  {key_hash(letter.record.key)}".rstrip(),
        "headers",
        *(f"  {_printable(name)}: {_header(name, text, unmask=unmask)}" for name, text in letter.record.headers),
        *_value(letter.record.value, whole=value),
    ]


def _key(letter: Letter, *, unmask: bool) -> str:
    key = letter.record.key
    if not key:
        return "none"
    text = _printable(key.decode(errors="replace"))
    return text if unmask else masked(text)


def _header(name: str, text: bytes | None, *, unmask: bool) -> str:
    if text is None:
        return "no value"
    if not unmask and not name.startswith(_NAMED):
        return f"{len(text)} bytes"
    return _printable(text.decode(errors="replace"))


def _value(value: bytes | None, *, whole: bool) -> Iterator[str]:
    if value is None:
        yield "value     none, a tombstone"
    elif not whole:
        yield f"value     {len(value)} bytes; --value shows them"
    else:
        yield "value"
        yield from (f"  {line}" for line in _pretty(value))


def _pretty(value: bytes) -> list[str]:
    try:
        found: Any = json.loads(value)
    except (ValueError, RecursionError):
        return [repr(value)[1:]]
    return [_printable(line) for line in json.dumps(found, ensure_ascii=False, indent=2).splitlines()]


def _printable(text: str) -> str:
    # What a stranger wrote must not move the cursor of whoever reads it.
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    table = [list(head), *([_printable(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
