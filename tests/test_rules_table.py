"""Tables: one row, one rule; what is wrong with a row is told where it stands in the table."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from console.cli import app
from rules.book import Book, load
from rules.known import Known
from tests.rules_strategies import unhurried
from tests.test_rules_check import POOL

RULE = """\
format: 1
zone: Asia/Shanghai
currency: CNY
table: merchants.csv
rule:
  name: A coupon
  scenario: activation
  programme: takeaway
  on: {event: transaction, where: {direction: debit, merchant: nobody}}
  who: {all: [{attr: {age: {at_least: 18}}}]}
  then:
    offer: {product: card}
    channels: [sms]
    template: t
    text: {zh: 好, en: good}
    expires: 2h
  limits: {cooldown: 7d}
"""
HEAD = "id,on.where.merchant,limits.cooldown\n"


def files(table: str | bytes, rule: str = RULE) -> dict[str, str | bytes]:
    return {"rules/all.yaml": rule, "rules/merchants.csv": table}


def book(table: str | bytes, rule: str = RULE) -> Book:
    loaded = load(files(table, rule))
    assert loaded.book is not None, [str(problem) for problem in loaded.problems]
    return loaded.book


def said(table: str | bytes, rule: str = RULE) -> list[str]:
    return [str(problem) for problem in load(files(table, rule), Known.of([POOL])).problems]


def test_two_hundred_merchants_are_one_file() -> None:
    rows = [f"m{n},merchant-{n:03},{n % 30 + 1}d\n" for n in range(200)]

    found = book(HEAD + "".join(rows))

    assert len(found.rules) == 200
    assert found.rules["m7"].on.where["merchant"].fits("merchant-007") is True
    assert found.rules["m7"].limits.cooldown == 8 * 86_400_000
    plain = RULE.replace("table: merchants.csv\nrule:\n  ", "rules:\n- id: m7\n  ").replace("nobody", "merchant-007")
    alone = load({"f": plain.replace("7d", "8d")}).book
    assert alone is not None
    assert alone.rules["m7"] == found.rules["m7"]


def test_a_cell_that_is_empty_leaves_what_the_rule_says() -> None:
    found = book(HEAD + "a,,\nb,x,\n\n,,\nc,,1d\n")

    assert list(found.rules) == ["a", "b", "c"]
    assert found.rules["a"].on.where["merchant"].fits("nobody") is True
    assert found.rules["b"].limits.cooldown == 7 * 86_400_000


def test_cells_are_read_like_values_of_a_rule_file() -> None:
    header = "id,on.where.merchant,who.all.0.attr.age.at_least,then.channels,name,then.text.en\n"

    found = book(header + 'a,010;x;y,21,sms;push,"7; seven","""Yes"", he said; really"\n"\'7\'",7,30,push,7,good\n')

    one, other = found.rules["a"], found.rules["7"]
    assert [one.on.where["merchant"].fits(name) for name in ("010", "x", "y", "10")] == [True, True, True, False]
    assert other.on.where["merchant"].fits("7") is True
    assert (one.then.channels, other.then.channels) == (("sms", "push"), ("push",))
    assert (one.name, other.name) == ("7; seven", "7")
    assert one.then.text is not None
    assert one.then.text.en == '"Yes", he said; really'


@pytest.mark.parametrize(
    "table",
    [
        "\ufeff" + HEAD + "a,b,1d\n",
        (HEAD + "a,b,1d\n").replace("\n", "\r\n"),
        (HEAD + "a,b,1d").encode("utf-8-sig"),
        '"id","on.where.merchant","limits.cooldown"\n"a","b","1d"\n',
    ],
)
def test_it_does_not_matter_how_a_spreadsheet_saved_the_table(table: str | bytes) -> None:
    assert book(table).hash == book(HEAD + "a,b,1d\n").hash


WRONG = [
    (HEAD + "a,b,1w\n", "rules/merchants.csv:2:3: expected a length of time such as 30m, 2h or 7d, got '1w'"),
    (HEAD + 'a,"b\nb",1d\nc,d,1w\n', "rules/merchants.csv:4:3: expected a length of time"),
    (HEAD + "a,b,1d\nA,b,1d\n", "rules/merchants.csv:3:1: expected a name of lower case letters"),
    (HEAD + "a,b,1d\na,b,1d\n", "rules/merchants.csv:3:1: the id 'a' is already taken at rules/merchants.csv:2"),
    (HEAD + ",b,1d\n", "rules/merchants.csv:2:1: the key 'id' is missing"),
    (HEAD + "a,b\n", "rules/merchants.csv:2:1: the row has 2 cells, the table 3 columns"),
    (HEAD + "a,b,1d,e\n", "rules/merchants.csv:2:1: the row has 4 cells, the table 3 columns"),
    ("id,id\na,b\n", "rules/merchants.csv:1:2: the column 'id' stands here a second time, first as column 1"),
    ("id,on,on.event\na,b,c\n", "rules/merchants.csv:1:3: the columns 'on' and 'on.event' give the same thing"),
    (
        "id,on.where.merchnt\na,b\nc,d\n",
        "rules/merchants.csv:1:2: event transaction has no field 'merchnt'; did you mean 'merchant'?",
    ),
    ("id,limit.cooldown\na,1d\n", "rules/merchants.csv:1:2: unknown key 'limit'; did you mean 'limits'?"),
    ("id,then.offer.pool\na,soup-6\n", "rules/merchants.csv:2:2: there is no pool 'soup-6'; did you mean 'soup-5'?"),
    ("id,who.all.3.tag\na,b\n", "rules/merchants.csv:1:2: the list of the rule has no item '3'"),
    ("id,who.all.x.tag\na,b\n", "rules/merchants.csv:1:2: the list of the rule has no item 'x'"),
    ("id,name.zh\na,b\n", "rules/merchants.csv:1:2: the rule has a value where the column goes on with 'zh'"),
    ("id,\na,b\n", "rules/merchants.csv:1:2: a column is a path into the rule such as on.where.merchant, not ''"),
    ("id,a..b\na,b\n", "rules/merchants.csv:1:2: a column is a path into the rule"),
    ("", "rules/merchants.csv:1:1: the first line names the columns, such as id,on.where.merchant"),
    ('id\n"a', "rules/merchants.csv:2:1: not CSV: unexpected end of data"),
    ('id\n"a"b\n', "rules/merchants.csv:2:1: not CSV: ',' expected after '\"'"),
    ("id\n" + "a\n" * 10_002, "rules/merchants.csv:10002:1: the table has more than 10000 rows"),
    ("id\n" + "a\n" * 1_000_000, "rules/merchants.csv:1:1: the file has more than 1000000 bytes"),
    (",".join(f"c{n}" for n in range(101)), "rules/merchants.csv:1:1: the table has more than 100 columns"),
    ("id\n" + "a" * 200_000, "rules/merchants.csv:2:1: not CSV: field larger than field limit"),
    ("id\n\0\n", "rules/merchants.csv:2:1: the character U+0000 is not seen; take it out"),
    (b"id\n\xff\n", "rules/merchants.csv:2:1: the file is not UTF-8; save it as UTF-8"),
    ("id\n".encode("utf-16"), "rules/merchants.csv:1:1: the file is UTF-16 or UTF-32; save it as UTF-8"),
]


@pytest.mark.parametrize(("table", "expected"), WRONG, ids=[case[1][20:70] for case in WRONG])
def test_a_slip_in_a_table_is_told_where_it_stands(table: str | bytes, expected: str) -> None:
    found = said(table)

    assert found[0].startswith(expected), found[:3]


def test_what_is_wrong_with_the_rule_is_told_once_and_not_for_each_row() -> None:
    found = said(HEAD + "".join(f"r{n},b,1d\n" for n in range(200)), RULE.replace("expires: 2h", "expires: 2x"))

    assert found == ["rules/all.yaml:16:14: expected a length of time such as 30m, 2h or 7d, got '2x'"]


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ("merchants.csv", "../merchants.csv", "4:8: expected the name of a table beside this file"),
        ("merchants.csv", "/etc/merchants.csv", "4:8: expected the name of a table beside this file"),
        ("merchants.csv", "..\\merchants.csv", "4:8: expected the name of a table beside this file"),
        ("merchants.csv", "merchants.yaml", "4:8: expected the name of a table beside this file"),
        (
            "merchants.csv",
            "[a]",
            "4:8: expected the name of a table beside this file, such as merchants.csv, got a list",
        ),
        ("merchants.csv", "merchant.csv", "4:8: there is no file 'merchant.csv' beside this one"),
        ("table: merchants.csv\n", "", "1:1: a table and a rule go together; the key 'table' is missing"),
        ("rule:", "rules:", "1:1: a table and a rule go together; the key 'rule' is missing"),
        ("rule:", "rules: []\nrule:", "5:1: a file has either rules, or a table and a rule"),
        ("format: 1", "format: 1\ntabel: a", "2:1: unknown key 'tabel'"),
    ],
)
def test_a_slip_about_the_table_is_told(right: str, wrong: str, expected: str) -> None:
    assert said(HEAD + "a,b,1d\n", RULE.replace(right, wrong, 1))[0].startswith(f"rules/all.yaml:{expected}")


@unhurried
@given(st.text(max_size=80) | st.binary(max_size=80) | st.text('id,.\n"on;x0', max_size=60))
def test_no_table_makes_the_checker_stumble(table: str | bytes) -> None:
    loaded = load(files(table))

    assert all(problem.line >= 1 and problem.column >= 1 for problem in loaded.problems)
    assert (loaded.book is None) == bool(loaded.problems)


def test_the_command_reads_tables_beside_the_rules(tmp_path: Path) -> None:
    for name, text in files(HEAD + "a,b,1d\nb,b,1d\n").items():
        (tmp_path / Path(name).name).write_text(str(text))
    run = CliRunner()

    assert "2 rules" in run.invoke(app, ["rules", "check", str(tmp_path)]).output
    assert "2 rules" in run.invoke(app, ["rules", "check", str(tmp_path / "all.yaml")]).output


def test_the_tests_of_a_row_are_run_and_a_failure_is_told_with_its_place_in_the_template(tmp_path: Path) -> None:
    case = (
        "name: paid here, events: [{at: 2026-12-05 12:00, event: transaction, merchant: a}], fires: [2026-12-05 12:00]"
    )
    head = "id,on.where.merchant,who.all.0.attr.age.at_least,tests.0.customer.attrs.age\n"
    for name, text in files(head + "a,a,20,20\nb,a,20,19\n", f"{RULE}  tests:\n    - {{{case}}}\n").items():
        (tmp_path / Path(name).name).write_text(str(text))

    result = CliRunner().invoke(app, ["rules", "test", str(tmp_path / "all.yaml")])

    assert "1 of 2 tests did not come out" in result.output
    assert "all.yaml:19: b: paid here" in result.output
    assert CliRunner().invoke(app, ["rules", "test", str(tmp_path)]).output == result.output


def test_a_table_alone_is_no_rule_file(tmp_path: Path) -> None:
    (tmp_path / "merchants.csv").write_text(HEAD)

    for path in (tmp_path, tmp_path / "merchants.csv"):
        result = CliRunner().invoke(app, ["rules", "test", str(path)])
        assert (result.exit_code, "no rule file (*.yaml) here" in result.output) == (1, True)
