"""Source: how conditions are written as one Python expression, for the functions that the compiler makes.

Nothing from a file enters the source but the `repr` of checked texts, numbers and booleans; the names of
fields come from our own records, and every other name is this package's.
"""

from collections.abc import Iterable
from hashlib import blake2b

from kairos.money import Money

__all__ = ["ALWAYS", "NEVER", "Readings", "all_of", "any_of", "constant"]

ALWAYS, NEVER = "True", "False"


def constant(value: object) -> str:
    r"""Write a checked value as source.

    Raises
    ------
    TypeError
        It is of no type whose `repr` is a harmless literal.

    Examples
    --------
    >>> constant("'; import this"), constant((1, 2.5, True))
    ('"\'; import this"', '(1, 2.5, True,)')

    """
    if type(value) is tuple:
        return f"({', '.join(map(constant, value))},)"
    if type(value) is Money:
        return repr(value.minor)
    # A number that is not finite would be written as a name.
    if type(value) in (str, int, bool) or (type(value) is float and value - value == 0):
        return repr(value)
    raise TypeError(f"{type(value)} cannot stand in generated source")


def all_of(parts: Iterable[str]) -> str:
    """Write that every part holds.

    Examples
    --------
    >>> all_of(["a > 1", "True", "b"]), all_of([])
    ('(a > 1 and b)', 'True')

    """
    return _joined(parts, " and ", ALWAYS, NEVER)


def any_of(parts: Iterable[str]) -> str:
    """Write that some part holds.

    Examples
    --------
    >>> any_of(["a > 1", "b"]), any_of([])
    ('(a > 1 or b)', 'False')

    """
    return _joined(parts, " or ", NEVER, ALWAYS)


def _joined(parts: Iterable[str], word: str, nothing: str, everything: str) -> str:
    found = [part for part in parts if part != nothing]
    if everything in found:
        return everything
    if len(found) < 2:
        return found[0] if found else nothing
    return f"({word.join(found)})"


class Readings:
    """What several conditions of one function read; each is read at most once an event, and only when asked for.

    A reading is named by its own source, so conditions that are written one by one can stand in one function.

    Examples
    --------
    >>> readings = Readings()
    >>> readings.of("until(past.get('k', b''), at)")[1]
    'r_041949a1c928838c'
    >>> readings.begin()
    'r_041949a1c928838c = None'

    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names: dict[str, None] = dict.fromkeys(names)

    def of(self, source: str) -> tuple[str, str]:
        """Give how to read it where it may not have been read yet, and the name under which it stands after that."""
        name = f"r_{blake2b(source.encode(), digest_size=8).hexdigest()}"
        self.names[name] = None
        return f"({name} if {name} is not None else ({name} := {source}))", name

    def begin(self) -> str:
        """Write the statement that begins an event, with nothing read yet."""
        return " = ".join((*self.names, "None")) if self.names else "pass"
