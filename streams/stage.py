"""The stage: a Faust service that runs one pure function over co-partitioned topics, exactly once.

It knows Kafka, the store and commits, and nothing of marketing. Each partition has a task and a transactional
producer of its own, so while one waits for its commit another computes. What a task's end means is decided here:
a broken connection or broker opens the partition again with a new producer; a mistake of ours on a valid record
stops that partition, names the record and leaves the others alone.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Any, Generic

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import (
    IllegalOperation,
    IllegalStateError,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    UnsupportedCodecError,
)
from mode import Service

from kairos.instants import Millis
from streams.attempt import StepFailed
from streams.group import Group
from streams.intake import LostInput, Unreadable
from streams.logs import frames
from streams.meter import Meter
from streams.partition import Partition
from streams.rocks import StoreUnavailable
from streams.sharing import keeper
from streams.skips import Skips
from streams.spec import Running, StageSpec, V
from streams.state_guard import StateRefused
from streams.turns import Turns

__all__ = ["Stage"]

log = structlog.get_logger(__name__)

_DRAIN = 15.0
_AGAIN = 0.5
_NEVER = 2**31 - 1


class Stage(Service, Generic[V]):
    """Runs a stage's partitions for as long as this worker owns them.

    Parameters
    ----------
    spec, running
        What the stage is, and how it is run here.
    versions
        Gives the catalogue as it stands, one immutable set a batch.
    opened
        Waited for before a partition opens: the catalogue has been read to its end.
    clock
        Gives processing time.

    """

    def __init__(
        self,
        spec: StageSpec[V],
        running: Running,
        versions: Callable[[], V],
        opened: asyncio.Event,
        clock: Callable[[], Millis],
        **service: Any,
    ) -> None:
        super().__init__(**service)
        self.spec, self.running = spec, running
        self._versions, self._opened, self._clock = versions, opened, clock
        self.partitions: dict[int, Partition[V]] = {}
        self.stopped: dict[int, str] = {}
        self.meter = Meter()
        self._skips = Skips(spec.name, [skip for skip in running.skips if skip.place.topic in spec.inputs])
        self.joined = False
        self._consumer: AIOKafkaConsumer | None = None
        self._group = Group(self._share)
        self._turns = Turns()
        self._works: dict[int, asyncio.Task[None]] = {}
        self._ends: dict[int, asyncio.Task[None]] = {}

    @property
    def label(self) -> str:
        """The name Faust shows for this service."""
        return f"Stage: {self.spec.name}"

    @property
    def is_ready(self) -> bool:
        """Whether every partition that this worker owns is open, and none was stopped by a mistake."""
        return not self.stopped and bool(self.partitions) and all(p.ready for p in self.partitions.values())

    async def on_start(self) -> None:
        """Join the group; partitions open as they are assigned."""
        consumer = AIOKafkaConsumer(
            group_id=self.spec.group,
            group_instance_id=self.running.instance and f"{self.running.instance}-{self.spec.name}",
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            session_timeout_ms=self.running.session,
            heartbeat_interval_ms=max(300, self.running.session // 6),
            rebalance_timeout_ms=self.running.session + int(_DRAIN * 1000),
            # Heartbeats say that we live. A worker whose partitions are all stopped, or restored for long, asks for no
            # records; put out of the group for that, it would pass what stopped them on to the next worker.
            max_poll_interval_ms=_NEVER,
            max_partition_fetch_bytes=2 << 20,
            partition_assignment_strategy=(keeper(lambda: self.partitions),),
            **self.running.client,
        )
        await self._opened.wait()
        self._consumer = consumer
        await consumer.start()
        consumer.subscribe(list(self.spec.inputs), listener=self._group)

    async def on_stop(self) -> None:
        """Let every batch under way end, commit it, and leave the group."""
        await self.give_back(list(self._works))
        if self._consumer is not None:
            await self._consumer.stop()
        self._skips.end()

    def _share(self, numbers: Collection[int]) -> None:
        """Work on these partitions from now on, and on no others; what stays is left alone."""
        self.joined = True
        for number in self._works.keys() - set(numbers):
            self._leave(number)
        self.take_over(sorted(set(numbers) - self._works.keys()))

    def take_over(self, numbers: Collection[int]) -> None:
        """Begin to work on partitions; not when we are about to leave anyway."""
        consumer = self._consumer
        if self.should_stop or consumer is None:
            return
        for number in numbers:
            partition = Partition(
                self.spec,
                self.running,
                number,
                consumer,
                self._group,
                self._versions,
                self._clock,
                self.meter,
                self._skips,
                self._turns,
            )
            self.partitions[number] = partition
            before = self._ends.pop(number, None)
            self._works[number] = asyncio.create_task(self._keep(partition, before), name=f"{self.spec.name}-{number}")

    async def give_back(self, numbers: Iterable[int]) -> None:
        """End work on partitions, each after the commit that is under way."""
        for number in numbers:
            self._leave(number)
        if self._ends:
            await asyncio.wait(self._ends.values())

    def _leave(self, number: int) -> None:
        partition, task = self.partitions.pop(number), self._works.pop(number)
        # It is somebody else's now, and so is the judgement on it.
        self.stopped.pop(number, None)
        partition.stopping = True
        self._ends[number] = asyncio.create_task(self._end(partition, task), name=f"{self.spec.name}-{number}-end")

    @staticmethod
    async def _end(partition: Partition[V], task: "asyncio.Task[None]") -> None:
        # Only a commit is worth waiting for: a task that waits for records, or for Kafka, is just cancelled. One that
        # is closing already would leave open what it was about to close.
        if partition.committing or partition.closing:
            await asyncio.wait([task], timeout=_DRAIN)
        task.cancel()
        await asyncio.wait([task])

    async def _keep(self, partition: Partition[V], before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            # It went and came back before we were done with it.
            await asyncio.wait([before])
        while not partition.stopping:
            try:
                await partition.run()
            except StoreUnavailable as error:
                await self._wait_for_disk(partition, error)
            except (ProducerFenced, IllegalOperation):
                # The second: the client was told of it between two calls, and takes no more for this transaction.
                log.warning("partition fenced", stage=self.spec.name, partition=partition.number)
                await self._judged(partition)
            except (MessageSizeTooLargeError, UnsupportedCodecError) as error:
                self._give_up(partition, f"{type(error).__name__}: {error}")
                return
            except (KafkaError, IllegalStateError, OSError) as error:
                log.warning(
                    "partition lost Kafka, opening again",
                    stage=self.spec.name,
                    partition=partition.number,
                    error=type(error).__name__,
                    message=str(error)[:200],
                )
                await asyncio.sleep(_AGAIN)
            except (LostInput, StateRefused, Unreadable) as error:
                self._give_up(partition, str(error))
                return
            except StepFailed as error:
                self._give_up(partition, str(error), error.__cause__)
                return
            except Exception as error:  # noqa: BLE001  # whatever it was, the partition stops and says so
                self._give_up(partition, f"{type(error).__name__}, outside of the step", error)
                return

    async def _judged(self, partition: Partition[V]) -> None:
        """Wait until the group has said whose it is: somebody else was given it, or a commit of ours took too long.

        Fencing back at once would make two workers push each other out for ever.
        """
        if self._group.turn == partition.turn:
            await asyncio.sleep(self.running.session / 1000)
        await self._group.settled()

    async def _wait_for_disk(self, partition: Partition[V], error: StoreUnavailable) -> None:
        """Wait until the disk takes the state again; what Kafka holds of it was not lost meanwhile."""
        why = str(error)[:300]
        if not partition.waiting:
            log.warning("partition waits for its disk", stage=self.spec.name, partition=partition.number, why=why)
        partition.waiting = why
        partition.waits += 1
        # Somebody who hands the folder over is done in a moment; a full disk may stay full for hours.
        await asyncio.sleep(_AGAIN * 2 ** min(partition.waits - 1, 4))

    def _give_up(self, partition: Partition[V], why: str, error: BaseException | None = None) -> None:
        self.stopped[partition.number] = why
        # Where it was raised, and never what was said: that may quote what a customer did.
        at = {"at": frames(error)} if error else {}
        log.error("partition stopped", stage=self.spec.name, partition=partition.number, why=why, **at)
