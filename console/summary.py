"""The summary: what a demo came to, as `summary.json` and as a closing table, recounted from the topics."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from console.counting_figures import Figures

__all__ = ["Run", "broken_promises", "say", "summed_up", "table", "write_summary"]

CHANNELS = ("push", "sms")
ENOUGH = 200
"""Delivered offers on each channel that the demo of the real log promises."""


@dataclass(frozen=True, slots=True)
class Run:
    """What is known of a demo beside the topics.

    Parameters
    ----------
    origin
        `real` or `simulated`, by the log's own word.
    title, note
        What the log says of itself: what is real in it and what is invented.
    seconds
        How long the demo took.
    lags
        Records that each consumer group had not committed at the end.
    duplicates
        How often a gateway was given an offer that it had taken already.
    broken
        How many records are broken on purpose, if that is known.
    accepted_twice
        How often a gateway took one offer twice: never.
    whole
        Whether the whole log was fed.

    """

    origin: str
    title: str
    note: str
    seconds: float
    lags: Mapping[str, int]
    duplicates: int
    broken: int | None = None
    accepted_twice: int = 0
    whole: bool = True


def summed_up(found: Figures, run: Run) -> dict[str, Any]:
    """Give the summary; `decisions` is the sum of `offers`, `withheld`, `suppressed` and what was still pending."""
    return {
        "input": {
            "origin": run.origin,
            "title": run.title,
            "note": run.note,
            "notes": [
                "Receipts come from sandbox gateways, reactions from simulated customers: nothing was sent to anybody.",
                "Report no conversion and no uplift from this run.",
            ],
        },
        "events": found.happened,
        "customers": found.customers,
        "tags": found.tags,
        "matches": found.matches,
        "decisions": found.decisions,
        "offers": {channel: found.offers.get(channel, 0) for channel in CHANNELS},
        "delivered": {channel: found.delivered.get(channel, 0) for channel in CHANNELS},
        "suppressed": dict(found.suppressed),
        "withheld": found.states.get("withheld", 0),
        "dead_letters": sum(found.dead_letters.values()),
        "pools": {
            name: {
                "limit": pool.limit,
                "reserved": pool.reserved,
                "confirmed": pool.confirmed,
                "redeemed": pool.redeemed,
            }
            for name, pool in sorted(found.pools.items())
        },
        "latency_ms": {"p50": found.p50, "p99": found.p99},
        "duplicates_seen_by_gateways": run.duplicates,
        "seconds": round(run.seconds, 1),
        "simulated_reactions": sum(found.reactions.values()),
    }


def write_summary(path: Path, summary: Mapping[str, Any]) -> None:
    """Write the summary as JSON for people and machines."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")


def broken_promises(found: Figures, run: Run) -> list[str]:
    """Say what should have happened and did not; an empty list is a good end."""
    checks: list[tuple[int, str]] = [
        *((n, f"{n:,} records were not worked on by {group}") for group, n in run.lags.items()),
        (found.pending, f"{found.pending:,} decisions still wait for the ledger"),
        (found.unended, f"{found.unended:,} offered decisions have no end"),
        (found.twice, f"{found.twice:,} decisions, ends or offers were written twice"),
        (found.unreadable, f"{found.unreadable:,} records could not be read by the recount"),
        (run.accepted_twice, f"{run.accepted_twice:,} offers were accepted twice by a gateway"),
    ]
    checks += [
        (pool.left < 0, f"the pool {name} gave {pool.held} of {pool.limit}") for name, pool in found.pools.items()
    ]
    dead = sum(found.dead_letters.values())
    if run.broken is not None and dead != run.broken:
        checks.append((1, f"{dead} dead letters were written, {run.broken} records are broken on purpose"))
    if run.origin == "real" and run.whole:
        few = {channel: found.delivered.get(channel, 0) for channel in CHANNELS}
        checks += [
            (n < ENOUGH, f"only {n} offers were delivered by {c}, {ENOUGH} are promised") for c, n in few.items()
        ]
    return [sentence for is_broken, sentence in checks if is_broken]


def table(found: Figures, run: Run) -> Table:
    """Draw the closing table."""
    drawn = Table(title=f"{run.title} ({run.origin}), {run.seconds:.0f} s", title_justify="left", show_header=False)
    drawn.add_column("what", style="bold", no_wrap=True)
    drawn.add_column("how many", overflow="fold")
    delivered = {c: f"{n:,}, {found.delivered.get(c, 0):,} delivered" for c, n in sorted(found.offers.items())}
    rows: list[tuple[str, str]] = [
        ("events", f"{found.happened:,} ({_listed(found.events)})"),
        ("customers, tags", f"{found.customers:,}, {found.tags:,}"),
        ("matches, decisions", f"{found.matches:,}, {found.decisions:,}"),
        ("offers", "; ".join(f"{channel} {said}" for channel, said in delivered.items()) or "none"),
        ("by rule", _listed(found.rules)),
        ("withheld (control)", f"{found.states.get('withheld', 0):,}"),
        ("decisions suppressed", _listed(found.suppressed)),
        ("candidates refused", _listed(found.refused)),
        ("ends", _listed(found.ends)),
        ("dead letters", f"{sum(found.dead_letters.values()):,} ({_listed(found.dead_letters)})"),
        *((f"pool {name}", _pool(found, name)) for name in sorted(found.pools)),
        (
            "latency",
            f"p50 {found.p50:,} ms, p99 {found.p99:,} ms, from Kafka's time on the event to that on the decision",
        ),
        ("simulated reactions", _listed(found.reactions)),
        ("learnt", f"{found.examples:,} examples, {found.snapshots:,} snapshots of the model"),
        ("gateways", f"{run.duplicates:,} repetitions seen, {run.accepted_twice:,} accepted twice"),
    ]
    for row in rows:
        drawn.add_row(*row)
    drawn.caption = run.note
    drawn.caption_justify = "left"
    return drawn


def say(console: Console, found: Figures, run: Run) -> None:
    """Print the closing table."""
    console.print(table(found, run), markup=False, highlight=False)


def _pool(found: Figures, name: str) -> str:
    pool = found.pools[name]
    end = " (burnt down)" if pool.left == 0 else ""
    counts = f"{pool.reserved:,} reserved, {pool.confirmed:,} confirmed, {pool.redeemed:,} redeemed"
    return f"{pool.held:,} of {pool.limit:,}{end}: {counts}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in sorted(counts.items(), key=lambda pair: -pair[1])) or "none"
