"""The table: medians, their spread, and under it what each engine is set to and what it promises."""

import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median

from bench.children import Result
from bench.engines import ENGINES
from bench.warm import Warm
from bench.workload import WORKLOADS

__all__ = ["Measured", "write"]


@dataclass
class Measured:
    """Everything that was measured, by engine and workload."""

    results: dict[tuple[str, str], list[Result]]
    sizes: dict[str, tuple[float, float]] = field(default_factory=dict)
    states: dict[tuple[str, str], Warm] = field(default_factory=dict)


def write(engines: list[str], workloads: list[str], found: Measured, seconds: float) -> None:
    """Print it as Markdown."""
    runs = len(found.results[engines[0], workloads[0]])
    spread = f"medians of {runs} interleaved runs (least - most)"
    print(f"\n{datetime.now(UTC):%Y-%m-%d}, {_machine()}; {spread}; {seconds:.0f} s.\n")
    heads = [f"{name}: events/s | CPU µs an event | Kafka's | of Faust" for name in workloads]
    print(f"| engine | {' | '.join(heads)} |")
    print(f"| --- |{' ---: | ---: | ---: | ---: |' * len(workloads)}")
    for place, key in enumerate(engines, 1):
        cells = [_cell(found.results, key, name) for name in workloads]
        print(f"| {ENGINES[key].title} [{place}] | {' | '.join(cells)} |")
    print()
    for place, key in enumerate(engines, 1):
        print(f"[{place}] {ENGINES[key].note}.{_did(engines, workloads, found, key)}")
    print()
    for name in workloads:
        value, headers = found.sizes[name]
        print(f"{name}: {WORKLOADS[name].title}; values of {value:.0f} bytes, headers of {headers:.0f}.")


def _cell(results: dict[tuple[str, str], list[Result]], key: str, name: str) -> str:
    rates = [result.rate for result in results[key, name]]
    micros = median(result.micros for result in results[key, name])
    faust = results.get(("faust", name))
    kafka = median(result.kafka for result in results[key, name])
    times = f"{median(rates) / median(r.rate for r in faust):.1f}x" if faust else ""
    return f"{median(rates):,.0f} ({min(rates):,.0f} - {max(rates):,.0f}) | {micros:.1f} | {kafka:.1f} | {times}"


def _did(engines: list[str], workloads: list[str], found: Measured, key: str) -> str:
    """Tell how much was done: records, state, batches, outputs."""
    told = []
    for name in workloads:
        result = found.results[key, name][-1]
        said = [f"{result.events:,} events"]
        if state := ENGINES[key].warm:
            warm = found.states[name, state]
            said.append(f"state {warm.size:.0f} bytes{warm.more}")
            said.append(f"{result.events / max(1, result.batches):,.0f} events a commit")
        said += [f"{number:,} to {topic}" for topic, number in sorted(result.outputs.items())]
        told.append(f"{name}: {', '.join(said)}")
    return f" ({'; '.join(told)})"


def _machine() -> str:
    return (
        f"{os.cpu_count()} shared cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )
