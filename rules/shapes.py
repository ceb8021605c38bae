"""Shapes: what an editor can check of what people write, as JSON Schema, where a type does not say it by itself.

The models stay the one definition; a shape stands beside what it describes. It may accept what the models refuse, for
they see more than one place at a time, and never the other way round.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import BaseModel, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

__all__ = ["OneOrMore", "Shape", "at_least_one", "exactly_one", "listed", "shapes_of", "some", "union"]

Shape = JsonSchemaValue
"""A piece of JSON Schema."""


@dataclass(frozen=True, slots=True)
class OneOrMore:
    """Beside a list: that a single value may stand in its place."""

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> Shape:
        """Give the value's shape, or the list's."""
        found = handler(core_schema)
        several = next(part for part in found.get("anyOf", [found]) if part.get("type") == "array")
        return {"anyOf": [several["items"], several]}


def listed(said: object) -> object:
    """Give a list where a single value stands in its place."""
    return said if isinstance(said, list | tuple) or said is None else [said]


# Any: types that are put together while the program runs, which only pydantic sees.
def some(one: Any) -> Any:
    """Give the type of a value, or a list of such values."""
    return one | Annotated[list[one], Field(min_length=1, max_length=500)]


def union(models: Iterable[type[BaseModel]]) -> Any:
    """Give the type of what is one of some models."""
    return reduce(or_, models)


def exactly_one(*keys: str) -> Shape:
    """Say that one of some keys stands there.

    Examples
    --------
    >>> exactly_one("within", "days")
    {'oneOf': [{'required': ['within']}, {'required': ['days']}]}

    """
    return {"oneOf": [{"required": [key]} for key in keys]}


def at_least_one(*keys: str) -> Shape:
    """Say that one of some keys stands there, or more of them.

    Examples
    --------
    >>> at_least_one("product", "pool")
    {'anyOf': [{'required': ['product']}, {'required': ['pool']}]}

    """
    return {"anyOf": [{"required": [key]} for key in keys]}


# Any: shapes stand in classes of all kinds, and most classes have none.
def shapes_of(model: type) -> list[Any]:
    """Give the shapes of a model and of the classes it is made from."""
    return [dict(shape) for above in reversed(model.__mro__) for shape in vars(above).get("shapes", ())]
