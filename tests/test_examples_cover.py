"""The shipped rules say everything that can be said: each key of the language stands in at least one of them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from kairos.offers import Channel
from rules.check import validated
from rules.conditions.absent import SameAs
from rules.conditions.when import When
from rules.fields import WHERE
from rules.schema import RuleFile
from rules.table import has_table, spread_out
from rules.yaml_reader import Tree, read

RULES = Path(__file__).parent.parent / "examples" / "rules"
FILES: dict[str, str | bytes] = {path.name: path.read_bytes() for path in sorted(RULES.iterdir())}

Key = tuple[str, str]

MAY_BE_MISSING: frozenset[Key] = frozenset(
    {
        # The file's zone is meant; another one is for a bank in two of them.
        ("Clock", "zone"),
        ("Windowed", "zone"),
        # It marks customers who were invented, and no bank has any.
        ("field", "link"),
    }
)


def tree_of(file: str) -> Tree:
    tree, problems = read(file, FILES[file])
    assert not problems
    assert tree is not None
    return spread_out(file, tree, FILES)[0] if has_table(tree) else tree


def said_in(file: str) -> RuleFile:
    made, problems = validated(file, tree_of(file), RuleFile)
    assert not problems
    assert made is not None
    return made


def owner(model: type[BaseModel], field: str) -> str:
    """Name the class that first had a field, so that what all conditions have is asked for once."""
    having = [base for base in model.__mro__ if issubclass(base, BaseModel) and field in base.model_fields]
    return having[-1].__name__


def keys_of(model: type[BaseModel]) -> Iterator[Key]:
    """Give the keys of a model; those of an event's fields alike for all events."""
    for name, field in model.model_fields.items():
        yield ("field" if model in WHERE.values() else owner(model, name)), field.alias or name


def reachable(annotation: object, seen: set[type[BaseModel]]) -> None:
    """Collect the models that a type speaks of, and those that they speak of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation in seen:
            return
        seen.add(annotation)
        for field in annotation.model_fields.values():
            reachable((field.annotation, *field.metadata), seen)
            reachable(field.annotation, seen)
    for part in get_args(annotation):
        reachable(part, seen)


def language() -> set[Key]:
    models: set[type[BaseModel]] = set()
    for root in (RuleFile, SameAs, *WHERE.values()):
        reachable(root, models)
    return {key for model in models for key in keys_of(model)}


def used(value: Any) -> Iterator[Key]:
    """Give the keys that a part of a file says."""
    if isinstance(value, BaseModel):
        model = type(value)
        for name in value.model_fields_set:
            part = getattr(value, name)
            if part is None:
                continue
            yield owner(model, name), model.model_fields[name].alias or name
            if name == "where":
                yield from (("field", field) for field in part)
            yield from used(part)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from used(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from used(part)


BOOKS = [said_in(file) for file in FILES if file.endswith(".yaml")]
USED = {key for book in BOOKS for key in used(book)}


def test_every_key_of_the_language_is_used_by_a_shipped_rule() -> None:
    assert language() - USED - MAY_BE_MISSING == set()


def test_nothing_is_excused_that_is_used() -> None:
    assert language() >= MAY_BE_MISSING
    assert set() == MAY_BE_MISSING & USED


def test_the_walk_knows_the_kinds_and_sees_a_key_that_nobody_uses() -> None:
    known = language()

    assert {key for key in known if key[0] == "When"} == {("When", name) for name in When.model_fields} - TREE
    assert {("Aggregate", "below"), ("Absent", "rearm"), ("Near", "radius"), ("SameAs", "same_as")} <= known
    without = {key for book in BOOKS[:1] for key in used(book)}
    assert ("When", "absent") in known - without


TREE = {("When", "all"), ("When", "any"), ("When", "none")}


def test_what_is_no_field_of_a_model_is_used_too() -> None:
    texts = [str(text.decode() if isinstance(text, bytes) else text) for text in FILES.values()]

    for word in ("{selector:", "{segment:", "- segment:", "table:", "rule:", "same_as: on"):
        assert any(word in text for text in texts), word


def test_every_channel_is_used_and_so_is_a_draft() -> None:
    rules = [rule for book in BOOKS for rule in book.rules]

    assert {channel for rule in rules for channel in rule.then.channels} == set(Channel)
    assert {rule.status.value for rule in rules} == {"active", "draft"}
