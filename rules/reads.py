"""Values read: what the clauses of a rule that matched were held against, for the record of the decision."""

from collections.abc import Mapping
from typing import Final

from kairos.decisions import Value
from kairos.money import Money
from rules.asked import Asked
from rules.clause_names import OfCustomer, OfPast, OfScore
from rules.fields import value_of
from rules.judged import Seen
from rules.places import Near, distance
from rules.schema import Rule

__all__ = ["values_read"]

_TOLD: Final = (str, int, float, bool)


def values_read(
    rule: Rule, seen: Seen, scores: Mapping[str, float | None], *, is_later: bool = False
) -> dict[str, Value]:
    """Give what each clause of a rule read, by the clause's name.

    Parameters
    ----------
    rule
        A rule that matched.
    seen
        The event and the customer, as the decision sees them.
    scores
        What each model gave that was asked.
    is_later
        Whether the decision is made some time after its event: then the past is not asked again, and not told.

    """
    scope, found = rule.scope(), dict[str, Value]()
    for clause in rule.clauses:
        # A pattern that takes a clause apart would cost more than most answers.
        if isinstance(clause, OfPast):
            if not is_later:
                found[clause.name] = _plain(clause.asked.judged(seen, scope).read)
        elif isinstance(clause, OfCustomer):
            found[clause.name] = _plain(clause.asked.judged(seen, scope).read)
        elif isinstance(clause, OfScore):
            found[clause.name] = scores.get(clause.asked.model)
        else:
            found[clause.name] = _of_event(clause.asked, value_of(seen.event, clause.field, clause.asked))
    return found


def _of_event(asked: Asked, value: object) -> Value:
    if isinstance(asked, Near) and isinstance(value, tuple):
        lat, lon = value
        # How far it was, not where: that is what the clause compares.
        return None if lat is None or lon is None else round(distance(asked.lat, asked.lon, lat, lon))
    return _plain(value)


def _plain(value: object) -> Value:
    if isinstance(value, _TOLD):
        return value
    return str(value) if isinstance(value, Money) else None
