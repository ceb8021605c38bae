"""Templates in the engine: messages are made from what is known, finished by the ledger, and stopped for a value."""

import json
from copy import deepcopy
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from console.explaining import Telling, lines_of
from kairos.decisions import Decision, Reason
from kairos.instants import DAY, moment
from kairos.offers import Message, Offer
from kairos.ports import Batch
from rules.book import load
from rules.saying import LANGUAGES, Language
from streams import ledger
from streams.delivery_end import ending
from streams.pools import totals
from streams.topics import LEDGER_COMMANDS
from streams.versions import Versions
from tests.customer_table import NOON, Said, Table, versions
from tests.template_table import EVERYTHING, templates_of

TEMPLATES: dict[str, Any] = {
    **EVERYTHING,
    "words": {"m1": {"zh": "一号店", "en": "Shop One"}, "m2": {"zh": "二号店", "en": "Shop Two"}},
    "gateways": {"sms": {"channel": "sms", "approves": True}, "push": {"channel": "push", "html": True}},
    "templates": {
        "coupon": {
            "name": "发券",
            "parameters": {
                "shop": {"type": "word", "length": 10},
                "value": {"type": "money", "length": 6},
                "code": {"type": "code", "length": 20},
            },
            "texts": {
                "sms": {
                    "zh": "{{ shop }}减{{ value }}元：{{ code }}",
                    "en": "{{ value }} off at {{ shop }}: {{ code }}",
                },
                "push": {"zh": "<b>{{ shop }}</b>减{{ value }}元：{{ code }}"},
            },
            "registered": {
                "sms": {"zh": {"status": "approved", "id": "S1"}, "en": {"status": "approved", "id": "S2"}},
            },
        },
        "paid": {
            "name": "加油",
            "parameters": {
                "amount": {"type": "money", "length": 9},
                "at": {"type": "time"},
                "nick": {"type": "text", "length": 8},
            },
            "texts": {
                "sms": {"zh": "{{ nick }}，您{{ at }}加油{{ amount }}元"},
                "push": {"zh": "{{ nick }}，<b>{{ amount }}</b>元 {{ at }}"},
            },
            "registered": {"sms": {"zh": {"status": "approved", "id": "S3"}}},
        },
    },
}
COUPON = "{shop: {coupon: merchant}, value: {coupon: value}, code: {coupon: code}}"
PAID = "{amount: {event: amount}, at: {event: at}, nick: {attr: nick}}"


def spoken(templates: dict[str, Any] | None = TEMPLATES, control: str = "0%", **more: Any) -> Versions:
    """The rules of the table with templates in the place of their texts."""
    found = versions(control=control, **more)
    said = json.loads(found.book.content)
    for rule in said["rules"]:
        rule["then"].pop("text")
        is_card = rule["id"] == "card"
        rule["then"]["template"] = "paid" if is_card else "coupon"
        rule["then"]["with"] = yaml.safe_load(PAID if is_card else COUPON)
    loaded = load({"r": json.dumps({"zone": "Asia/Shanghai", "currency": "CNY", **said})})
    assert loaded.book is not None, loaded.problems
    found = found.having("rules", loaded.book.content)
    return found if templates is None else found.having("templates", templates_of(templates).content)


def table(found: Versions | None = None, /, **attrs: object) -> Table:
    made = Table(spoken() if found is None else found)
    made.hear(made.profile(attrs=attrs))
    return made


def changed(**templates: Any) -> dict[str, Any]:
    return {**TEMPLATES, "templates": {**TEMPLATES["templates"], **templates}}


def test_an_offer_without_a_coupon_is_made_where_it_is_decided() -> None:
    said = table(nick="小王").hear(table().pays(category="fuel"))

    (offer,) = said.offers
    assert offer["text"]["zh"] == "小王，您2026年12月1日 12:00加油12元"
    assert offer["text"]["en"] == offer["text"]["zh"]
    message = offer["message"]
    assert (message["language"], message["ids"], message["codes"]) == ("zh", {"sms": "S3"}, {})
    assert message["values"]["amount"] == {"zh": "12", "en": "12"}
    assert message["values"]["at"]["en"] == "2026年12月1日 12:00"


TOLD_IN: list[tuple[dict[str, str], str, str]] = [
    ({}, "zh", "S1"),
    ({"language": "en-GB"}, "en", "S2"),
    ({"language": "EN"}, "en", "S2"),
    ({"language": "fr"}, "zh", "S1"),
]


@pytest.mark.parametrize(("attrs", "language", "id_"), TOLD_IN)
def test_a_coupons_text_is_finished_by_the_ledger_in_the_customers_language(
    attrs: dict[str, str], language: str, id_: str
) -> None:
    made = table(None, **attrs)

    _, written = made.ask(made.pays())

    (offer,) = written.offers
    code = offer["coupon"]["code"]
    assert offer["text"] == {"zh": f"一号店减15元：{code}", "en": f"15 off at Shop One: {code}"}
    message = offer["message"]
    assert (message["language"], message["ids"]) == (language, {"sms": id_})
    assert (message["codes"], message["promised"]) == ({}, None)
    assert message["values"]["code"] == {"zh": code, "en": code}
    assert Offer.model_validate(offer).text.zh == offer["text"]["zh"]


def test_the_decision_names_the_templates_that_were_in_force() -> None:
    made = table()
    said, written = made.ask(made.pays())

    templates = made.versions.templates
    assert said.decision["versions"]["templates"] == templates.hash
    assert written.offers[0]["message"]["content"] == templates.templates["coupon"].hash


def test_a_value_that_is_missing_stops_the_send_and_says_which() -> None:
    made = table()

    said = made.hear(made.pays(category="fuel"))

    assert said.offers == []
    assert (said.decision["state"], said.decision["reason"]) == ("suppressed", "no_value")
    (verdict,) = said.decision["verdicts"]
    assert (verdict["verdict"], verdict["parameter"]) == ("no_value", "nick")
    assert made.customer("c1").decided == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_parameter_is_told_where_the_decision_is_explained(language: Language) -> None:
    made = table()
    decision = Decision.model_validate(made.hear(made.pays(category="fuel")).decision)

    shown = "\n".join(lines_of(decision, None, Telling(language=language)))

    assert "no_value" in shown
    assert {"zh": "文案变量 nick", "en": "the text's parameter nick"}[language] in shown


@pytest.mark.parametrize("nick", ["www.evil.com", "", "far too long a name", "【别的银行】", 5, True])
def test_a_value_that_does_not_fit_stops_the_send(nick: object) -> None:
    made = table(nick=nick)

    assert made.hear(made.pays(category="fuel")).decision["reason"] == "no_value"


def test_a_value_is_never_read_as_a_template_and_is_escaped_where_that_is_asked() -> None:
    found = spoken(policy={"hours": {"sms": "00:00-00:01", "push": "00:00-24:00"}})
    made = table(found, nick="<i>&%")

    (offer,) = made.hear(made.pays(category="fuel")).offers

    assert offer["channel"] == "push"
    assert offer["text"]["zh"].startswith("&lt;i&gt;&amp;%，<b>12</b>元")
    assert table(nick="{{code}}").hear(made.pays(category="fuel")).decision["reason"] == "no_value"


def test_a_template_that_is_not_in_force_or_not_approved_stops_the_send() -> None:
    rejected = deepcopy(TEMPLATES["templates"]["coupon"])
    rejected["registered"]["sms"]["zh"] = {"status": "rejected", "reason": "no"}
    for templates in (None, changed(coupon=rejected)):
        made = table(spoken(templates))

        said = made.hear(made.pays())

        assert {verdict["verdict"] for verdict in said.decision["verdicts"]} == {"no_template"}


def test_a_customer_whose_language_is_not_approved_gets_the_one_of_all_others() -> None:
    waiting = deepcopy(TEMPLATES["templates"]["coupon"])
    waiting["registered"]["sms"]["en"] = {"status": "submitted"}
    made = table(spoken(changed(coupon=waiting)), language="en")

    _, written = made.ask(made.pays())

    (offer,) = written.offers
    assert offer["message"]["language"] == "zh"
    assert offer["text"]["en"] == offer["text"]["zh"]
    assert offer["text"]["zh"].startswith("一号店减15元")


def test_a_candidate_that_cannot_be_told_leaves_the_next_one_its_turn() -> None:
    said = deepcopy(TEMPLATES)
    del said["words"]["m1"]
    made = table(spoken(said))

    said_, written = made.ask(made.pays())

    assert [offer["rule"] for offer in written.offers] == ["tea"]
    assert {v["rule"]: v["verdict"] for v in said_.decision["verdicts"]} == {"tea": "won", "cafe": "no_value"}


def test_both_arms_are_refused_alike() -> None:
    said = table(spoken(control="90%")).hear(table().pays(category="fuel"))

    (verdict,) = said.decision["verdicts"]
    assert (verdict["arm"], verdict["verdict"]) == ("control", "no_value")


def pool(found: Versions, **changes: object) -> Versions:
    pools = {name: one.model_copy(update=changes) for name, one in found.pools.items()}
    content = json.dumps([json.loads(one.model_dump_json()) for one in pools.values()]).encode()
    return found.having("pools", content)


def answered(made: Table, later: Versions) -> Said:
    """Let the stage decide, then change what is in force, and let the ledger answer."""
    said = made.hear(made.pays())
    commands = [made.as_record(output) for output in said.outputs if output.topic == LEDGER_COMMANDS]
    return Said(ledger.step(made.books, Batch(0, 1, commands, made.now, later)))


@pytest.mark.parametrize("change", [{"value": 1600}, {"merchant": "m9"}, {"valid_until": moment(NOON + DAY)}])
def test_a_text_never_promises_what_the_coupon_no_longer_is(change: dict[str, object]) -> None:
    made = table()

    written = answered(made, pool(made.versions, **change))

    assert written.offers == []
    (answer,) = written.of("kairos.ledger.answers.v1")
    assert (answer["granted"], set(answer["refused"].values())) == (None, {"no_value"})
    # Nothing was taken: the next text finds the pool as it was.
    (offer,) = answered(made, made.versions).offers
    assert offer["coupon"]["code"].startswith("CA000000")


def test_a_code_that_does_not_fit_its_text_stays_in_the_pool() -> None:
    made = table()
    imported = pool(made.versions, codes="imported")
    codes = {"kind": "stock", "pool": "cafe", "programme": "lunch", "codes": ("A~B", "GOOD-1")}
    stock = made.event(LEDGER_COMMANDS, "ledger.command", "lunch", codes)

    ledger.step(made.books, Batch(0, 1, [stock], made.now, imported))
    (answer,) = answered(made, imported).of("kairos.ledger.answers.v1")

    assert (answer["granted"], sorted(answer["refused"].values())) == (None, ["no_value", "out_of_stock"])
    assert totals(made.books, imported.pools["cafe"]).codes == 2


def test_the_same_records_make_the_same_messages_from_an_empty_store() -> None:
    outputs = []
    for _ in range(2):
        made = table(nick="小王")
        said, written = made.ask(made.pays(id_="one"), made.pays(category="fuel", id_="two"))
        outputs.append([(o.key, o.value, o.headers) for o in (*said.outputs, *written.outputs)])

    assert outputs[0] == outputs[1]
    assert any(b'"message":{' in (value or b"") for _, value, _ in outputs[0])


def test_a_text_with_a_hole_in_it_is_never_handed_over() -> None:
    made = table()
    command = json.loads(next(o.value or b"" for o in made.hear(made.pays()).outputs if o.topic == LEDGER_COMMANDS))
    offer = Offer.model_validate(command["wishes"][0]["offer"])

    end = ending(offer, None, None, made.now)

    assert "{{ code }}" in offer.text.zh
    assert end is not None
    assert (end.what, end.reason) == ("rejected", Reason.NO_VALUE)


@given(st.text(max_size=10), st.integers(0, 10**9))
def test_whatever_a_value_is_no_text_has_braces_and_none_is_left_out(nick: str, amount: int) -> None:
    made = table(nick=nick)
    data = {"amount": amount, "direction": "debit", "merchant_category": "fuel"}

    said = made.hear(made.event("kairos.events.transactions.v1", "transaction", "c1", data))

    for offer in said.offers:
        message = Message.model_validate(offer["message"])
        assert "{{" not in offer["text"]["zh"]
        assert all(text.zh in offer["text"]["zh"] for text in message.values.values())
    assert len(said.offers) == (said.decision["reason"] is None)
