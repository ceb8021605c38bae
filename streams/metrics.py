"""The metrics of a worker: one list, from which the export and docs/metrics.md are made.

No label names a customer or anything else that grows without an end: stages, topics, partitions and closed sets of
words.
"""

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["METRICS", "Label", "Metric", "Name", "page"]

Label = Literal["stage", "topic", "partition", "class", "state", "reason", "channel", "receipt"]
Name = Literal[
    "kairos_partitions",
    "kairos_lag_records",
    "kairos_restoring_records",
    "kairos_restored_records",
    "kairos_restore_seconds_left",
    "kairos_records_total",
    "kairos_to_reread_records",
    "kairos_reread_records_total",
    "kairos_batch_records",
    "kairos_step_seconds",
    "kairos_commit_seconds",
    "kairos_latency_seconds",
    "kairos_decisions_total",
    "kairos_decision_ends_total",
    "kairos_offers_total",
    "kairos_deliveries_total",
    "kairos_dead_letters_total",
    "kairos_alerts_total",
    "kairos_watermark_lag_seconds",
    "kairos_timers_pending",
    "kairos_state_bytes",
]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Parameters
    ----------
    name
        As Prometheus has it, unit and `_total` included.
    kind
        A counter grows until the worker ends, a gauge is read when it is asked for, a histogram counts by bounds.
    labels
        What it is told apart by.
    unit
        What it counts or measures.
    help
        What it means, and what to make of it.
    bounds
        The upper bounds of a histogram, ascending.

    """

    name: Name
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[Label, ...]
    unit: Literal["records", "seconds", "bytes", "partitions", "timers"]
    help: str
    bounds: tuple[float, ...] = ()


_SIZES = (1.0, 10.0, 50.0, 200.0, 500.0, 1000.0, 2000.0, 4000.0)
_TIMES = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_LATENCIES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

METRICS: Final = (
    Metric(
        "kairos_partitions",
        "gauge",
        ("stage", "state"),
        "partitions",
        "Partitions of this worker: open, opening, or stopped by a mistake of ours; /ready names the reason.",
    ),
    Metric(
        "kairos_lag_records",
        "gauge",
        ("stage", "topic", "partition"),
        "records",
        "What lies between the last commit and the topic's end as the last fetch saw it; markers count.",
    ),
    Metric(
        "kairos_restoring_records",
        "gauge",
        ("stage", "partition"),
        "records",
        "What a partition that is opening has still to read of its changelog.",
    ),
    Metric(
        "kairos_restored_records",
        "gauge",
        ("stage", "partition"),
        "records",
        "What a partition read of its changelog when it was opened last.",
    ),
    Metric(
        "kairos_restore_seconds_left",
        "gauge",
        ("stage", "partition"),
        "seconds",
        "When a partition that is opening will have read its changelog, if it goes on as it did.",
    ),
    Metric("kairos_records_total", "counter", ("stage", "topic"), "records", "Input records whose commit succeeded."),
    Metric(
        "kairos_to_reread_records",
        "gauge",
        ("stage", "partition"),
        "records",
        "What a partition has still to read again to fill the memory of new rules (`warm: replay`); markers count.",
    ),
    Metric(
        "kairos_reread_records_total",
        "counter",
        ("stage", "topic"),
        "records",
        "Records that were read again for that, beside the live ones.",
    ),
    Metric(
        "kairos_batch_records",
        "histogram",
        ("stage",),
        "records",
        "Records in a committed batch; ticks without records are left out.",
        _SIZES,
    ),
    Metric("kairos_step_seconds", "histogram", ("stage",), "seconds", "Computing time of a committed batch.", _TIMES),
    Metric(
        "kairos_commit_seconds",
        "histogram",
        ("stage",),
        "seconds",
        "Time of a Kafka transaction, from its begin to its end.",
        _TIMES,
    ),
    Metric(
        "kairos_latency_seconds",
        "histogram",
        ("stage",),
        "seconds",
        "From the moment when Kafka took in a record to the commit with all that followed from it: for the "
        "customers' stage from event to decision. Clocks of broker and worker are compared.",
        _LATENCIES,
    ),
    Metric(
        "kairos_decisions_total",
        "counter",
        ("state", "reason"),
        "records",
        "Decisions by outcome; reason is empty unless suppressed. Testers are left out.",
    ),
    Metric(
        "kairos_decision_ends_total",
        "counter",
        ("state",),
        "records",
        "How offered decisions ended; testers are left out.",
    ),
    Metric(
        "kairos_offers_total", "counter", ("channel",), "records", "Offers handed to a channel; testers are left out."
    ),
    Metric(
        "kairos_deliveries_total",
        "counter",
        ("channel", "receipt"),
        "records",
        "What delivery said of offers, as the customers' stage read it; other writers' feedback and testers are "
        "left out.",
    ),
    Metric(
        "kairos_dead_letters_total",
        "counter",
        ("stage", "class"),
        "records",
        "Records that were not accepted; see `kairos dlq`.",
    ),
    Metric(
        "kairos_alerts_total",
        "counter",
        ("class",),
        "records",
        "What people wanted to be told at once: `low`, a pool that came down to the number they named.",
    ),
    Metric(
        "kairos_watermark_lag_seconds",
        "gauge",
        ("stage", "partition"),
        "seconds",
        "How far event time is behind the clock; not there before the first event.",
    ),
    Metric(
        "kairos_timers_pending",
        "gauge",
        ("stage", "partition"),
        "timers",
        "Timers and deadlines that wait, counted up to 10,000 of each.",
    ),
    Metric(
        "kairos_state_bytes",
        "gauge",
        ("stage", "partition"),
        "bytes",
        "The partition's database: its files and what is in memory for them.",
    ),
)
"""Every metric, in the order in which they are shown."""


def page() -> str:
    """Write docs/metrics.md."""
    rows = [f"| `{m.name}` | {m.kind} | {m.unit} | {', '.join(m.labels)} | {m.help} |" for m in METRICS]
    return "\n".join([_HEAD, "| metric | kind | unit | labels | meaning |", "|---|---|---|---|---|", *rows, ""])


_HEAD = """# Metrics

A worker with `KAIROS_HEALTH_PORT` answers `/metrics` in Prometheus' format beside `/live` and `/ready`, on the loopback
interface unless `KAIROS_HEALTH_HOST` says otherwise. Counters begin at nothing when a worker starts. No label names a
customer. This page is made from `streams/metrics.py` by `python -m console.metrics --write`.
"""
