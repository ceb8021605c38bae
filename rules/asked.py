"""What a rule asks of one value: to be one of some, none of some, or within bounds."""

from collections.abc import Callable, Mapping
from operator import ge, gt, le, lt
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from kairos.money import Money
from rules.problems import mistake
from rules.saying import WORDS, Language, none_of, one_of, shown
from rules.shapes import OneOrMore, Shape, shapes_of
from rules.source import Readings, constant
from rules.words import Amount, Flag, Number, Word

__all__ = [
    "Amounts",
    "Asked",
    "Compared",
    "Flags",
    "Numbers",
    "Test",
    "Words",
    "Written",
    "spread",
    "test_of",
    "written",
]

T = TypeVar("T", str, bool, int | float, Money)
"""What is compared: a word, a flag, a number, an amount."""
_BOUNDS = (("at_least", "≥", ">="), ("at_most", "≤", "<="), ("above", ">", ">"), ("below", "<", "<"))
_COMPARES: Mapping[str, Callable[[Any, Any], bool]] = {">=": ge, "<=": le, ">": gt, "<": lt}


class Written(BaseModel):
    """A part of a file that people write: frozen, and nothing in it that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)
    shapes: ClassVar[tuple[Shape, ...]] = ()
    """What an editor can check beside the fields; the shapes of the classes above hold, too."""
    also: ClassVar[tuple[str, ...]] = ()
    """Keys that are written and stand for others, which are then read in their place."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Give a copy that says some things otherwise; what was worked out of this part is not taken over."""
        copied = super().model_copy(update=update, deep=deep)
        for name in vars(copied).keys() - type(copied).model_fields.keys():
            del vars(copied)[name]
        return copied

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> Shape:
        """Give the model's shape to editors."""
        found = handler.resolve_ref_schema(handler(core_schema))
        if shapes := shapes_of(cls):
            found["allOf"] = shapes
        return found


def _in_order(values: tuple[T, ...] | None) -> tuple[T, ...] | None:
    # The order of a list means nothing, and two rules that ask the same shall share what is remembered.
    return None if values is None else tuple(sorted(set(values)))


Several = Annotated[tuple[T, ...] | None, Field(min_length=1, max_length=500), AfterValidator(_in_order), OneOrMore()]


class Asked(Written):
    """What is asked of a value. One that is missing meets no test, not even `not`; only `exists: false` asks for it."""

    def fits(self, value: Any) -> bool | None:
        """Whether a value meets the test; None where nothing is known that could be compared."""
        raise NotImplementedError

    def of_field(self, name: str, readings: Readings, *, indexed: bool = False) -> list[str]:
        """Write what is asked of an event's field, which lies in the variable `f_<name>`; all must hold.

        Parameters
        ----------
        name
            The field.
        readings
            What the function reads at most once.
        indexed
            Whether the index has already found the field to be one of the values.

        """
        raise NotImplementedError

    def said(self, name: str, language: Language) -> str:
        """Say what is asked of what is called `name`."""
        raise NotImplementedError


class Compared(Asked):
    """A value that is compared with some that the rule names."""

    any_of: Any = None
    """It is one of these."""
    none_of: Any = Field(None, alias="not")
    """It is there, and none of these."""
    exists: Flag | None = None
    """Whether it is there at all."""

    shapes: ClassVar[tuple[Shape, ...]] = (
        {"minProperties": 1, "if": {"required": ["exists"]}, "then": {"maxProperties": 1}},
    )

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        said = self.model_fields_set
        if not said or any(getattr(self, name) is None for name in said):
            keys = [field.alias or name for name, field in type(self).model_fields.items() if name != "any_of"]
            raise mistake(f"nothing is asked here; write a value, a list of values, or {', '.join(keys)}")
        if self.exists is not None and len(said) > 1:
            raise mistake("exists stands alone: any other condition is only met by a value that is there")
        return self

    def is_of_its_kind(self, value: object) -> bool:
        """Whether a value can be compared at all; a flag is no number, and yen are no yuan."""
        raise NotImplementedError

    def fits(self, value: Any) -> bool | None:
        """Whether a value meets the test; None where nothing is known that could be compared."""
        if self.exists is not None:
            return (value is not None) == self.exists
        if value is None or not self.is_of_its_kind(value):
            return None
        # A model is slow to say that it has no such field, and a log has thousands of values.
        said = vars(self)
        for name, _, sign in _BOUNDS:
            bound = said.get(name)
            if bound is not None and not _COMPARES[sign](value, bound):
                return False
        return (self.any_of is None or value in self.any_of) and (self.none_of is None or value not in self.none_of)

    def bare(self, variable: str, *, indexed: bool = False) -> list[str]:
        """Write what is asked of a variable that holds a value of the right kind, as conditions that must all hold."""
        parts: list[str] = []
        if self.any_of is not None and not indexed:
            one = len(self.any_of) == 1
            parts.append(f"{variable} {'==' if one else 'in'} {constant(self.any_of[0] if one else self.any_of)}")
        if self.none_of is not None:
            parts.append(f"{variable} not in {constant(self.none_of)}")
        for name, _, sign in _BOUNDS:
            bound = getattr(self, name, None)
            if bound is not None:
                parts.append(f"{variable} {sign} {constant(bound)}")
        return parts

    def of_field(self, name: str, readings: Readings, *, indexed: bool = False) -> list[str]:
        """Write what is asked of an event's field."""
        variable = f"f_{name}"
        if self.exists is not None:
            return [f"{variable} is{' not' if self.exists else ''} None"]
        known = [] if self.any_of is not None else [f"{variable} is not None"]
        return known + self.bare(variable, indexed=indexed)

    def said(self, name: str, language: Language) -> str:
        """Say what is asked of what is called `name`."""
        if self.exists is not None:
            there = {"zh": "已知" if self.exists else "未知", "en": f" is {'' if self.exists else 'un'}known"}
            return f"{name}{there[language]}"
        parts: list[str] = []
        if self.any_of is not None:
            parts.append(one_of(name, self.any_of, language))
        if self.none_of is not None:
            parts.append(none_of(name, self.none_of, language))
        bounds = ((sign, getattr(self, bound, None)) for bound, sign, _ in _BOUNDS)
        parts += [f"{name} {sign} {shown(value)}" for sign, value in bounds if value is not None]
        return WORDS[language]["and"].join(parts)


class Words(Compared):
    """A test of a text."""

    any_of: Several[Word] = None
    none_of: Several[Word] = Field(None, alias="not")

    def is_of_its_kind(self, value: object) -> bool:
        """Whether it is a text."""
        return isinstance(value, str)


class Flags(Compared):
    """A test of a yes or no."""

    any_of: Several[Flag] = None
    none_of: Several[Flag] = Field(None, alias="not")

    def is_of_its_kind(self, value: object) -> bool:
        """Whether it is a yes or no."""
        return isinstance(value, bool)


class Numbers(Compared):
    """A test of a number."""

    any_of: Several[Number] = None
    none_of: Several[Number] = Field(None, alias="not")
    at_least: Number | None = None
    """It is this or more."""
    at_most: Number | None = None
    """It is this or less."""
    above: Number | None = None
    """It is more than this."""
    below: Number | None = None
    """It is less than this."""

    def is_of_its_kind(self, value: object) -> bool:
        """Whether it is a number; a flag is none."""
        return isinstance(value, int | float) and not isinstance(value, bool)


class Amounts(Compared):
    """A test of money; it does not see an amount in another currency, not even under `not`."""

    any_of: Several[Amount] = None
    none_of: Several[Amount] = Field(None, alias="not")
    at_least: Amount | None = None
    """It is this or more."""
    at_most: Amount | None = None
    """It is this or less."""
    above: Amount | None = None
    """It is more than this."""
    below: Amount | None = None
    """It is less than this."""

    @model_validator(mode="after")
    def _one_currency(self) -> Self:
        said = sorted({amount.currency for amount in self._amounts()})
        if len(said) > 1:
            raise mistake(f"one condition speaks of one currency, here of {' and '.join(said)}")
        return self

    def _amounts(self) -> tuple[Money, ...]:
        bounds = (self.at_least, self.at_most, self.above, self.below)
        return (*(self.any_of or ()), *(self.none_of or ()), *(amount for amount in bounds if amount is not None))

    @property
    def currency(self) -> str | None:
        """The currency of all its amounts; None where only the field's existence is asked for."""
        return next((amount.currency for amount in self._amounts()), None)

    def is_of_its_kind(self, value: object) -> bool:
        """Whether it is money in the currency of the test."""
        return isinstance(value, Money) and value.currency == self.currency

    def of_field(self, name: str, readings: Readings, *, indexed: bool = False) -> list[str]:
        """Write what is asked of an event's amount."""
        if self.exists is not None:
            return super().of_field(name, readings)
        return [f"f_currency == {constant(self.currency)}", *self.bare(f"f_{name}", indexed=indexed)]


Test = Words | Flags | Numbers | Amounts


def written(part: Written) -> dict[str, object]:
    """Write a part of a file in its full form."""
    return part.model_dump(mode="json", exclude_none=True)


def spread(value: object) -> object:
    """Write a single value or a list of values as the full form of a test.

    Examples
    --------
    >>> spread("food"), spread(["food", "travel"]), spread({"not": "food"})
    ({'any_of': ['food']}, {'any_of': ['food', 'travel']}, {'not': ['food']})

    """
    if not isinstance(value, dict):
        return {"any_of": value if isinstance(value, list) else [value]}
    lists = {key: [value[key]] for key in ("not", "any_of") if key in value and not isinstance(value[key], list)}
    return {**value, **lists}


def test_of(value: object) -> type[Words | Flags | Numbers]:
    """Tell from its values what a test of a customer's attribute compares; the bank declares no attributes.

    Examples
    --------
    >>> test_of({"at_least": 22}).__name__, test_of(["gold", "black"]).__name__, test_of(True).__name__
    ('Numbers', 'Words', 'Flags')

    """
    if isinstance(value, dict) and set(value) == {"exists"}:
        return Words
    if isinstance(value, dict) and any(name in value for name, _, _ in _BOUNDS):
        return Numbers
    first = value
    while isinstance(first, list | dict) and first:
        first = first[0] if isinstance(first, list) else next(iter(first.values()))
    if isinstance(first, bool):
        return Flags
    return Words if isinstance(first, str) else Numbers
