"""Replaying a file: the log in, every record that any stage would write out, one JSON line each."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from console.progress import bar
from console.publishing import whole_contents_of
from kairos.ports import Output, Record
from streams.card_feed import mapped
from streams.event_log import read
from streams.replay import Replay
from streams.versions import Versions

__all__ = ["line", "replay_file", "through_the_door"]


def replay_file(events: Path, rules: Path, policy: Path, pools: Path, apps: Path, out: Path) -> Counter[str]:
    """Replay a log under the given books; gives how many records each topic would have got.

    Raises
    ------
    Refused
        The books have problems.

    """
    versions = Versions()
    for kind, content in whole_contents_of(rules, policy, pools, apps).items():
        versions = versions.having(kind, content)
    header, records = read(events)
    out.parent.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    total = sum(header.topics.values())
    with out.open("w", encoding="utf-8", newline="\n") as file, bar("replaying", total, stays=True) as tell:
        for output in Replay(versions).run(through_the_door(records), tell):
            counts[output.topic] += 1
            file.write(line(output))
        tell(total)
    return counts


def line(output: Output) -> str:
    """Write a record as one JSON line; bytes that are no text are written as Latin-1 letters."""
    row = {
        "topic": output.topic,
        "key": _text(output.key),
        "headers": {name: _text(value) for name, value in output.headers},
        "value": _text(output.value),
    }
    return json.dumps(row, ensure_ascii=False) + "\n"


def _text(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def through_the_door(records: Iterator[Record]) -> Iterator[Record]:
    """Map the bank's own lines as the door would; a line it cannot map has no way on."""
    return (found for record in records if (found := mapped(record)) is not None)
