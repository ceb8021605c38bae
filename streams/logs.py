"""Logs: one line for each thing worth knowing, with fields. Never a customer's data: no local variables, no values."""

import logging
import sys
import traceback
from pathlib import Path
from typing import Literal

import structlog

__all__ = ["configure", "frames"]

_DEEPEST = 12


def configure(level: str = "info", form: Literal["json", "text"] = "text") -> None:
    """Set up structlog, and the standard library's logging beneath the libraries."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        # A traceback with local variables would show what customers did.
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if form == "json":
        processors.append(structlog.processors.format_exc_info)
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        processors=[*processors, last],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(threshold, logging.WARNING), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # kafka-python logs each try to connect as an error; whoever gives up says so in one sentence.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)


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
