"""A small state as this version of the stages writes it: `python -m tests.recorded_state --write` records it anew.

A file is recorded once for each layout and then left alone: it stands for what lies on a bank's disks.
"""

import argparse
import json
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from streams.keys import decompose
from streams.memory_store import MemoryStore
from streams.stages import STAGES
from streams.state_shown import record_shown
from tests.customer_table import MINUTE, Table, versions

DATA = Path(__file__).parent / "data"


def lived() -> Table:
    """Let customers live: one with an offer under way, one whose decision waits for the ledger, one merely known."""
    table = Table(versions(cooldown="7d", wait="10m"))
    table.hear(*[table.profile(key, attrs={"segment": "mass"}, tags=["has_debit_card"]) for key in ("c1", "c2", "c3")])
    table.ask(table.pays("c1"))
    table.hear(table.uses("c1"), table.uses("c3"), after=MINUTE)
    table.hear(table.feedback("opted_out", "c3", channel="sms"), after=MINUTE)
    table.hear(table.pays("c2"), after=MINUTE)
    return table


def recorded(path: Path) -> Iterator[dict[str, Any]]:
    """Give the lines of a recorded file."""
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def put_back(path: Path, table: Table) -> None:
    """Put a recorded state into the stores of a table."""
    stores = {"customers": table.store, "ledger": table.books}
    for row in recorded(path):
        stores[row["stage"]].put(*decompose(b64decode(row["name"])), b64decode(row["packed"]))


def lines(stage: str, store: MemoryStore) -> Iterator[str]:
    """Write a store as it is recorded: each record as it lies there, and what it said at the time."""
    for name, value in store.items():
        row = {
            "stage": stage,
            "name": b64encode(name).decode(),
            "packed": b64encode(value).decode(),
            "shown": record_shown(stage, name, value, unmask=True),
        }
        yield json.dumps(row, ensure_ascii=False, sort_keys=True)


def main() -> None:
    """Record, or say where it would be written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    table, path = lived(), DATA / f"state-{STAGES['customers'].layout}.jsonl"
    text = "\n".join([*lines("customers", table.store), *lines("ledger", table.books)]) + "\n"
    if not parser.parse_args().write:
        path = Path(tempfile.gettempdir()) / path.name
    path.write_text(text, encoding="utf-8")
    print(f"{path}: {text.count(chr(10))} records")


if __name__ == "__main__":
    main()
