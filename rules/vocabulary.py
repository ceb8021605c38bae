"""The vocabulary: everything that generated source may say.

Source is written by this package from checked values, see `rules.source`; this is the second lock on the same door,
and the only one for source that was kept in a file. What is made of these words alone can read an event and a customer
and compare: it names no module and no attribute that leads to one, and knows no built-in function but those here.
"""

import re
from collections.abc import Mapping

from rules.chains import ends, none_started, started
from rules.fields import RECORDS
from rules.firings import last_fired
from rules.moments import day_of, first_second, local, midnight
from rules.panes import largest, reaches, smallest, total
from rules.places import distance
from rules.rings import fewer, long_ago, recent, until
from rules.ties import knows, tied
from rules.values import ring

__all__ = ["CALLED", "is_harmless"]

_BUILTINS = {"bool": bool, "float": float, "int": int, "len": len, "max": max, "str": str, "type": type}
CALLED: Mapping[str, object] = {
    # Without these Python would give a function all of its own.
    "__builtins__": _BUILTINS,
    "day_of": day_of,
    "distance": distance,
    "ends": ends,
    "fewer": fewer,
    "first_second": first_second,
    "knows": knows,
    "largest": largest,
    "last_fired": last_fired,
    "local": local,
    "long_ago": long_ago,
    "midnight": midnight,
    "none_started": none_started,
    "reaches": reaches,
    "recent": recent,
    "ring": ring,
    "smallest": smallest,
    "started": started,
    "tied": tied,
    "total": total,
    "until": until,
}
"""What generated source may call."""

_PYTHON = "None True False and def elif else for if in is not or pass return"
_OURS = """
    r_[0-9a-f]{16} append at attrs by_tag category customer data event found get left m matched met others_[0-9]+ past
    person profile remembered s since standing tag tags wanted words_[0-9]+ item_[0-9]+ f_[a-z]+(?:_[a-z]+)*
"""


def _pattern() -> re.Pattern[str]:
    fields = {name for record in RECORDS.values() for name in record.model_fields}
    words = "|".join([*_OURS.split(), *_PYTHON.split(), *sorted(fields), *_BUILTINS, *list(CALLED)[1:]])
    # A text begins and ends where Python says so: no letter before it gives it another meaning, and no further quote
    # behind it makes it part of a longer one.
    alone = r"(?<![\w'\"])"
    text = rf"{alone}'(?:[^'\\\n\r\0]|\\[^\n\r\0])*+'(?!['\"])|{alone}\"(?:[^\"\\\n\r\0]|\\[^\n\r\0])*+\"(?!['\"])"
    number = r"(?<!\w)(?:0x[0-9a-f]+|[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)(?!\w)"
    signs = r"[][ \n()=<>:,.;&|!+/-]++|\*(?!\*)"
    # The most frequent comes first.
    return re.compile(rf"(?:(?>{signs}|(?<!\w)(?:{words})(?!\w)|{text}|{alone}b''(?!['\"])|{number}))*+")


_SAYS = _pattern().fullmatch


def is_harmless(source: str) -> bool:
    r"""Whether source is made of the vocabulary alone.

    Examples
    --------
    >>> is_harmless("if f_seconds is not None and f_seconds >= 30:\n  m &= 0x3f"), is_harmless("'; import this'")
    (True, True)
    >>> is_harmless("__import__('os')"), is_harmless("event.__class__"), is_harmless("f'{event}'")
    (False, False, False)

    """
    return _SAYS(source) is not None
