"""Health, seen from outside: `python -m console.health worker|deliver-push|deliver-sms|sandbox`, exit code 0 or 1.

A worker or a delivery is healthy while Kafka counts it among its consumer groups: it answered a heartbeat within the
session. It need not own a partition, for there may be more workers than partitions. Made for a container, where an
address is a process's own; on a shared machine it says that some process there is well.
"""

import socket
import sys
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from streams.cluster import Cluster
from streams.settings import NoServers, Settings

__all__ = ["GROUPS", "main", "missing"]

# Written out, because asking the stages for them would load the whole engine every fifteen seconds.
GROUPS: Final = {
    "worker": ("kairos.customers", "kairos.ledger", "kairos.learning"),
    "deliver-push": ("kairos.deliver.push",),
    "deliver-sms": ("kairos.deliver.sms",),
}
"""The consumer groups of each kind of process."""
SANDBOX_PORTS: Final = (8090, 8091)

_PATIENCE_MS = 5_000


def main(arguments: Sequence[str]) -> int:
    """Say whether the process at this address is well."""
    if len(arguments) != 1 or arguments[0] not in {*GROUPS, "sandbox"}:
        print(f"usage: python -m console.health {'|'.join([*GROUPS, 'sandbox'])}", file=sys.stderr)
        return 2
    try:
        if arguments[0] == "sandbox":
            _connect(SANDBOX_PORTS)
            return 0
        absent = missing(Settings().cluster, GROUPS[arguments[0]])
    except (KafkaError, OSError, NoServers) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    if absent:
        print(f"not in {', '.join(absent)}", file=sys.stderr)
    return 1 if absent else 0


def missing(cluster: Cluster, groups: Sequence[str]) -> list[str]:
    """Name the groups that have no member at our address, or are just being dealt out anew.

    Raises
    ------
    KafkaError
        The cluster does not answer.

    """
    # Anything, because the package has no types, and this is the only place that describes groups.
    admin: Any = KafkaAdminClient(**cluster.for_kafka_python(), bootstrap_timeout_ms=_PATIENCE_MS)
    with closing(admin):
        found = admin.describe_groups(list(groups))
    ours = _our_address(cluster)
    return [group for group in groups if not _has_member(found[group], ours)]


def _has_member(group: dict[str, Any], address: str) -> bool:
    return group["group_state"] == "Stable" and any(
        member["client_host"].removeprefix("/") == address for member in group["members"]
    )


def _our_address(cluster: Cluster) -> str:
    """Give our address as the broker sees it."""
    host, _, port = cluster.servers[0].rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE_MS / 1000) as line:
        return str(line.getsockname()[0])


def _connect(ports: Sequence[int]) -> None:
    for port in ports:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
