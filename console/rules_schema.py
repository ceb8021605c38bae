"""The schema of a rule file: what editors complete, explain and underline, made from the models themselves.

`python -m console.rules_schema --write` renews `docs/rules.schema.json`; without `--write` the schema is printed.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from console.described import DOCS, described, headed, printed, written
from rules.schema import RuleFile

__all__ = ["NAME", "PATH", "document", "main", "text"]

NAME: Final = "rules.schema.json"
"""What the schema is called where it lies beside rules."""
PATH: Final = DOCS / NAME
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
    whole, found = described(RuleFile)
    template = {"allOf": [{"$ref": f"#/definitions/Rule{_PART}"}]}
    about = "One rule for all rows of the table, whose columns give what differs."
    whole["properties"] |= {"table": _TABLE, "rule": {**template, "description": about}}
    whole["required"].remove("rules")
    whole["oneOf"] = [{"required": ["rules"]}, {"required": ["table", "rule"]}]
    return headed("rules", "Rules", whole, found | dict(_parts(found)))


def text() -> str:
    """Give the schema as it is written to a file."""
    return written(document())


def main(arguments: Sequence[str]) -> int:
    """Print the schema, or write it with `--write`."""
    return printed(arguments, "console.rules_schema", PATH, text())


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
