"""The demo: a real Kafka, real events, the engine deciding live, offers arriving at gateways; then a summary."""

import asyncio
import logging
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from kafka.errors import KafkaError
from rich.console import Console

from console.counting_figures import Figures
from console.demo_gateways import accepted_twice, answers, free_ports, new_secret, seen_by_gateways
from console.demo_input import DEMO, Input, prepared
from console.demo_lag import Groups
from console.demo_processes import Crew, DemoError
from console.demo_reader import Reader
from console.live import Frame, Show, showing
from console.publishing import Refused, contents_of, publish
from console.summary import CHANNELS, Run, broken_promises, say, summed_up, write_summary
from streams import clock
from streams.broker import BrokerError, JarError, configured
from streams.broker_config import lock_folder
from streams.cluster import Cluster
from streams.topics import FOREIGN, TOPICS, Partitions
from streams.topics_declare import TopicError, declare

__all__ = ["run_demo"]

HOME = Path("var/demo")
ENDURING = ("worker-1", "worker-2", "door", "deliver-push", "deliver-sms", "sandbox")
"""The processes that run from the beginning to the end."""

_START_SECONDS = 60.0
_SETTLE_SECONDS = 60.0
_PICTURE_EVERY = 0.5
"""Seconds between two pictures."""
_RATE_OVER = 3.0
"""Seconds over which the events a second are taken."""


@dataclass(frozen=True, slots=True)
class _Stage:
    # What the acts of the demo share.
    crew: Crew
    reader: Reader
    groups: Groups
    show: Show
    title: str
    begun: float


def run_demo(
    origin: Literal["real", "simulated"] = "real",
    *,
    rate: float = 2_500.0,
    environment: Mapping[str, str],
    home: Path = HOME,
    limit: int | None = None,
    console: Console | None = None,
) -> int:
    """Run the demo from nothing to the summary; gives the exit code, 0 only where everything promised has happened.

    Parameters
    ----------
    origin
        Which events: recorded ones, or simulated ones.
    rate
        Events a second.
    environment
        What the processes inherit; settings of Kairos in it are left out, but for those of the local broker.
    home
        The folder of the run: Kafka's data, state, logs, `summary.json`. What an earlier demo left is removed.
    limit
        How many events at most; None is the whole log.
    console
        Where it is shown.

    """
    console = console or Console()
    try:
        with _ended_by_sigterm():
            return _run(origin, rate, environment, home.absolute(), limit, console)
    except (DemoError, BrokerError, JarError, TopicError, KafkaError, OSError) as error:
        console.print(f"The demo ended early: {error}", style="red", markup=False, highlight=False)
        return 1
    except Refused as refused:
        console.print("\n".join(refused.problems), style="red", markup=False, highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("The demo was stopped; everything it had started has ended.", style="red")
        return 130


def _run(
    origin: Literal["real", "simulated"],
    rate: float,
    environment: Mapping[str, str],
    home: Path,
    limit: int | None,
    console: Console,
) -> int:
    begun = time.monotonic()
    _wipe(home)
    # What Kafka's clients mutter belongs beside the other logs, not between the pictures.
    logging.basicConfig(filename=home / "demo.log", level=logging.WARNING)
    with ExitStack() as stack:
        given = prepared(origin, home, limit)
        console.print("Starting Kafka ...")
        broker = stack.enter_context(configured(environment, home / "kafka", console))
        cluster = Cluster(bootstrap=broker.bootstrap)
        declare(cluster, Partitions(), topics=(*TOPICS, *FOREIGN))
        _publish(cluster, given)
        ports = free_ports(CHANNELS)
        crew = stack.enter_context(Crew(_environment(environment, cluster, home, ports), home))
        _start(crew, given, home, ports)
        groups, reader = stack.enter_context(Groups(cluster)), stack.enter_context(Reader(cluster))
        console.print("Starting the engine, the deliveries and the gateways ...")
        _await_start(crew, groups, ports)
        with showing(console) as show:
            stage = _Stage(crew, reader, groups, show, f"{given.header.title} ({given.header.origin})", begun)
            crew.start("feed", "feed", str(given.log), "--rate", str(rate), "--now")
            _play(stage)
        found, lags = reader.figures(), groups.lags(reader.nexts)
        seen = seen_by_gateways(ports)
    run = Run(
        origin=given.header.origin,
        title=given.header.title,
        note=given.header.note,
        seconds=time.monotonic() - begun,
        lags=lags,
        duplicates=sum(counts["duplicates"] for counts in seen.values()),
        broken=given.header.broken if given.whole else None,
        accepted_twice=accepted_twice(home / "accepted.jsonl"),
        whole=given.whole,
    )
    return _close(console, home, found, run)


def _close(console: Console, home: Path, found: Figures, run: Run) -> int:
    write_summary(home / "summary.json", summed_up(found, run))
    say(console, found, run)
    broken = broken_promises(found, run)
    for sentence in broken:
        console.print(f"Not as promised: {sentence}.", style="red", markup=False, highlight=False)
    for complaint in _complaints(home) if broken else ():
        console.print(complaint, style="red", markup=False, highlight=False)
    console.print(
        f"The demo took {run.seconds:.0f} s. Its figures: {os.path.relpath(home / 'summary.json')}", highlight=False
    )
    return 1 if broken else 0


def _complaints(home: Path) -> Iterator[str]:
    """Give the first error in each process's log."""
    for path in sorted(home.glob("*.log")):
        with path.open(encoding="utf-8", errors="replace") as lines:
            yield from (f"{path.name}: {line.strip()}" for line in islice((x for x in lines if "[error" in x), 1))


def _wipe(home: Path) -> None:
    """Remove what an earlier demo left, unless it still runs."""
    home.mkdir(parents=True, exist_ok=True)
    kafka = home / "kafka"
    if kafka.exists():
        os.close(lock_folder(kafka))
    for name in ("kafka", "state"):
        shutil.rmtree(home / name, ignore_errors=True)
    for path in (*home.glob("*.log"), *home.glob("*.json*")):
        path.unlink()


def _publish(cluster: Cluster, given: Input) -> None:
    named = {"policy": DEMO / "policy.yaml", "pools": DEMO / "pools.yaml", "apps": given.apps}
    contents = contents_of(DEMO / "rules", named)
    asyncio.run(publish(cluster.for_aiokafka(), contents, "demo", clock.now()))


def _environment(
    inherited: Mapping[str, str], cluster: Cluster, home: Path, ports: Mapping[str, int]
) -> dict[str, str]:
    ours = {f"KAIROS_{channel.upper()}_URL": f"http://127.0.0.1:{port}/{channel}" for channel, port in ports.items()}
    ours |= {f"KAIROS_{channel.upper()}_SECRET": new_secret() for channel in ports}
    return {
        **{name: value for name, value in inherited.items() if not name.startswith("KAIROS_")},
        **ours,
        "KAIROS_BOOTSTRAP": cluster.bootstrap,
        "KAIROS_LOG_LEVEL": "warning",
        "PYTHONUNBUFFERED": "1",
    }


def _start(crew: Crew, given: Input, home: Path, ports: Mapping[str, int]) -> None:
    truth = ("--truth", str(given.truth)) if given.truth else ()
    places = ("--sms-port", str(ports["sms"]), "--push-port", str(ports["push"]))
    crew.start("sandbox", "sandbox", *places, "--accepted", str(home / "accepted.jsonl"), *truth)
    # Two that share the customers' partitions, as on two machines; each has its own state.
    state = home / "state"
    crew.start("worker-1", "worker", KAIROS_DATA=str(state / "worker-1"))
    crew.start("worker-2", "worker", "--stage", "customers", KAIROS_DATA=str(state / "worker-2"))
    crew.start("door", "worker", "--only-door", KAIROS_DATA=str(state / "door"))
    for channel in ports:
        crew.start(f"deliver-{channel}", "deliver", channel)


def _await_start(crew: Crew, groups: Groups, ports: Mapping[str, int]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while missing := [*groups.missing(), *(name for name, port in ports.items() if not answers(port))]:
        crew.check(*ENDURING)
        if time.monotonic() > deadline:
            raise DemoError(f"not ready within {_START_SECONDS:.0f} s: {', '.join(missing)}")
        time.sleep(0.2)


def _play(stage: _Stage) -> None:
    """Show what happens until everything that was fed has come to its end, or long enough."""
    rate, deadline = _rate(), 0.0
    while True:
        stage.crew.check(*ENDURING)
        if not deadline and stage.crew.is_done("feed"):
            deadline = time.monotonic() + _SETTLE_SECONDS
        found, lags = stage.reader.figures(), stage.groups.lags(stage.reader.nexts)
        phase = "settling" if deadline else "feeding"
        stage.show(Frame(stage.title, phase, time.monotonic() - stage.begun, rate(found.happened), lags, found))
        if deadline and (time.monotonic() > deadline or _is_settled(stage.reader, found, lags)):
            return
        time.sleep(_PICTURE_EVERY)


def _is_settled(reader: Reader, found: Figures, lags: Mapping[str, int]) -> bool:
    open_ends = found.pending + found.unended + found.unlabelled
    return not open_ends and not any(lags.values()) and reader.is_level


def _rate() -> Callable[[int], float]:
    seen: list[tuple[float, int]] = []

    def rate(happened: int) -> float:
        now = time.monotonic()
        seen.append((now, happened))
        while len(seen) > 2 and now - seen[1][0] > _RATE_OVER:
            seen.pop(0)
        (then, before), passed = seen[0], now - seen[0][0]
        return (happened - before) / passed if passed and then else 0.0

    return rate


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the demo as Ctrl-C does, with everything it started."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
