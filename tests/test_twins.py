"""A twin reads what its model reads, and nothing else."""

import json
from typing import Annotated, Any, Self

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from kairos.events import AppUsage, Consent, Feedback, Login, PageView, Profile, Transaction
from kairos.twins import reader, twin

MODELS: tuple[type[BaseModel], ...] = (AppUsage, Transaction, PageView, Login)
TWINS = {model: twin(model) for model in MODELS}
READERS = {model: reader(model) for model in MODELS}
NAMES = sorted({name for model in MODELS for name in model.model_fields})
WORDS = ["", "debit", "credit", "real", "CNY", "USD", "SEK", "cny", "CNY\n", "ＣＮＹ", "x" * 200, "x" * 201, "中" * 200]
WORDS += [
    "中" * 201,
    "\U0001f600" * 200,
    "12",
    "1.5",
    "true",
    "null",
    "\ud800",
    "\udc00\ud800",
    "\x00",
    "\x7f",
    "\ufeff",
]
"""Around the borders of every text, and what a lax reader may take for a number."""
NUMBERS = [
    "0",
    "-0",
    "-1",
    "1.0",
    "1e3",
    "1E15",
    "0.5",
    "1e400",
    "-1e400",
    "1e-400",
    "NaN",
    "Infinity",
    "-Infinity",
    "01",
    "1.",
]
NUMBERS += (
    [str(7 * 86_400 + over) for over in (0, 1)] + [str(10**15 + over) for over in (0, 1)] + [str(2**53 + 1), str(2**64)]
)
NUMBERS += [
    f"{sign}{number}" for number in ("90", "90.00000000000001", "180", "180.00000000000003") for sign in ("", "-")
]
NUMBERS += ["9" * 4_299, "9" * 4_301, "-0.0", "0.1", "4.9e-324", "30." + "0" * 40 + "1", ".5", "+1", "1_0", "0x1"]

texts = st.sampled_from(WORDS) | st.text(max_size=8)
written = st.one_of(
    st.sampled_from(NUMBERS).map(str.encode),
    st.floats().map(lambda number: json.dumps(number).encode()),
    st.integers().map(lambda number: str(number).encode()),
    st.builds(
        lambda text, plain: json.dumps(text, ensure_ascii=plain).encode(errors="surrogatepass"), texts, st.booleans()
    ),
    st.sampled_from(
        [b"null", b"true", b"false", b"[]", b"{}", b'{"a":[1,{}]}', b"nul", b"", b"'x'", b'"\xff"', b'"\xed\xa0\x80"']
    ),
    st.sampled_from([b'"\\x"', b'"\\ud800"', b'"\\u00e9\\n"', b'"\n"', b"[1,]", b'{"a":1,}', b"[1 2]"]),
    st.integers(1, 230).map(lambda depth: b"[" * depth + b"]" * depth),
    st.integers(1, 230).map(lambda depth: b'{"":' * depth + b"1" + b"}" * depth),
)
keys = st.sampled_from([*NAMES, "more", "", "Amount", "中"]).map(
    lambda key: json.dumps(key, ensure_ascii=False).encode()
)
keys |= st.sampled_from([b'"\\u0061pp"', b'"a\\u0070p"', b'"\xff"', b"app", b'"pag'])
GOOD: dict[type[BaseModel], bytes] = {
    AppUsage: b'"app":"a"',
    Transaction: b'"amount":1,"direction":"debit"',
    PageView: b'"page":"p"',
    Login: b'"channel":"c"',
}


@st.composite
def values(draw: st.DrawFn) -> tuple[type[BaseModel], bytes]:
    """Make a value of a model with some fields over it, in disorder, doubled, unknown, and hardly ever cut short."""
    model = draw(st.sampled_from(MODELS))
    fields = [key + b":" + value for key, value in draw(st.lists(st.tuples(keys, written), max_size=4))]
    place = draw(st.integers(0, len(fields)))
    fields[place:place] = draw(st.sampled_from([[GOOD[model]], [GOOD[model]], []]))
    text = b"{" + draw(st.sampled_from([b",", b" ,\n"])).join(fields) + b"}"
    return model, draw(st.sampled_from([b"", b"", b"", b" ", b"\xef\xbb\xbf"])) + text + draw(
        st.sampled_from([b"", b"", b"", b"\t\r\n", b"x", b"\x0b", b"{}"])
    )


def what(read: Any, value: bytes, model: type[BaseModel]) -> str | list[str]:
    """Tell what a reader makes of a value: every field to the last bit, or everything that is wrong."""
    try:
        found = read(value)
    except ValidationError as error:
        return str(error.errors(include_url=False))
    return [repr(getattr(found, name)) for name in model.model_fields]


@given(values())
@example((Transaction, b'{"amount":1,"direction":"debit","more":' + b"9" * 4_301 + b"}"))
@example((PageView, b'{"page":"p","more":' + b"[" * 230 + b"]" * 230 + b"}"))
@example((PageView, b'{"page":"p","more":"\xff"}'))
@example((Transaction, b'{"amount":true,"direction":"debit"}'))
def test_a_twin_accepts_refuses_and_reads_what_its_model_does(value: tuple[type[BaseModel], bytes]) -> None:
    model, text = value

    assert what(TWINS[model], text, model) == what(READERS[model], text, model)


@pytest.mark.parametrize("model", MODELS)
def test_what_producers_write_is_read_by_the_twin(model: type[BaseModel]) -> None:
    value = b'{"more":"\xe4\xb8\xad",' + GOOD[model] + b"}"

    assert isinstance(TWINS[model](value), msgspec.Struct)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("length", [400, 401, 4_000, 4_001])
def test_the_borders_of_short_and_long_change_nothing(model: type[BaseModel], length: int) -> None:
    deep, depth = b"{" + GOOD[model] + b',"more":', (length - len(GOOD[model]) - 10) // 2
    long = deep + b"9" * (length - len(deep) - 1) + b"}"
    nested = deep + b"[" * depth + b"]" * depth + b"}"

    for text in (long, nested):
        assert what(TWINS[model], text, model) == what(READERS[model], text, model)


class Tolerant(BaseModel):
    """What the models at the door are made of."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=False)


class Guarded(Tolerant):
    """A model with a rule of its own."""

    name: str = "x"

    @model_validator(mode="after")
    def _never(self) -> Self:
        raise ValueError("no")


class Strict(Tolerant):
    """A model with another tolerance."""

    model_config = ConfigDict(strict=True)
    number: int


class Even(Tolerant):
    """A model with a limit that a twin does not know."""

    number: Annotated[int, Field(multiple_of=2)]


class Beside(Tolerant):
    """A model with a limit beside its type."""

    number: int = Field(1, ge=0)


class Default(Tolerant):
    """A model whose default is made anew each time."""

    names: str = Field(default_factory=str)


class Pattern(Tolerant):
    """A model with a pattern that no currency fits."""

    code: Annotated[str, StringConstraints(pattern="^[0-9]$")]


@pytest.mark.parametrize(
    "model",
    [Consent, Feedback, Profile, Guarded, Strict, Even, Beside, Default, Pattern],
    ids=lambda model: model.__name__,
)
def test_a_model_that_says_more_than_a_twin_can_be_held_to_has_none(model: type[BaseModel]) -> None:
    with pytest.raises(TypeError, match="a twin has no"):
        twin(model)
