"""The schema of the priorities: what editors complete, explain and underline, made from the models themselves.

`python -m console.priorities_schema --write` renews `docs/priorities.schema.json`; without `--write` it is printed.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from console.described import described, printed
from rules.priorities import Priorities

__all__ = ["NAME", "PATH", "document", "main", "text"]

NAME: Final = "priorities.schema.json"
"""What the schema is called where it lies beside the file."""
PATH: Final = Path(__file__).resolve().parent.parent / "docs" / NAME
"""Where it lies for all to read."""


def document() -> dict[str, Any]:
    """Give the schema: the same for the same code, to the byte."""
    whole, found = described(Priorities)
    return {
        # What most editors speak.
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "urn:kairos:priorities:1",
        "title": "Priorities of Kairos, format 1",
        **whole,
        "definitions": found,
    }


def text() -> str:
    """Give the schema as it is written to a file."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Print the schema, or write it with `--write`."""
    return printed(arguments, "console.priorities_schema", PATH, text())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
