"""What every command says and how it fails: one sentence on the error stream, no traceback for what is expected."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from pydantic import ValidationError
from rich.console import Console

from streams.broker_config import BrokerError
from streams.broker_jars import JarError
from streams.processes import ProcessEnded
from streams.settings import NoServers, Settings
from streams.state_guard import StateRefused
from streams.topics_declare import TopicError

__all__ = ["errors", "fail", "out", "said", "settings"]

out = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)

_EXPECTED = (NoServers, TopicError, BrokerError, JarError, KafkaError, ProcessEnded, StateRefused, OSError)


@contextmanager
def said() -> Iterator[None]:
    """Turn an expected failure into one sentence and exit code 1."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        yield
    except ValidationError as error:
        _settings_wrong(error)
    except UnknownTopicOrPartitionError:
        fail("Kafka has no topic of those that it takes; declare Kairos' topics by `kairos topics`")
    except _EXPECTED as error:
        fail(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def fail(why: str, code: int = 1) -> NoReturn:
    """Say why the command ends, and end it."""
    errors.print(why, style="red", markup=False, highlight=False)
    raise typer.Exit(code)


def settings() -> Settings:
    """Read the settings, or say which of them is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        _settings_wrong(error)


def _settings_wrong(error: ValidationError) -> NoReturn:
    for found in error.errors(include_input=False, include_url=False, include_context=False):
        name = "_".join(str(part) for part in found["loc"]).upper() or "..."
        why = "write host:port, several parted by commas" if name == "BOOTSTRAP" else found["msg"]
        errors.print(f"KAIROS_{name}: {why}", style="red", markup=False)
    raise typer.Exit(2) from None
