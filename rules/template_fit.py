"""Whether templates can say what rules want said: asked when rules or templates are checked, and when published."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kairos.offers import CouponPool
from rules.binding import TAKES, Bound, Source, source_of
from rules.known import Attribute
from rules.message import languages_of, of_pool
from rules.problems import shown, suggest
from rules.schema import Rule, Then
from rules.template_saying import KINDS
from rules.template_values import Parameter, Raw, spoken
from rules.templates import Path, Template, Templates

__all__ = ["Beside", "unfit"]

_WORTH: Final = ("number", "money")
_SAID: Final[Mapping[Source, str]] = {
    "amount": "an amount",
    "moment": "a day and time",
    "coupon code": "a coupon's code",
    "flag": "a yes or no",
}
_GENERATED = 15
"""How long a generated code is behind its prefix."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What lies beside the rules: templates, and what else is known; None where nothing of a kind is."""

    templates: Templates | None
    pools: Mapping[str, CouponPool] | None = None
    attributes: Mapping[str, Attribute] | None = None


def unfit(rule: Rule, beside: Beside) -> Iterator[tuple[Path, str]]:
    """Say why the texts of a rule would not come about: place and sentence.

    Parameters
    ----------
    rule
        The rule, with all forms of its offer.
    beside
        What it is held against.

    """
    yield from _unfit(rule, rule.then, beside, ("then",))
    for number, one in enumerate(rule.experiment.treatments or ()):
        yield from _unfit(rule, rule.treated[one.name].then, beside, ("experiment", "treatments", number))


def _unfit(rule: Rule, then: Then, beside: Beside, above: Path) -> Iterator[tuple[Path, str]]:
    if then.text is not None:
        return
    templates = beside.templates
    if templates is None:
        yield (*above, "template"), "there is no text here; write text:, or the template into templates.yaml"
        return
    template = templates.templates.get(then.template)
    if template is None:
        known = suggest(then.template, templates.templates)
        yield (*above, "template"), f"there is no template {shown(then.template)} and no text of the rule's own{known}"
        return
    if template.purpose != rule.purpose:
        what = f"the template {then.template!r} is for {template.purpose}, the rule for {rule.purpose}"
        yield (*above, "template"), what
    yield from _channels(templates, template, then, above)
    yield from _bindings(rule, template, then, beside, above)


def _channels(templates: Templates, template: Template, then: Then, above: Path) -> Iterator[tuple[Path, str]]:
    for number, channel in enumerate(then.channels):
        if channel not in template.texts:
            has = ", ".join(sorted(template.texts))
            yield (
                (*above, "channels", number),
                f"the template {then.template!r} says nothing by {channel}; it has {has}",
            )
        elif templates.language.otherwise not in languages_of(templates, template, channel):
            why = templates.unapproved(template, channel, templates.language.otherwise)
            yield (*above, "template"), f"the template {then.template!r} cannot be sent by {channel}: {why}"


def _bindings(rule: Rule, template: Template, then: Then, beside: Beside, above: Path) -> Iterator[tuple[Path, str]]:
    said = then.with_ or {}
    used = [template.texts[channel].parameters for channel in then.channels if channel in template.texts]
    missing = sorted(frozenset[str]().union(*used) - said.keys())
    if missing:
        names = ", ".join(map(repr, missing))
        place = (*above, "template") if then.with_ is None else (*above, "with")
        yield place, f"the template {then.template!r} has no value for {names}; say where it comes from in with:"
    for name, bound in said.items():
        parameter = template.parameters.get(name)
        if bound.coupon is not None and then.offer.pool is None:
            yield (*above, "with", name), "there is no coupon to take it from: the offer names no pool"
        elif parameter is None:
            known = suggest(name, template.parameters)
            yield (*above, "with", name), f"the template {then.template!r} has no parameter {name!r}{known}"
        elif what := _wrong_kind(rule, name, parameter, bound, beside) or _never_fits(
            template, then, (name, bound), beside
        ):
            yield (*above, "with", name), what


def _wrong_kind(rule: Rule, name: str, parameter: Parameter, bound: Bound, beside: Beside) -> str | None:
    """Say that a parameter takes another kind of value than the place holds."""
    source = source_of(rule.on.event, bound) or _declared(bound, beside)
    # An attribute that is a number may be an amount in whole units, such as what a customer owns.
    if source is None or parameter.type in TAKES[source] or (bound.attr and (source, parameter.type) == _WORTH):
        return None
    return f"the parameter {name!r} takes {KINDS['en'][parameter.type]}, and this is {_SAID.get(source, f'a {source}')}"


def _never_fits(template: Template, then: Then, said: tuple[str, Bound], beside: Beside) -> str | None:
    """Say that a parameter never takes what it is bound to, as far as the values are known before anything happens."""
    name, bound = said
    templates = beside.templates or Templates.none()
    parameter, pool = template.parameters[name], (beside.pools or {}).get(then.offer.pool or "")
    if bound.coupon == "code" and pool is not None and pool.codes == "generated":
        length = len(pool.prefix) + _GENERATED
        if length > parameter.most:
            return f"the codes of {pool.pool!r} have {length} characters, the parameter {name!r} takes {parameter.most}"
    for raw in _known_values(then, bound, pool, beside):
        if spoken(templates.money(parameter), raw, templates.zone, templates.words) is None:
            return f"the parameter {name!r} gets no value: {_not_fitting(raw, parameter, templates)}"
    return None


def _not_fitting(raw: Raw | None, parameter: Parameter, templates: Templates) -> str:
    if raw is None:
        return "the pool has no last day"
    if parameter.type == "word" and isinstance(raw, str) and raw not in templates.words:
        return f"{shown(raw)} is not among words{suggest(raw, templates.words, 'nothing')}"
    said = str(raw) if isinstance(raw, tuple | datetime) else shown(raw)
    return f"{said} is not {KINDS['en'][parameter.type]} of at most {parameter.most} characters"


def _declared(bound: Bound, beside: Beside) -> Source | None:
    """Give what an attribute holds, where the bank says so; a word may be a day, a link or anything else."""
    declared = (beside.attributes or {}).get(bound.attr or "")
    return declared if declared in ("number", "flag") else None


def _known_values(then: Then, bound: Bound, pool: CouponPool | None, beside: Beside) -> Iterator[Raw | None]:
    """Give the values that a place may have, where they are known before anything happens."""
    if bound.value is not None:
        yield bound.value
    elif bound.offer == "product":
        yield then.offer.product
    elif bound.coupon is not None and bound.coupon != "code" and pool is not None:
        yield of_pool(bound.coupon, pool)
    declared = (beside.attributes or {}).get(bound.attr or "")
    if isinstance(declared, tuple):
        yield from declared
