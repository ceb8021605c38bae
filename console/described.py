"""Schemas of files that people write, made from the models: each key with the sentence that stands below its field."""

import ast
import inspect
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, cast

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

__all__ = ["DOCS", "Schema", "described", "headed", "printed", "written"]

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"
"""Where schemas lie for all to read."""


@dataclass(frozen=True)
class Schema:
    """The schema of a file of which all is in its model.

    Parameters
    ----------
    kind
        What the file is: `policy`. The module `console.<kind>_schema` prints it.
    title
        What people call it.
    model
        The file's model.

    """

    kind: str
    title: str
    model: type[BaseModel]

    @property
    def path(self) -> Path:
        """Where it lies for all to read."""
        return DOCS / f"{self.kind}.schema.json"

    def document(self) -> dict[str, Any]:
        """Give the schema: the same for the same code, to the byte."""
        whole, found = described(self.model)
        return headed(self.kind, self.title, whole, found)

    def text(self) -> str:
        """Give the schema as it is written to a file."""
        return written(self.document())

    def main(self, arguments: Sequence[str]) -> int:
        """Print the schema, or write it with `--write`."""
        return printed(arguments, f"console.{self.kind}_schema", self.path, self.text())


# Any: JSON Schema has no type of its own.
def headed(kind: str, title: str, whole: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Give a whole schema with its head."""
    return {
        # What most editors speak.
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": f"urn:kairos:{kind}:1",
        "title": f"{title} of Kairos, format 1",
        **whole,
        "definitions": dict(definitions),
    }


def written(document: Mapping[str, Any]) -> str:
    """Give a schema as it is written to a file."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def described(model: type[BaseModel]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the schema of a file, and beside it the definitions that it refers to."""
    whole = model.model_json_schema(ref_template="#/definitions/{model}", schema_generator=_Described)
    found: dict[str, Any] = dict(sorted(whole.pop("$defs").items()))
    for each in (whole, *found.values()):
        for part in each.get("properties", {}).values():
            if "description" not in part:
                part["description"] = _about(part, found)
    return _plain(whole), _plain(found)


def printed(arguments: Sequence[str], program: str, path: Path, text: str) -> int:
    """Print a schema, or write it with `--write`; gives the exit code."""
    if list(arguments) not in ([], ["--write"]):
        print(f"usage: python -m {program} [--write]", file=sys.stderr)
        return 2
    if arguments:
        path.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
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
