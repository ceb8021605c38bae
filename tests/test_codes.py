"""A merchant's file of codes is taken in whole, or not at all, with every mistake in its line."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from console.codes import PORTION, CodesError, Unfit, read_codes, stock_commands
from kairos.reservations import Stock
from rules.book import load
from rules.code_fit import takers_of, unfit_code
from rules.documents import without_text
from tests.ledger_table import Table, pool
from tests.template_table import templates_of
from tests.test_templates_live import TEMPLATES, spoken


def read(folder: Path, content: bytes) -> list[str]:
    path = folder / "codes.csv"
    path.write_bytes(content)
    return [code for portion in read_codes(path) for code in portion]


@pytest.mark.parametrize(
    "content",
    [
        b"A1\nB2\n",
        b"code\nA1\nB2",
        b"\xef\xbb\xbfCode\r\nA1\r\nB2\r\n\r\n\r\n",
        b"merchant,code,value\ncafe,A1,30\ncafe, B2 ,30\n",
        b'"code"\n"A1"\n"B2"\n,\n',
    ],
)
def test_codes_come_from_a_single_column_or_from_the_one_called_code(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path, content) == ["A1", "B2"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "codes.csv:1: there are no codes in the file"),
        (b"code\n", "codes.csv:1: there are no codes in the file"),
        (b"A1\n\nB2\n", "codes.csv:2: the code is empty"),
        (b"value,code\n30,A1\n30\n", "codes.csv:3: the code is empty"),
        (b"A1\nB2\nA1\n", "codes.csv:3: the code A1 is in line 1 already"),
        (b"A1\n" + b"B" * 101, "codes.csv:2: the code has 101 characters, at most 100 are allowed"),
        (b"A1\nB 2", "codes.csv:2: the code 'B 2' has a character that a customer cannot type"),
        ("A1\n券B2".encode(), "codes.csv:2: the code '券B2' has a character that a customer cannot type"),
        (b"A1\x00", "codes.csv:1: the code 'A1\\x00' has a character that a customer cannot type"),
        ("A1\nB2\n券码\nC3".encode("gbk"), "codes.csv:3: the code is not UTF-8; save the file as UTF-8"),
        (b"number,value\nA1,30", "codes.csv:1: of 2 columns not exactly one is called `code`"),
        (b"code;value\nA1;30", "codes.csv:1: the columns are separated by semicolons; save the file with commas"),
        (b"Coupon_Code\nA1", "codes.csv:1: 'Coupon_Code' looks like a header; the first line must be `code` or a code"),
        (b'A1\n"B2', "codes.csv:2: unexpected end of data"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(CodesError) as caught:
        read(tmp_path, content)

    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(problem)


def test_every_mistake_is_named_at_once_but_no_more_than_a_person_reads(tmp_path: Path) -> None:
    with pytest.raises(CodesError) as caught:
        read(tmp_path, b"\n".join([b"A1", *[b"B 2"] * 30]))

    assert len(caught.value.problems) == 20
    assert str(caught.value).count("\n") == 19


def test_nothing_of_a_file_with_a_mistake_at_its_end_is_handed_over(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("".join(f"C{n}\n" for n in range(3 * PORTION)) + "C0\n")

    with pytest.raises(CodesError, match="C0 is in line 1 already"):
        next(read_codes(path))


def test_a_large_file_comes_in_portions_that_the_ledger_takes(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("code\n" + "".join(f"C{n}\n" for n in range(2 * PORTION + 5)))
    table = Table(pool(count=9, codes="imported"))

    commands = list(stock_commands(read_codes(path), "cafe", "takeaway"))
    said = table.hear(*commands)

    assert [len(command.codes) for command in commands] == [PORTION, PORTION, 5]
    assert all(isinstance(command, Stock) for command in commands)
    assert said.outputs == []
    assert table.totals().codes == 2 * PORTION + 5


def fitting(**changes: Any) -> Unfit:
    """What the rules of the table ask of a code of `cafe` whose template has some other parameter."""
    said = deepcopy(TEMPLATES)
    said["templates"]["coupon"]["parameters"]["code"] |= changes
    rules = without_text(spoken().book.content)
    takers = takers_of("cafe", rules, templates_of(said))
    assert takers_of("fuel", rules, templates_of(said)) == ()
    return lambda code: unfit_code(code, takers)


def test_a_code_that_the_texts_cannot_tell_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("code\nA.b_c-1\nABCDEFGHI\nA#1\n")

    with pytest.raises(CodesError) as caught:
        next(read_codes(path, unfit=fitting(length=8)))

    assert caught.value.problems == (
        "codes.csv:3: the code has 9 characters; the template 'coupon' takes 8 in 'code'",
        "codes.csv:4: the template 'coupon' takes letters, digits, dots, dashes and underscores in 'code', "
        "and not all of 'A#1'",
    )


def test_another_form_of_the_offer_tells_the_code_too() -> None:
    said = json.loads(spoken().book.content)
    cafe = next(rule for rule in said["rules"] if rule["id"] == "cafe")
    # The usual form has a text of its own, and only the other one a template.
    form = {"name": "bold", "share": "50%", "template": "coupon", "with": cafe["then"].pop("with")}
    cafe["then"] |= {"template": "own", "text": {"zh": "券", "en": "A coupon"}}
    cafe["experiment"] = {"treatments": [form]}
    loaded = load({"r": json.dumps({"zone": "Asia/Shanghai", "currency": "CNY", **said})})
    assert loaded.book is not None, loaded.problems

    (taker,) = takers_of("cafe", without_text(loaded.book.content), templates_of(TEMPLATES))

    assert (taker.template, taker.name, taker.parameter.most) == ("coupon", "code", 20)


def test_a_file_imported_twice_leaves_each_code_once(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("A1\nB2\n")
    table = Table(pool(count=9, codes="imported"))

    for _ in range(2):
        table.hear(*stock_commands(read_codes(path), "cafe", "takeaway"))

    assert (table.totals().codes, table.totals().duplicates) == (2, 2)
