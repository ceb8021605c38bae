"""The contract of the topics as an AsyncAPI 3 document, made from the records themselves.

`python -m console.asyncapi --write` renews `docs/asyncapi.json`; without `--write` the document is printed.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from console.asyncapi_flows import FLOWS, Flow, Message, Raw
from kairos.instants import MINUTE
from kairos.wire import AHEAD, LARGEST
from streams.topics import TOPICS, Topic

__all__ = ["PATH", "document", "main", "write"]

PATH: Final = Path(__file__).resolve().parent.parent / "docs" / "asyncapi.json"
"""Where the document lies."""

_SCHEMA = "#/components/schemas/{model}"
_ABOUT = f"""What a bank's producers, gateways and reports agree on with Kairos.

Records are CloudEvents 1.0 in Kafka's binary mode: attributes are headers, the value is the data as JSON. The key
says whose a record is, and its partition is murmur2(key) mod the number of partitions, as Java's default partitioner
has it (librdkafka: `partitioner=murmur2_random`); a record elsewhere is a dead letter. Read with
`isolation.level=read_committed`. Readers ignore fields they do not know.

An event is named by `ce_source` and `ce_id`; the same name twice within 24 hours, or within a customer's last 64
events, counts once. A value has at most {LARGEST} bytes, a key at most 1024, and `ce_time` is at most
{AHEAD // MINUTE} minutes ahead. What cannot be accepted goes to the dead letters, once, with the reason.

Changelogs and journals are the stages' own and no part of the contract."""


class _Whole(GenerateJsonSchema):
    # We write every field, also one that has its default: a reader may count on it.
    def field_is_required(self, field: Any, total: bool) -> bool:
        return self.mode == "serialization" or super().field_is_required(field, total)


def document() -> dict[str, Any]:
    """Give the document: the same for the same code, to the byte."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Kairos",
            "version": "1.0.0",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {flow.name: _channel(flow) for flow in FLOWS},
        "operations": {
            f"{action}.{flow.name}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{flow.name}"},
                "summary": summary,
            }
            for flow in FLOWS
            for action, summary in flow.actions.items()
        },
        "components": {"messages": _messages(), "schemas": {**_headers(), **_schemas()}},
    }


def write(path: Path = PATH) -> None:
    """Write the document."""
    path.write_text(_text(), encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Print the document, or write it with `--write`."""
    if list(arguments) not in ([], ["--write"]):
        print("usage: python -m console.asyncapi [--write]", file=sys.stderr)
        return 2
    if arguments:
        write()
    else:
        print(_text(), end="")
    return 0


def _text() -> str:
    return json.dumps(document(), ensure_ascii=False, indent=2) + "\n"


def _channel(flow: Flow) -> dict[str, Any]:
    topic = next(topic for topic in TOPICS if topic.name == flow.topic)
    return {
        "address": topic.name,
        "description": f"{flow.about} Key: {topic.key}. Cut like every topic of the group `{topic.group}`.",
        "messages": {m.name: {"$ref": f"#/components/messages/{m.name}"} for m in flow.messages},
        "bindings": {"kafka": {"topicConfiguration": _settings(topic), "bindingVersion": "0.5.0"}},
    }


def _settings(topic: Topic) -> dict[str, Any]:
    """Give the topic's settings in the types that the Kafka binding has for them."""
    settings: dict[str, Any] = dict(topic.settings)
    settings["cleanup.policy"] = [settings["cleanup.policy"]]
    for name in ("retention.ms", "delete.retention.ms", "max.message.bytes"):
        if name in settings:
            settings[name] = int(settings[name])
    return dict(sorted(settings.items()))


def _messages() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for flow in FLOWS:
        topic = next(topic for topic in TOPICS if topic.name == flow.topic)
        for message in flow.messages:
            found[message.name] = _message(message, topic)
    return found


def _message(message: Message | Raw, topic: Topic) -> dict[str, Any]:
    key = {"type": "string", "minLength": 1, "description": topic.key}
    common = {"name": message.name, "summary": message.about}
    bindings = {"bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}}}
    if isinstance(message, Raw):
        headers = {"headers": dict(message.headers)} if message.headers else {}
        return {**common, "contentType": message.content, **headers, "payload": dict(message.payload), **bindings}
    return {
        **common,
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "allOf": [
                {"$ref": _SCHEMA.format(model="CloudEventHeaders")},
                {"properties": {"ce_type": {"const": message.type}}},
            ],
        },
        "payload": _payload(message),
        **bindings,
    }


def _payload(message: Message) -> dict[str, Any]:
    places, _ = models_json_schema(_models(), ref_template=_SCHEMA, schema_generator=_Whole)
    refs = [dict(places[model, message.mode]) for model in message.models]
    return refs[0] if len(refs) == 1 else {"oneOf": refs}


def _schemas() -> dict[str, Any]:
    _, schemas = models_json_schema(_models(), ref_template=_SCHEMA, schema_generator=_Whole)
    return dict(sorted(schemas["$defs"].items()))


def _models() -> list[tuple[type[BaseModel], Any]]:
    messages = (message for flow in FLOWS for message in flow.messages if isinstance(message, Message))
    return list(dict.fromkeys((model, message.mode) for message in messages for model in message.models))


def _headers() -> dict[str, Any]:
    text = {"type": "string", "minLength": 1}
    return {
        "CloudEventHeaders": {
            "type": "object",
            "description": "The CloudEvents attributes, each as UTF-8. Further headers are ignored.",
            "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time"],
            "properties": {
                "ce_specversion": {"const": "1.0"},
                "ce_id": {**text, "description": "The producer's own name of the event, unique within ce_source."},
                "ce_source": {**text, "description": "Who says so; what Kairos writes begins with /kairos."},
                "ce_type": {**text, "description": "What kind of record it is, and the version of its layout."},
                "ce_time": {**text, "format": "date-time", "description": "When it happened, with a zone."},
                "content-type": {"const": "application/json"},
                "traceparent": {**text, "description": "W3C Trace Context; carried to all that follows from a record."},
                "tracestate": {**text, "description": "Beside traceparent, as it came."},
            },
        }
    }


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
