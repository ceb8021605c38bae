"""Residuals: what is left of a rule behind the index, as the source of one Python expression.

Nothing from a file enters the source but the `repr` of checked texts, numbers and booleans; the names of
fields come from our own records, and every other name is this package's.
"""

from collections.abc import Iterable, Mapping

from kairos.instants import SECOND
from kairos.money import Money
from rules.asked import Amounts, Flags, Test, Words
from rules.fields import CATEGORY
from rules.schema import Plain, Rule, WhenClause, WhoClause
from rules.selectors import Selector, watched

__all__ = ["constant", "counted", "past", "person", "present", "variables"]

_BOUNDS = (("at_least", ">="), ("at_most", "<="), ("above", ">"), ("below", "<"))


def constant(value: object) -> str:
    r"""Write a checked value as source.

    Raises
    ------
    TypeError
        It is of no type whose `repr` is a harmless literal.

    Examples
    --------
    >>> constant("'; import this"), constant((1, 2.5, True))
    ('"\'; import this"', '(1, 2.5, True,)')

    """
    if type(value) is tuple:
        return f"({', '.join(map(constant, value))},)"
    if type(value) is Money:
        return repr(value.minor)
    # A number that is not finite would be written as a name.
    if type(value) in (str, int, bool) or (type(value) is float and value - value == 0):
        return repr(value)
    raise TypeError(f"{type(value)} cannot stand in generated source")


def variables(selectors: Iterable[Selector]) -> dict[str, str]:
    """Give the local variables that the conditions read, and where each comes from."""
    found: dict[str, str] = {}
    for selector in selectors:
        category = CATEGORY.get(selector.event)
        for name, test in selector.where.items():
            found[f"f_{name}"] = "event.category" if name == category else f"event.data.{name}"
            if isinstance(test, Amounts):
                found["f_currency"] = "event.data.currency"
    return dict(sorted(found.items()))


def present(selector: Selector) -> str:
    """Write what the event itself must meet beside its type and what the index has looked up."""
    indexed = CATEGORY.get(selector.event) if selector.categories else None
    parts = [_test(f"f_{name}", test, indexed=name == indexed) for name, test in selector.where.items()]
    return " and ".join(filter(None, parts))


def _test(variable: str, test: Test, *, indexed: bool = False) -> str:
    parts: list[str] = []
    if isinstance(test, Amounts):
        parts.append(f"f_currency == {constant(test.currency)}")
    elif test.none_of is not None or not isinstance(test, Words | Flags):
        parts.append(f"{variable} is not None")
    if test.any_of is not None and not indexed:
        parts.append(f"{variable} in {constant(test.any_of)}")
    if test.none_of is not None:
        parts.append(f"{variable} not in {constant(test.none_of)}")
    for name, sign in _BOUNDS:
        bound = getattr(test, name, None)
        if bound is not None:
            parts.append(f"{variable} {sign} {constant(bound)}")
    return " and ".join(parts)


def counted(rule: Rule) -> list[str]:
    """Give the keys of the rings in which the rule counts."""
    return [watched(rule, clause.count).key for clause in rule.when.all if clause.count is not None]


def past(rule: Rule, rings: Mapping[str, str]) -> str:
    """Write what the customer's rings must say; `rings` names the variables that hold counted rings by their keys."""
    return " and ".join(_clause(rule, clause, rings) for clause in rule.when.all)


def _clause(rule: Rule, clause: WhenClause, rings: Mapping[str, str]) -> str:
    if clause.count is not None:
        ring, count = rings[watched(rule, clause.count).key], clause.count.at_least
        return f"len({ring}) >= {count} and {ring}[-{count}] > at - {clause.count.within // SECOND}"
    last = clause.last_seen
    if last is None:
        raise ValueError("a condition on the past without content")
    name, bound = ("recent", last.within) if last.at_least is None else ("long_ago", last.at_least)
    return f"{name}({_ring(watched(rule, last))}, at, {(bound or 0) // SECOND})"


def _ring(selector: Selector) -> str:
    return f"rings.get({constant(selector.key)}, b'')"


def person(rule: Rule) -> str:
    """Write what the customer's profile must say."""
    return " and ".join(_who(clause) for clause in rule.who.all)


def _who(clause: WhoClause) -> str:
    return _plain(clause, "") if clause.none is None else _plain(clause.none, "not ")


def _plain(clause: Plain, no: str) -> str:
    if clause.tag is not None:
        return f"{no}({constant(clause.tag)} in tags)"
    attributes: Mapping[str, Test] = clause.attr or {}
    known = [_known(f"a{place}", name, test) for place, (name, test) in enumerate(attributes.items())]
    fits = [_test(f"a{place}", test) for place, test in enumerate(attributes.values())]
    return f"{' and '.join(known)} and {no}({' and '.join(fits)})"


def _known(variable: str, name: str, test: Test) -> str:
    """Write that the bank knows the attribute, and as a value that can be compared with the test's."""
    kinds = "(str,)" if isinstance(test, Words) else "(bool,)" if isinstance(test, Flags) else "(int, float)"
    return f"type({variable} := attrs.get({constant(name)})) in {kinds}"
