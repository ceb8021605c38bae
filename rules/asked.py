"""What a rule asks of one value: to be one of some, none of some, or within bounds."""

from typing import Annotated, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from kairos.money import Money
from rules.problems import mistake
from rules.words import Amount, Flag, Number, Word

__all__ = ["Amounts", "Flags", "Numbers", "Test", "Words", "Written", "spread", "test_of", "written"]

T = TypeVar("T", str, bool, int | float, Money)
"""What is compared: a word, a flag, a number, an amount."""


class Written(BaseModel):
    """A part of a file that people write: frozen, and nothing in it that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)


def _in_order(values: tuple[T, ...] | None) -> tuple[T, ...] | None:
    # The order of a list means nothing, and two rules that ask the same shall share what is remembered.
    return None if values is None else tuple(sorted(set(values)))


Several = Annotated[tuple[T, ...] | None, Field(min_length=1, max_length=500), AfterValidator(_in_order)]


class _Same(Written):
    """A value that is missing meets no test, not even `not`."""

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.model_fields_set or any(getattr(self, name) is None for name in self.model_fields_set):
            keys = [field.alias or name for name, field in type(self).model_fields.items() if name != "any_of"]
            raise mistake(f"nothing is asked here; write a value, a list of values, or {', '.join(keys)}")
        return self


class Words(_Same):
    """A test of a text."""

    any_of: Several[Word] = None
    none_of: Several[Word] = Field(None, alias="not")


class Flags(_Same):
    """A test of a yes or no."""

    any_of: Several[Flag] = None
    none_of: Several[Flag] = Field(None, alias="not")


class Numbers(_Same):
    """A test of a number."""

    any_of: Several[Number] = None
    none_of: Several[Number] = Field(None, alias="not")
    at_least: Number | None = None
    at_most: Number | None = None
    above: Number | None = None
    below: Number | None = None


class Amounts(_Same):
    """A test of money; it does not see an amount in another currency, not even under `not`."""

    any_of: Several[Amount] = None
    none_of: Several[Amount] = Field(None, alias="not")
    at_least: Amount | None = None
    at_most: Amount | None = None
    above: Amount | None = None
    below: Amount | None = None

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
    def currency(self) -> str:
        """The currency of all its amounts."""
        return self._amounts()[0].currency


Test = Words | Flags | Numbers | Amounts


def written(test: Test) -> dict[str, object]:
    """Write a test in its full form."""
    return test.model_dump(mode="json", exclude_none=True)


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
    first = value
    while isinstance(first, list | dict) and first:
        first = first[0] if isinstance(first, list) else next(iter(first.values()))
    if isinstance(first, bool):
        return Flags
    return Words if isinstance(first, str) else Numbers
