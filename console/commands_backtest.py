"""`kairos backtest`: what rules would have done over a recorded log, in figures that marketing can read."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from console.commands_rule_tests import Language_
from console.live_records import KafkaRecords, KeptRecords, LiveRecords, keep
from console.output import errors, fail, out, said, settings
from console.progress import bar
from console.rule_inputs import files_told, instant_of
from console.written import whole
from kairos.instants import Millis, from_rfc3339
from rules.saying import Language

__all__ = ["add_to"]

_EXAMPLES = Path("examples")
_LAST = from_rfc3339("2100-01-01T00:00:00Z")
_WIDTH = 160
"""Narrower tables would break their words."""


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(backtest)


def backtest(
    events: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="a recorded event log")],
    rules: Annotated[Path, typer.Option(exists=True, help="a folder of rule files, or one file")],
    policy: Annotated[Path, typer.Option(help="the contact policy")] = _EXAMPLES / "policy.yaml",
    pools: Annotated[Path, typer.Option(help="the coupon pools")] = _EXAMPLES / "pools.yaml",
    apps: Annotated[Path, typer.Option(help="the catalogue of apps")] = _EXAMPLES / "apps.json",
    priorities: Annotated[Path | None, typer.Option(exists=True, help="what is added when offers compete")] = None,
    against: Annotated[Path | None, typer.Option(exists=True, help="other rules: what would they change?")] = None,
    sample: Annotated[
        int, typer.Option(min=1, help="the log holds one in N customers: make pools as much smaller")
    ] = 1,
    ends: Annotated[
        str | None, typer.Option(help="move the log by whole weeks, to end on this day or before it")
    ] = None,
    out_: Annotated[
        Path | None, typer.Option("--out", dir_okay=False, help="every decision and offer, as JSON lines")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(dir_okay=False, help="the report as one page that needs nothing from outside")
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick/--every-record", help="live through those customers alone whom a rule may meet, or all"),
    ] = True,
    live: Annotated[
        str | None, typer.Option(help="compare with what was decided live: `kafka`, or a file of its records")
    ] = None,
    keep_: Annotated[
        Path | None,
        typer.Option("--keep", dir_okay=False, help="with --live kafka: keep what was read of it, to be a --live FILE"),
    ] = None,
    differences: Annotated[
        Path | None, typer.Option(dir_okay=False, help="with --live: every place that differs and why, as JSON lines")
    ] = None,
    language: Language_ = "en",
) -> None:
    """Say who would have got what, when, and what would have been suppressed by which reason.

    Example: kairos backtest --events examples/data/demo.jsonl.gz --ends 2027-02-28 --sample 1000
    --rules examples/recorded/rules --policy examples/recorded/policy.yaml

    The functions that run live decide, over the log's events in their order; the clock is the newest event's time.
    Caps, cooldowns, hours, budgets, control groups and the choice between rules are all in it. Nothing is assumed of
    customers: an offer counts as one attempt and its coupon stays reserved, but whether it arrived, was opened or used
    is unknown. The log is put into arrays, kept beside it as LOG.backtest.npz, and customers whom no rule can meet are
    passed over; --every-record lives through everybody, with the same decisions and the same report.

    --live holds the decisions beside those that were made live, event by event and rule by rule, and says of each that
    differs what else had differed before it: the order of events, the clock, feedback, models, rules and policy, or a
    limit that customers share. FILE may be what --keep wrote, or decisions alone as JSON lines. With --against both
    folders of rules are held beside the live run, each in a section of its own.
    """
    # Imported here: they take a third of a second, and a worker's partitions rest while it is started again.
    from console.backtest_page import page
    from console.backtest_text import drawn
    from console.backtesting import Books, Wanted, backtested

    if live is None and (keep_ or differences):
        fail("--keep and --differences are about a live run: say --live kafka or --live FILE", 2)
    with files_told():
        moment = None if ends is None else _ends(ends, language)
        wanted = Wanted(events, moment, sample, out_, quick, _live(live, keep_), differences)
        report = backtested(wanted, Books(rules, policy, pools, apps, priorities), against, language)
    if html is not None:
        # First, for who reads the first lines of the report through a pipe ends what is behind them.
        with said(), whole(html) as part:
            part.write_text(page(report), encoding="utf-8")
    wide = Console(width=max(out.width, _WIDTH))
    for drawing in drawn(report):
        # A sentence is left to the terminal's own lines.
        (wide if isinstance(drawing, Table) else out).print(drawing, highlight=False)
    for path in filter(None, (out_, html, differences, keep_)):
        errors.print(f"written to {path}", markup=False, highlight=False)


def _ends(text: str, language: Language) -> Millis:
    """Read the day on which a log is to end; a customer's memory counts seconds from 1970 in four bytes."""
    found = instant_of(text, "UTC", language)
    if not 0 <= found < _LAST:
        told = {
            "en": f"--ends {text}: a log can end between 1970 and 2099",
            "zh": f"--ends {text}：日志只能在1970年至2099年之间结束",
        }
        raise ValueError(told[language])
    return found


def _live(where: str | None, keep_: Path | None) -> LiveRecords | None:
    """Give the live run's records; what Kafka holds is read once and kept where a file for it is named."""
    if where is None:
        return None
    if where != "kafka":
        if not Path(where).is_file():
            raise ValueError(f"--live {where}: there is no such file; write a file's name, or kafka")
        return KeptRecords(Path(where))
    records = KafkaRecords(settings().cluster.for_aiokafka(), partial(bar, "reading what happened live"))
    if keep_ is None:
        return records
    keep(records, keep_)
    return KeptRecords(keep_)
