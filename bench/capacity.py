"""`python -m bench capacity --customers 10M --rate 100k`: what a bank of that size needs, by plain arithmetic.

What was measured stands in `Measured`, each figure with the command that prints it; what is assumed stands in `Wanted`
and can be said otherwise. The model is a pure function; `checks` holds it against figures that it was not made from.
"""

import argparse
from dataclasses import dataclass
from math import ceil

__all__ = ["Measured", "Needs", "Wanted", "capacity", "main"]

_DAY = 86_400
_UNITS = {"k": 1_000, "M": 1_000_000}
_COUNTS = (4, 12, 24, 48, 96, 192, 384, 768)
"""Numbers of partitions that many numbers of workers divide."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured on two cores, uniform keys, 1,000 rules; see docs/benchmarks.md.

    Parameters
    ----------
    events_a_core
        Events a second of one process: `python -m bench --only kairos1000 --keys uniform`.
    state
        Bytes of a customer's hot record and profile: the same command.
    event
        Bytes of an event's value, headers and key: the same command.
    decisions
        Decisions an event: the same command.
    decision
        Bytes of a decision's record, at most at the median: `tests/test_explain.py`.
    restored
        Bytes of a changelog's record with its key: `python -m bench restore`.
    restored_a_core
        Records a second and core of processor time that a restore takes: the same command.

    """

    events_a_core: float = 26_269
    state: int = 680 + 243
    event: int = 195 + 135 + 8
    decisions: float = 1_358 / 120_000
    decision: int = 2_048
    restored: int = 502
    restored_a_core: float = 223_143


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, and what is assumed of the house.

    Parameters
    ----------
    customers, rate
        How many have a state, and how many events come in a second at the busiest hour.
    busy
        The share of its time that a process may work at that hour: the rest is for a lost machine and for catching up.
    mean
        The day's mean rate as a share of the busiest hour's.
    replicas
        On how many brokers a record lies.
    days, years
        How long events and changes to the state are kept, and decisions.
    amplified
        How often RocksDB writes a byte, all merging together.
    cache
        The share of the state for which a worker's machine has free memory.
    active
        The share of the customers of whom events come in an hour.
    read
        Seconds of a read that the disk must answer.

    """

    customers: int
    rate: float
    busy: float = 0.6
    mean: float = 0.35
    replicas: int = 3
    days: int = 7
    years: int = 2
    amplified: float = 10
    cache: float = 0.5
    active: float = 1.0
    read: float = 0.000_1


@dataclass(frozen=True, slots=True)
class Needs:
    """What that comes to: bytes and bytes a second, all workers or all brokers together unless it says otherwise.

    `waiting` is how many threads of a process wait for its disk at any time.
    """

    processes: int
    partitions: int
    customers_a_partition: int
    state: float
    state_a_process: float
    memory: float
    misses: float
    waiting: float
    decisions: float
    worker_writes: float
    broker_in: float
    broker_out: float
    kept_events: float
    kept_changes: float
    kept_decisions: float
    restore_a_process: float


def capacity(wanted: Wanted, measured: Measured | None = None) -> Needs:
    """Say what is needed.

    Examples
    --------
    >>> needs = capacity(Wanted(customers=10_000_000, rate=100_000))
    >>> needs.processes, needs.partitions, needs.customers_a_partition
    (7, 48, 208333)
    >>> round(needs.state / 1e9, 1), round(needs.misses), round(needs.restore_a_process)
    (9.2, 50000, 13)

    Where only a few customers are awake, their state lies in memory and no read asks the disk:

    >>> capacity(Wanted(customers=10_000_000, rate=100_000, active=0.4)).misses
    0.0

    """
    known = measured or Measured()
    processes = ceil(wanted.rate / (known.events_a_core * wanted.busy))
    partitions = next((count for count in _COUNTS if count >= 4 * processes), 4 * processes)
    state = wanted.customers * known.state
    # Uniform keys: hardly anybody comes twice in a batch, so each event writes its customer once.
    changes = wanted.rate * known.restored
    made = wanted.rate * known.decisions * known.decision
    into = wanted.rate * known.event + changes + made
    awake = state * wanted.active
    misses = wanted.rate * max(0.0, 1 - state * wanted.cache / awake)
    return Needs(
        processes=processes,
        partitions=partitions,
        customers_a_partition=wanted.customers // partitions,
        state=state,
        state_a_process=state / processes,
        memory=state * wanted.cache,
        misses=misses,
        waiting=misses / processes * wanted.read,
        decisions=wanted.rate * known.decisions,
        worker_writes=changes * wanted.amplified,
        broker_in=into * wanted.replicas,
        broker_out=wanted.rate * known.event + into * (wanted.replicas - 1),
        kept_events=wanted.rate * wanted.mean * known.event * wanted.days * _DAY * wanted.replicas,
        # Compacted: what was written over is there once more until it is cleaned.
        kept_changes=2 * state * wanted.replicas,
        kept_decisions=made * wanted.mean * wanted.years * 365 * _DAY * wanted.replicas,
        restore_a_process=2 * wanted.customers / processes / known.restored_a_core,
    )


def main(words: list[str]) -> int:
    """Print what is needed, and the checks."""
    parser = argparse.ArgumentParser(prog="python -m bench capacity", description=__doc__)
    parser.add_argument("--customers", type=_number, default="10M", help="with a state (default: %(default)s)")
    parser.add_argument("--rate", type=_number, default="100k", help="events a second, busiest (default: %(default)s)")
    parser.add_argument("--busy", type=float, default=0.6, help="share of a process's time (default: %(default)s)")
    parser.add_argument("--cache", type=float, default=0.5, help="share of the state in memory (default: %(default)s)")
    parser.add_argument("--active", type=float, default=1.0, help="share of customers awake (default: %(default)s)")
    parser.add_argument("--years", type=int, default=2, help="decisions are kept (default: %(default)s)")
    asked = parser.parse_args(words)
    wanted = Wanted(
        round(asked.customers), asked.rate, busy=asked.busy, cache=asked.cache, active=asked.active, years=asked.years
    )
    print(f"{wanted.customers:,} customers, {wanted.rate:,.0f} events a second at the busiest hour:\n")
    print("| what | needed |\n| --- | ---: |")
    for name, value in _rows(wanted, capacity(wanted)):
        print(f"| {name} | {value} |")
    print("\n| what was measured | the model says | measured | model / measured |\n| --- | ---: | ---: | ---: |")
    for name, said, found in checks(Measured()):
        print(f"| {name} | {said:,.0f} | {found:,.0f} | {said / found:.2f} |")
    return 0


def checks(known: Measured) -> list[tuple[str, float, float]]:
    """Hold the model against figures it was not made from: what it says, and what docs/benchmarks.md has."""
    million = capacity(Wanted(customers=1_000_000, rate=1, busy=1), known)
    return [
        ("events/s, 1,000 rules, two processes on the two cores of the broker", 2 * known.events_a_core, 34_219),
        ("events/s of one core by the processor time of an event (43.2 µs)", known.events_a_core, 1_000_000 / 43.2),
        ("bytes of a changelog's record, by a customer's state", known.state / 2, known.restored),
        ("seconds to restore 1,000,000 customers on one core", million.restore_a_process, 2_000_872 / 143_224),
    ]


def _rows(wanted: Wanted, needs: Needs) -> list[tuple[str, str]]:
    mega, giga, tera = 1e6, 1e9, 1e12
    return [
        (f"worker processes, each a core, {wanted.busy:.0%} busy", f"{needs.processes}"),
        ("partitions of the customers' topics", f"{needs.partitions}"),
        ("customers a partition", f"{needs.customers_a_partition:,}"),
        ("state, all workers", f"{needs.state / giga:,.1f} GB"),
        ("state a process (disk: twice that, for merging)", f"{needs.state_a_process / giga:,.2f} GB"),
        (f"free memory for {wanted.cache:.0%} of the state, all workers", f"{needs.memory / giga:,.1f} GB"),
        ("reads a second that miss it, all workers", f"{needs.misses:,.0f}"),
        ("reads a second that miss it, a process", f"{needs.misses / needs.processes:,.0f}"),
        (f"threads of a process that wait for its disk, {wanted.read * 1000:.1f} ms a read", f"{needs.waiting:,.1f}"),
        ("decisions a second", f"{needs.decisions:,.0f}"),
        (f"RocksDB's writes, {wanted.amplified:.0f} times amplified, a process", _rate(needs, needs.worker_writes)),
        (f"brokers: written, {wanted.replicas} replicas", f"{needs.broker_in / mega:,.0f} MB/s"),
        ("brokers: sent, to workers and to each other", f"{needs.broker_out / mega:,.0f} MB/s"),
        (f"brokers: events of {wanted.days} days", f"{needs.kept_events / tera:,.1f} TB"),
        ("brokers: changelog", f"{needs.kept_changes / giga:,.0f} GB"),
        (f"brokers: decisions of {wanted.years} years", f"{needs.kept_decisions / tera:,.1f} TB"),
        ("a lost process's state read again", f"{needs.restore_a_process:,.0f} s"),
    ]


def _rate(needs: Needs, all_: float) -> str:
    return f"{all_ / needs.processes / 1e6:,.0f} MB/s"


def _number(said: str) -> float:
    """Read a number with a unit.

    Examples
    --------
    >>> _number("10M"), _number("100k"), _number("2500")
    (10000000.0, 100000.0, 2500.0)

    """
    unit = _UNITS.get(said[-1:], 1)
    return float(said.removesuffix(said[-1]) if unit > 1 else said) * unit
