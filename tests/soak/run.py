"""A soak from its beginning to its verdict."""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kairos.instants import SECOND, Millis
from kairos.ports import LATENESS, Output
from kairos.reservations import Stock
from kairos.wire import headers
from streams import clock
from streams.topics import LEDGER_COMMANDS
from tests.fault_driver import ROOT
from tests.fault_load import send
from tests.soak.books import ABOUT, CHANNEL_OF, CODES, LIMITS, WAITED, WITHIN, Books
from tests.soak.events import Events
from tests.soak.faults import Faults
from tests.soak.feeding import Feeding
from tests.soak.house import House, house
from tests.soak.recounts import Recounts, Told
from tests.soak.unread import drained
from tests.soak.watch import Watch

CUSTOMERS, RATE, STORM = 1_000, 250.0, 3_000
Say = Callable[[str], None]


@dataclass
class Report:
    """What was done, what it took, and the verdict; `problems` is empty where all is well."""

    seed: int
    faults: list[tuple[str, float]] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    kinds: int = 0
    partitions: int = 0
    journal: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Say it."""
        waits = sorted(seconds for _, seconds in self.faults)
        middle = f"half within {waits[len(waits) // 2]:.1f} s, the longest {waits[-1]:.1f} s" if waits else "none"
        done = ", ".join(f"{count} x {what}" for what, count in sorted(self.done.items()))
        figures = [f"{what}: {count:,}" for what, count in self.figures.items()]
        verdict = "0 missing, 0 double, equal to the last byte" if not self.problems else "NOT AS PROMISED"
        return [
            f"{len(self.faults)} faults of {self.kinds} kinds, each {self._often()}",
            f"each of {self.partitions} partitions committed between any two of them: {middle}",
            f"done: {done}",
            *self.journal,
            "; ".join(figures),
            *self.problems,
            f"verdict (seed {self.seed}): {verdict}",
        ]

    def _often(self) -> str:
        counts = Counter(name for name, _ in self.faults)
        least = min(counts.values()) if len(counts) == self.kinds else 0
        most = max(counts.values(), default=0)
        return f"{least} to {most} times" if least < most else f"{most} x"


@dataclass
class Soak:
    """One soak.

    Parameters
    ----------
    folder
        Where everything of it lies.
    seed
        Of events and faults.
    minutes
        How long harm is done; every kind at least once, however long that takes.
    enough
        Set it to end early.
    rate
        Events a second.
    storm
        Strange records of one storm.
    say
        Told what happens.

    """

    folder: Path
    seed: int
    minutes: float
    enough: asyncio.Event
    rate: float = RATE
    storm: int = STORM
    say: Say = print

    async def run(self) -> Report:
        """Do harm, drain, and judge.

        Raises
        ------
        AssertionError
            Something did not come back, or did not move on.

        """
        report = Report(self.seed)
        with house(self.folder) as found:
            self.say(f"seed {self.seed}; everything is in {self.folder}")
            books = Books(found.cluster, self.folder, random.Random(f"books {self.seed}"))
            events, feeding = Events(CUSTOMERS, self.seed), Feeding(found.cluster, self.rate)
            await self._begin(found, books, events, feeding)
            try:
                with Watch(found.cluster) as watch:
                    faults = Faults(found, watch, books, events, feeding, self.seed, self.storm)
                    await self._harm(report, faults)
                    await self._drain(faults, events, books.quiet_until)
            finally:
                await feeding.close()
            await self._judge(report, found, _told(found, books, events))
        return report

    async def _begin(self, found: House, books: Books, events: Events, feeding: Feeding) -> None:
        await books.begin()
        await found.begin()
        now = clock.now()
        value = Stock(pool="tea", programme="lunch", codes=CODES).model_dump_json().encode()
        await send(
            found.cluster,
            [Output(LEDGER_COMMANDS, b"lunch", value, headers("kairos.ledger.command.v1", "soak:stock", now))],
        )
        await feeding.start()
        await feeding.send(events.profiles(now))
        await feeding.settle()
        for name in "ab":
            found.workers[name].start()
        feeding.begin(events.usual())

    async def _harm(self, report: Report, faults: Faults) -> None:
        self.say(f"all partitions committed after {await faults.watch.all_move():.0f} s")
        quiet = await faults.books.first_quiet()
        self.say(f"by the hours of the policy the pushes are quiet for {(quiet.end - clock.now()) / SECOND:.0f} s")
        began = time.monotonic()
        report.kinds, report.partitions = len(faults.kinds()), faults.watch.partitions
        report.done = faults.done
        for number, fault in enumerate(faults.schedule(), 1):
            is_over = number > report.kinds and time.monotonic() - began > self.minutes * 60
            if is_over or self.enough.is_set():
                return
            before = time.monotonic()
            detail = await fault.do()
            faults.feeding.check()
            faults.house.check()
            moved = await faults.watch.all_move()
            report.faults.append((fault.name, time.monotonic() - before))
            at = time.monotonic() - began
            self.say(
                f"{at:6.0f} s  {number:3}  {fault.name}: {detail}; "
                f"all partitions committed {moved:.1f} s later, {time.monotonic() - before:.1f} s in all"
            )

    async def _drain(self, faults: Faults, events: Events, quiet: Millis) -> None:
        found, watch, feeding = faults.house, faults.watch, faults.feeding
        await feeding.stop()
        # Event time goes on by what comes: until the last look at a coupon is over, and seen to be over. What waits for
        # the end of quiet hours is decided then.
        end = max(clock.now() + WAITED + LATENESS, quiet) + SECOND
        while clock.now() < end:
            await feeding.send(events.pulse(found.partitions.customers))
            await asyncio.sleep(1)
        await feeding.send(events.pulse(found.partitions.customers))
        await feeding.settle()
        await drained(found, watch)
        found.check()
        assert set(codes := await found.stop()) == {0}, f"exit codes {codes}"
        self.say("drained, and everybody has ended well")

    async def _judge(self, report: Report, found: House, told: Told) -> None:
        self.say("kairos replay --journal ...")
        replay = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "console.cli", "replay", "--journal"],
            cwd=ROOT,
            env=found.environment,
            capture_output=True,
            text=True,
        )
        report.journal = replay.stdout.strip().splitlines()
        if replay.returncode:
            report.problems.append(f"kairos replay --journal ended with {replay.returncode}: {replay.stderr.strip()}")
        if not all("equal bit for bit" in line for line in report.journal) or len(report.journal) != 3:
            report.problems.append("the journal does not say that all three stages are equal")
        self.say("counting again ...")
        recounts = Recounts(found.cluster.servers, told)
        await asyncio.to_thread(recounts.all)
        report.figures, report.problems = recounts.figures, report.problems + recounts.problems


def _told(found: House, books: Books, events: Events) -> Told:
    apps = json.loads((ROOT / "examples" / "apps.json").read_text(encoding="utf-8"))["apps"]
    return Told(
        told=events.told,
        wanted=books.wanted,
        caps=books.caps,
        within=WITHIN,
        channels=CHANNEL_OF,
        limits=LIMITS,
        codes=CODES,
        waited=WAITED,
        apps=apps,
        accepted=found.accepted,
        about=ABOUT,
        shut=books.shut,
    )
