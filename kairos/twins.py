"""Twins: for each record that comes often, a msgspec struct of the same fields, made from the pydantic model.

The model stays the only definition. Its twin reads several times faster what is surely right; whatever it refuses, or
might take otherwise, is read by the model, which decides and says what is wrong. So what is accepted, and with which
values, is the same with and without twins; `tests/test_twins.py` holds one against the other.
"""

import re
from collections.abc import Callable
from dataclasses import asdict
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, StringConstraints, TypeAdapter
from pydantic.fields import FieldInfo

__all__ = ["reader", "twin"]

_SHORT, _LONG, _SHALLOW = 400, 4_000, 100
"""In a short value nothing lies too deep for either reader; in a longer one with few brackets neither, and no number in
it is too long, unless it is very long itself."""
_CURRENCIES = ("CNY", "HKD", "USD", "EUR", "GBP", "JPY", "SGD", "AUD", "CAD", "CHF", "KRW", "MOP", "THB", "TWD")
"""To ask a pattern takes as long as all the rest; these words are known by heart, others are for the model."""

_TOLERANT = {"frozen": True, "extra": "ignore", "strict": False}

M = TypeVar("M", bound=BaseModel)


def reader(model: type[M]) -> Callable[[bytes], M]:
    """Give the model's reader of JSON without a twin: pydantic's own validator, without the method around it."""
    read_json: Callable[[bytes], M] = TypeAdapter(model).validator.validate_json
    return read_json


def twin(model: type[M]) -> Callable[[bytes], M]:
    """Give a reader of JSON that tries the twin first; what it gives has the model's attributes, and may be the twin.

    Parameters
    ----------
    model
        A model of texts, numbers and words of a list, without validators of its own.

    Raises
    ------
    TypeError
        The model says something that a twin cannot be held to.

    Examples
    --------
    >>> from kairos.events import PageView
    >>> twin(PageView)(b'{"page":"coupon_detail","more":1}')
    PageView(page='coupon_detail', coupon=None)

    """
    slow = reader(model)
    fast = cast(Callable[[bytes], M], msgspec.json.Decoder(_struct(model)).decode)

    def read(value: bytes) -> M:
        if (len(value) <= _SHORT and value.isascii()) or _is_plain(value):
            try:
                return fast(value)
            except msgspec.DecodeError:
                pass
        return slow(value)

    return read


def _is_plain(value: bytes) -> bool:
    # What lies in unknown fields is looked at less closely by the twin.
    if len(value) > _LONG or value.count(b"[") + value.count(b"{") > _SHALLOW:
        return False
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _struct(model: type[BaseModel]) -> type[msgspec.Struct]:
    decorated = model.__pydantic_decorators__
    if model.model_config != _TOLERANT or decorated.model_validators or decorated.field_validators:
        raise TypeError(f"a twin has no validators and no settings: {model.__name__}")
    hints = get_type_hints(model, include_extras=True)
    fields = [_field(name, hints[name], field) for name, field in model.model_fields.items()]
    return msgspec.defstruct(model.__name__, fields, frozen=True, gc=False, kw_only=True)


def _field(name: str, type_: Any, field: FieldInfo) -> Any:
    # A limit beside the type instead of in it would be overlooked.
    if field.alias or field.default_factory or (field.metadata and get_origin(type_) is not Annotated):
        raise TypeError(f"a twin has no {field} of {name}")
    return (name, _same(type_)) if field.is_required() else (name, _same(type_), field.default)


# Any: types of types have none that a checker could follow.
def _same(type_: Any) -> Any:
    """Say in msgspec's words what a field's type says in pydantic's."""
    origin, parts = get_origin(type_), get_args(type_)
    if origin is Annotated:
        found = _same(parts[0])
        for said in parts[1:]:
            found = _limited(found, said)
        return found
    if origin in (Union, UnionType):
        return Union[tuple(_same(part) for part in parts)]  # noqa: UP007 - the parts are not known here
    if origin is Literal or type_ in (str, int, float, type(None)):
        return type_
    raise TypeError(f"a twin has no {type_}")


def _limited(type_: Any, said: object) -> Any:
    if isinstance(said, StringConstraints):
        told = {name: value for name, value in vars(said).items() if value is not None}
        if told.keys() <= {"min_length", "max_length"}:
            return Annotated[type_, msgspec.Meta(**told)]
        fitting = tuple(word for word in _CURRENCIES if re.fullmatch(str(said.pattern), word))
        if told.keys() == {"pattern"} and fitting:
            return Literal[fitting]
    elif isinstance(said, FieldInfo) and all(isinstance(limit, Ge | Gt | Le | Lt) for limit in said.metadata):
        limits = {name: value for limit in said.metadata for name, value in asdict(limit).items()}
        return Annotated[type_, msgspec.Meta(**limits)]
    raise TypeError(f"a twin has no {said}")
