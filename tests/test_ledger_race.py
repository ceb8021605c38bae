"""Three ledger workers are killed while requests race for coupons; `make race` does it with 100,000 for 10,000."""

from pathlib import Path

import pytest

from streams.cluster import Cluster
from streams.topics import Partitions
from tests.ledger_race import Raced, race


@pytest.mark.kafka
async def test_however_the_workers_die_exactly_as_many_are_granted_as_there_are_and_the_rest_is_told_so(
    cluster: Cluster, declared: Partitions, tmp_path: Path
) -> None:
    raced = await race(cluster, tmp_path, Raced(requests=8_000, coupons=2_000), points=("offsets",))

    print(raced)
    raced.check()
