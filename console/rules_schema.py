"""The schema of a rule file: what editors complete, explain and underline, made from the models themselves.

`python -m console.rules_schema --write` renews `docs/rules.schema.json`; without `--write` the schema is printed.
"""

import ast
import inspect
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, cast

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from rules.schema import RuleFile

__all__ = ["NAME", "PATH", "document", "main", "text"]

NAME: Final = "rules.schema.json"
"""What the schema is called where it lies beside rules."""
PATH: Final = Path(__file__).resolve().parent.parent / "docs" / NAME
"""Where it lies for all to read."""

_TABLE = {
    "type": "string",
    "pattern": r"^[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}\.csv$",
    "description": "A table beside this file: its columns are paths into the rule, each row makes a rule of its own.",
    "examples": ["merchants.csv"],
}
_PART: Final = "Part"
"""What the name of a part of a template ends with: its columns may give what is missing."""


def document() -> dict[str, Any]:
    """Give the schema: the same for the same code, to the byte."""
    whole = RuleFile.model_json_schema(ref_template="#/definitions/{model}", schema_generator=_Described)
    found: dict[str, Any] = dict(sorted(whole.pop("$defs").items()))
    for model in (whole, *found.values()):
        for part in model.get("properties", {}).values():
            if "description" not in part:
                part["description"] = _about(part, found)
    whole, found = _plain(whole), _plain(found)
    template = {"allOf": [{"$ref": f"#/definitions/Rule{_PART}"}]}
    about = "One rule for all rows of the table, whose columns give what differs."
    whole["properties"] |= {"table": _TABLE, "rule": {**template, "description": about}}
    whole["required"].remove("rules")
    whole["oneOf"] = [{"required": ["rules"]}, {"required": ["table", "rule"]}]
    return {
        # What most editors speak.
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "urn:kairos:rules:1",
        "title": "Rules of Kairos, format 1",
        **whole,
        "definitions": found | dict(_parts(found)),
    }


def text() -> str:
    """Give the schema as it is written to a file."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Print the schema, or write it with `--write`."""
    if list(arguments) not in ([], ["--write"]):
        print("usage: python -m console.rules_schema [--write]", file=sys.stderr)
        return 2
    if arguments:
        PATH.write_text(text(), encoding="utf-8")
    else:
        print(text(), end="")
    return 0


class _Described(GenerateJsonSchema):
    """What people write: by the first sentence of each docstring, and without the null that nobody writes."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        return {key: part for key, part in found.items() if (key, part) != ("default", None)}

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        found = super().model_schema(schema)
        model = cast(type[BaseModel], schema["cls"])
        said = _said(model)
        for name, field in model.model_fields.items():
            if name in said:
                found["properties"][field.alias or name]["description"] = said[name]
        return found


def _said(model: type) -> dict[str, str]:
    """Give what is said of each field of a model below it, in the model or in one above."""
    found: dict[str, str] = {}
    for above in reversed(model.__mro__):
        if above.__module__.partition(".")[0] in ("rules", "kairos"):
            # A model that was made by a function gave its fields their descriptions itself.
            found |= _docstrings(above.__module__).get(above.__name__, {})
    return found


@cache
def _docstrings(module: str) -> Mapping[str, Mapping[str, str]]:
    """Give the sentence below each field of each class of a module."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {
        part.name: {
            field.target.id: str(ast.literal_eval(below.value)).partition("\n")[0]
            for field, below in pairwise(part.body)
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr)
        }
        for part in tree.body
        if isinstance(part, ast.ClassDef)
    }


def _plain(part: Any) -> Any:
    """Write a piece of the schema as editors take it: no titles, first sentences only, nothing beside a reference."""
    if isinstance(part, list):
        return [_plain(item) for item in part]
    if not isinstance(part, dict):
        return part
    found = {key: _plain(item) for key, item in part.items() if (key, isinstance(item, str)) != ("title", True)}
    if isinstance(found.get("description"), str):
        found["description"] = found["description"].partition("\n")[0]
    if "patternProperties" in found:
        found.setdefault("additionalProperties", False)
    if len(found) > 1 and "$ref" in found:
        found = {"allOf": [{"$ref": found.pop("$ref")}], **found}
    return found


def _about(part: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Give what is said of the thing that a property holds."""
    name: str = part["$ref"].rpartition("/")[2]
    return str(found[name]["description"])


def _parts(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give each part of a rule as a template has it: nothing in it is missing, for a column may give it."""
    for name in _below("Rule", found, set()):
        yield f"{name}{_PART}", _incomplete(found[name])


def _below(name: str, found: Mapping[str, Any], seen: set[str]) -> Iterator[str]:
    if name not in seen:
        seen.add(name)
        yield name
        for below in _references(found[name]):
            yield from _below(below, found, seen)


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict) and isinstance(part.get("$ref"), str):
        yield part["$ref"].rpartition("/")[2]
    for item in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _references(item)


def _incomplete(part: Any) -> Any:
    if isinstance(part, list):
        return [_incomplete(item) for item in part]
    if not isinstance(part, dict):
        return part
    if isinstance(part.get("$ref"), str):
        return {**part, "$ref": part["$ref"] + _PART}
    # What a condition is under is asked as before; what it asks for may be missing.
    left = {key: item if key == "if" else _incomplete(item) for key, item in part.items() if key not in _COMPLETE}
    alternatives = [key for key in ("oneOf", "anyOf") if all(set(item) == {"required"} for item in part.get(key, [{}]))]
    return {key: item for key, item in left.items() if key not in alternatives}


_COMPLETE = ("required", "minProperties", "minItems", "minLength", "dependencies")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
