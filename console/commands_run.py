"""The commands that run something: broker, topics, worker, deliver, sandbox, feed, simulate, demo."""

import asyncio
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from console.output import errors, out, said, settings
from console.rule_inputs import files_told
from console.running import Kind, deliver_offers, feed_log, sandbox_gateways
from console.skipping import wanted_skips
from kairos.offers import Channel
from rules.problems import many
from streams import clock
from streams.app import run_worker
from streams.broker import main as broker_main
from streams.delivery_clients import topics_of
from streams.logs import configure
from streams.processes import run_processes
from streams.stages import STAGES
from streams.topics import FOREIGN, TOPICS
from streams.topics_declare import declare, verify

__all__ = ["add_to"]


class Stage(StrEnum):
    """A stage's name."""

    CUSTOMERS = "customers"
    LEDGER = "ledger"
    LEARNING = "learning"


class Input(StrEnum):
    """What a demo is fed with."""

    REAL = "real"
    SIMULATED = "simulated"


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (broker, topics, worker, deliver, sandbox, feed, simulate, demo):
        app.command()(command)


def broker(
    home: Annotated[Path, typer.Option(help="folder of its data")] = Path("var/kafka"),
    lock: Annotated[bool, typer.Option("--lock", help="write the list of jars anew and end; needs a network")] = False,
) -> None:
    """Run a real Apache Kafka on this machine, out of Python packages, until Ctrl-C."""
    raise typer.Exit(broker_main(["--home", str(home), *(["--lock"] if lock else [])]))


def topics(
    fix: Annotated[bool, typer.Option("--fix", help="correct settings that differ")] = False,
    foreign: Annotated[
        bool, typer.Option("--foreign", help="also the bank's own topics, where there is no bank")
    ] = False,
) -> None:
    """Declare the topics: create what is missing, check what is there."""
    with said():
        told = settings()
        wanted = (*TOPICS, *FOREIGN) if foreign else TOPICS
        changes = declare(told.cluster, told.partitions, told.replication, fix=fix, topics=wanted)
    for change in changes:
        out.print(str(change), markup=False, highlight=False)
    out.print("nothing to do" if not changes else many(len(changes), "change"), highlight=False)


def worker(
    stages: Annotated[list[Stage] | None, typer.Option("--stage", help="which stages; all unless given")] = None,
    door: Annotated[bool, typer.Option("--door", help="also map the bank's card feed into our topics")] = False,
    only_door: Annotated[bool, typer.Option("--only-door", help="map the feed, and run no stage")] = False,
    processes: Annotated[int, typer.Option(min=1, help="how many; one for each core that is to spare")] = 1,
    skip: Annotated[
        list[str] | None,
        typer.Option(help="a record on which a partition stopped, topic:partition:offset; it becomes a dead letter"),
    ] = None,
    reason: Annotated[str, typer.Option(help="who skips, and why: it is written beside the dead letter")] = "",
) -> None:
    """Run the engine: customers, ledger and learning. SIGTERM and Ctrl-C finish the batch under way first."""
    told = settings()
    configure(told.log_level, told.log_format)
    wanted, with_door = _wanted(stages, only_door), door or only_door
    skips = wanted_skips(skip or [], reason, wanted, told.partitions)
    with said():
        if processes > 1:
            run_processes(told, wanted, door=with_door, count=processes, skips=skips)
        else:
            run_worker(told, wanted, door=with_door, skips=skips)


def _wanted(stages: list[Stage] | None, only_door: bool) -> list[str]:
    if only_door:
        return []
    return [stage.value for stage in stages] if stages else list(STAGES)


def deliver(channel: Annotated[Kind, typer.Argument(help="whose offers")]) -> None:
    """Hand one channel's offers to its gateway, each once, until Ctrl-C; then finish what is under way."""
    told = settings()
    configure(told.log_level, told.log_format)
    with said():
        verify(told.cluster, told.partitions, topics_of(Channel(channel.value)))
        asyncio.run(deliver_offers(told, channel))


def sandbox(
    sms_port: Annotated[int, typer.Option(help="port of the SMS gateway; 0 takes a free one")] = 8090,
    push_port: Annotated[int, typer.Option(help="port of the mobile bank; 0 takes a free one")] = 8091,
    truth: Annotated[Path | None, typer.Option(help="what the simulated customers are like")] = None,
    seed: Annotated[int, typer.Option(help="of the simulated customers")] = 1,
    accepted: Annotated[Path | None, typer.Option(help="a file for every accepted offer, as JSON lines")] = None,
) -> None:
    """Run an SMS gateway and a mobile bank for trying out; their customers are simulated, and say so."""
    told = settings()
    configure(told.log_level, told.log_format)
    with said():
        asyncio.run(sandbox_gateways(told, sms_port, push_port, truth, seed, accepted))


def feed(
    log: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="an event log, *.jsonl.gz")],
    rate: Annotated[float | None, typer.Option(help="records a second; as fast as it goes unless given")] = None,
    now: Annotated[bool, typer.Option("--now", help="shift all times so that the log ends now")] = False,
) -> None:
    """Send an event log to Kafka."""
    with files_told():
        sent = asyncio.run(feed_log(settings(), log, rate, shift_to_now=now, now=clock.now()))
    out.print(f"{sent} records sent", highlight=False)


def simulate(
    out_: Annotated[Path, typer.Option("--out", help="the log to write")] = Path("var/simulated.jsonl.gz"),
    truth: Annotated[Path, typer.Option(help="what is true of the customers; no product process opens it")] = Path(
        "var/truth.jsonl"
    ),
    customers: Annotated[int, typer.Option(min=1)] = 2_000,
    days: Annotated[int, typer.Option(min=1)] = 30,
    seed: Annotated[int, typer.Option()] = 1,
) -> None:
    """Make up customers and their events, labelled as simulated everywhere."""
    # Imported here: only this command and the demo need it.
    from console.simulate import write_simulation

    out_.parent.mkdir(parents=True, exist_ok=True)
    truth.parent.mkdir(parents=True, exist_ok=True)
    with errors.status("simulating ...") as status:
        lines = write_simulation(
            out_, truth, customers, days, seed, lambda n: status.update(f"simulating ... {n:,} events")
        )
    out.print(f"{lines:,} simulated events in {out_}", highlight=False)


def demo(
    input_: Annotated[Input, typer.Option("--input", help="real: recorded purchases and app launches")] = Input.REAL,
    rate: Annotated[float, typer.Option(help="events a second")] = 2_500.0,
) -> None:
    """Feed events through a real Kafka and watch the engine decide; ends by itself with a summary."""
    # Imported here: it starts everything else.
    from console.demo import run_demo

    with said():
        raise typer.Exit(run_demo(input_.value, rate=rate, environment=dict(os.environ)))
