"""`python -m tests.soak --minutes 20 --seed 7`: harm, and a verdict. Ctrl-C ends it early, with the verdict so far."""

import argparse
import asyncio
import logging
import signal
import sys
import tempfile
from pathlib import Path

from tests.soak.house import tidy
from tests.soak.run import STORM, Soak

ENDS = (signal.SIGINT, signal.SIGTERM)
"""What ends a soak early."""


async def _main(minutes: float, seed: int, storm: int, folder: Path) -> int:
    enough, loop = asyncio.Event(), asyncio.get_running_loop()

    def end_early() -> None:
        print("no more faults; draining, then the verdict (Ctrl-C again gives up)", flush=True)
        enough.set()
        for number in ENDS:
            loop.remove_signal_handler(number)

    for number in ENDS:
        loop.add_signal_handler(number, end_early)
    folder.mkdir(parents=True, exist_ok=True)
    # What Kafka's clients mutter while a broker is away belongs beside the other logs.
    logging.basicConfig(filename=folder / "driver.log", level=logging.WARNING)
    try:
        soak = Soak(folder, seed, minutes, enough, storm=storm, say=lambda line: print(line, flush=True))
        report = await soak.run()
    except AssertionError as error:
        print(f"verdict (seed {seed}): NOT AS PROMISED: {error}\nlook into {folder}")
        return 1
    print("\n".join(report.lines()))
    if report.problems:
        print(f"look into {folder}")
        return 1
    tidy(folder)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="how long (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of events and faults (default: %(default)s)")
    parser.add_argument("--storm", type=int, default=STORM, help="strange records of one storm (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where everything of it lies; a temporary one unless given")
    chosen = parser.parse_args()
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="kairos-soak-"))
    try:
        return asyncio.run(_main(chosen.minutes, chosen.seed, chosen.storm, folder.absolute()))
    except KeyboardInterrupt:
        print(f"given up without a verdict; look into {folder}")
        return 130


if __name__ == "__main__":
    sys.exit(main())
