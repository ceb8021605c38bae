"""Selectors: which events a rule speaks of, and the name under which a customer remembers them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import CoreSchema

from kairos.events import Event
from kairos.ids import memory_id
from rules.asked import Asked, Words, Written, written
from rules.fields import CATEGORY, WHERE, EventName, value_of, variables, where
from rules.problems import at_places, mistake, shown, suggest
from rules.shapes import Shape, exactly_one, union
from rules.source import Readings, all_of

__all__ = ["Selector", "Trigger", "Watched", "Where", "by_themselves", "selector_of"]


@dataclass(frozen=True, slots=True)
class Selector:
    """Events of one type that meet all conditions.

    `key` names what a customer remembers of them. It follows from the content alone, so rules that count the
    same events share it, and it outlives a change of threshold.
    """

    event: EventName
    where: Mapping[str, Asked] = field(hash=False)
    key: str

    @property
    def categories(self) -> tuple[str, ...] | None:
        """The categories it asks for, if it names them: what it is indexed by."""
        test = self.where.get(CATEGORY.get(self.event, ""))
        return test.any_of if isinstance(test, Words) else None

    def meets(self, event: Event) -> bool:
        """Whether an event is one of these."""
        return event.type == self.event and all(
            test.fits(value_of(event, name, test)) is True for name, test in self.where.items()
        )

    def variables(self) -> dict[str, str]:
        """Give the variables that `conditions` reads, and where each comes from."""
        found = [variables(self.event, name, test) for name, test in self.where.items()]
        return {name: source for each in found for name, source in each.items()}

    def parts(self, readings: Readings) -> list[tuple[str, Asked, str]]:
        """Write what each test asks of its field, beside what the index has looked up; all must hold."""
        indexed = CATEGORY.get(self.event) if self.categories else None
        # What is asked of one field stands together: its second condition may read what its first has looked up.
        return [
            (name, test, all_of(test.of_field(name, readings, indexed=name == indexed)))
            for name, test in self.where.items()
        ]

    def conditions(self, readings: Readings) -> list[str]:
        """Write what an event must meet beside its type and what the index has looked up; all must hold."""
        return [source for _, _, source in self.parts(readings)]


def selector_of(event: EventName, asked: Mapping[str, Asked]) -> Selector:
    """Make a selector, and name it by its content.

    Examples
    --------
    >>> selector_of("login", {}).key
    'lboJRvLI'

    """
    said = {name: written(test) for name, test in asked.items()}
    text = json.dumps([event, said], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return Selector(event, asked, memory_id(text))


def _where(value: object, info: ValidationInfo) -> dict[str, Asked]:
    if info.data.get("same_as") and value:
        raise mistake("same_as: on takes the trigger's own conditions; leave where out")
    event = info.data.get("event")
    said = value.items() if isinstance(value, dict) else ()
    if name := next((name for name, test in said if isinstance(test, dict) and "same_as" in test), None):
        raise mistake(
            "only what is absent after the trigger is compared with it here; write the value itself, "
            f"or same: {shown(name)[1:-1]} beside the steps of a sequence"
        )
    # Without a valid event there is nothing to hold the fields against; the event's own problem is told.
    return {} if event is None else where(event, value, info.context)


def _written(tests: dict[str, Asked]) -> dict[str, object]:
    return {name: written(test) for name, test in tests.items()}


Where = Annotated[
    dict[str, Asked], PlainValidator(_where, json_schema_input_type=union(WHERE.values())), PlainSerializer(_written)
]


class _Named(Written):
    """Events that may be written elsewhere in the file, under `selectors`, and named here."""

    also: ClassVar[tuple[str, ...]] = ("selector",)

    @model_validator(mode="before")
    @classmethod
    def _of_the_file(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, dict) or "selector" not in value:
            return value
        name, known = value["selector"], (info.context or {}).get("selectors", {})
        if not isinstance(name, str) or name not in known:
            raise mistake(f"there is no selector {shown(name)} in this file{suggest(name, known)}")
        if said := sorted(value.keys() & {"event", "where", "same_as"}):
            raise mistake(f"a named selector brings its own conditions; leave {' and '.join(said)} out")
        return _found(known[name], info.context) | {key: item for key, item in value.items() if key != "selector"}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> Shape:
        """Give the shape of what is written: named, or an event with the fields that this event has."""
        found = super().__get_pydantic_json_schema__(core_schema, handler)
        asked = found["properties"]
        each = zip(WHERE, asked["where"].pop("anyOf"), strict=True)
        asked["where"] |= {"type": "object", "description": "What is asked of the event's fields; all must fit."}
        asked["selector"] = {"type": "string", "description": "Events of this file's selectors, by their name."}
        of_event = [
            {
                "if": {"properties": {"event": {"const": event}}, "required": ["event"]},
                "then": {"properties": {"where": fields}},
            }
            for event, fields in each
        ]
        ways = [way for way in ("event", "same_as", "selector") if way in asked]
        shapes = [exactly_one(*ways), {"dependencies": {"where": ["event"]}}]
        found["allOf"] = [*found.get("allOf", []), *shapes, *of_event]
        found["required"] = [name for name in found.get("required", []) if name != "event"]
        return found


def by_themselves(selectors: object) -> object:
    """Refuse selectors that name others."""
    said = selectors if isinstance(selectors, dict) else {}
    what = "a selector names no other one; write its event and where"
    told: dict[tuple[str | int, ...], str] = {
        (str(name), "selector"): what for name, part in said.items() if isinstance(part, dict) and "selector" in part
    }
    if told:
        raise at_places(told)
    return selectors


def _found(said: object, context: Any) -> dict[str, Any]:
    try:
        Trigger.model_validate(said, context={**context, "selectors": {}})
    except ValidationError:
        # What is wrong with it is told where it stands.
        return {"event": "login"}
    return dict(said) if isinstance(said, dict) else {}


class Trigger(_Named):
    """The event that makes a rule look at a customer."""

    event: EventName
    """The kind of event."""
    where: Where = Field(default_factory=dict)

    @cached_property
    def selector(self) -> Selector:
        """These events."""
        return selector_of(self.event, self.where)


class Watched(_Named):
    """Events that a condition looks back on: its own, or the trigger's by `same_as: on`."""

    event: EventName | None = None
    """The kind of event."""
    same_as: Literal["on"] | None = None
    """The trigger's own events."""
    where: Where = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.event is None) == (self.same_as is None):
            raise mistake("give either event or same_as: on")
        return self

    def watched(self, on: Selector) -> Selector:
        """Give these events; `on` are the trigger's."""
        return self._own or on

    @cached_property
    def _own(self) -> Selector | None:
        return None if self.event is None else selector_of(self.event, self.where)
