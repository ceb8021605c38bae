"""Files that people write: YAML 1.2 that keeps what the author wrote, with the place of every value.

PyYAML speaks YAML 1.1, where `on` and `NO` are booleans, `12:30` is 750 and `2026-12-01` a date. Here only
`true`, `false`, `null`, whole numbers and decimals are more than text, and `010` is text too. A file can do no
harm: no tags, no aliases, one document, bounded in size and depth.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import yaml

from rules.problems import Problem

__all__ = ["LARGEST", "Place", "Tree", "Value", "read"]

LARGEST = 1_000_000
"""The largest file, in bytes."""
_DEEPEST = 40

Value = str | int | Decimal | bool | None | list["Value"] | dict[str, "Value"]
Place = tuple[int, int]
"""Line and column, counted from 1."""

_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,29})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,29})\.[0-9]{1,30}")
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None, "~": None, "": None}


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


class _Unreadable(Exception):
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
    >>> tree.find(("ids", 1))
    (3, 12)
    >>> print(*read("a.yaml", "on: 1\non: 2")[1])
    a.yaml:2:1: the key 'on' stands here a second time

    """
    problems: list[Problem] = []
    try:
        tree = _Composer(file, problems).compose(_decoded(text))
    except _Unreadable as error:
        return None, (*problems, Problem(file, *error.place, str(error)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return None, (*problems, Problem(file, *place, f"not YAML: {error.problem or error.context}"))
    except yaml.YAMLError as error:
        # The reader's own errors know a character, no line.
        return None, (*problems, Problem(file, 1, 1, f"not YAML: {str(error).splitlines()[0]}"))
    return tree, tuple(problems)


def _decoded(text: str | bytes) -> str:
    raw = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    if len(raw) > LARGEST:
        raise _Unreadable((1, 1), f"the file has {len(raw)} bytes, at most {LARGEST} are read; split it")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _Unreadable((line, 1), "the file is not UTF-8; save it as UTF-8") from None


class _Composer:
    """Builds the tree from the parser's events, which cannot construct anything."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems

    def compose(self, text: str) -> Tree:
        loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
        events: Iterator[yaml.Event] = yaml.parse(text, Loader=loader)
        root: Tree | None = None
        for event in events:
            if isinstance(event, yaml.NodeEvent):
                if root is not None:
                    raise _Unreadable(_place(event), "a second document begins here; one file, one document")
                root = self._node(event, events, 0)
        return root or Tree(None, (1, 1))

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Tree:
        self._harmless(event, depth)
        tree = Tree(None, _place(event))
        if isinstance(event, yaml.ScalarEvent):
            tree.value = _scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._list(tree, events, depth)
        else:
            self._mapping(tree, events, depth)
        return tree

    def _harmless(self, event: yaml.Event, depth: int) -> None:
        if isinstance(event, yaml.AliasEvent):
            raise _Unreadable(_place(event), f"aliases such as *{event.anchor} are not read; write the value again")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!"):
            raise _Unreadable(_place(event), f"tags such as {tag} are not read")
        if depth > _DEEPEST:
            raise _Unreadable(_place(event), f"more than {_DEEPEST} levels deep")

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
                raise _Unreadable(_place(event), "a key must be a word")
            value = self._node(next(events), events, depth + 1)
            if event.value in values:
                said = f"the key {event.value!r} stands here a second time"
                self._problems.append(Problem(self._file, *_place(event), said))
                continue
            tree.keys[event.value] = _place(event)
            tree.below[event.value] = value
            values[event.value] = value.value
        tree.value = values


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _scalar(event: yaml.ScalarEvent) -> Value:
    text: str = event.value
    if not event.implicit[0]:
        # Quoted or a block: the author says it is text.
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text
