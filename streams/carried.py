"""Carried: which event types each topic carries, and so where an event of a type is found."""

from collections.abc import Mapping
from typing import Final

from streams.topics import APP_USAGE, CUSTOMERS, FEEDBACK, TRANSACTIONS

__all__ = ["CARRIES", "TOPIC_OF"]

CARRIES: Final[Mapping[str, frozenset[str]]] = {
    CUSTOMERS: frozenset({"customer"}),
    APP_USAGE: frozenset({"app_usage", "page_view", "login"}),
    TRANSACTIONS: frozenset({"transaction"}),
    FEEDBACK: frozenset({"feedback"}),
}
"""Which event types each topic carries; what lies on another one is a dead letter."""
TOPIC_OF: Final[Mapping[str, str]] = {event: topic for topic, events in CARRIES.items() for event in events}
"""The topic of each event type."""
