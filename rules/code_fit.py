"""Whether the codes of a pool fit the texts that will tell them: asked when a merchant's file is imported."""

from collections.abc import Iterable
from dataclasses import dataclass

from rules.arms import forms
from rules.problems import shown
from rules.schema import Rule, Then
from rules.template_values import Parameter, spoken
from rules.templates import Templates

__all__ = ["Taker", "takers_of", "unfit_code"]


@dataclass(frozen=True, slots=True)
class Taker:
    """A parameter of a template that is told a pool's code."""

    template: str
    name: str
    parameter: Parameter


def takers_of(pool: str, rules: Iterable[Rule], templates: Templates) -> tuple[Taker, ...]:
    """Give the parameters that are told the codes of a pool, by some rule in some form of its offer."""
    found: dict[tuple[str, str], Taker] = {}
    for rule in rules:
        for then in (form.then for form in forms(rule)):
            if then.offer.pool == pool and then.text is None and then.template in templates.templates:
                found |= {
                    (then.template, name): Taker(then.template, name, one) for name, one in _told(then, templates)
                }
    return tuple(found[place] for place in sorted(found))


def _told(then: Then, templates: Templates) -> Iterable[tuple[str, Parameter]]:
    known = templates.templates[then.template].parameters
    return (
        (name, known[name]) for name, bound in (then.with_ or {}).items() if bound.coupon == "code" and name in known
    )


def unfit_code(code: str, takers: Iterable[Taker]) -> str | None:
    """Say why a code cannot be told to a customer, or None.

    Examples
    --------
    >>> taker = Taker("coupon", "code", Parameter(type="code", length=6))
    >>> print(unfit_code("TEA-12345", [taker]))
    the code has 9 characters; the template 'coupon' takes 6 in 'code'
    >>> print(unfit_code("A#1", [taker]))
    the template 'coupon' takes letters, digits, dots, dashes and underscores in 'code', and not all of 'A#1'

    """
    for taker in takers:
        most = taker.parameter.most
        if len(code) > most:
            return (
                f"the code has {len(code)} characters; the template {taker.template!r} takes {most} in {taker.name!r}"
            )
        if spoken(taker.parameter, code, "UTC", {}) is None:
            takes = f"takes letters, digits, dots, dashes and underscores in {taker.name!r}"
            return f"the template {taker.template!r} {takes}, and not all of {shown(code)}"
    return None
