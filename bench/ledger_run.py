"""`python -m bench ledger`: how many reservations a second one partition carries out, with real commits.

One programme, so one partition: each command reserves one coupon of a pool with limits by customer, day, month and
programme; a code is made with a key; offer, entry, answer, changelog and journal are one Kafka transaction with the
offsets. Beside it the bare decode of the same commands' JSON in the same run, for a busy machine shows ratios only. A
first turn is not counted, as in `python -m bench`: Kafka's Java compiles itself for so long.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.children import Failed, Result, measured
from kairos.decisions import Arm
from kairos.ids import content_hash, offer_id
from kairos.offers import Channel, Offer, Text
from kairos.ports import Record
from kairos.reservations import Reserve, Wish
from kairos.wire import headers
from rules.pools import load_pools
from streams import clock
from streams.broker import configured
from streams.cluster import Cluster
from streams.feed import feed
from streams.topics import LEDGER_CHANGELOG, LEDGER_COMMANDS, LEDGER_JOURNAL, TOPICS, Partitions
from streams.topics_declare import declare

__all__ = ["POOLS", "main"]

_FILE = """
format: 1
zone: Asia/Shanghai
currency: CNY
pools:
  - {id: cafe, programme: lunch, merchant: cafe, value: 30, count: 100000000, budget: 900000000000, per_customer: 9,
     per_day: 100000000, budget_per_day: 900000000000, budget_per_month: 900000000000, low: 500, subsidy: {bank: 30}}
programmes:
  - {id: lunch, count: 100000000, budget: 900000000000, per_day: 100000000}
"""
POOLS = load_pools(_FILE).content
_PARTITIONS = Partitions(ledger=1)
_BY_NAME = {topic.name: topic for topic in TOPICS}


def main(words: list[str]) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m bench ledger", description=__doc__)
    parser.add_argument("--requests", type=int, default=50_000, help="reservations a run (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="runs (default: %(default)s)")
    asked = parser.parse_args(words)
    records = list(_commands(asked.requests))
    with tempfile.TemporaryDirectory(prefix="kairos-bench-") as folder:
        try:
            found, decodes = _measured(Path(folder), records, asked.runs)
        except Failed as error:
            print(f"\n{error}", file=sys.stderr)
            return 1
    _print(records, found, decodes)
    return 0


def _measured(folder: Path, records: list[Record], runs: int) -> tuple[list[Result], list[float]]:
    found: list[Result] = []
    decodes: list[float] = []
    with configured({}, folder / "kafka") as broker:
        cluster = Cluster(bootstrap=broker.bootstrap)
        declare(cluster, _PARTITIONS)
        asyncio.run(feed(records, cluster))
        for number in range(runs + 1):
            name = f"ledger-{number}"
            own = [
                replace(_BY_NAME[topic], name=f"{name}.{last}")
                for topic, last in ((LEDGER_CHANGELOG, "changelog"), (LEDGER_JOURNAL, "journal"))
            ]
            declare(cluster, _PARTITIONS, topics=own)
            words = ["--bootstrap", broker.bootstrap, "--topic", LEDGER_COMMANDS, "--events", str(len(records))]
            command = [
                sys.executable,
                "-m",
                "bench.peers.ledger",
                *words,
                "--name",
                name,
                "--folder",
                str(folder / name),
            ]
            run = measured(command)
            print(f"turn {number}: {run.rate:,.0f} reservations/s", file=sys.stderr, flush=True)
            if number:
                found.append(run)
                decodes.append(_decode(records))
    return found, decodes


def _commands(number: int) -> Iterator[Record]:
    at = datetime(2026, 12, 1, 4, tzinfo=UTC)
    for place in range(number):
        decision, customer = content_hash(f"decision {place}".encode()), f"C{place % 20_000:08}"
        offer = Offer(
            id=offer_id(decision, "lunch-cafe"),
            decision=decision,
            customer=customer,
            programme="lunch",
            rule="lunch-cafe",
            channel=Channel.SMS,
            purpose="marketing",
            template="lunch",
            text=Text(zh="满三十减三十元, 今日午餐可用", en="30 off your lunch today"),
            decided_at=at,
            expires_at=at.replace(hour=8),
        )
        order = Reserve(
            id=decision,
            customer=customer,
            programme="lunch",
            wishes=(Wish(offer=offer, arm=Arm.TREATMENT, pool="cafe"),),
            at=at,
        )
        head = headers("kairos.ledger.command.v1", f"{decision}:reserve", clock.now())
        yield Record(LEDGER_COMMANDS, 0, 0, b"lunch", order.model_dump_json().encode(), head)


def _decode(records: list[Record]) -> float:
    """Give the microseconds of processor time that the bare decode of one command takes."""
    values = [record.value or b"" for record in records]
    begin = time.process_time()
    for value in values:
        json.loads(value)
    return (time.process_time() - begin) / len(values) * 1e6


def _print(records: list[Record], found: list[Result], decodes: list[float]) -> None:
    rates, micros, decode = [run.rate for run in found], median(run.micros for run in found), median(decodes)
    size = sum(len(record.value or b"") for record in records) / len(records)
    last = found[-1]
    print(
        f"\n{len(records):,} reservations of one programme, commands of {size:.0f} bytes; medians of {len(found)} runs"
    )
    print(f"reservations a second          {median(rates):10,.0f}   ({min(rates):,.0f} - {max(rates):,.0f})")
    print(f"processor time of one          {micros:10.1f} us {micros / decode:6.1f} x the bare decode")
    print(f"bare decode of its JSON        {decode:10.1f} us")
    print(f"commits                        {last.batches:10,}   of {last.events / max(1, last.batches):,.0f} commands")
    for topic, count in sorted(last.outputs.items()):
        print(f"to {topic:28}{count:10,}")
