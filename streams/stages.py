"""The three stages, by their names: three pure functions on one engine."""

from typing import Final

from streams import customers, learning, ledger, warming
from streams.spec import StageSpec
from streams.topics import (
    ALERTS,
    APP_USAGE,
    CUSTOMERS,
    CUSTOMERS_CHANGELOG,
    CUSTOMERS_JOURNAL,
    DEAD_LETTERS,
    DECISIONS,
    EXAMPLES,
    FEEDBACK,
    LEARNING_CHANGELOG,
    LEARNING_JOURNAL,
    LEDGER_ANSWERS,
    LEDGER_CHANGELOG,
    LEDGER_COMMANDS,
    LEDGER_ENTRIES,
    LEDGER_JOURNAL,
    OFFERS,
    PERMISSIONS,
    TRANSACTIONS,
)
from streams.versions import Versions

__all__ = ["STAGES"]

_CUSTOMERS: StageSpec[Versions] = StageSpec(
    name="customers",
    group="kairos.customers",
    inputs=(CUSTOMERS, FEEDBACK, APP_USAGE, TRANSACTIONS, LEDGER_ANSWERS),
    changelog=CUSTOMERS_CHANGELOG,
    journal=CUSTOMERS_JOURNAL,
    step=customers.step,
    first=frozenset({CUSTOMERS}),
    timed=customers.TIMED,
    abreast=frozenset({APP_USAGE, TRANSACTIONS}),
    aligned=frozenset({DECISIONS, *OFFERS.values(), PERMISSIONS, DEAD_LETTERS}),
    reads=customers.reads,
    again=warming.again,
)
_LEDGER: StageSpec[Versions] = StageSpec(
    name="ledger",
    group="kairos.ledger",
    inputs=(LEDGER_COMMANDS,),
    changelog=LEDGER_CHANGELOG,
    journal=LEDGER_JOURNAL,
    step=ledger.step,
    reads=ledger.reads,
    aligned=frozenset({LEDGER_ENTRIES, ALERTS}),
    # 2: reservations and pools know days, customers and payers; what an older release writes would forget them.
    layout=2,
)
_LEARNING: StageSpec[Versions] = StageSpec(
    name="learning",
    group="kairos.learning",
    inputs=(EXAMPLES,),
    changelog=LEARNING_CHANGELOG,
    journal=LEARNING_JOURNAL,
    step=learning.step,
)

STAGES: Final = {stage.name: stage for stage in (_CUSTOMERS, _LEDGER, _LEARNING)}
"""The stages by name, in the order in which an event goes through them."""
