"""A disk that refuses: it is said so, nothing is lost, and work goes on by itself when the disk takes it again."""

import ctypes
import errno
import os
import resource
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.cli import app
from kairos.ports import Batch, Output, Store
from streams.attempt import attempt
from streams.rocks import StoreUnavailable
from streams.skips import Skips
from streams.spec import StageSpec
from streams.store import Meta, RocksStore
from tests.stage_house import House, Nothing


@contextmanager
def full(room: int = 100_000) -> Iterator[str]:
    """No file of this process may grow beyond so many bytes, as on a disk that is full; gives what the system says."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield os.strerror(errno.EFBIG)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


_BIND, _REMOUNT, _READ_ONLY, _DETACH = 4096, 32, 1, 2


@contextmanager
def read_only(folder: Path) -> Iterator[str]:
    """Nothing new can be written into the folder, and what is open stays so; gives what the system says.

    Its place is mounted read-only where this process may mount. Elsewhere there is no way that holds for root, too, and
    a file takes its place, as where the disk is gone: RocksDB meets another error, and we the same refusal.
    """
    libc, place = ctypes.CDLL(None), os.fsencode(folder)
    if sys.platform == "linux" and libc.mount(place, place, None, _BIND, None) == 0:
        try:
            assert libc.mount(None, place, None, _BIND | _REMOUNT | _READ_ONLY, None) == 0
            yield os.strerror(errno.EROFS)
        finally:
            assert libc.umount2(place, _DETACH) == 0
    else:
        away = folder.rename(folder.with_suffix(".away"))
        folder.write_text("a file in the way")
        try:
            yield os.strerror(errno.ENOTDIR)
        finally:
            folder.unlink()
            away.rename(folder)


def test_a_full_disk_is_said_to_be_one_and_the_folder_can_be_opened_again(tmp_path: Path) -> None:
    store = RocksStore(tmp_path / "0")
    store.put(b"a", "c", b"", b"kept")
    store.commit(Meta(inputs={"events": 1}), 10)
    store.close()

    store = RocksStore(tmp_path / "0")
    with full():
        for number in range(2_000):
            store.put(b"%d" % number, "c", b"", os.urandom(1000))
        store.commit(Meta(inputs={"events": 2}), 20)
        # RocksDB writes it out in a thread of its own, and refuses all further work when it cannot.
        store.close()

    store = RocksStore(tmp_path / "0")
    found = store.get(b"a", "c"), store.meta.inputs, store.changelog
    store.close()
    assert found == (b"kept", {"events": 1}, 10)


def test_a_folder_that_cannot_be_made_is_the_disks_refusal(tmp_path: Path) -> None:
    (tmp_path / "customers").write_text("a file in the way")

    with pytest.raises(StoreUnavailable, match=str(tmp_path)):
        RocksStore(tmp_path / "customers" / "0")


async def test_a_disk_that_fails_in_the_middle_of_a_step_is_not_blamed_on_an_event(tmp_path: Path) -> None:
    def step(store: Store, _batch: Batch[Nothing]) -> list[Output]:
        raise StoreUnavailable("the disk is gone")

    spec: StageSpec[Nothing] = StageSpec("counts", "kairos.counts", ("events",), "changelog", "journal", step)
    store = RocksStore(tmp_path / "0")

    with pytest.raises(StoreUnavailable, match="the disk is gone"):
        await attempt(spec, store, Batch(0, 1, [], 0, Nothing()), Skips("counts", ()))
    store.close()


def test_a_worker_whose_folder_cannot_be_written_refuses_to_start(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in the way")

    ended = CliRunner().invoke(
        app, ["worker"], env={"KAIROS_DATA": str(tmp_path / "state"), "KAIROS_BOOTSTRAP": "127.0.0.1:1"}
    )

    assert ended.exit_code == 1
    assert ended.stderr == f"nothing can be written to {tmp_path / 'state'} (File exists); set KAIROS_DATA\n"


def test_a_worker_whose_port_is_taken_refuses_to_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = CliRunner().invoke(
            app,
            ["worker"],
            env={"KAIROS_HEALTH_PORT": port, "KAIROS_DATA": str(tmp_path), "KAIROS_BOOTSTRAP": "127.0.0.1:1"},
        )

    assert ended.exit_code == 1
    assert ended.stderr.startswith(f"nothing can listen on 127.0.0.1:{port} (")
    assert ended.stderr.endswith("set KAIROS_HEALTH_HOST and KAIROS_HEALTH_PORT\n")


def test_a_worker_whose_folder_is_read_only_refuses_to_start() -> None:
    # Where even root may write nothing.
    ended = CliRunner().invoke(app, ["worker"], env={"KAIROS_DATA": "/proc/kairos", "KAIROS_BOOTSTRAP": "127.0.0.1:1"})

    assert ended.exit_code == 1
    assert ended.stderr.startswith("nothing can be written to /proc/kairos (")


@pytest.mark.kafka
async def test_a_partition_waits_for_its_disk_says_so_and_goes_on_by_itself(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    await house.start()
    await house.send(b"1", b"2")
    await house.outputs(2)
    await house.stop()
    folder = house.folder / "disk" / house.name
    (folder / "0").rename(house.folder / "away")
    (folder / "0").write_text("a file in the way")

    stage = await house.start(settle=False)
    await house.until(lambda: 0 in stage.partitions and bool(stage.partitions[0].waiting))
    await house.send(b"3", partition=1)
    await house.outputs(3)
    waited = stage.partitions[0].waiting
    (folder / "0").unlink()
    await house.send(b"3")

    assert await house.outputs(4) == [b"1", b"2", b"3", b"1"]
    assert str(folder / "0") in waited
    assert stage.partitions[0].waiting == ""
    assert "".join(capfd.readouterr()).count("partition waits for its disk") == 1


HEAVY = b"heavy"


@pytest.mark.parametrize(
    "refusing", [pytest.param(lambda _: full(5_000_000), id="full"), pytest.param(read_only, id="read-only")]
)
@pytest.mark.kafka
async def test_a_disk_that_refuses_under_load_holds_one_partition_and_costs_nothing(
    house: House, capfd: pytest.CaptureFixture[str], refusing: Callable[[Path], AbstractContextManager[str]]
) -> None:
    def step(store: Store, batch: Batch[Nothing]) -> list[Output]:
        for record in batch.records:
            for part in range(20 if record.value == HEAVY else 0):
                store.put(record.key or b"", "f", b"%d-%d" % (record.offset, part), bytes(100_000))
        return house.step(store, batch)

    house.most = 2
    spec, folder = replace(house.spec(), step=step), house.folder / "disk" / house.name / "0"
    stage = await house.start(spec=spec)

    with refusing(folder) as reason:
        # More than RocksDB keeps in memory.
        await house.send(*[HEAVY] * 20)
        await house.until(lambda: stage.partitions[0].waits >= 2)
        waited, opened = stage.partitions[0].waiting, stage.partitions[0].opens
        await house.send(b"1", key=b"b", partition=1)
        await house.until(lambda: stage.partitions[0].waits >= 3)
        again, others = stage.partitions[0].opens, stage.partitions[1].opens
    outputs = await house.outputs(21)
    await house.stop()
    await house.start(spec=spec)
    await house.send(b"1")

    assert waited.startswith(f"{folder} (")
    assert "MB free" in waited
    assert reason in waited
    # It does not come and go with every batch that Kafka still takes.
    assert opened == again == others == 1
    assert "".join(capfd.readouterr()).count("partition waits for its disk") == 1
    assert sorted(int(row or b"") for row in outputs) == sorted([*range(1, 21), 1])
    assert (await house.outputs(22)).count(b"21") == 1
