"""Trace context: who follows an event through the bank's systems finds what Kairos made of it, too.

The two headers of the W3C's Trace Context are copied as they came, from the record that was taken to every record that
was written because of it. Nothing here reads or makes a trace; that is OpenTelemetry's, where an offer leaves.
"""

from kairos.ports import Headers, Output

__all__ = ["carried", "followed"]

_LIMITS = {"traceparent": 55, "tracestate": 512}
"""The longest value of each that is carried, in bytes; what is longer is not what it says."""


def carried(headers: Headers) -> tuple[tuple[str, bytes], ...]:
    """Give the headers of a record that its outputs have in common with it.

    Examples
    --------
    >>> carried((("ce_id", b"42"), ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")))
    (('traceparent', b'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),)
    >>> carried((("traceparent", b"?" * 5000),))
    ()

    """
    found = [(name, value) for name, value in headers if name in _LIMITS and value and len(value) <= _LIMITS[name]]
    return tuple(found)


def followed(outputs: list[Output], first: int, headers: Headers) -> None:
    """Let the outputs from `first` on carry the trace of the record they followed from.

    Examples
    --------
    >>> outputs = [Output("kairos.decisions.v1", b"c7", b"{}", (("ce_id", b"d1"),))]
    >>> followed(outputs, 0, (("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),))
    >>> [name for name, _ in outputs[0].headers]
    ['ce_id', 'traceparent']

    """
    # Most events lead to nothing: their headers are not looked at a second time.
    if len(outputs) > first and (trace := carried(headers)):
        outputs[first:] = [one._replace(headers=(*one.headers, *trace)) for one in outputs[first:]]
