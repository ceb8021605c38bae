"""The contract of the topics: current, valid, complete, and what our records really look like."""

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

from console import asyncapi
from console.asyncapi_flows import FLOWS, Message
from kairos.events import AppUsage, Consent, Feedback, Profile, Transaction
from kairos.offers import Channel, Coupon, Offer, Text
from kairos.permissions import Permission
from kairos.wire import headers, type_of
from streams.topics import TOPICS

AT = datetime(2026, 12, 1, 4, tzinfo=UTC)
SPECIFICATION = Path(__file__).parent / "data" / "asyncapi-3.0.0.json.gz"
OFFER = Offer(
    id="o1",
    decision="d1",
    customer="客户7",
    programme="takeaway",
    rule="takeaway-first",
    channel=Channel.SMS,
    purpose="marketing",
    template="t1",
    text=Text(zh="立减 5 元", en="5 off"),
    coupon=Coupon(pool="p", code="K1", merchant="meituan", value=500, currency="CNY"),
    decided_at=AT,
    expires_at=AT,
)
CONSENT = Consent(purpose="*", channel="sms", granted=True, at=AT)


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    return asyncapi.document()


def problems(contract: Mapping[str, Any], schema: Mapping[str, Any], instance: object) -> list[str]:
    whole = {**schema, "components": contract["components"]}
    return [error.message for error in jsonschema.Draft202012Validator(whole).iter_errors(instance)]


def test_the_committed_document_is_current(contract: dict[str, Any]) -> None:
    committed = json.loads(asyncapi.PATH.read_text(encoding="utf-8"))

    assert committed == contract, "renew it with: python -m console.asyncapi --write"


def test_writing_it_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    asyncapi.write(tmp_path / "once")
    asyncapi.write(tmp_path / "twice")

    assert (tmp_path / "once").read_bytes() == (tmp_path / "twice").read_bytes() == asyncapi.PATH.read_bytes()


def test_it_is_valid_asyncapi_3(contract: dict[str, Any]) -> None:
    specification = json.loads(gzip.decompress(SPECIFICATION.read_bytes()))

    found = [error.message for error in jsonschema.Draft7Validator(specification).iter_errors(contract)]

    assert found == []


def test_every_reference_leads_somewhere(contract: dict[str, Any]) -> None:
    def references(node: object) -> list[str]:
        if isinstance(node, list):
            return [ref for item in node for ref in references(item)]
        if not isinstance(node, dict):
            return []
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for item in node.values() for ref in references(item)]

    found = references(contract)

    assert len(found) > 50
    for reference in found:
        place: Any = contract
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_every_topic_is_in_it_but_what_kairos_keeps_for_itself(contract: dict[str, Any]) -> None:
    own = {topic.name for topic in TOPICS if topic.name.endswith((".changelog.v1", ".journal.v1", ".marks.v1"))}

    assert {channel["address"] for channel in contract["channels"].values()} == {t.name for t in TOPICS} - own


def test_a_name_means_one_message() -> None:
    messages = {message for flow in FLOWS for message in flow.messages if isinstance(message, Message)}

    assert len({message.name for message in messages}) == len(messages)


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("app_usage", AppUsage(app="美团")),
        ("transaction", Transaction(amount=3000, direction="debit")),
        ("customer", Profile(attrs={"city": "上海", "age": 31}, tags=frozenset({"vip"}), consent=(CONSENT,))),
        ("feedback", Feedback(what="opened", offer="o1", decision="d1")),
        ("offer", OFFER),
        ("permission", Permission(customer="客户7", consent=(CONSENT,), at=AT)),
    ],
)
def test_our_records_are_as_the_document_says(contract: dict[str, Any], name: str, record: BaseModel) -> None:
    payload = contract["components"]["messages"][name]["payload"]

    assert problems(contract, payload, record.model_dump(mode="json")) == []


def test_a_producer_may_leave_out_what_has_a_default_and_nothing_else(contract: dict[str, Any]) -> None:
    payload = contract["components"]["messages"]["transaction"]["payload"]

    assert problems(contract, payload, {"amount": 5, "direction": "debit", "ours": 1}) == []
    assert problems(contract, payload, {"direction": "debit"}) == ["'amount' is a required property"]


def test_a_gateway_may_count_on_every_field_of_an_offer(contract: dict[str, Any]) -> None:
    payload = contract["components"]["messages"]["offer"]["payload"]
    found = OFFER.model_dump(mode="json", exclude={"coupon"})

    assert problems(contract, payload, found) == ["'coupon' is a required property"]


@pytest.mark.parametrize("name", ["app_usage", "feedback"])
def test_our_headers_are_as_the_document_says(contract: dict[str, Any], name: str) -> None:
    written = {key: value.decode() for key, value in headers(type_of("feedback"), "1", 1796097600250)}

    found = problems(contract, contract["components"]["messages"][name]["headers"], written)

    assert found == ([] if name == "feedback" else ["'kairos.app_usage.v1' was expected"])


def test_the_command_prints_the_document_and_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert asyncapi.main([]) == 0
    assert json.loads(capsys.readouterr().out)["asyncapi"] == "3.0.0"
    assert asyncapi.main(["--wrote"]) == 2
