"""The page of the metrics: `python -m console.metrics --write` renews docs/metrics.md."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from streams.metrics import page

__all__ = ["PATH", "main"]

PATH: Final = Path(__file__).parent.parent / "docs" / "metrics.md"


def main(arguments: Sequence[str]) -> int:
    """Print the page, or write it with `--write`."""
    if list(arguments) not in ([], ["--write"]):
        print("usage: python -m console.metrics [--write]", file=sys.stderr)
        return 2
    if arguments:
        PATH.write_text(page(), encoding="utf-8")
    else:
        print(page(), end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
