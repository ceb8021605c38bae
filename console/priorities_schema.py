"""The schema of the priorities: what editors complete, explain and underline, made from the models themselves.

`python -m console.priorities_schema --write` renews `docs/priorities.schema.json`; without `--write` it is printed.
"""

import sys
from typing import Final

from console.described import Schema
from rules.priorities import Priorities

__all__ = ["SCHEMA"]

SCHEMA: Final = Schema("priorities", "Priorities", Priorities)


if __name__ == "__main__":
    raise SystemExit(SCHEMA.main(sys.argv[1:]))
