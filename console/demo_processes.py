"""The demo's processes: started under a guard, watched, and ended whatever happens."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from streams import broker_guard

__all__ = ["Crew", "DemoError"]

ROOT = Path(__file__).parent.parent
_PATIENCE = broker_guard.PATIENCE + 5.0
"""Seconds until a guard is killed; it kills its child before that."""


class DemoError(RuntimeError):
    """The demo cannot go on; the message is one sentence for people."""


class Crew:
    """Runs `kairos` commands as children that end with this process, even if it is killed.

    Parameters
    ----------
    environment
        What the children get as their environment.
    logs
        The folder of their logs, one for each name.

    """

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment = dict(environment)
        self._logs = logs.absolute()
        self._running: dict[str, subprocess.Popen[str]] = {}

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all that still run."""
        self.stop()

    def start(self, name: str, *command: str, **more: str) -> None:
        """Start one command; what it says goes to its log. `more` is added to its environment."""
        # The guard hands one file on to its child; a broker's is its lock, ours is nothing.
        nothing = os.open(os.devnull, os.O_RDONLY)
        guard = [sys.executable, "-I", broker_guard.__file__, str(self._log(name)), str(nothing)]
        try:
            self._running[name] = subprocess.Popen(  # noqa: S603
                [*guard, sys.executable, "-m", "console.cli", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
                pass_fds=(nothing,),
                cwd=ROOT,
                env={**self._environment, **more},
            )
        finally:
            os.close(nothing)

    def is_done(self, name: str) -> bool:
        """Whether a command has ended by itself, and well.

        Raises
        ------
        DemoError
            It failed.

        """
        code = self._running[name].poll()
        if code:
            raise DemoError(f"{name} ended with code {code}: {self._last_words(name)}")
        return code == 0

    def check(self, *enduring: str) -> None:
        """Make sure that these still run.

        Raises
        ------
        DemoError
            One does not.

        """
        for name in enduring:
            code = self._running[name].poll()
            if code is not None:
                raise DemoError(f"{name} ended by itself with code {code}: {self._last_words(name)}")

    def stop(self) -> None:
        """Ask all to end, wait, and kill what does not."""
        for process in self._running.values():
            if process.stdin:
                process.stdin.close()
        deadline = time.monotonic() + _PATIENCE
        for process in self._running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _last_words(self, name: str) -> str:
        text = self._log(name).read_text(encoding="utf-8", errors="replace").strip() if self._log(name).exists() else ""
        return f"{text.splitlines()[-1][:300] if text else 'it said nothing'} (more in {self._log(name)})"
