"""Any file at all: damaged ones, made-up ones, noise. The answer is a book or problems inside the file, never a crash.

`pytest --hypothesis-profile soak tests/test_rules_fuzz.py` looks a hundred times longer.
"""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rules.book import Book, load
from rules.problems import MOST_PROBLEMS
from tests.rules_strategies import rules
from tests.test_rules_check import GOOD
from tests.test_rules_names import KNOWN

# Generous, for a machine that is busy; a search without a bound takes minutes.
soon = settings(deadline=timedelta(seconds=5))
WORDS = sorted(
    {*re.findall(r"[a-z_]+", GOOD), "any", "all", "not", "exists", "near", "lat", "lon", "radius", "at", "time", "days"}
    | {"segments", "selectors", "segment", "selector", "score", "model", "warm", "zone", "at_most", "above", "below"}
)
ODD = [
    "",
    "~",
    "null",
    "true",
    "-1",
    "0",
    "1e400",
    ".nan",
    "0.5",
    "9" * 40,
    "2026-02-30",
    "24:00",
    "10%",
    "3 JPY",
    "'",
    '"',
]
ODD += [
    "{}",
    "[]",
    "*a",
    "&a",
    "!!x",
    "? ",
    ": ",
    "- ",
    "|",
    ">",
    "#",
    "%",
    "@",
    "`",
    "---",
    "...",
    "\t",
    "\r",
    "\ufeff",
    "\x00",
]
TOKENS = st.sampled_from([*WORDS, *ODD]) | st.text(max_size=3)
scalars = st.sampled_from(
    [*WORDS, None, True, False, 0, -1, 3, 1.5, 10**30, "7d", "1s", "10%", "11:00-12:00", "2026-12-01"]
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
    max_leaves=5,
)


def answered(text: str | bytes) -> Book | None:
    loaded = load({"f": text}, KNOWN)

    raw = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    lines = re.split("\r\n|\r|\n", raw.decode("utf-8-sig", errors="replace"))
    for problem in loaded.problems:
        assert 1 <= problem.line <= len(lines), problem
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1, problem
        assert 0 < len(problem.what) < 1_000
    assert len(loaded.problems) <= MOST_PROBLEMS + 1
    assert (loaded.book is None) == bool(loaded.problems)
    return loaded.book


def written_again(book: Book | None) -> None:
    assert book is None or Book.of(Book.of_content(book.content).rules.values()).hash == book.hash


@soon
@given(st.text(max_size=300) | st.binary(max_size=300))
@example("a: 'b\n\n")
@example("{")
@example("---")
@example("a:\r\r\n")
def test_noise_is_answered(text: str | bytes) -> None:
    answered(text)


@soon
@given(
    st.lists(TOKENS | st.sampled_from([" ", "  ", "\n", "\n  ", ": ", "\n- ", ", ", "{", "}", "[", "]"]), max_size=60)
)
def test_what_looks_like_yaml_is_answered(parts: list[str]) -> None:
    answered("".join(parts))


@soon
@given(st.data())
def test_a_file_with_damaged_text_is_answered(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, min(len(GOOD), start + 30)))

    written_again(answered(GOOD[:start] + data.draw(st.text(max_size=10) | TOKENS) + GOOD[end:]))


@soon
@given(st.data())
def test_a_file_with_damaged_bytes_is_answered(data: st.DataObject) -> None:
    raw = GOOD.encode()
    start = data.draw(st.integers(0, len(raw)))

    answered(raw[:start] + data.draw(st.binary(max_size=4)) + raw[start + data.draw(st.integers(0, 4)) :])


PARTS = re.findall(r"\w+|\s+|.", GOOD)


@soon
@given(st.lists(st.tuples(st.integers(0, len(PARTS) - 1), TOKENS), min_size=1, max_size=3))
def test_a_file_with_other_words_is_answered(changes: list[tuple[int, str]]) -> None:
    parts = list(PARTS)
    for place, token in changes:
        parts[place] = token

    written_again(answered("".join(parts)))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in below for found in places(item, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], other)
    return copy


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    file: Any = {
        "format": 1,
        "zone": "Asia/Shanghai",
        "currency": "CNY",
        "selectors": {"taps": {"event": "app_usage"}},
        "segments": {"adults": {"attr": {"age": {"at_least": 18}}}, "all": {"any": [{"segment": "adults"}]}},
        "rules": [draw(rules(number)) for number in range(draw(st.integers(1, 2)))],
    }
    for _ in range(draw(st.integers(1, 3))):
        known = places(file)
        path = draw(st.sampled_from(known))
        at, one = draw(st.sampled_from(known)), draw(st.booleans())
        other = draw(values)
        if one:
            other = file
            for step in at:
                other = other[step]
        file = changed(file, path, other)
    return file


@soon
@given(damaged())
@example({"rules": [{"who": {"attr": [1]}, "tests": [{"customer": {"attrs": ["a"], "tags": {"a": 1}}}]}]})
@example({"rules": [{"who": {"attr": {"age": {"at_least": []}}}, "then": {"offer": ["pool"]}}, 3], "segments": [{}]})
@example({"segments": {"a": {"segment": {"b": "x" * 2_000}}}, "selectors": {"s": {"event": "login"}}, "rules": []})
@example({"rules": [{"on": {"selector": ["x" * 2_000]}, "who": {"attr": {"x" * 2_000: "y"}}}]})
@example({"rules": [{"on": {"event": "login", "where": {"at": {"time": {"x": "y" * 2_000}}}}}]})
@example({"rules": [{"on": {"event": "login", "where": {"at": {"days": ["y" * 2_000]}}}}]})
def test_a_file_with_other_parts_is_answered(file: Any) -> None:
    written_again(answered(json.dumps(file, ensure_ascii=False, indent=1)))


@pytest.mark.parametrize("text", [GOOD, GOOD.replace("\n", "\r\n"), "\ufeff" + GOOD, GOOD + "..."])
def test_a_good_file_is_a_good_file_however_it_was_saved(text: str) -> None:
    assert answered(text) is not None
