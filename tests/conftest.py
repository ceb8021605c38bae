"""What all tests share."""

import signal
import threading
import warnings
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

with warnings.catch_warnings():
    # kafka-python reads its message schemas by a function that Python 3.11 and 3.12 call deprecated and 3.13 does not;
    # it does so once, when it is first imported, and our warnings are errors.
    warnings.filterwarnings("ignore", "(read|open)_text is deprecated", DeprecationWarning)
    import kafka  # noqa: F401

# Who starts the tests in the background of a shell starts them deaf to Ctrl-C, and so would be all that they start.
if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no failure; where CI is said, Hypothesis has a profile of its own, which says so, too.
settings.register_profile("usual", deadline=None)
if settings.get_current_profile_name() == "default":
    settings.load_profile("usual")
# `pytest --hypothesis-profile quick` is for a hurry (`make check` does it), `long` for minutes, `soak` for a night.
settings.register_profile("quick", max_examples=20, deadline=None)
settings.register_profile("long", max_examples=1_500, deadline=None)
settings.register_profile("soak", max_examples=10_000, deadline=None)

pytest_plugins = ["tests.kafka_fixture", "tests.stage_house"]


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """Undo what a command that is called within this process sets up: lines for a stream that ends with the call."""
    yield
    structlog.reset_defaults()
