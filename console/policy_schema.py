"""The schema of the contact policy: what editors complete, explain and underline, made from the models themselves.

`python -m console.policy_schema --write` renews `docs/policy.schema.json`; without `--write` the schema is printed.
"""

import sys
from typing import Final

from console.described import Schema
from rules.policy import Policy

__all__ = ["SCHEMA"]

SCHEMA: Final = Schema("policy", "Contact policy", Policy)


if __name__ == "__main__":
    raise SystemExit(SCHEMA.main(sys.argv[1:]))
