"""What the tests of files that people write share: a page's blocks, a file as an editor sees it, a schema's parts."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from rules.yaml_reader import read


def blocks(page: str) -> Iterator[str]:
    """Each block of the page as a whole file."""
    first: dict[str, Any] = {}
    for text in re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        tree, problems = read("block", text)
        assert tree is not None, problems
        assert isinstance(tree.value, dict)
        first = first or tree.value
        yield json.dumps({**first, **tree.value}, default=float, ensure_ascii=False)


def plain(value: object) -> object:
    """Write what was read as an editor sees it: decimals are numbers."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def properties(part: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property that a file may have; what is asked of one again under a condition is none."""
    if isinstance(part, list):
        for number, item in enumerate(part):
            yield from properties(item, f"{path}.{number}")
    if isinstance(part, dict):
        for name, said in part.get("properties", {}).items():
            yield f"{path}.{name}", said
            yield from properties(said, f"{path}.{name}")
        for key in part.keys() - {"properties", "if", "then"}:
            yield from properties(part[key], f"{path}.{key}")
