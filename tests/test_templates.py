"""Templates: what may stand in a text, which values fit, and what every gateway asks."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.money import Money
from kairos.offers import Text
from rules.saying import LANGUAGES, Language
from rules.segments import segments
from rules.template_checks import load_templates
from rules.template_saying import templates_lines
from rules.template_texts import parameters_of, rendered
from rules.template_values import Parameter, Raw, longest, spoken
from rules.templates import Templates
from tests.template_table import EVERYTHING, templates_of, with_, wrong_with

HOSTILE = [
    "{{ code.__class__ }}",
    "{{ code['__class__'] }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ code() }}",
    "{{ code|upper }}",
    "{{ code|attr('__class__') }}",
    "{{ code is defined }}",
    "{{ code ~ code }}",
    "{{ code * 1000000000 }}",
    "{{ -code }}",
    "{{ 'x' }}",
    "{{ 1 }}",
    "{{ [code] }}",
    "{{ {'a': code} }}",
    "{{ (code, code) }}",
    "{{ code if code }}",
    "{{ code[0:1] }}",
    "{{ range(9) }}",
    "{{ self }}{{ self._TemplateReference__context }}",
    "{{ none }}",
    "{% for i in code %}x{% endfor %}",
    "{% if code %}x{% endif %}",
    "{% set code = 1 %}",
    "{% include 'x' %}",
    "{% import 'os' as os %}",
    "{% macro m() %}{% endmacro %}",
    "{% raw %}{{ code }}{% endraw %}",
    "{%- print(code) -%}",
    "{# code #}",
    "{{ code",
    "{{ }}",
    "{{ code code }}",
    "{{ {{ code }} }}",
    "{{" + "(" * 10_000 + "code",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_but_a_parameter_stands_in_braces(text: str) -> None:
    with pytest.raises(ValueError, match="parameter"):
        parameters_of(text)
    with pytest.raises(ValueError, match="parameter"):
        rendered(text, {"code": "x"})


def test_a_hostile_text_is_refused_with_its_place() -> None:
    text = 'format: 1\nzone: UTC\ncurrency: CNY\ntemplates:\n  t: {name: x, texts: {sms: {zh: "{{ a.b }}"}}}\n'

    assert [str(problem) for problem in load_templates(text).problems] == [
        "templates.yaml:5:34: inside {{ }} stands the name of a parameter, and nothing that is done with it"
    ]


@given(st.dictionaries(st.sampled_from("abc"), st.text(), min_size=3))
def test_a_value_is_put_in_as_it_is_whatever_it_says(values: dict[str, str]) -> None:
    assert rendered("{{ a }}-{{b}}-{{ c }}!", values) == f"{values['a']}-{values['b']}-{values['c']}!"


def test_a_text_is_never_made_with_a_hole_in_it() -> None:
    with pytest.raises(KeyError, match="b"):
        rendered("{{ a }}{{ b }}", {"a": "x"})


def test_a_value_is_escaped_where_the_text_is_html() -> None:
    assert rendered("<b>{{ a }}</b>", {"a": "<script>"}, is_html=True) == "<b>&lt;script&gt;</b>"
    assert rendered("<b>{{ a }}</b>", {"a": "<script>"}) == "<b><script></b>"


WORDS = {"cafe": Text(zh="咖啡店", en="the cafe")}
AT = datetime(2026, 12, 31, 15, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("parameter", "raw", "zh", "en"),
    [
        ({"type": "text", "length": 5}, " 咖啡 ", "咖啡", "咖啡"),
        ({"type": "word", "length": 9}, "cafe", "咖啡店", "the cafe"),
        ({"type": "money", "currency": "CNY"}, Money(1500, "CNY"), "15", "15"),
        ({"type": "money", "currency": "CNY"}, Money(1505, "CNY"), "15.05", "15.05"),
        ({"type": "money", "currency": "JPY"}, Money(12000, "JPY"), "12000", "12000"),
        ({"type": "money", "currency": "CNY"}, 100, "100", "100"),
        ({"type": "number"}, 0.1, "0.1", "0.1"),
        ({"type": "number"}, 20.0, "20", "20"),
        ({"type": "date"}, AT, "2026年12月31日", "2026-12-31"),
        ({"type": "date"}, "2027-01-05", "2027年1月5日", "2027-01-05"),
        ({"type": "time"}, AT, "2026年12月31日 23:59", "2026-12-31 23:59"),
        ({"type": "code", "length": 6}, "AB-1.2", "AB-1.2", "AB-1.2"),
        (
            {"type": "link", "length": 30, "under": "https://m.bank.example/"},
            "https://m.bank.example/c?x=1",
            "https://m.bank.example/c?x=1",
            "https://m.bank.example/c?x=1",
        ),
    ],
)
def test_a_value_is_written_as_its_type_and_the_language_want_it(
    parameter: dict[str, Any], raw: Raw, zh: str, en: str
) -> None:
    assert spoken(Parameter(**parameter), raw, "Asia/Shanghai", WORDS) == Text(zh=zh, en=en)


@pytest.mark.parametrize(
    ("parameter", "raw"),
    [
        ({"type": "text", "length": 5}, None),
        ({"type": "text", "length": 5}, ""),
        ({"type": "text", "length": 5}, "   "),
        ({"type": "text", "length": 5}, "咖啡咖啡咖啡"),
        ({"type": "text", "length": 2}, "\U0001f600a"),
        ({"type": "text", "length": 90}, "see https://evil.example/x"),
        ({"type": "text", "length": 90}, "see evil.com"),
        ({"type": "text", "length": 90}, "【别的银行】"),
        ({"type": "text", "length": 90}, "a\nb"),
        ({"type": "text", "length": 90}, "a\u202eb"),
        ({"type": "text", "length": 90}, 15),
        ({"type": "text", "length": 90}, True),
        ({"type": "word", "length": 9}, "tea"),
        ({"type": "word", "length": 3}, "cafe"),
        ({"type": "money", "currency": "CNY"}, Money(1500, "USD")),
        ({"type": "money", "currency": "CNY"}, "15"),
        ({"type": "money", "currency": "CNY", "length": 3}, Money(100000, "CNY")),
        ({"type": "number"}, float("nan")),
        ({"type": "number"}, float("inf")),
        ({"type": "number"}, 10**15),
        ({"type": "date"}, "soon"),
        ({"type": "date"}, 5),
        ({"type": "code", "length": 9}, "A B"),
        ({"type": "code", "length": 9}, "A`B"),
        ({"type": "link", "length": 90, "under": "https://m.bank.example/"}, "https://m.bank.example.evil.com/"),
        ({"type": "link", "length": 90, "under": "https://m.bank.example/"}, "http://m.bank.example/"),
    ],
)
def test_what_does_not_fit_is_no_value(parameter: dict[str, Any], raw: Raw | None) -> None:
    assert spoken(Parameter(**parameter), raw, "Asia/Shanghai", WORDS) is None


FIRST, LAST = datetime(1000, 1, 2), datetime(9999, 1, 1)  # noqa: DTZ001 - Hypothesis adds the zone itself
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text(max_size=12),
    "word": st.sampled_from(["cafe", "tea"]),
    "money": st.integers(-(10**9), 10**9).map(lambda minor: Money(minor, "CNY")),
    "number": st.integers() | st.floats(),
    "date": st.datetimes(timezones=st.just(UTC), min_value=FIRST, max_value=LAST),
    "time": st.datetimes(timezones=st.just(UTC), min_value=FIRST, max_value=LAST),
    "code": st.text("aZ09.-_[", max_size=12),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
@given(data=st.data(), around=st.integers(0, 165))
def test_no_value_that_fits_makes_a_text_longer_than_the_longest_one(
    kind: str, language: Language, data: st.DataObject, around: int
) -> None:
    length = {} if kind in ("date", "time") else {"length": data.draw(st.integers(1, 12))}
    parameter = Parameter.model_validate({"type": kind, **length, **({"currency": "CNY"} if kind == "money" else {})})

    found = spoken(parameter, data.draw(KINDS[kind]), "Asia/Shanghai", WORDS)

    if found is not None:
        said = found.zh if language == "zh" else found.en
        most = longest(parameter, language, WORDS)
        assert segments("a" * around + said).number <= segments("a" * around + most).number


WRONG: list[tuple[str, Any, str]] = [
    ("templates.coupon.texts.sms.zh", "凭{{ cod }}，退订回复T", "there is no parameter 'cod'; did you mean 'code'?"),
    ("templates.coupon.parameters.more", {"type": "date"}, "it stands in no text"),
    ("templates.coupon.parameters.code", {"type": "code"}, "say length: how many characters a code may have"),
    (
        "templates.coupon.parameters.until",
        {"type": "date", "length": 3},
        "a date is as long as it is; leave length out",
    ),
    ("templates.coupon.parameters.page", {"type": "link", "length": 9}, "under which of the bank's addresses"),
    ("templates.coupon.parameters.shop.example", "tea", "the example 'tea' is no word of at most 10 characters"),
    ("templates.coupon.parameters.shop.currency", "CNY", "only money has a currency"),
    ("templates.coupon.texts.sms.zh", None, "there is no text in zh, for customers of no language known"),
    ("templates.coupon.texts.sms.zh", "凭{{ code }}取", "expected '退订回复T' at the end: the gateway 'platform' asks"),
    ("templates.coupon.texts.sms.zh", "【银行】退订回复T", "puts the sender '【银行】' there itself; leave it out"),
    ("gateways.platform.sender_added", False, "expected the sender '【银行】' at the beginning"),
    ("templates.coupon.texts.sms.zh", f"{'很' * 130}，退订回复T", "it is 3 segments (UTF-16, 140 places), the gateway"),
    ("gateways.app.length", 20, "with the longest values it has"),
    (
        "gateways.platform.variables.length",
        12,
        "the parameter 'code' takes 20 characters, the gateway 'platform' takes 12",
    ),
    ("templates.coupon.texts.sms.en", "{{ page }}. Reply T to stop", "the parameter 'page' is a link, and the gateway"),
    ("templates.coupon.registered.platfrom", {}, "there is no gateway 'platfrom'; did you mean 'platform'?"),
    ("templates.coupon.registered.app", {}, "the gateway 'app' approves nothing; say approves: true for it"),
    ("templates.coupon.registered.platform.zh", {"status": "approved"}, "say id: what the gateway calls the template"),
    ("templates.coupon.registered.platform.zh", {"status": "rejected"}, "say reason: why the gateway rejected it"),
    ("templates.coupon.registered.platform.zh", {"status": "aproved"}, "did you mean 'approved'?"),
    ("gateways.app.segments", 2, "only an SMS has segments; say length for push"),
    ("gateways.platform.html", True, "an SMS is never HTML"),
    ("gateways.platform.sender", None, "say sender: it is counted with the text"),
    ("templates.coupon.texts.push.zh", " {{ who }}", "a text neither begins nor ends with a blank"),
    ("templates.coupon.texts.push.zh", "a\u200b{{ who }}", "U+200B is not seen; take it out"),
]


@pytest.mark.parametrize(("path", "value", "told"), WRONG, ids=[f"{path}-{n}" for n, (path, *_) in enumerate(WRONG)])
def test_what_no_gateway_would_carry_is_said_when_it_is_written(path: str, value: Any, told: str) -> None:
    found = wrong_with(with_(path, value))

    assert any(told in what for what in found), found


def test_what_the_bank_owes_its_customers_needs_no_opt_out() -> None:
    service = with_("templates.coupon.purpose", "service")
    service["templates"]["coupon"]["texts"]["sms"]["zh"] = "凭{{ code }}在{{ shop }}减{{ value }}元，{{ until }}前"

    assert wrong_with(service) == []


def test_what_is_published_reads_the_same_again() -> None:
    found = templates_of(EVERYTHING)

    again = Templates.of_content(found.content)

    assert (again, again.content, again.hash) == (found, found.content, found.hash)


CHANGES: dict[str, Any] = {
    "zone": "UTC",
    "currency": "USD",
    "language.attribute": "tongue",
    "language.otherwise": "en",
    "words.cafe": {"zh": "咖啡厅", "en": "the cafe"},
    "words.tea": {"zh": "茶", "en": "tea"},
    "gateways.platform.channel": "list",
    "gateways.platform.approves": False,
    "gateways.platform.sender.zh": "【行】",
    "gateways.platform.sender.en": "[B]",
    "gateways.platform.sender_added": False,
    "gateways.platform.opt_out.zh": "退订回T",
    "gateways.platform.opt_out.en": "T to stop",
    "gateways.platform.opt_out.purposes": ["service"],
    "gateways.platform.segments": 3,
    "gateways.platform.length": 301,
    "gateways.platform.variables.length": 61,
    "gateways.platform.variables.links": True,
    "gateways.platform.price": "0.06",
    "gateways.app.html": False,
    "templates.coupon.name": "送券",
    "templates.coupon.purpose": "service",
    "templates.coupon.parameters.shop.type": "text",
    "templates.coupon.parameters.shop.length": 11,
    "templates.coupon.parameters.value.currency": "JPY",
    "templates.coupon.parameters.value.example": 16,
    "templates.coupon.parameters.page.under": "https://bank.example/",
    "templates.coupon.texts.sms.en": "{{ code }}",
    "templates.coupon.texts.list": {"zh": "x"},
    "templates.coupon.registered.platform.zh.status": "submitted",
    "templates.coupon.registered.platform.zh.id": "S2",
    "templates.coupon.registered.platform.en.reason": "no",
}


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_change_anywhere_changes_the_sentences(path: str, language: Language) -> None:
    changed = with_(path, CHANGES[path])
    if path == "gateways.platform.channel":
        del changed["gateways"]["platform"]["segments"]
    before, after = (
        templates_lines(
            Templates.model_validate(one, context={"zone": one["zone"], "currency": one["currency"]}), language
        )
        for one in (EVERYTHING, changed)
    )

    assert before != after
