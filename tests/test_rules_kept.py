"""What is kept of a book: the same book is made of it, faster, and nothing that somebody put there is believed."""

import ast
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rules
from kairos.customer import Customer, Standing, pack
from kairos.events import Event
from kairos.ports import Record
from rules.book import Book
from rules.kept import Kept, packed
from rules.vocabulary import is_harmless
from streams import kept_book
from streams.catalogue import Catalogue, publication
from streams.kept_book import KeptBook, written_by
from tests.rules_strategies import NOON, book_of, books, lives, standings, unhurried
from tests.test_rules_match import NOBODY, food, rule

lean = settings(unhurried, max_examples=20)
COUNTED = {"all": [{"count": {"same_as": "on", "within": "7d", "at_least": 1}}]}
WAITS = {"all": [{"absent": {"event": "login", "for": "1h"}}]}
BOOK = book_of(rule(when=COUNTED), rule(id="s", who={"tag": "vip"}), rule(id="w", when=WAITS))


@lean
@given(books, books, lives, standings)
def test_a_book_made_of_what_was_kept_is_the_book_that_was_read(
    book: Book, before: Book, life: list[Event], standing: Standing
) -> None:
    kept = Kept(packed(before.apart))
    made = [Book.of_content(book.content, None, Kept(packed(book.apart))), Book.of_content(book.content, None, kept)]
    # A book that was made of what was kept is followed by another one, and that one is kept in its turn.
    following = Book.of_content(book.content, Book.of_content(before.content, None, kept))
    made += [following, Book.of_content(book.content, None, Kept(packed(following.apart)))]

    for again in made:
        assert (again.content, again.hash, dict(again.features)) == (book.content, book.hash, dict(book.features))
        one, two = Customer(), Customer()
        for event in life:
            assert again.observe(event, one) == book.observe(event, two)
            assert again.match(event, one, lambda: standing) == book.match(event, two, lambda: standing)
            assert again.ends(event) == book.ends(event)
        assert pack(one) == pack(two)


def test_a_rule_that_was_kept_is_read_when_it_matches_and_not_before() -> None:
    book, customer = Book.of_content(BOOK.content, None, Kept(packed(BOOK.apart))), Customer()

    assert set(book.rules.already(book.apart)) == set()
    book.observe(food(NOON), customer)
    assert [found.id for found in book.match(food(NOON), customer, lambda: NOBODY)] == ["r", "w"]
    assert set(book.rules.already(book.apart)) == {"r", "w"}
    assert book.rules["r"] is book.rules["r"]
    assert [found.id for found in book.rules.values()] == list(book.rules) == ["r", "s", "w"]


@pytest.mark.parametrize(
    "source",
    [
        "__import__('os').system('true')",
        "().__class__",
        "event.__dict__",
        "eval('1')",
        "open('/etc/passwd')",
        "getattr(event, 'at')",
        "customer.__init__",
        "f'{event}'",
        "rb'x'",
        "'''a'''",
        "''''' + eval('1') + '''''",
        "b''' + x '''",
        "'a' 'b''c'",
        "2 ** 2 ** 99",
        "import os",
        "lambda: 1",
        "at \\\n",
        "at # why",
        "at\tat",
        "ａｔ",  # letters that Python reads as others
        "at @ at",
        "{at}",
        "at1",
        "1if at else 2",
        "while at: pass",
        "class m: pass",
        "global m",
        "del m",
        "'\n'",
        "'\\",
    ],
)
def test_what_no_condition_says_is_not_harmless(source: str) -> None:
    assert is_harmless(source) is False
    assert is_harmless(f"at > 1\n{source}") is False


@given(st.lists(st.text(max_size=20), min_size=1, max_size=3))
def test_a_text_is_harmless_whatever_it_holds_and_stays_that_text(texts: list[str]) -> None:
    source = " in ".join(map(repr, texts))

    assert is_harmless(source)
    found = [node.value for node in ast.walk(ast.parse(source, mode="eval")) if isinstance(node, ast.Constant)]
    assert sorted(map(str, found)) == sorted(texts)


@given(st.text(alphabet="'\"\\brf{}(at). \n#"))
def test_python_sees_the_same_texts_in_harmless_source_as_its_guard(source: str) -> None:
    if not is_harmless(source):
        return
    try:
        tree = ast.parse(source.strip())
    except SyntaxError:
        return
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert names <= {"at"}
    assert not any(isinstance(node, ast.JoinedStr) for node in ast.walk(tree))


def test_what_was_kept_cannot_say_more_than_a_rule() -> None:
    rows = msgspec.msgpack.decode(packed(BOOK.apart))
    assert Kept(msgspec.msgpack.encode(rows)).covers(BOOK.apart)
    tagged = rows[1][1]
    place = next(place for place, part in enumerate(tagged) if part == ["vip"])
    tagged[place] = ["vip') or eval('1"]
    # A tag is a value, and is written as one.
    assert Kept(msgspec.msgpack.encode(rows)).covers(BOOK.apart)

    for row in rows:
        row[1][4] = [["f_at", "__import__('os').getpid()"]]

    with pytest.raises(ValueError, match="says what no condition says"):
        Kept(msgspec.msgpack.encode(rows))


@pytest.mark.parametrize("written", [b"", b"\xc1", b"{}", b"\x91\x01", packed(BOOK.apart)[:-1], b"\x91" * 100_000])
def test_what_nobody_kept_is_refused(written: bytes) -> None:
    with pytest.raises(ValueError, match=r"not what was kept"):
        Kept(written)


def test_the_file_gives_back_what_was_written(tmp_path: Path) -> None:
    file = KeptBook(tmp_path)
    assert file.read() is None

    file.write(BOOK)

    kept = file.read()
    assert kept is not None
    assert kept.covers(BOOK.apart)
    assert not kept.covers(book_of(rule(id="another")).apart)
    assert [path.name for path in tmp_path.iterdir()] == ["rules.kept"]


def test_a_damaged_file_is_not_believed(tmp_path: Path) -> None:
    file, path = KeptBook(tmp_path), tmp_path / "rules.kept"
    file.write(BOOK)
    whole = path.read_bytes()

    damaged = [whole[:-1], whole[:40], b"", whole + b"\0"]
    damaged += [
        whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in (0, 31, 32, 63, 64, len(whole) - 1)
    ]
    for one in damaged:
        path.write_bytes(one)
        assert file.read() is None


def test_a_file_of_another_version_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = KeptBook(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(kept_book, "written_by", lambda: bytes(32))
        file.write(BOOK)
        assert file.read() is not None

    assert file.read() is None


def test_the_version_is_that_of_python_and_of_every_line_by_which_rules_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, asked = written_by(), written_by.__wrapped__
    assert asked() == ours

    with monkeypatch.context() as patch:
        patch.setattr("sys.version", "3.99")
        assert asked() != ours
    (tmp_path / "clauses.py").write_text("# another line")
    monkeypatch.setattr(rules, "__path__", [str(tmp_path)])
    assert asked() != ours


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    file = KeptBook(tmp_path / "nowhere")

    file.write(BOOK)

    assert file.read() is None


async def test_the_rules_in_force_are_kept_for_the_next_start(tmp_path: Path) -> None:
    records = [Record(o.topic, 0, 0, o.key, o.value, o.headers) for o in publication("rules", BOOK.content, "ann", 0)]
    first, second = Catalogue({}, tmp_path), Catalogue({}, tmp_path)
    for catalogue, were_read in ((first, {"r", "s", "w"}), (second, set[str]())):
        catalogue.reader.kept = KeptBook(tmp_path).read()
        for record in records:
            catalogue.reader.take(record)
        book = catalogue.versions().book

        assert book.hash == BOOK.hash
        assert set(book.rules.already(book.apart)) == were_read
        await catalogue._keep()
        assert catalogue.reader.kept is None
