"""Tracing: what Kairos tells OpenTelemetry. Without its SDK all of this does nothing but hand the trace on."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from kairos.ports import Headers

__all__ = ["sending"]

_tracer = trace.get_tracer("kairos")
_READ = TraceContextTextMapPropagator()


@contextmanager
def sending(headers: Headers, channel: str, offer: str, attempt: int) -> Iterator[None]:
    """Hand an offer to its gateway as a part of the trace that its record carries.

    Parameters
    ----------
    headers
        The trace's headers, see `kairos.trace.carried`; none of them begins a trace.
    channel, offer, attempt
        What the span says: nothing of it names a customer.

    """
    context = _READ.extract({name: value.decode("ascii", "replace") for name, value in headers})
    said: dict[str, AttributeValue] = {"messaging.message.id": offer, "kairos.attempt": attempt}
    with _tracer.start_as_current_span(f"send {channel}", context, SpanKind.CLIENT, said):
        yield
