"""The schema of the templates: what editors complete, explain and underline, made from the models themselves.

`python -m console.templates_schema --write` renews `docs/templates.schema.json`; without `--write` it is printed.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from console.described import described, printed
from rules.templates import Templates

__all__ = ["NAME", "PATH", "document", "main", "text"]

NAME: Final = "templates.schema.json"
"""What the schema is called where it lies beside the templates."""
PATH: Final = Path(__file__).resolve().parent.parent / "docs" / NAME
"""Where it lies for all to read."""


def document() -> dict[str, Any]:
    """Give the schema: the same for the same code, to the byte."""
    whole, found = described(Templates)
    return {
        # What most editors speak.
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "urn:kairos:templates:1",
        "title": "Templates of Kairos, format 1",
        **whole,
        "definitions": found,
    }


def text() -> str:
    """Give the schema as it is written to a file."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Print the schema, or write it with `--write`."""
    return printed(arguments, "console.templates_schema", PATH, text())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
