"""The guard: runs Kafka as a child and ends it when its own parent is gone, however that parent died.

A program of its own that imports nothing of Kairos: `python broker_guard.py LOG LOCK COMMAND...`. Its standard input
is a pipe that nobody writes to. The system closes it when the parent ends, by SIGKILL too, and that is the sign.
"""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

PATIENCE = 20.0
"""Seconds that Kafka gets to close its files before it is killed."""


def main(log: str, lock: str, *command: str) -> int:
    """Run the command, say its process id, and give its exit code; `lock` is a file descriptor that it inherits."""
    with Path(log).open("wb") as output:
        # The command is Kairos's own; the hook runs before any thread is started here.
        child = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(int(lock),),
            preexec_fn=_end_with_guard if sys.platform == "linux" else None,
        )
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.write(f"{child.pid}\n")
    sys.stdout.flush()
    threading.Thread(target=_end_with_parent, args=(child,), daemon=True).start()
    return child.wait()


def _end_with_parent(child: "subprocess.Popen[bytes]") -> None:
    # Not sys.stdin: a thread that waits inside its buffer makes the interpreter's own end fail.
    while os.read(0, 1):
        pass
    child.terminate()
    try:
        child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()


def _end_with_guard() -> None:
    """Ask Linux to stop Kafka should the guard itself be killed, as `killall -9 python` does."""
    import ctypes

    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
