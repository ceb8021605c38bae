"""Rules that leave their text to a template: whether it can be said, asked when files are checked and published."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.checking import Checked, check_files
from console.publishing import Known, unfit_after
from kairos.ids import content_hash
from rules.book import Book
from rules.schema import Rule
from streams.catalogue import Pointer
from tests.rules_strategies import written
from tests.template_table import EVERYTHING, templates_of, with_
from tests.test_rules_match import rule

POOLS = """format: 1
zone: Asia/Shanghai
currency: CNY
pools:
  - {id: noodles-5, programme: lunch, merchant: cafe, value: 5, count: 9, prefix: ND, valid: {until: 2027-01-31}}
  - {id: endless, programme: lunch, merchant: cafe, value: 5, count: 9, prefix: NE}
  - {id: tea, programme: lunch, merchant: tea, value: 5, count: 9, prefix: ABCDEFGH}
"""
NAMES = "format: 1\nattributes: {age: number, vip: flag, level: [cafe, gold], nick: word}\n"
WITH: dict[str, Any] = {
    "shop": {"coupon": "merchant"},
    "value": {"coupon": "value"},
    "code": {"coupon": "code"},
    "until": {"coupon": "until"},
}
THEN: dict[str, Any] = {
    "offer": {"pool": "noodles-5"},
    "channels": ["sms"],
    "template": "coupon",
    "with": WITH,
    "expires": "1h",
}


def then(**changes: Any) -> dict[str, Any]:
    return {**deepcopy(THEN), **changes}


def bound(**changes: Any) -> dict[str, Any]:
    return then(**{"with": {**WITH, **changes}})


def checked(folder: Path, said: dict[str, Any], templates: dict[str, Any] | None = EVERYTHING, **more: Any) -> Checked:
    made = rule(id="lunch", programme="lunch", on={"event": "transaction"}, then=said, **more)
    (folder / "rules.yaml").write_text(written(made), encoding="utf-8")
    (folder / "pools.yaml").write_text(POOLS, encoding="utf-8")
    (folder / "names.yaml").write_text(NAMES, encoding="utf-8")
    if templates is not None:
        text = yaml.safe_dump(templates, allow_unicode=True, sort_keys=False)
        (folder / "templates.yaml").write_text(text, encoding="utf-8")
    return check_files(folder / "rules.yaml", {})


def told(folder: Path, said: dict[str, Any], templates: dict[str, Any] | None = EVERYTHING, **more: Any) -> list[str]:
    return [problem.what for problem in checked(folder, said, templates, **more).problems]


def test_a_rule_whose_template_can_say_it_has_no_problems(tmp_path: Path) -> None:
    assert told(tmp_path, THEN) == []


NOT_APPROVED = with_("templates.coupon.registered.platform.zh", {"status": "submitted"})
UNFIT: list[tuple[dict[str, Any], str]] = [
    (then(template="coupom"), "there is no template 'coupom' and no text of the rule's own; did you mean 'coupon'?"),
    (then(channels=["list"]), "the template 'coupon' says nothing by list; it has push, sms"),
    (then(**{"with": {}}), "has no value for 'code', 'shop', 'until', 'value'; say where it comes from in with:"),
    (bound(cod={"coupon": "code"}), "the template 'coupon' has no parameter 'cod'; did you mean 'code'?"),
    (bound(value={"event": "merchant"}), "the parameter 'value' takes an amount, and this is a text"),
    (bound(value={"event": "at"}), "the parameter 'value' takes an amount, and this is a day and time"),
    (bound(value={"attr": "vip"}), "the parameter 'value' takes an amount, and this is a yes or no"),
    (bound(until={"attr": "age"}), "the parameter 'until' takes a day, and this is a number"),
    (bound(until={"event": "amount"}), "the parameter 'until' takes a day, and this is an amount"),
    (
        bound(shop={"coupon": "code"}),
        "takes a name that the words tell, and this is a coupon's code",
    ),
    (bound(shop="tee"), "the parameter 'shop' gets no value: 'tee' is not among words"),
    (bound(shop={"attr": "level"}), "the parameter 'shop' gets no value: 'gold' is not among words"),
    (bound(value=12345678), "the parameter 'value' gets no value: 12345678 is not an amount of at most 6 characters"),
    (bound(value={"event": "amout"}), "event transaction has no field 'amout'; did you mean 'amount'?"),
    (bound(value={"coupon": "worth"}), "'worth' is not known here; it is one of: code, merchant, until, value"),
    (bound(value={"coupom": "value"}), "unknown key 'coupom'; did you mean 'coupon'?"),
    (bound(value={}), "say one place that the value comes from: event, attr, coupon, offer, value"),
    (then(offer={"pool": "endless"}), "the parameter 'until' gets no value: the pool has no last day"),
    (then(offer={"pool": "tea"}), "the codes of 'tea' have 23 characters, the parameter 'code' takes 20"),
    (then(offer={"pool": "tea"}), "the parameter 'shop' gets no value: 'tea' is not among words"),
    (then(offer={"product": "card"}), "there is no coupon to take it from: the offer names no pool"),
]


@pytest.mark.parametrize(("said", "what"), UNFIT, ids=[what[:50] for _, what in UNFIT])
def test_what_cannot_be_said_is_told_when_the_rule_is_checked(said: dict[str, Any], what: str, tmp_path: Path) -> None:
    found = told(tmp_path, said)

    assert any(what in one for one in found), found


def test_a_problem_has_the_place_in_the_rules_file(tmp_path: Path) -> None:
    problems = checked(tmp_path, bound(value={"event": "merchant"})).problems
    lines = (tmp_path / "rules.yaml").read_text(encoding="utf-8").splitlines()

    (problem,) = problems
    assert problem.file.endswith("rules.yaml")
    assert lines[problem.line - 1][problem.column - 1 :].startswith(('"value"', "value"))


def test_a_text_that_is_not_approved_is_told(tmp_path: Path) -> None:
    told_ = told(tmp_path, THEN, NOT_APPROVED)

    assert told_ == ["the template 'coupon' cannot be sent by sms: in zh it is submitted at the gateway 'platform'"]


def test_a_rule_without_a_text_and_without_templates_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, THEN, None) == ["there is no text here; write text:, or the template into templates.yaml"]


def test_a_rule_of_another_purpose_does_not_use_the_template(tmp_path: Path) -> None:
    assert "the template 'coupon' is for marketing, the rule for service" in told(tmp_path, THEN, purpose="service")


def test_every_form_of_an_offer_is_held_against_its_template(tmp_path: Path) -> None:
    treatments = [{"name": "b", "share": "50%", "with": {"code": {"coupon": "code"}}}]

    found = told(tmp_path, THEN, experiment={"treatments": treatments})

    assert found == [
        "the template 'coupon' has no value for 'shop', 'until', 'value'; say where it comes from in with:"
    ]


def test_a_text_takes_no_values(tmp_path: Path) -> None:
    found = told(tmp_path, then(text={"zh": "券", "en": "A coupon"}))

    assert found == ["a text of the rule's own takes no values; leave text or with out"]


def a_book(**changes: Any) -> bytes:
    told_ = {"id": "lunch", "programme": "lunch", "on": {"event": "transaction"}, **changes}
    return Book.of([Rule.model_validate(rule(**told_), context={"zone": "UTC", "currency": "CNY"})]).content


def in_force(**contents: bytes) -> Known:
    pointers = {kind: Pointer(content_hash(content), "ann", "") for kind, content in contents.items()}
    return Known(pointers, {content_hash(content): content for content in contents.values()})


MORE = {
    "name": "x",
    "texts": {"sms": {"zh": "x退订回复T"}},
    "registered": {"platform": {"zh": {"status": "approved", "id": "S"}}},
}
PUBLISHED = templates_of(EVERYTHING).content
OTHERS = templates_of(with_("templates.other", MORE)).content
ALONE = b'{"format":1,"zone":"UTC","currency":"CNY","templates":{}}'


def test_rules_are_not_published_without_the_templates_that_they_need() -> None:
    book = a_book(then=THEN)

    assert unfit_after(in_force(), {"rules": book}) == [
        "the rule 'lunch': there is no text here; write text:, or the template into templates.yaml"
    ]
    assert unfit_after(in_force(templates=PUBLISHED), {"rules": book}) == []
    assert unfit_after(in_force(), {"rules": book, "templates": PUBLISHED}) == []


def test_templates_that_a_rule_in_force_needs_are_not_taken_away() -> None:
    known = in_force(rules=a_book(then=THEN), templates=PUBLISHED)

    assert unfit_after(known, {"templates": OTHERS}) == []
    assert len(unfit_after(known, {"templates": ALONE})) == 1
    assert unfit_after(known, {"policy": b"{}"}) == []


def test_rules_with_texts_of_their_own_ask_nothing() -> None:
    assert unfit_after(in_force(), {"rules": a_book()}) == []
    assert unfit_after(in_force(rules=a_book()), {"templates": ALONE}) == []
