"""Pools: the merchants' coupons as people write them down, and as the ledger reads them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from kairos.offers import CouponPool, Programme, Written
from rules.check import checked
from rules.pool_file import PoolFile
from rules.problems import Problem, by_place
from rules.spelled import zone

__all__ = ["LoadedPools", "Published", "load_pools", "pools_of_content", "published_pools"]


class Published(Written):
    """What the ledger knows: the pools, and what limits whole programmes; both by their names."""

    pools: tuple[CouponPool, ...] = ()
    programmes: tuple[Programme, ...] = ()


_pools_alone: TypeAdapter[tuple[CouponPool, ...]] = TypeAdapter(tuple[CouponPool, ...])
_published: TypeAdapter[tuple[CouponPool, ...] | Published] = TypeAdapter(tuple[CouponPool, ...] | Published)


@dataclass(frozen=True, slots=True)
class LoadedPools:
    """What became of a file of pools: the pools by id and their published form, or the problems.

    The published form is JSON: what the ledger knows of each pool, in the order of their ids, and of each programme
    that has limits. What is not said is left out, so that older releases read what they know.
    """

    pools: tuple[CouponPool, ...]
    problems: tuple[Problem, ...]
    content: bytes
    programmes: tuple[Programme, ...] = field(default=())


def load_pools(text: str | bytes, file: str = "pools.yaml") -> LoadedPools:
    """Read a file of pools."""
    made, tree, problems = checked(file, text, PoolFile)
    found = list(problems)
    if made is not None:
        found += [tree.find(path).problem(file, what) for path, what in _slips(made)]
    if made is None or found:
        return LoadedPools((), by_place(found), b"")
    pools, programmes = _ordered(pool.record(made.zone) for pool in made.pools), made.limits()
    if programmes:
        content = Published(pools=pools, programmes=programmes).model_dump_json(exclude_defaults=True).encode()
    else:
        content = _pools_alone.dump_json(pools, exclude_defaults=True)
    return LoadedPools(pools, (), content, programmes)


def published_pools(content: bytes) -> Published:
    """Read the published form.

    Raises
    ------
    ValueError
        The content is no published pools.

    """
    found = _published.validate_json(content)
    limited = found if not isinstance(found, Published) else (*found.pools, *found.programmes)
    for name in {one.zone for one in limited}:
        zone(name)
    if not isinstance(found, Published):
        return Published(pools=_ordered(found))
    if not found.model_fields_set:
        raise ValueError("there are no pools in it")
    return found.model_copy(update={"pools": _ordered(found.pools)})


def pools_of_content(content: bytes) -> tuple[CouponPool, ...]:
    """Read the pools of the published form, by id; raises as `published_pools` does."""
    return published_pools(content).pools


def _ordered(pools: Iterable[CouponPool]) -> tuple[CouponPool, ...]:
    return tuple(sorted(pools, key=lambda pool: pool.pool))


def _slips(file: PoolFile) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Give what is wrong between the parts of a file, and where."""
    for kind in ("pools", "programmes", "budgets"):
        taken: set[str] = set()
        for place, one in enumerate(getattr(file, kind)):
            if one.id in taken:
                yield (kind, place, "id"), f"the id {one.id!r} is already taken"
            taken.add(one.id)
    prefixes: dict[tuple[str, str], str] = {}
    for place, pool in enumerate(file.pools):
        if pool.codes == "generated":
            other = prefixes.setdefault((pool.merchant, pool.prefix), pool.id)
            if other != pool.id:
                said = f"codes of {pool.merchant} begin with {pool.prefix!r} in the pool {other!r}, too"
                yield ("pools", place, "id"), f"{said}; name another prefix"
    yield from _of_programmes(file)


def _of_programmes(file: PoolFile) -> Iterator[tuple[tuple[str | int, ...], str]]:
    there = {pool.programme for pool in file.pools}
    limited = {limits.id: limits.currencies() for limits in file.programmes}
    for place, limits in enumerate(file.programmes):
        if limits.id not in there:
            yield ("programmes", place, "id"), f"no pool belongs to the programme {limits.id!r}"
    for place, budget in enumerate(file.budgets):
        for name in (budget.programme, *budget.others):
            if name not in there:
                yield ("budgets", place), f"no pool belongs to the programme {name!r}"
            limited[name] = {**limited.get(name, {}), f"budget {budget.id}": budget.amount.currency}
    for place, pool in enumerate(file.pools):
        for what, currency in limited.get(pool.programme, {}).items():
            if currency != pool.value.currency:
                said = f"the value is in {pool.value.currency}, the {what} of its programme in {currency}"
                yield ("pools", place, "value"), said
