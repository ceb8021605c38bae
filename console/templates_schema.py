"""The schema of the templates: what editors complete, explain and underline, made from the models themselves.

`python -m console.templates_schema --write` renews `docs/templates.schema.json`; without `--write` it is printed.
"""

import sys
from typing import Final

from console.described import Schema
from rules.templates import Templates

__all__ = ["SCHEMA"]

SCHEMA: Final = Schema("templates", "Templates", Templates)


if __name__ == "__main__":
    raise SystemExit(SCHEMA.main(sys.argv[1:]))
