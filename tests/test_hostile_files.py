"""Hostile files: whatever lies on the disk, the answer is a sentence with a place, soon, and in little memory."""

import os
import tracemalloc
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.cli import app
from console.files import MOST_FILES, contents, in_folder
from rules.book import load
from rules.problems import MOST_PROBLEMS, Problem
from rules.yaml_reader import LARGEST, read
from tests.test_rules_check import GOOD, KNOWN

HEAD = "format: 1\nzone: UTC\ncurrency: CNY\nrules:"
MANY = 90_000


def named(levels: int, times: int) -> str:
    """Segments that each name the one above several times."""
    names = [f"{{any: [{', '.join([f'{{segment: s{n}}}'] * times)}]}}" for n in range(levels)]
    return f"{HEAD} []\nsegments: {{s0: {{tag: a}}, {', '.join(f's{n + 1}: {said}' for n, said in enumerate(names))}}}"


WORDS = f"selectors: {{s: {{event: app_usage, where: {{app_class: [{'a,' * 500}]}}}}}}\n"
HOSTILE: list[tuple[str, str | bytes, str]] = [
    ("too many bytes", "a" * (LARGEST + 1), "1:1: the file has more than 1000000 bytes, which is all that is read"),
    ("too many bytes of two", "好" * (LARGEST // 2), "1:1: the file has more than 1000000 bytes"),
    ("one long word", "a" * (LARGEST - 1), "1:1: a text has at most 10000 characters"),
    ("a long key", f"{{{'a' * 500}: 1}}", "1:2: a key has at most 200 characters"),
    ("a long alias", f"{HEAD} [*{'a' * 90_000}]", "4:9: aliases such as *aaaaaaaaaaaaaaaaa"),
    ("many values", f"{HEAD} [{'1,' * 300_000}]", "4:399991: the file has more than 200000 values; split it"),
    ("many keys", f"{{{', '.join(f'k{n}' for n in range(MANY))}}}", "1:148892: more than 20000 keys beside each other"),
    ("any in any", f"{HEAD}\n- {{who: {'{any: [' * 10_000}{']}' * 10_000}}}", "5:142: more than 40 levels deep"),
    ("lists in lists", "[" * (LARGEST - 1), "1:42: more than 40 levels deep"),
    ("dashes in dashes", "- " * 9_000, "1:83: more than 40 levels deep"),
    ("a laugh", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "2:8: aliases such as *a are not read"),
    ("itself", "a: &a [*a]", "1:8: aliases such as *a are not read"),
    ("a merge", "a: &a {b: 1}\nc: {<<: *a}", "2:9: aliases such as *a are not read"),
    ("a laugh of segments", named(30, 9), "5:470: with what it names it says more than 20000 things"),
    ("deep segments", named(199, 1), "5:397: with what it names it is more than 40 levels deep"),
    (
        "a laugh of selectors",
        f"{WORDS}{HEAD}\n- {{id: a, when: {{any: [{'{count: {selector: s}},' * 41}]}}}}",
        "6:3: with what it names it says more than 20000 things",
    ),
    (
        "a choir of selectors",
        f"{WORDS}{HEAD}\n" + "- {when: {any: [{count: {selector: s}}, {count: {selector: s}}]}}\n" * 3_000,
        "986:3: up to here the file says more than 1000000 things; split it",
    ),
    ("a tag", "a: !!python/object/apply:os.system [ls]", "1:4: tags such as tag:yaml.org,2002:python/object/apply:os"),
    ("a number as a tag", "a: !!int '1'", "1:4: tags such as tag:yaml.org,2002:int are not read"),
    ("UTF-16", GOOD.encode("utf-16"), "1:1: the file is UTF-16 or UTF-32; save it as UTF-8"),
    ("UTF-16 without a mark", GOOD.encode("utf-16-le"), "6:25: the file is not UTF-8; save it as UTF-8"),
    ("GB 18030", GOOD.encode("gb18030"), "6:11: the file is not UTF-8; save it as UTF-8"),
    ("half a character", "a: 好".encode()[:-1], "1:4: the file is not UTF-8; save it as UTF-8"),
    ("a lone surrogate", "a: \ud800", "1:4: the file is not UTF-8; save it as UTF-8"),
    ("an escaped surrogate", 'a: "\\uD800"', "1:7: not YAML: found invalid Unicode character escape code"),
    ("NUL", "a:\n  b\0c", "2:4: the character U+0000 is not seen; take it out"),
    ("an escaped NUL", 'a: "b\\0c"', "1:4: the character U+0000 is not seen; take it out"),
    ("an escaped bell as a key", '"\\a": 1', "1:1: the character U+0007 is not seen; take it out"),
    ("turned writing", "a: vip\u202egnp", "1:7: the character U+202E is not seen; take it out"),
    ("no width", "a: vip\u200b", "1:7: the character U+200B is not seen; take it out"),
    ("a line that no editor counts", "a: b\u2028c: d", "1:5: the character U+2028 is not seen; take it out"),
    ("a second mark", "\ufeff\ufeffa: 1", "1:1: the character U+FEFF is not seen; take it out"),
    ("keys twice", f"{{{'k: 1, ' * MANY}}}", "1:8: the key 'k' stands here a second time"),
    ("nothing in rules", f"{HEAD} [{'{},' * 30_000}]", "4:9: the key 'id' is missing"),
    ("tabs", "a:\n\tb: 1", "2:1: not YAML: found character that cannot start any token"),
    ("an open quote", "a: 'b", "1:6: not YAML: found unexpected end of stream"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_a_hostile_file_gets_a_sentence_with_its_place(text: str | bytes, expected: str) -> None:
    problems = load({"f": text}).problems

    assert str(problems[0]).startswith(f"f:{expected}")
    assert len(problems) <= MOST_PROBLEMS + 1
    assert all(len(problem.what) < 400 for problem in problems)


ODD = [
    ("at_least: 22", "at_least: 1e400", "11:41: expected a number, got '1e400'"),
    ("at_least: 22", "at_least: .nan", "11:41: expected a number, got '.nan'"),
    ("at_least: 22", "at_least: -.inf", "11:41: expected a number, got '-.inf'"),
    ("at_least: 22", "at_least: NaN", "11:41: expected a number, got 'NaN'"),
    ("at_least: 22", f"at_least: {'9' * 300}", f"11:41: expected a number, got '{'9' * 57}...'"),
    ("at_least: 22", f"at_least: {'9' * 30}", "11:41: a number lies between -10^15 and 10^15"),
    ("at_least: 22", f"at_least: 0.{'9' * 300}", f"11:41: expected a number, got '0.{'9' * 55}...'"),
    ("at_least: 22", "at_least: 1_000", "11:41: expected a number, got '1_000'"),
    ("at_least: 22", "at_least: 0x1F", "11:41: expected a number, got '0x1F'"),
    ("from: 2026-12-01", "from: 2026-02-30", "9:19: expected a day such as 2026-12-01, got '2026-02-30'"),
    ("from: 2026-12-01", "from: 0000-00-00", "9:19: expected a day such as 2026-12-01, got '0000-00-00'"),
    ("from: 2026-12-01", "from: 0001-01-01", "9:19: expected a day such as 2026-12-01, got '0001-01-01'"),
    ("from: 2026-12-01", "from: 0001-01-01T00:00:00+14:00", "9:19: expected a day such as 2026-12-01, got '0001"),
    ("until: 2027-02-28", "until: 9999-12-31", "9:38: expected a day such as 2026-12-01, got '9999-12-31'"),
    ("until: 2027-02-28", "until: 2027-02-29", "9:38: expected a day such as 2026-12-01, got '2027-02-29'"),
    ("within: 7d", "within: 999999999d", "12:48: 999999999d is longer than 3650d"),
    ("Asia/Shanghai", "../../../etc/passwd", "2:7: expected a time zone such as Asia/Shanghai, got '../../../etc"),
    ("Asia/Shanghai", "Asia", "2:7: expected a time zone such as Asia/Shanghai, got 'Asia'"),
    ("app_class: food_delivery}", f"app_class: [{'a,' * 10_000}]}}", "10:47: at most 500 of them, here are 10000"),
    ("zh: 午餐券", f"zh: {'好' * 501}", "17:18: expected at most 500 characters"),
    ("2026-12-07 12:05", "2026-02-30 12:05", '24:18: expected a local time such as "2026-12-01 12:05", got \'2026-02'),
    ("2026-12-07 12:05", "1986-05-04 02:30", "24:18: '1986-05-04 02:30' does not exist in Asia/S"),
]


@pytest.mark.parametrize(("right", "wrong", "expected"), ODD, ids=[case[1][:30] for case in ODD])
def test_an_odd_value_is_told_with_its_place(right: str, wrong: str, expected: str) -> None:
    assert right in GOOD

    problems = load({"f": GOOD.replace(right, wrong, 1)}, KNOWN).problems

    assert str(problems[0]).startswith(f"f:{expected}")
    assert all(len(problem.what) < 200 for problem in problems)


def test_a_word_stays_as_its_author_wrote_it() -> None:
    tree, problems = read("f", "[on, NO, 12:30, 010, 1_000, 0x1F, .5, 1e3, 2026-12-01, -0, +5, <<, =, 0o7, 1., '~']")

    assert problems == ()
    assert tree is not None
    assert tree.value == [
        "on", "NO", "12:30", "010", "1_000", "0x1F", ".5", "1e3", "2026-12-01", "-0", "+5", "<<", "=", "0o7", "1.", "~",
    ]  # fmt: skip


def test_a_merchant_may_be_called_by_any_number() -> None:
    words = "[7, 0.0000001, 1.50, -12, 010, 1e3]"
    text = GOOD.replace("app_usage, where: {app_class: food_delivery}", f"transaction, where: {{merchant: {words}}}", 1)

    book = load({"f": text}, KNOWN).book

    assert book is not None
    assert book.content.count(b'["-12","0.0000001","010","1.50","1e3","7"]') == 1


def test_a_flood_of_problems_takes_little_memory() -> None:
    text = f"{HEAD} [{'{},' * 9_000}]"
    tracemalloc.start()
    try:
        problems = load({"f": text}).problems
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(problems) == MOST_PROBLEMS + 1
    assert "more than 1000 problems; what follows was not looked at" in [problem.what for problem in problems]
    # To tell all 54,000 of them takes 50 MB.
    assert most < 15_000_000


def test_wrong_files_beyond_the_most_problems_are_not_looked_at() -> None:
    flood = f"{HEAD} [{'3, ' * 2_000}]"

    problems = load({f"{n:03}": flood for n in range(100)}).problems

    assert {problem.file for problem in problems} == {"000"}


def test_a_book_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.book.MOST_RULES", 3)
    texts = {f"{n}": GOOD.replace("id: lunch", f"id: lunch-{n}") for n in range(5)}

    problems = load(texts, KNOWN).problems

    assert [str(problem) for problem in problems] == ["3:1:1: the files have more than 3 rules together"]


def test_only_a_plain_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "nowhere.yaml").symlink_to(tmp_path / "gone")
    (tmp_path / "round.yaml").symlink_to(tmp_path / "round.yaml")
    (tmp_path / "endless.yaml").symlink_to("/dev/zero")
    (tmp_path / "good.yaml").write_text("a: 1")
    (tmp_path / "other.txt").write_text("a: 1")

    texts, problems = in_folder(tmp_path, ".yaml")

    assert texts == {f"{tmp_path}/good.yaml": b"a: 1"}
    assert [str(problem).removeprefix(f"{tmp_path}/") for problem in problems] == [
        "endless.yaml:1:1: a pipe or a device is no file of rules",
        "folder.yaml:1:1: a folder is no file of rules",
        "nowhere.yaml:1:1: it cannot be read: No such file or directory",
        "pipe.yaml:1:1: a pipe or a device is no file of rules",
        "round.yaml:1:1: it cannot be read: Too many levels of symbolic links",
    ]


def test_of_a_large_file_no_more_is_read_than_shows_that_it_is_too_large(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    with large.open("wb") as file:
        file.truncate(50_000_000)

    text = contents(large)

    assert not isinstance(text, Problem)
    assert len(text) == LARGEST + 1
    assert [problem.line for problem in load({"large.yaml": text}).problems] == [1]


def test_a_folder_has_a_largest_number_of_files_and_a_largest_size(tmp_path: Path) -> None:
    few, many = tmp_path / "few", tmp_path / "many"
    few.mkdir()
    many.mkdir()
    for number in range(MOST_FILES + 1):
        (many / f"{number}.yaml").touch()
    for number in range(33):
        with (few / f"{number:02}.yaml").open("wb") as file:
            file.truncate(LARGEST)

    assert "at most 2000 are read" in str(in_folder(many, ".yaml")[1][0])
    assert str(in_folder(few, ".yaml")[1][0]).startswith(f"{few}/32.yaml:1:1: with this file the folder has more than")


def test_the_command_prints_a_hundred_problems_and_how_many_more_there_are(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"{HEAD} [{'3, ' * 250}]")
    (tmp_path / "b.yaml").mkdir()

    result = CliRunner().invoke(app, ["rules", "check", str(tmp_path)])

    lines = result.output.splitlines()
    assert result.exit_code == 1
    assert lines[0] == f"{tmp_path}/b.yaml:1:1: a folder is no file of rules"
    assert lines[100:] == ["... and 151 more", "251 problems"]


def test_a_wrong_catalogue_of_apps_is_told_like_any_other_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"{HEAD} []")
    apps = tmp_path / "apps.json"
    apps.write_text('{\n  "classes": ["Food"],\n  "apps": {}\n}')

    result = CliRunner().invoke(app, ["rules", "check", str(tmp_path), "--apps", str(apps)])

    assert result.exit_code == 1
    assert result.output.startswith(f"{apps}:2:15: expected a name of lower case letters")
