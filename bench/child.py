"""What every measured program shares: its arguments, its clock, and its end when the benchmark ends.

Standard library alone: Quix Streams runs in an environment without Kairos.
"""

import argparse
import json
import os
import sys
import threading
import time
from pathlib import Path


class Meter:
    """Measures from the first record to the last: seconds, and CPU of the whole process with all its threads."""

    def __init__(self) -> None:
        self._began: tuple[float, float] | None = None
        self._ended: tuple[float, float] | None = None

    def begin(self) -> None:
        """Start, once."""
        if self._began is None:
            self._began = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        """Stop, once."""
        if self._ended is None:
            self._ended = time.perf_counter(), time.process_time()

    @property
    def found(self) -> tuple[float, float, float]:
        """When it began and when it ended, by a clock that all processes share, and the CPU used between."""
        (began, used), (ended, used_up) = self._began or (0.0, 0.0), self._ended or (0.0, 0.0)
        return began, ended, used_up - used

    def end(self, events: int, **more: object) -> None:
        """Stop, and say the result to the benchmark."""
        self.stop()
        began, ended, cpu = self.found
        say(events=events, seconds=ended - began, cpu=cpu, **more)


def say(**result: object) -> None:
    """Say a result to the benchmark."""
    print(f"RESULT {json.dumps(result)}", flush=True)


def arguments(*more: str) -> argparse.Namespace:
    """Read what the benchmark asks for, and `more` that one program needs, and end when it does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--topic", required=True, help="the topic that the peers read")
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--name", required=True, help="of this run: group, transactional ids, topics of its own")
    parser.add_argument("--folder", type=Path, required=True, help="of this run")
    for name in more:
        parser.add_argument(f"--{name}", required=True)
    asked = parser.parse_args()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return asked


def _end_with_parent() -> None:
    # Standard input is a pipe to the benchmark; it closes when that ends, however it ends.
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)
