"""The export: what the stages counted and what can be asked of them now, in Prometheus' format."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from kairos.instants import SECOND, Millis
from kairos.ports import Store
from streams import watermark
from streams.deadlines import DEADLINE
from streams.meter import Spread
from streams.metrics import METRICS, Metric, Name
from streams.partition import Partition
from streams.stage import Stage
from streams.work import TIMER

__all__ = ["behind", "exported", "timers"]

_MOST = 10_000
Values = dict[tuple[str, ...], float]


def exported(stages: Sequence[Stage[Any]], now: Millis) -> bytes:
    """Write all metrics of these stages as they are at `now`."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Now(stages, now))
    return generate_latest(registry)


class _Now(Collector):
    def __init__(self, stages: Sequence[Stage[Any]], now: Millis) -> None:
        self._stages, self._now = stages, now

    def collect(self) -> Iterable[Family]:
        gauges = _gauges(self._stages, self._now)
        for metric in METRICS:
            yield _family(metric, self._stages, gauges)


def _family(metric: Metric, stages: Sequence[Stage[Any]], gauges: dict[Name, Values]) -> Family:
    match metric.kind:
        case "counter":
            counter = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
            for stage in stages:
                for labels, value in stage.meter.counts[metric.name].items():
                    counter.add_metric(labels, value)
            return counter
        case "gauge":
            gauge = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
            for labels, now in gauges[metric.name].items():
                gauge.add_metric(labels, now)
            return gauge
        case "histogram":
            histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
            for stage in stages:
                spread = _spread(metric.name)(stage)
                buckets = [(str(bound), float(n)) for bound, n in zip(spread.bounds, spread.below, strict=True)]
                histogram.add_metric([stage.spec.name], [*buckets, ("+Inf", spread.count)], spread.sum)
            return histogram


def _spread(name: Name) -> Callable[[Stage[Any]], Spread]:
    found: dict[Name, Callable[[Stage[Any]], Spread]] = {
        "kairos_batch_records": lambda stage: stage.meter.batch,
        "kairos_step_seconds": lambda stage: stage.meter.step,
        "kairos_commit_seconds": lambda stage: stage.meter.commit,
        "kairos_latency_seconds": lambda stage: stage.meter.latency,
    }
    return found[name]


def _gauges(stages: Sequence[Stage[Any]], now: Millis) -> dict[Name, Values]:
    found: dict[Name, Values] = {metric.name: {} for metric in METRICS if metric.kind == "gauge"}
    for stage in stages:
        name = stage.spec.name
        numbers = stage.partitions
        ready = sum(partition.ready for partition in numbers.values())
        stopped = len(stage.stopped)
        for state, count in (("open", ready), ("opening", len(numbers) - ready - stopped), ("stopped", stopped)):
            found["kairos_partitions"][name, state] = count
        for number, partition in numbers.items():
            for topic, lag in partition.lag().items():
                found["kairos_lag_records"][name, topic, str(number)] = lag
            for metric, value in _of_partition(partition, now):
                found[metric][name, str(number)] = value
    return found


def _of_partition(partition: Partition[Any], now: Millis) -> Iterator[tuple[Name, float]]:
    yield "kairos_restored_records", partition.progress.records
    yield "kairos_restoring_records", partition.progress.left
    yield "kairos_restore_seconds_left", partition.progress.seconds_left
    yield "kairos_to_reread_records", partition.to_reread
    store = partition.store
    if store is None or not partition.ready:
        return
    yield "kairos_state_bytes", store.size
    if partition.spec.timed:
        yield "kairos_timers_pending", timers(store)
        time = watermark.kept(store)
        if time.topics:
            yield "kairos_watermark_lag_seconds", behind(time, partition, now) / SECOND


def behind(time: watermark.EventTime, partition: Partition[Any], now: Millis) -> Millis:
    """Tell how far event time is behind the clock."""
    # What lies in the store stands still where nothing comes; event time goes on with the clock.
    reached = watermark.advanced(time, partition.spec.timed, {}, partition.drained, now, partition.running.lateness)
    return max(0, now - reached.mark)


def timers(store: Store) -> int:
    """Count what waits for its time, up to 10,000 of each kind: who asks for metrics must not hold up events."""
    return sum(sum(1 for _ in islice(store.scan(b"", kind), _MOST)) for kind in (TIMER, DEADLINE))
