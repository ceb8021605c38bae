"""`kairos worker --processes`: several cores, one worker; its processes begin, answer and end together."""

import json
import os
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.cluster import Cluster
from streams.topics import Partitions
from tests.fault_driver import Worker, until

pytestmark = pytest.mark.kafka


class Two(Worker):
    """A worker of two processes with a port for `/ready`."""

    def __init__(self, servers: str, folder: Path) -> None:
        super().__init__("two", servers, folder, "--stage", "customers", "--processes", "2")
        with socket.socket() as tried:
            tried.bind(("127.0.0.1", 0))
            self.port = tried.getsockname()[1]
        self._environment["KAIROS_HEALTH_PORT"] = str(self.port)

    def asked(self, path: str) -> tuple[int, dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except OSError:
            return 0, {}

    def exit_code(self) -> int | None:
        assert self._process is not None
        return self._process.poll()


@pytest.fixture
def two(cluster: Cluster, declared: Partitions, tmp_path: Path) -> Iterator[Two]:
    worker = Two(cluster.bootstrap, tmp_path)
    worker.start()
    yield worker
    worker.end()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until_ready(two: Two) -> list[int]:
    await until(lambda: two.asked("/ready")[0] == 200, 60, "both to be ready", two.log)
    return [told["pid"] for told in two.asked("/ready")[1]["processes"].values()]


async def test_two_processes_share_the_partitions_and_end_together_when_asked(two: Two) -> None:
    children = await until_ready(two)
    stages = [told["stages"]["customers"]["open"] for told in two.asked("/ready")[1]["processes"].values()]

    code = await two.stop()

    assert sorted(stages) == [[0, 1], [2, 3]]
    assert code == 0
    assert not any(map(alive, children))


async def test_a_process_that_dies_ends_the_others_and_the_worker_says_which_it_was(two: Two) -> None:
    children = await until_ready(two)

    os.kill(children[0], signal.SIGKILL)
    await until(lambda: two.exit_code() is not None, 30, "the worker to end", two.log)

    assert two.exit_code() == 1
    assert two.said("ended by itself: killed by SIGKILL; the others were stopped") == 1
    assert not any(map(alive, children))


async def test_nobody_works_on_when_the_parent_was_killed(two: Two) -> None:
    children = await until_ready(two)

    two.kill()

    await until(lambda: not any(map(alive, children)), 30, "the processes to end", two.log)
