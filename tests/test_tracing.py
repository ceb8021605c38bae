"""Traces: an event's is carried to everything that followed from it, and out of the house by the gateway."""

from collections.abc import Iterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from connectors.push_http import PushHttp
from connectors.webhook import Gateway, SignedPost
from kairos.ports import Headers, Output, Record
from streams import clock, tracing
from streams.delivery_end import End, feedback
from streams.topics import DECISIONS, LEDGER_ANSWERS, LEDGER_COMMANDS, LEDGER_ENTRIES, OFFERS_SMS
from tests.connector_contract import an_offer
from tests.customer_table import Table

ONE = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
OTHER = ("traceparent", b"00-11111111111111111111111111111111-2222222222222222-01")
STATE = ("tracestate", b"bank=t61rcWkgMzE")


def traced(record: Record, *trace_: tuple[str, bytes]) -> Record:
    return Record(
        record.topic, record.partition, record.offset, record.key, record.value, (*record.headers, *trace_), record.at
    )


def traces(outputs: list[Output]) -> dict[str, set[bytes | None]]:
    found: dict[str, set[bytes | None]] = {}
    for output in outputs:
        found.setdefault(output.topic, set()).add(dict(output.headers).get("traceparent"))
    return found


def test_what_follows_from_an_event_carries_its_trace_through_the_ledger_to_the_offer() -> None:
    table = Table()
    table.hear(table.profile())

    asked = table.hear(traced(table.pays(), ONE, STATE))
    answers, granted = table.ledger(asked)
    ended = table.hear(*answers)

    assert traces(asked.outputs) == {LEDGER_COMMANDS: {ONE[1]}}
    assert traces(granted.outputs) == {topic: {ONE[1]} for topic in (OFFERS_SMS, LEDGER_ENTRIES, LEDGER_ANSWERS)}
    assert traces(ended.outputs) == {DECISIONS: {ONE[1]}}
    assert all(dict(one.headers)["tracestate"] == STATE[1] for one in granted.outputs)


def test_of_two_events_in_one_batch_each_has_its_own_and_a_third_has_none() -> None:
    table = Table()
    table.hear(table.profile("c1"), table.profile("c2"), table.profile("c3"))

    said = table.hear(traced(table.pays("c1"), ONE), traced(table.pays("c2"), OTHER), table.pays("c3"))

    found = {output.key: dict(output.headers).get("traceparent") for output in said.outputs}
    asked = {"c1": ONE[1], "c2": OTHER[1], "c3": None}
    commands = [one for one in said.outputs if one.topic == LEDGER_COMMANDS]
    assert len(commands) == 3
    assert found.keys() == {b"lunch"}
    assert [dict(one.headers).get("traceparent") for one in commands] == list(asked.values())


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(("traceparent", b""), id="empty"),
        pytest.param(("traceparent", b"0" * 56), id="too long"),
        pytest.param(("baggage", b"user=c7"), id="baggage, which may name a person"),
    ],
)
def test_what_is_no_trace_is_carried_nowhere(wrong: tuple[str, bytes]) -> None:
    table = Table()
    table.hear(table.profile())

    said = table.hear(traced(table.pays(), wrong))

    assert said.commands == ["reserve"]
    assert not any(name in {"traceparent", "baggage"} for one in said.outputs for name, _ in one.headers)


def test_the_end_of_an_offer_carries_the_trace_back() -> None:
    assert dict(feedback(an_offer(), End("accepted"), 0, (ONE,)).headers)["traceparent"] == ONE[1]


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """An SDK, as an operator would put it beside Kairos."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("kairos"))
    yield exporter
    provider.shutdown()


async def sent(headers: Headers) -> dict[str, str]:
    """Send one offer over HTTP; gives the headers that the gateway saw."""
    seen: dict[str, str] = {}

    async def answer(request: web.Request) -> web.Response:
        seen.update({name.lower(): value for name, value in request.headers.items()})
        return web.Response(status=202)

    app = web.Application()
    app.router.add_post("/offers", answer)
    async with TestServer(app) as server:
        gateway = Gateway(str(server.make_url("/offers")), ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",))
        async with SignedPost(gateway, clock.now) as post:
            with tracing.sending(headers, "push", "offer-1", 1):
                await PushHttp(post).send(an_offer())
    return seen


async def test_without_an_sdk_the_gateway_is_told_the_trace_as_it_came() -> None:
    assert (await sent((ONE, STATE)))["traceparent"] == ONE[1].decode()
    assert (await sent((ONE, STATE)))["tracestate"] == STATE[1].decode()
    assert "traceparent" not in await sent(())


@pytest.mark.parametrize("broken", [b"\xff\xfe", b"00-zz", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01"])
async def test_a_broken_trace_stops_no_offer(broken: bytes) -> None:
    assert "traceparent" not in await sent((("traceparent", broken),))


async def test_with_an_sdk_the_sending_is_a_span_of_the_events_trace(spans: InMemorySpanExporter) -> None:
    seen = await sent((ONE, STATE))

    (span,) = spans.get_finished_spans()
    assert isinstance(span, ReadableSpan)
    assert span.parent is not None
    assert (trace.format_trace_id(span.parent.trace_id), trace.format_span_id(span.parent.span_id)) == tuple(
        ONE[1].decode().split("-")[1:3]
    )
    assert (span.name, span.kind) == ("send push", SpanKind.CLIENT)
    assert dict(span.attributes or {}) == {"messaging.message.id": "offer-1", "kairos.attempt": 1}
    # The gateway's own spans hang below ours.
    assert seen["traceparent"].split("-")[2] == trace.format_span_id(span.context.span_id)
