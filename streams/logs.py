"""Logs: one line for each thing worth knowing, with fields. Never a customer's data: no local variables, no values."""

import logging
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

import structlog

__all__ = ["FIELDS", "configure", "frames", "redacted"]

_WHERE = "stage partition place places topic offset next ours first begin end channel gateway group folder file process"
_WHICH = "kind name hash offer what pool programme"
_HOW_MUCH = "records left restored wiped seconds seconds_left records_per_second wait failures customers"
_FED = "accepted duplicates simulated sms push"
_WHY = "why error errors message at"
"""In our own words or a library's, about Kafka, the disk or a published book; and where in the code."""
_ALWAYS = "event level timestamp"
FIELDS: Final = frozenset(" ".join((_WHERE, _WHICH, _HOW_MUCH, _FED, _WHY, _ALWAYS)).split())
"""The only fields that a line may have. None holds a key, a value or a text of a customer's: those have no field."""
_HIDDEN = "[hidden]"
_LONGEST = 500
_DEEPEST = 12


def configure(level: str = "info", form: Literal["json", "text"] = "text") -> None:
    """Set up structlog, and the standard library's logging beneath the libraries."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redacted,
    ]
    structlog.configure(
        logger_factory=_Lines,
        processors=[*processors, last],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(threshold, logging.WARNING), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # kafka-python logs each try to connect as an error; whoever gives up says so in one sentence.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)


class _Lines(structlog.PrintLogger):
    """Writes lines to where errors go now. A line that nobody takes, a full disk or a broken pipe, stops no work."""

    def __init__(self, *_names: object) -> None:
        super().__init__(sys.stderr)

    def msg(self, message: str) -> None:
        """Write a line."""
        with suppress(OSError, ValueError):
            super().msg(message)

    log = debug = info = warn = warning = error = critical = exception = fatal = failure = err = msg


def redacted(_logger: object, _method: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Let no field pass that is not known, and of an exception only its type and where it was raised.

    Examples
    --------
    >>> redacted(None, "info", {"event": "partition open", "stage": "customers", "customer": "C000031"})
    {'event': 'partition open', 'stage': 'customers', 'customer': '[hidden]'}

    """
    raised = line.pop("exc_info", None)
    error = sys.exc_info()[1] if raised is True else raised[1] if isinstance(raised, tuple) else raised
    shown: structlog.typing.EventDict = {name: _shown(name, value) for name, value in line.items()}
    if isinstance(error, BaseException):
        # What an exception says may quote what a customer did; so would a traceback with local variables.
        shown.update(error=type(error).__name__, at=frames(error))
    return shown


def _shown(name: str, value: object) -> object:
    if name not in FIELDS or isinstance(value, bytes):
        return _HIDDEN
    return value[:_LONGEST] if isinstance(value, str) else value


def frames(error: BaseException) -> list[str]:
    """Tell where an error was raised, the innermost place last: file, line and function, and nothing that was in them.

    Examples
    --------
    >>> from kairos.instants import from_rfc3339
    >>> try:
    ...     from_rfc3339("Zhang San, 138 0013 8000")
    ... except ValueError as error:
    ...     found = frames(error)
    >>> "Zhang" in str(found), found[-1].split(":")[0]
    (False, 'kairos/instants.py')

    """
    found = traceback.extract_tb(error.__traceback__)[-_DEEPEST:]
    return [f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}" for frame in found]
