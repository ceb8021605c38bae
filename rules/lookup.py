"""Look-ups: every name in a rule file is held against what the bank knows, also where a rule is wrong elsewhere."""

from collections.abc import Iterator
from decimal import Decimal

from rules.known import Attribute, Known
from rules.problems import Problem, shown, suggest
from rules.yaml_reader import Tree

__all__ = ["unknown_names"]

_BOUNDS = ("at_least", "at_most", "above", "below")
_FIELDS = {"app_class": "app class", "merchant": "merchant", "merchant_category": "merchant category"}
_KINDS = {"number": "a number", "word": "a word", "flag": "true or false"}


def unknown_names(file: str, tree: Tree, known: Known) -> Iterator[Problem]:
    """Give a problem for each name that is not known, and for each value that its attribute never has."""
    search = _Search(file, known)
    for kind in ("segments", "selectors"):
        for named in _below(tree, kind):
            yield from search.conditions(named)
    for rule in _below(tree, "rules"):
        for part in ("on", "who", "when", "priority"):
            yield from search.conditions(_at(rule, part))
        yield from search.purpose(rule)
        yield from search.then(rule)
        for test in _below(rule, "tests"):
            yield from search.customer(_at(test, "customer"))


class _Search:
    def __init__(self, file: str, known: Known) -> None:
        self._file = file
        self._known = known

    def conditions(self, tree: Tree | None) -> Iterator[Problem]:
        """Look through conditions, however they are joined."""
        for key, part in tree.below.items() if tree else ():
            if key == "tag":
                yield from self._one("tag", part)
            elif key == "attr":
                yield from self._attributes(part)
            elif key == "model":
                yield from self._one("model", part)
            elif key == "where":
                yield from self._fields(part)
            else:
                yield from self.conditions(part)

    def purpose(self, rule: Tree) -> Iterator[Problem]:
        """Look up what customers would have to have allowed."""
        return self._one("purpose", _at(rule, "purpose"))

    def then(self, rule: Tree) -> Iterator[Problem]:
        """Look up what is offered, in each form, its text and its model."""
        yield from self._one("model", _at(rule, "then", "objective"))
        for form in (_at(rule, "then"), *_below(_at(rule, "experiment"), "treatments")):
            yield from self._one("template", _at(form, "template"))
            yield from self._one("product", _at(form, "offer", "product"))
            pool = _at(form, "offer", "pool")
            wrong = list(self._one("pool", pool))
            yield from wrong or self._programme(pool, _at(rule, "programme"))

    def customer(self, tree: Tree | None) -> Iterator[Problem]:
        """Look up what a test tells of its customer."""
        for tag in _below(tree, "tags"):
            yield from self._one("tag", tag)
        attrs = _at(tree, "attrs")
        yield from self._attributes(attrs) if attrs else ()

    def _one(self, kind: str, tree: Tree | None) -> Iterator[Problem]:
        names = self._known.names.get(kind)
        if tree is None or names is None or isinstance(tree.value, bool | list | dict) or tree.value is None:
            return
        name = tree.value if isinstance(tree.value, str) else shown(tree.value)
        if name not in names:
            yield self._problem(tree, f"there is no {kind} {shown(name)}{names.meant(name)}")

    def _fields(self, where: Tree) -> Iterator[Problem]:
        for name, test in where.below.items():
            for value in _values(test):
                yield from self._one(_FIELDS.get(str(name), ""), value)

    def _programme(self, pool: Tree | None, programme: Tree | None) -> Iterator[Problem]:
        found = (self._known.pools or {}).get(str(pool.value)) if pool else None
        if pool is not None and found is not None and (programme is None or found.programme != programme.value):
            said = programme.value if programme else None
            what = f"the pool {found.pool!r} belongs to the programme {found.programme!r}, the rule to {shown(said)}"
            yield self._problem(pool, what)

    def _attributes(self, attrs: Tree) -> Iterator[Problem]:
        for name in attrs.keys:
            yield from self._attribute(attrs, name)

    def _attribute(self, attrs: Tree, name: str) -> Iterator[Problem]:
        names, test = self._known.names.get("attribute"), attrs.below[name]
        if names is not None and name not in names:
            place = attrs.find((name,), key=True)
            yield place.problem(self._file, f"there is no attribute {shown(name)}{names.meant(name)}")
        declared = (self._known.attributes or {}).get(name)
        if declared is None:
            return
        bounds = [bound for bound in _BOUNDS if bound in test.below and declared != "number"]
        for bound in bounds:
            what = f"the attribute {shown(name)} is {_said(declared)}; it has no {bound}"
            yield test.find((bound,), key=True).problem(self._file, what)
        for value in () if bounds else _values(test):
            if wrong := _unlike(value.value, declared):
                yield self._problem(value, f"the attribute {shown(name)} {wrong}")

    def _problem(self, tree: Tree, what: str) -> Problem:
        return tree.place.problem(self._file, what)


def _unlike(value: object, declared: Attribute) -> str:
    """Say why an attribute never has a value, or nothing."""
    match value:
        case None | list() | dict():
            return ""
        case bool():
            kind = "flag"
        case int() | Decimal():
            kind = "number"
        case _:
            kind = "word"
    if kind != ("word" if isinstance(declared, tuple) else declared):
        quotes = "; put it in quotes" if kind == "number" and declared != "flag" else ""
        return f"is {_said(declared)}, never {shown(value)}{quotes}"
    if isinstance(declared, tuple) and value not in declared:
        return f"is never {shown(value)}{suggest(value, declared)}"
    return ""


def _said(declared: Attribute) -> str:
    return "a word" if isinstance(declared, tuple) else _KINDS[declared]


def _values(test: Tree) -> Iterator[Tree]:
    """Give the values that a test compares with, however it is written."""
    if isinstance(test.value, dict):
        for key, part in test.below.items():
            if key not in ("exists", "same_as"):
                yield from _values(part)
    elif isinstance(test.value, list):
        for part in test.below.values():
            yield from _values(part)
    else:
        yield test


def _at(tree: Tree | None, *path: str) -> Tree | None:
    for step in path:
        tree = tree.below.get(step) if tree else None
    return tree


def _below(tree: Tree | None, name: str) -> Iterator[Tree]:
    found = _at(tree, name)
    yield from found.below.values() if found else ()
