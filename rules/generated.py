"""Generated functions: how source becomes a function."""

from collections.abc import Iterable, Mapping
from typing import Any

from rules.vocabulary import CALLED, is_harmless

__all__ = ["made"]


def made(lines: Iterable[str], names: Mapping[str, object]) -> Any:
    """Make the function `found` that some lines define; `names` are what it may call beside the usual.

    Raises
    ------
    ValueError
        The lines say what no condition says.

    """
    source = "\n".join(lines)
    if not is_harmless(source):
        raise ValueError("generated source says what no condition says")
    # Any: what exec makes has no type; the callers say what it is.
    known: dict[str, Any] = {**CALLED, **names}
    # The source is this package's own, with checked literals in it: see `rules.source`.
    exec(source, known)  # noqa: S102 - a function for each bucket is why matching is fast
    # Taken out of its own globals, so that an old book is gone at once and not when cycles are looked for.
    return known.pop("found")
