import json
from collections import Counter
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from console import simulate
from console.simulate import CLASSES, MERCHANTS, catalogue, load_events, write_simulation
from kairos import wire
from kairos.apps import Apps
from kairos.instants import DAY, HOUR, from_rfc3339
from streams import event_log
from streams.event_log import Line


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return list(simulate.simulate(customers=2_000, days=2, seed=7))


def test_the_same_seed_simulates_the_same_and_another_one_does_not() -> None:
    def first(seed: int) -> list[Line]:
        return list(islice(simulate.simulate(50, 1, seed), 200))

    assert first(1) == first(1)
    assert first(1) != first(2)


def test_the_catalogue_has_the_classes_and_apps_of_the_case() -> None:
    apps = catalogue().apps

    assert (len(CLASSES), len(apps)) == (26, 1_300)
    assert set(Counter(apps.values()).values()) == {50}
    assert all(apps[merchant] == class_ for merchant, class_ in MERCHANTS.items())


def test_the_door_accepts_whatever_is_simulated(tmp_path: Path) -> None:
    log, apps = tmp_path / "log.jsonl.gz", Apps.of(catalogue())
    written = write_simulation(log, tmp_path / "truth.jsonl.gz", 200, 3, seed=1)

    header, found = event_log.read(log)

    events = [wire.read(record, record.at, apps) for record in found]
    assert header.origin == "simulated"
    assert len(events) == written
    assert {event.type for event in events} >= {"customer", "app_usage", "transaction", "login", "page_view"}
    assert all(event.category in CLASSES for event in events if event.type == "app_usage")


def test_some_events_come_late_and_some_come_twice(lines: list[Line]) -> None:
    events = [line for line in lines if line.type != "customer"]

    late = sum(_delay(line) > 10 * 60_000 for line in events) / len(events)
    twice = 1 - len({line.id for line in events}) / len(events)

    assert 0.02 < late < 0.04
    assert 0.005 < twice < 0.015
    assert max(map(_delay, events)) < 6 * HOUR


def test_the_simulated_customers_eat_at_noon_and_in_the_evening(lines: list[Line]) -> None:
    hours = Counter((line.time or "")[11:13] for line in lines if b"waimai" in _data(line))

    local = {hour: hours[f"{(hour - 8) % 24:02d}"] for hour in range(24)}
    assert min(local[12], local[18]) > 3 * max(local[9], local[15])


def test_every_simulated_event_says_so(lines: list[Line]) -> None:
    assert all(b'"link":"synthetic"' in _data(line) or b'"simulated":true' in _data(line) for line in lines)


def test_the_truth_stands_in_a_file_of_its_own(tmp_path: Path) -> None:
    log, truth = tmp_path / "log.jsonl", tmp_path / "truth.jsonl"
    write_simulation(log, truth, 100, 1, seed=1)

    header, *customers = [json.loads(line) for line in truth.read_text().splitlines()]

    assert (header["origin"], len(header["classes"]), len(customers)) == ("simulated", 26, 100)
    for customer in customers:
        assert all(
            0 < redeemed < opened < 1 for redeemed, opened in zip(customer["redeem"], customer["open"], strict=True)
        )
    assert '"redeem"' not in log.read_text()


def test_load_has_the_size_and_the_skew_of_the_measurements() -> None:
    skewed = list(load_events(30_000))
    uniform = list(load_events(30_000, 300_000, skew=False))

    assert {wire.read(record, record.at, Apps()).type for record in skewed[:300]} == {"app_usage", "transaction"}
    assert 190 <= sum(len(record.value or b"") for record in skewed) / 30_000 <= 200
    busiest = sum(number for _, number in Counter(record.key for record in skewed).most_common(4_000))
    assert busiest / 30_000 > 0.7
    assert len({record.key for record in uniform}) > 28_000


def test_load_never_ends_unless_told_to() -> None:
    records = list(islice(load_events(None, 10), 25_000))

    assert records[-1].at - records[0].at == 2_499
    assert len({dict(record.headers)["ce_id"] for record in records}) == 25_000
    assert records[-1].at < from_rfc3339("2026-06-01T00:00:00Z") + DAY


def _delay(line: Line) -> int:
    return from_rfc3339(line.arrived) - from_rfc3339(line.time or "") if line.arrived else 0


def _data(line: Line) -> bytes:
    assert isinstance(line.data, msgspec.Raw)
    return bytes(line.data)
