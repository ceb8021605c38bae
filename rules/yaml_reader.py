"""Files that people write: YAML 1.2 that keeps what the author wrote, with the place of every value.

PyYAML speaks YAML 1.1, where `on` and `NO` are booleans, `12:30` is 750 and `2026-12-01` a date. Here only
`true`, `false`, `null`, whole numbers and decimals are more than text, and `010` is text too. A file can do no
harm: no tags, no aliases, one document, no character that an eye does not see; bounded in bytes, depth, values,
keys, length of a text and number of problems.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

import yaml

from rules.problems import MOST_PROBLEMS, Place, Problem, shown

__all__ = ["LARGEST", "Tree", "Unreadable", "Value", "decoded", "place_at", "plain", "read"]

LARGEST = 1_000_000
"""The largest file, in bytes."""
_DEEPEST = 40
_MOST_VALUES = 200_000
_MOST_KEYS = 20_000
_LONGEST_KEY = 200
_LONGEST_TEXT = 10_000

Value = str | int | Decimal | bool | None | list["Value"] | dict[str, "Value"]

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,29}")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,29})\.[0-9]{1,30}")
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None, "~": None, "": None}

# Control characters, halves of characters, line breaks that no editor counts, and what turns the direction of writing
# or is not seen at all: with them an auditor reads something else than the engine does.
_UNSEEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u200a\u200c\u200d\u2010-\u2027\u202f-\u205f\u2061-\u2065\u206a-\ud7ff"
    "\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


@dataclass(slots=True)
class Tree:
    """A value and where it stands; the keys' places and the values below."""

    value: Value
    place: Place
    keys: dict[str, Place] = field(default_factory=dict)
    below: dict[str | int, "Tree"] = field(default_factory=dict)

    def find(self, path: Sequence[str | int], *, key: bool = False) -> Place:
        """Give the place of the value at a path, or of its key; of the nearest one above when there is none."""
        here = self
        for step in path[:-1] if key else path:
            if step not in here.below:
                # Pydantic's paths also name parts of our models that nobody wrote.
                continue
            here = here.below[step]
        last = path[-1] if path else ""
        return here.keys[last] if key and isinstance(last, str) and last in here.keys else here.place


class _Mark(Protocol):
    line: int
    column: int


class Unreadable(Exception):
    """A text that is not read, with the place of the reason."""

    def __init__(self, place: Place, what: str) -> None:
        super().__init__(what)
        self.place = place


def read(file: str, text: str | bytes) -> tuple[Tree | None, tuple[Problem, ...]]:
    r"""Read a file's text.

    Examples
    --------
    >>> tree, _ = read("a.yaml", "on: NO\nat: 12:30\nids: [010, 10, 1.50]")
    >>> tree.value
    {'on': 'NO', 'at': '12:30', 'ids': ['010', 10, Decimal('1.50')]}
    >>> tree.find(("ids", 1))[:2]
    (3, 12)
    >>> print(*read("a.yaml", "on: 1\non: 2")[1])
    a.yaml:2:1: the key 'on' stands here a second time

    """
    problems: list[Problem] = []
    whole = ""
    try:
        whole = decoded(text)
        tree = _Composer(file, problems).compose(whole)
    except Unreadable as error:
        return None, (*problems, error.place.problem(file, str(error)))
    except yaml.MarkedYAMLError as error:
        place = _within(error.problem_mark or error.context_mark, place_at(whole))
        return None, (*problems, place.problem(file, f"not YAML: {error.problem or error.context}"))
    return tree, tuple(problems)


def decoded(text: str | bytes) -> str:
    """Give a file's text.

    Raises
    ------
    Unreadable
        It is too large, not UTF-8, or has characters that nobody sees.

    """
    if len(text) <= LARGEST and isinstance(text, str):
        text = text.encode(errors="surrogatepass")
    if len(text) > LARGEST or isinstance(text, str):
        raise Unreadable(Place(1, 1), f"the file has more than {LARGEST} bytes, which is all that is read; split it")
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable(Place(1, 1), "the file is UTF-16 or UTF-32; save it as UTF-8")
    try:
        whole = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = place_at(text[: error.start].decode("utf-8-sig"))
        raise Unreadable(place, "the file is not UTF-8; save it as UTF-8") from None
    found = _UNSEEN.search(whole)
    if found is not None:
        raise Unreadable(place_at(whole[: found.start()]), _unseen(found[0]))
    return whole


def place_at(before: str) -> Place:
    """Give the place that follows a text."""
    lines = re.split("\r\n|\r|\n", before)
    return Place(len(lines), len(lines[-1]) + 1)


def _unseen(character: str) -> str:
    return f"the character U+{ord(character):04X} is not seen; take it out"


class _Composer:
    """Builds the tree from the parser's events, which cannot construct anything."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems
        self._values = 0
        self._end = Place(1, 1)

    def compose(self, text: str) -> Tree:
        self._end = place_at(text)
        loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
        events: Iterator[yaml.Event] = yaml.parse(text, Loader=loader)
        root: Tree | None = None
        for event in events:
            if isinstance(event, yaml.NodeEvent):
                if root is not None:
                    raise Unreadable(self._place(event), "a second document begins here; one file, one document")
                root = self._node(event, events, 0)
        return root or Tree(None, Place(1, 1))

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Tree:
        self._harmless(event, depth)
        tree = Tree(None, self._place(event))
        if isinstance(event, yaml.ScalarEvent):
            tree.value = _scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._list(tree, events, depth)
        else:
            self._mapping(tree, events, depth)
        return tree

    def _harmless(self, event: yaml.Event, depth: int) -> None:
        self._values += 1
        if isinstance(event, yaml.AliasEvent):
            alias = shown(event.anchor)[1:-1]
            raise Unreadable(self._place(event), f"aliases such as *{alias} are not read; write the value again")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!"):
            raise Unreadable(self._place(event), f"tags such as {shown(tag)[1:-1]} are not read")
        if depth > _DEEPEST:
            raise Unreadable(self._place(event), f"more than {_DEEPEST} levels deep")
        if self._values > _MOST_VALUES:
            raise Unreadable(self._place(event), f"the file has more than {_MOST_VALUES} values; split it")
        if isinstance(event, yaml.ScalarEvent):
            self._readable(event)

    def _list(self, tree: Tree, events: Iterator[yaml.Event], depth: int) -> None:
        values: list[Value] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            tree.below[len(values)] = item = self._node(event, events, depth + 1)
            values.append(item.value)
        tree.value = values

    def _mapping(self, tree: Tree, events: Iterator[yaml.Event], depth: int) -> None:
        values: dict[str, Value] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            self._harmless(event, depth)
            if not isinstance(event, yaml.ScalarEvent):
                raise Unreadable(self._place(event), "a key must be a word")
            if len(event.value) > _LONGEST_KEY:
                raise Unreadable(self._place(event), f"a key has at most {_LONGEST_KEY} characters")
            value = self._node(next(events), events, depth + 1)
            if event.value in values:
                self._twice(event)
                continue
            if len(values) == _MOST_KEYS:
                raise Unreadable(self._place(event), f"more than {_MOST_KEYS} keys beside each other")
            tree.keys[event.value] = self._place(event)
            tree.below[event.value] = value
            values[event.value] = value.value
        tree.value = values

    def _place(self, event: yaml.Event) -> Place:
        return _within(event.start_mark, self._end)

    def _twice(self, key: yaml.ScalarEvent) -> None:
        if len(self._problems) == MOST_PROBLEMS:
            raise Unreadable(self._place(key), f"more than {MOST_PROBLEMS} problems; the rest was not read")
        said = f"the key {shown(key.value)} stands here a second time"
        self._problems.append(self._place(key).problem(self._file, said))

    def _readable(self, event: yaml.ScalarEvent) -> None:
        if len(event.value) > _LONGEST_TEXT:
            raise Unreadable(self._place(event), f"a text has at most {_LONGEST_TEXT} characters")
        # The file itself was searched before; only an escape such as "\0" can bring another one in.
        if event.style == '"' and (found := _UNSEEN.search(event.value)):
            raise Unreadable(self._place(event), _unseen(found[0]))


def _within(mark: _Mark | None, end: Place) -> Place:
    # What is missing at the end of a text without a last line break would stand on a line that does not exist.
    return min(Place(mark.line + 1, mark.column + 1), end) if mark else Place(1, 1)


def _scalar(event: yaml.ScalarEvent) -> Value:
    # Quoted or a block: the author says it is text.
    return plain(event.value) if event.implicit[0] else event.value


def plain(text: str) -> Value:
    """Read a text that stands without quotes.

    Examples
    --------
    >>> plain("true"), plain("10"), plain("010")
    (True, 10, '010')

    """
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text
