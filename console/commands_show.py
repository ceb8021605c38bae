"""The command that repeats something: a file, or what the journal says happened live."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from console.output import errors, fail, out, said, settings
from console.replaying import replay_file
from console.rule_inputs import files_told
from streams.replay_journal import MissingKey, replay_journal
from streams.stages import STAGES

__all__ = ["add_to"]

_EXAMPLES = Path("examples")


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(replay)


def replay(
    events: Annotated[Path | None, typer.Argument(exists=True, dir_okay=False, help="an event log")] = None,
    rules: Annotated[Path, typer.Option(help="folder of the rule files")] = _EXAMPLES / "demo" / "rules",
    policy: Annotated[Path, typer.Option(help="the contact policy")] = _EXAMPLES / "demo" / "policy.yaml",
    pools: Annotated[Path, typer.Option(help="the coupon pools")] = _EXAMPLES / "demo" / "pools.yaml",
    apps: Annotated[Path, typer.Option(help="the catalogue of apps")] = _EXAMPLES / "apps.json",
    out_: Annotated[Path, typer.Option("--out", help="where the records go, as JSON lines")] = Path("var/replay.jsonl"),
    journal: Annotated[bool, typer.Option("--journal", help="repeat from Kafka what happened live")] = False,
) -> None:
    """Run the live functions over a file, without Kafka; or, with --journal, repeat what happened live bit for bit.

    --journal begins where the journals begin and plays every partition to its end, with its topics in memory.
    """
    if journal:
        with said():
            told = settings()
            try:
                results = asyncio.run(
                    replay_journal(told.cluster.for_aiokafka(), list(STAGES.values()), told.codes_keys)
                )
            except MissingKey as error:
                fail(str(error), 2)
        for result in results:
            out.print(str(result), highlight=False, soft_wrap=True)
            for problem in result.problems:
                errors.print(f"  {problem}", style="red", markup=False, highlight=False)
        raise typer.Exit(1 if any(result.problems for result in results) else 0)
    if events is None:
        fail("name an event log, such as examples/data/demo.jsonl.gz, or give --journal", 2)
    with files_told():
        counts = replay_file(events, rules, policy, pools, apps, out_)
    for topic, count in sorted(counts.items()):
        out.print(f"{count:>9,}  {topic}", highlight=False)
    out.print(f"written to {out_}", highlight=False)
