"""The small words of a rule file: lengths of time, percentages, amounts, days, clock times, numbers, names."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from kairos.instants import Millis, rfc3339
from kairos.money import Money
from rules import spelled
from rules.spelled import is_zone, length

__all__ = [
    "Amount",
    "Days",
    "Duration",
    "FirstDay",
    "Flag",
    "Format",
    "Instant",
    "LastDay",
    "Number",
    "Part",
    "Probability",
    "Scalar",
    "Share",
    "Window",
    "Word",
    "Zone",
    "is_zone",
    "length",
]


def _read(about: str, *examples: object, **shape: Any) -> WithJsonSchema:
    """Say how a value is written that is read by a function, with examples."""
    return WithJsonSchema({**shape, "description": about, **({"examples": list(examples)} if examples else {})})


_ON_JSON = "json"
_DATE = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TO = {"anyOf": [{"type": "string", "pattern": f"^{spelled.AMOUNT.pattern}$"}, {"type": "number", "minimum": 0}]}
_SHARES = [
    {"type": "string", "pattern": r"^0*([0-8]?[0-9](\.[0-9]+)?|90(\.0+)?)%$"},
    {"type": "number", "minimum": 0, "maximum": 0.9},
]
_PARTS = [
    {"type": "string", "pattern": r"^0*([0-9]?[0-9](\.[0-9]+)?|100(\.0+)?)%$"},
    {"type": "number", "minimum": 0, "maximum": 1},
]
_WORD: dict[str, Any] = {"type": ["string", "number"], "minLength": 1, "maxLength": 200}

Duration = Annotated[
    Millis,
    PlainValidator(spelled.duration),
    PlainSerializer(length, when_used=_ON_JSON),
    _read(
        "A length of time: seconds, minutes, hours or days of 24 hours.",
        *("30m", "2h", "7d"),
        type="string",
        pattern=f"^{spelled.DURATION.pattern}$",
    ),
]
"""A length of time: `30m`, `2h`, `7d`; a day is 24 hours."""
Window = Annotated[Duration, AfterValidator(spelled.bounded)]
"""A length of time that is neither nothing nor for ever."""
Days = Annotated[
    int,
    PlainValidator(spelled.days),
    _read("Calendar days; today is the last of them.", 1, 7, 30, type="integer", minimum=1, maximum=400),
]
"""Calendar days; today is the last of them."""
Share = Annotated[
    float,
    BeforeValidator(spelled.share),
    Field(ge=0, le=0.9),
    _read("A share of the customers, at most 90%.", "10%", "2.5%", anyOf=_SHARES),
]
"""A share of the customers: `10%`."""
Part = Annotated[
    float,
    BeforeValidator(spelled.share),
    Field(ge=0, le=1),
    _read("A share, at most all.", "10%", anyOf=_PARTS),
]
"""A share that may be all: `100%`."""
Probability = Annotated[
    float, PlainValidator(spelled.probability), _read("A probability.", 0.2, type="number", minimum=0, maximum=1)
]
Amount = Annotated[
    Money,
    PlainValidator(spelled.amount),
    PlainSerializer(str, when_used=_ON_JSON),
    _read("An amount, in the file's currency unless it names its own.", 30, 30.50, "12000 JPY", **_TO),
]
"""Money as people write it, in the file's currency unless it names its own."""
Number = Annotated[
    int | float, PlainValidator(spelled.number), _read("A number.", type="number", minimum=-(10**15), maximum=10**15)
]
Word = Annotated[str, PlainValidator(spelled.word), _read("A word; a number is taken as it is written.", **_WORD)]
Flag = Annotated[bool, PlainValidator(spelled.flag), _read("True or false.", type="boolean")]
Scalar = Annotated[
    str | int | float | bool,
    PlainValidator(spelled.scalar),
    _read("A word, a number, or true or false.", type=["string", "number", "boolean"]),
]
Zone = Annotated[
    str, PlainValidator(spelled.zone), _read("A time zone of the IANA database.", "Asia/Shanghai", "UTC", type="string")
]
Format = Annotated[Literal[1], BeforeValidator(spelled.format_)]
"""The format of a file; there is one so far."""
FirstDay = Annotated[
    Millis,
    PlainValidator(spelled.first_day),
    PlainSerializer(rfc3339, when_used=_ON_JSON),
    _read("The first day, from its beginning.", "2026-12-01", type="string", pattern=f"^{_DATE}(T.+)?$"),
]
"""The first instant of a day in the file's zone; or an instant with its offset, as it is published."""
LastDay = Annotated[
    Millis,
    PlainValidator(spelled.last_day),
    PlainSerializer(rfc3339, when_used=_ON_JSON),
    _read("The last day, to its end.", "2027-02-28", type="string", pattern=f"^{_DATE}(T.+)?$"),
]
"""The instant after the last one of a day; or an instant with its offset, as it is published."""
Instant = Annotated[
    Millis,
    PlainValidator(spelled.instant),
    PlainSerializer(rfc3339, when_used=_ON_JSON),
    _read(
        "A local time in the file's zone.",
        "2026-12-01 12:05",
        type="string",
        pattern=f"^{_DATE}( [0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}})?|T.+)$",
    ),
]
"""A local time in the file's zone."""
