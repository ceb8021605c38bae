"""Stops and policies on a real Kafka: a command reaches offers that are queued; a bad policy reaches nothing."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from connectors.memory import Memory
from console.cli import app
from console.publishing import catalogue as catalogue_of
from console.publishing import publish
from kairos.decisions import Reason
from kairos.instants import HOUR, SECOND, Millis
from kairos.offers import Offer
from kairos.ports import Receipt
from rules.policy import Policy
from rules.sending import held_back
from streams import clock
from streams.catalogue import Catalogue
from streams.cluster import Cluster
from streams.spec import Running
from streams.stage import Stage
from streams.stages import STAGES
from streams.topics import OFFERS_LIST, Partitions
from tests.customer_table import versions
from tests.delivery_table import delivering, ends, may, offers_for, read, until, write

pytestmark = pytest.mark.kafka

OPEN = Policy.model_validate({"format": 1, "zone": "UTC", "hours": {"push": "00:00-24:00"}})
QUEUED = 300


class Turnstile(Memory):
    """A gateway that takes twenty offers a second and notes when each came."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[Millis] = []

    async def send(self, offer: Offer) -> Receipt:
        self.times.append(clock.now())
        await asyncio.sleep(0.05)
        return await super().send(offer)


async def test_a_stop_reaches_queued_offers_within_two_seconds_and_its_end_lets_new_ones_go(
    cluster: Cluster, declared: Partitions, tmp_path: Path
) -> None:
    await publish(cluster.for_aiokafka(), {"policy": OPEN.content, "rules": versions().book.content}, "ann", 0)
    offers, later = offers_for(QUEUED), offers_for(QUEUED + 1)[-1]
    gateway, catalogue = Turnstile(), Catalogue(cluster.for_aiokafka())
    await catalogue.start()
    await catalogue.opened.wait()

    def look(offer: Offer, now: Millis) -> Reason | None:
        found = catalogue.versions()
        return held_back(found.policy, found.stops, offer, now)

    deciding = Stage(
        STAGES["customers"],
        Running(tmp_path, wait=20, tick=50, client=cluster.for_aiokafka()),
        catalogue.versions,
        catalogue.opened,
        clock.now,
    )
    await deciding.start()
    try:
        async with delivering(cluster, gateway, look, window=1):
            await write(cluster, offers, [may(offer.customer) for offer in (*offers, later)])
            await until(lambda: len(gateway.times) >= 3)
            stopped = await _run(
                cluster, "stop", "--programme", offers[0].programme, "--why", "wrong text", "--unknown"
            )
            told = clock.now()
            words = await read(cluster, OFFERS_LIST, lambda rows: len(rows) == declared.customers)
            found = await ends(cluster, QUEUED)
            listed = await _run(cluster, "stops")
            started = await _run(cluster, "start", "--programme", offers[0].programme)
            await until(lambda: not catalogue.versions().stops.kinds)
            await write(cluster, [later], [])
            await until(lambda: later.id in gateway.reached)
    finally:
        await deciding.stop()
        await catalogue.stop()

    # Each partition of the lists is told, too, by who decides for its customers.
    assert {row.partition for row in words} == set(range(declared.customers))
    assert {json.loads(row.value or b"")["name"] for row in words} == {offers[0].programme}
    assert (stopped.exit_code, started.exit_code) == (0, 0)
    assert "wrong text" in listed.output
    fates = Counter(found.values())
    assert fates.keys() == {"accepted", "stopped"}
    assert fates["accepted"] == len(gateway.times) - 1
    assert max(gateway.times[:-1]) - told < 2 * SECOND
    # Had nobody stopped it, the gateway would have been busy for much longer than that.
    assert fates["stopped"] * 50 > 2 * SECOND


@pytest.mark.usefixtures("declared")
async def test_a_slip_stops_nothing_and_says_so(cluster: Cluster) -> None:
    await publish(cluster.for_aiokafka(), {"rules": versions().book.content}, "ann", 0)

    slip = await _run(cluster, "stop", "--rule", "crad", "--why", "x")
    idle = await _run(cluster, "start", "--rule", "card")
    nothing = await _run(cluster, "stop", "--why", "x")
    listed = await _run(cluster, "stops")

    assert "no rule 'crad' is in force; did you mean 'card'?" in slip.output
    assert "rule card is not stopped" in idle.output
    assert "say what: --all, --rule" in nothing.output
    assert [run.exit_code for run in (slip, idle, nothing, listed)] == [1, 1, 1, 0]
    assert listed.output == "nothing is stopped\n"


@pytest.mark.usefixtures("declared")
async def test_a_bad_policy_is_refused_and_the_one_in_force_stays(cluster: Cluster, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("format: 1\nzone: UTC\ngap: 4h\n", encoding="utf-8")
    bad.write_text("format: 1\nzone: UTC\ngap: 4 hours\n", encoding="utf-8")

    published = await _run(cluster, "policy", "publish", str(good))
    refused = await _run(cluster, "policy", "publish", str(bad))

    content = (await catalogue_of(cluster.for_aiokafka())).current("policy")
    assert content is not None
    assert Policy.of_content(content).gap == 4 * HOUR
    assert (published.exit_code, refused.exit_code) == (0, 1)
    assert "bad.yaml:3:6: expected a length of time" in refused.output


async def _run(cluster: Cluster, *arguments: str) -> Result:
    environment = {"KAIROS_BOOTSTRAP": cluster.bootstrap}
    return await asyncio.to_thread(CliRunner(env=environment).invoke, app, list(arguments))
