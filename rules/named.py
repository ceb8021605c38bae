"""Names inside a file: how much a file says once its selectors and segments stand where they are named.

A few lines could name one another into more conditions than there are atoms, so this is counted before anything
is put in its place.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

__all__ = ["overgrown"]

DEEPEST = 40
MOST_OF_ONE = 20_000
"""Values of one rule or one segment, with everything it names."""
MOST_OF_ALL = 1_000_000

Path = tuple[str | int, ...]


class _Size(NamedTuple):
    values: int
    depth: int


def overgrown(value: object) -> list[tuple[Path, str]]:
    """Give the places that say too much, each with a sentence.

    Examples
    --------
    >>> said = {"segments": {"s0": {"tag": "a"}} | {
    ...     f"s{n}": {"any": [{"segment": f"s{n - 1}"}, {"segment": f"s{n - 1}"}]} for n in range(1, 30)
    ... }}
    >>> overgrown(said)[0]
    (('segments', 's12'), 'with what it names it says more than 20000 things')

    """
    if not isinstance(value, dict):
        return []
    found: list[tuple[Path, str]] = []
    sizes: dict[tuple[str, str], _Size] = {}
    whole = 0
    for path, said in _parts(value):
        size = _size(said, sizes)
        whole += size.values
        if fault := _fault(size):
            found.append((path, fault))
        elif whole > MOST_OF_ALL:
            return [*found, (path, f"up to here the file says more than {MOST_OF_ALL} things; split it")]
        # What names something too large is not too large by itself.
        sizes[str(path[0]), str(path[1])] = _Size(1, 1) if fault else size
    return found


def _parts(value: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    for kind in ("selectors", "segments"):
        named = value.get(kind)
        yield from (((kind, name), said) for name, said in (named.items() if isinstance(named, dict) else ()))
    rules = value.get("rules")
    for number, rule in enumerate(rules if isinstance(rules, list) else ()):
        if isinstance(rule, dict):
            yield ("rules", number), [rule.get(key) for key in ("on", "who", "when", *({"priority"} & rule.keys()))]


def _fault(size: _Size) -> str:
    if size.depth > DEEPEST:
        return f"with what it names it is more than {DEEPEST} levels deep"
    return f"with what it names it says more than {MOST_OF_ONE} things" if size.values > MOST_OF_ONE else ""


def _size(said: Any, sizes: Mapping[tuple[str, str], _Size]) -> _Size:
    if isinstance(said, dict):
        parts = [_size(part, sizes) for part in said.values()]
        named = (sizes.get((f"{kind}s", str(said.get(kind)))) for kind in ("selector", "segment"))
        parts += [size for size in named if size is not None]
    elif isinstance(said, list):
        parts = [_size(part, sizes) for part in said]
    else:
        return _Size(1, 0)
    return _Size(1 + sum(part.values for part in parts), 1 + max((part.depth for part in parts), default=0))
