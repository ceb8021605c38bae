"""The run: for each workload the engines in turn, again and again, so that the machine's drift hits all alike."""

import shutil
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, replace

from bench.children import Result, measured
from bench.engines import ENGINES
from bench.place import EVENTS, Place, opened
from bench.quix import python_of_quix
from bench.table import Measured, write
from bench.workload import WORKLOADS

__all__ = ["Plan", "run"]


@dataclass(frozen=True)
class Plan:
    """What is to be run.

    Parameters
    ----------
    events, slow
        Records a run, and those of slow peers.
    runs
        How often each engine runs on each workload.
    engines, workloads
        Their names.

    """

    events: int
    slow: int
    runs: int
    engines: list[str]
    workloads: list[str]


def run(plan: Plan) -> None:
    """Run everything and print the table."""
    began = time.monotonic()
    quix = python_of_quix(_say) if any(ENGINES[key].quix for key in plan.engines) else None
    found = Measured(defaultdict(list))
    for name in plan.workloads:
        workload = WORKLOADS[name]
        with opened(name, workload, plan.events, _say) as place:
            found.sizes[name] = place.value, place.headers
            for state in dict.fromkeys(ENGINES[key].warm for key in plan.engines):
                if state:
                    _say(f"{name}: a past for {workload.customers:,} customers ({state})")
                    place.prepare(state, workload)
                    found.states[name, state] = place.states[state]
            # The first turn is not counted: Kafka's Java compiles itself meanwhile, on the cores that the engines need.
            for turn in range(plan.runs + 1):
                for key in plan.engines:
                    result = _measure(plan, place, key, turn, str(quix) if ENGINES[key].quix else sys.executable)
                    if turn:
                        found.results[key, name].append(result)
                    _say(f"{name} {turn}/{plan.runs}  {key:<11} {_told(result)}")
    write(plan.engines, plan.workloads, found, time.monotonic() - began)


def _measure(plan: Plan, place: Place, key: str, turn: int, python: str) -> Result:
    engine, name, folder = ENGINES[key], f"bench-{key}-{turn}", place.folder / "run"
    folder.mkdir()
    if engine.warm:
        shutil.copytree(place.states[engine.warm].folder, folder / name)
    place.ready(engine, name)
    number = plan.slow if engine.slow else plan.events
    command = [python, "-m", engine.module, "--bootstrap", place.cluster.bootstrap, "--topic", EVENTS]
    used = place.used()
    try:
        found = measured([*command, "--events", str(number), "--name", name, "--folder", str(folder)])
        return replace(found, broker=place.used() - used)
    finally:
        shutil.rmtree(folder)


def _told(result: Result) -> str:
    return f"{result.rate:>9,.0f} events/s {result.micros:>7.1f} us, Kafka {result.kafka:>5.1f} us"


def _told(result: Result) -> str:
    return f"{result.rate:>9,.0f} events/s {result.micros:>7.1f} us, Kafka {result.kafka:>5.1f} us"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
