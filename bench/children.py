"""Child processes: started, waited for, and ended however the benchmark ends."""

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Failed", "Result", "measured"]

_ROOT = Path(__file__).parent.parent
_PATIENCE = 240.0


class Failed(Exception):
    """An engine did not finish; the message holds what it said."""


@dataclass(frozen=True)
class Result:
    """What one run of one engine took.

    Parameters
    ----------
    events
        How many records it took.
    seconds
        From the first record to the last, its commit included.
    cpu
        Seconds of processor time of the whole process.
    batches, outputs
        What a stage tells of itself.
    broker
        Seconds of processor time that Kafka used from the engine's start to its end.

    """

    events: int
    seconds: float
    cpu: float
    batches: int = 0
    outputs: dict[str, int] = field(default_factory=dict)
    broker: float = 0.0

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def micros(self) -> float:
        """Microseconds of processor time an event."""
        return self.cpu / self.events * 1e6

    @property
    def kafka(self) -> float:
        """Microseconds of Kafka's processor time an event, the engine's start and end included."""
        return self.broker / self.events * 1e6


def measured(command: list[str]) -> Result:
    """Run a program of `bench.peers` to its end and give what it measured.

    Raises
    ------
    Failed
        It measured nothing, or took too long.

    """
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as errors:
        # Its input is a pipe that nobody writes to: the system closes it when we end, by SIGKILL too.
        child = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=said, stderr=errors, text=True)
        try:
            child.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failed(f"{command[2]} did not end within {_PATIENCE:.0f} s:\n{_tail(errors)}") from None
        finally:
            _end(child)
        said.seek(0)
        found = [line for line in said if line.startswith("RESULT ")]
        if not found:
            raise Failed(f"{command[2]} measured nothing (exit code {child.returncode}):\n{_tail(errors)}")
        return Result(**json.loads(found[-1].removeprefix("RESULT ")))


def _tail(file: "tempfile._TemporaryFileWrapper[str]") -> str:
    file.seek(0)
    return file.read()[-3000:]


def _end(child: "subprocess.Popen[str]") -> None:
    if child.stdin:
        child.stdin.close()
    for stop in (child.terminate, child.kill):
        if child.poll() is not None:
            return
        stop()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            continue
