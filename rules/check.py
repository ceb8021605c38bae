"""Check a file against its model: every mistake at once, each with its place and a suggestion."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rules.asked import Numbers
from rules.fields import WHERE
from rules.meant import meant
from rules.named import overgrown
from rules.problems import MOST_PROBLEMS, Place, Problem, bounded, shown, suggest
from rules.words import is_zone
from rules.yaml_reader import Tree, Value, read

__all__ = ["checked", "validated"]

M = TypeVar("M", bound=BaseModel)
Path = tuple[str | int, ...]
_PORTION = 100
"""How many items of a long list are looked at before the number of problems is."""

_SAID = {
    "model_type": "expected keys and values",
    "dict_type": "expected keys and values",
    "tuple_type": "expected a list",
    "frozen_set_type": "expected a list",
    "string_type": "expected a text",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
}
_PATTERNS = {
    r"^[a-z0-9][a-z0-9._-]{0,99}$": "a name of lower case letters, digits, dots, dashes and underscores",
    r"^[A-Z]{3}$": "a currency such as CNY",
    r"^[a-z][a-z0-9_]{0,29}$": "a name of at most 30 lower case letters, digits and underscores",
}


def checked(file: str, text: str | bytes, model: type[M]) -> tuple[M | None, Tree, tuple[Problem, ...]]:
    """Read a file as a model of its kind.

    Returns
    -------
    The model or None, the places of its values, and the problems: at most `MOST_PROBLEMS` and one that says so.

    """
    tree, problems = read(file, text)
    if tree is None:
        return None, Tree(None, Place(1, 1)), problems
    made, found = validated(file, tree, model)
    return made, tree, bounded((*problems, *found))


def validated(file: str, tree: Tree, model: type[M]) -> tuple[M | None, tuple[Problem, ...]]:
    """Hold what was read of a file against its model, and give the model or the problems."""
    if overgrowth := overgrown(tree.value):
        places = (tree.find(path, key=isinstance(path[-1], str)) for path, _ in overgrowth)
        return None, tuple(place.problem(file, what) for place, (_, what) in zip(places, overgrowth, strict=True))
    made: M | None = None
    found: list[ErrorDetails] = []
    for portion, key, first in _portions(tree.value):
        made, errors = _made(portion, model, key, first)
        found += errors
        if len(found) > MOST_PROBLEMS:
            break
    told = dict.fromkeys(_problem(file, tree, model, error) for error in _causes(found))
    return None if found else made, tuple(told)


def _portions(value: Value) -> Iterator[tuple[Value, str, int]]:
    """Give the file, but its long list by a few items before: with the list's key, and the number of the first item.

    Pydantic tells every problem it finds, each with all it saw: a list of 100,000 items that are all wrong would take
    gigabytes to tell.
    """
    if isinstance(value, dict):
        for key, items in value.items():
            if isinstance(items, list) and len(items) > _PORTION:
                yield from (({**value, key: items[n : n + _PORTION]}, key, n) for n in range(0, len(items), _PORTION))
                break
    yield value, "", 0


def _made(value: Value, model: type[M], key: str, first: int) -> tuple[M | None, list[ErrorDetails]]:
    try:
        return model.model_validate(value, context=_context(value)), []
    except ValidationError as error:
        return None, [_moved(found, key, first) for found in error.errors(include_url=False)]


def _moved(error: ErrorDetails, key: str, first: int) -> ErrorDetails:
    match error["loc"]:
        case (str(above), int(place), *below) if above == key:
            error["loc"] = (above, place + first, *below)
    return error


def _context(value: object) -> Mapping[str, object]:
    """Give what the values below need to know of the file; what is wrong with it is told at its own place."""
    said = value if isinstance(value, dict) else {}
    zone, currency = said.get("zone"), said.get("currency")
    known: dict[str, object] = {}
    for name in ("selectors", "segments"):
        found = said.get(name)
        known[name] = found if isinstance(found, dict) else {}
    if isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency):
        known["currency"] = currency
    return known | ({"zone": zone} if isinstance(zone, str) and is_zone(zone) else {})


def _causes(found: Sequence[ErrorDetails]) -> Iterator[ErrorDetails]:
    """Leave out what follows from others: pydantic counts an item that is wrong as one that is missing, too."""
    wrong = {error["loc"][:depth] for error in found for depth in range(len(error["loc"]))}
    return (error for error in found if error["type"] != "too_short" or error["loc"] not in wrong)


def _problem(file: str, tree: Tree, model: type[BaseModel], error: ErrorDetails) -> Problem:
    path = error["loc"]
    is_key = error["type"] in ("extra_forbidden", "invalid_key") or path[-1:] == ("[key]",)
    if path[-1:] == ("[key]",):
        path = path[:-1]
    return tree.find(path, key=is_key).problem(file, _sentence(tree, model, error))


def _sentence(tree: Tree, model: type[BaseModel], error: ErrorDetails) -> str:
    kind, last, context = error["type"], error["loc"][-1] if error["loc"] else "", error.get("ctx", {})
    match kind:
        case "kairos":
            return str(context["what"])
        case "extra_forbidden":
            return _unknown_key(tree, model, error["loc"])
        case "missing":
            return f"the key {shown(last)} is missing"
        case "literal_error" | "enum":
            options = re.findall(r"'([^']+)'", str(context["expected"])) or [str(context["expected"])]
            return f"{shown(error['input'])} is not known here{suggest(error['input'], options)}"
        case "string_pattern_mismatch":
            known = _PATTERNS.get(str(context["pattern"]), f"what fits {context['pattern']}")
            return f"expected {known}, got {shown(error['input'])}"
        case "string_too_long":
            return f"expected at most {context['max_length']} characters"
        case "string_too_short" | "too_short":
            return "there must be something here"
        case "too_long":
            return f"at most {context['max_length']} of them, here are {context.get('actual_length') or 'more'}"
    return _SAID.get(kind, error["msg"].removeprefix("Value error, ").removeprefix("Input "))


def _unknown_key(tree: Tree, model: type[BaseModel], path: Path) -> str:
    key, above = path[-1], path[:-1]
    fields = _fields(model, tree.value, above)
    if above[-1:] == ("where",) and isinstance(tree.value, dict):
        event = _value(tree, above[:-1], "event")
        return f"event {event} has no field {shown(key)}{suggest(key, fields)}"
    return f"unknown key {shown(key)}{meant(key, fields)}"


def _value(tree: Tree, path: Path, key: str) -> object:
    for step in path:
        tree = tree.below.get(step, tree)
    return tree.value.get(key) if isinstance(tree.value, dict) else None


def _fields(model: type[BaseModel], value: object, path: Path) -> list[str]:
    """Give the keys that the part of a model at a path knows; walks model and file side by side."""
    annotation: Any = model
    for step in path:
        found = _model(annotation)
        if step == "where" and isinstance(value, dict) and value.get("event") in WHERE:
            annotation = WHERE[value["event"]]
        elif step == "attr":
            # Which test it is follows from its values; the widest knows every key.
            annotation = Numbers
        elif (named := _named(annotation)) is not None:
            annotation = named
        elif found is not None:
            annotation = _field(found, step)
        value = _below(value, step)
    return _keys(_model(annotation) or Numbers)


def _named(annotation: Any) -> Any:
    """Give what stands under the names of a mapping that people name; a name may be that of a field below it."""
    if isinstance(annotation, type):
        return None
    if get_origin(annotation) is dict:
        return get_args(annotation)[1]
    return next((found for part in get_args(annotation) if (found := _named(part)) is not None), None)


def _below(value: Any, step: str | int) -> object:
    if isinstance(value, dict):
        return value.get(step)
    return value[step] if isinstance(value, list) and isinstance(step, int) and step < len(value) else None


def _field(model: type[BaseModel], step: str | int) -> object:
    for name, field in model.model_fields.items():
        if step in (field.alias, name):
            return model if _is_nested(field.annotation) else field.annotation
    # A place in a list: the model stays the one of its items.
    return model


def _is_nested(annotation: object) -> bool:
    return annotation is Self or any(map(_is_nested, get_args(annotation)))


def _model(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model(part)) is not None), None)


def _keys(model: type[BaseModel]) -> list[str]:
    known = [field.alias or name for name, field in model.model_fields.items()]
    return [*known, *getattr(model, "also", ())]
