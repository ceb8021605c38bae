"""Persons: the conditions on who the customer is: tags, attributes, scores, and segments made of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema

from kairos.offers import Identifier
from rules.asked import Flags, Numbers, Test, Words, Written, spread, test_of, written
from rules.judged import Judged, Seen, all_hold
from rules.logic import Condition, Tree
from rules.problems import at_places, mistake, suggest
from rules.problems import shown as quoted
from rules.saying import WORDS, Language, denied, shown
from rules.scope import Scope
from rules.shapes import Shape, some
from rules.source import ALWAYS, NEVER, all_of, any_of, constant
from rules.words import Probability, Scalar, Word

__all__ = ["Attributes", "Score", "Tag", "Who", "in_order"]


def _not_consent(name: str) -> str:
    if name.casefold().startswith("consent"):
        raise mistake(
            f"{quoted(name)} looks like consent, which no rule may decide: it is a gate that every offer passes, "
            "by the rule's purpose and channels"
        )
    return name


_NO_CONSENT = {"pattern": "^(?![cC][oO][nN][sS][eE][nN][tT])"}
Name = Annotated[
    Word,
    AfterValidator(_not_consent),
    WithJsonSchema({**TypeAdapter(Word).json_schema(), **_NO_CONSENT, "description": "A name of the bank's."}),
]


def _asked(value: object, info: ValidationInfo) -> Test:
    return test_of(value).model_validate(spread(value), context=info.context)


_Asked = Annotated[
    Test,
    PlainValidator(_asked, json_schema_input_type=some(Scalar) | Words | Flags | Numbers),
    PlainSerializer(written),
]
Asks = Annotated[dict[Name, _Asked], Field(min_length=1, max_length=20)]


class Score(Written):
    """The chance that a model gives the customer; asked after all gates, so it is never in the way of a match."""

    model: Identifier
    """The model that is asked."""
    at_least: Probability
    """The least chance that is enough."""

    def holds(self, scope: Scope) -> str:
        """Write nothing: the score is asked later."""
        return ALWAYS

    def fails(self, scope: Scope) -> str:
        """Write that nobody can say so at the match."""
        return NEVER

    def judged(self, seen: Seen, scope: Scope) -> Judged:
        """Leave it to the gates."""
        return Judged(holds=True)

    def said(self, language: Language) -> str:
        """Say it."""
        return f"{self.model}{'评分' if language == 'zh' else ' score'} ≥ {self.at_least:g}"

    def denied(self, language: Language) -> str:
        """Say that it fails."""
        return denied(self.said(language), language)


@dataclass(frozen=True, slots=True)
class Tag:
    """The bank's tag on a customer: there or not, never unknown."""

    name: str

    def holds(self, scope: Scope) -> str:
        """Write that the customer has it."""
        return f"{constant(self.name)} in tags"

    def fails(self, scope: Scope) -> str:
        """Write that the customer does not have it."""
        return f"{constant(self.name)} not in tags"

    def judged(self, seen: Seen, scope: Scope) -> Judged:
        """Look it up."""
        found = self.name in seen.standing().profile.tags
        return Judged(found, found)

    def said(self, language: Language) -> str:
        """Say it."""
        return f"有标签{shown(self.name)}" if language == "zh" else f"tagged {shown(self.name)}"

    def denied(self, language: Language) -> str:
        """Say that the customer does not have it."""
        return f"没有标签{shown(self.name)}" if language == "zh" else f"not tagged {shown(self.name)}"


@dataclass(frozen=True, slots=True)
class Attributes:
    """What the bank knows of a customer; all must fit. An attribute it does not know is unknown."""

    asks: Mapping[str, Test]

    def holds(self, scope: Scope) -> str:
        """Write that all fit."""
        return all_of(self._one(name, test, scope, fits=True) for name, test in self.asks.items())

    def fails(self, scope: Scope) -> str:
        """Write that one does not fit."""
        return any_of(self._one(name, test, scope, fits=False) for name, test in self.asks.items())

    def _one(self, name: str, test: Test, scope: Scope, *, fits: bool) -> str:
        first, again = scope.readings.of(f"attrs.get({constant(name)})")
        if test.exists is not None:
            return f"{first} is{' not' if test.exists == fits else ''} None"
        kinds = "is str" if isinstance(test, Words) else "is bool" if isinstance(test, Flags) else "in (int, float)"
        asked = all_of(test.bare(again))
        return all_of((f"type({first}) {kinds}", asked if fits else f"not {asked}"))

    def judged(self, seen: Seen, scope: Scope) -> Judged:
        """Hold each attribute against its test."""
        attrs = seen.standing().profile.attrs
        read = {name: attrs.get(name) for name in self.asks}
        return Judged(all_hold(test.fits(read[name]) for name, test in self.asks.items()), read)

    def said(self, language: Language) -> str:
        """Say it."""
        return WORDS[language]["and"].join(test.said(shown(name), language) for name, test in self.asks.items())

    def denied(self, language: Language) -> str:
        """Say that it fails."""
        return denied(self.said(language), language)


class Who(Tree):
    """A condition on the customer: a tag, attributes, a segment of the file, a score, or several of these joined."""

    tag: Name | None = None
    """The customer has this tag of the bank."""
    attr: Asks | None = None
    """What the bank knows of the customer, by the attributes' names; all must fit."""
    score: Score | None = None

    also: ClassVar[tuple[str, ...]] = ("segment",)

    @model_validator(mode="wrap")
    @classmethod
    def _of_the_file(cls, value: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        if not isinstance(value, dict) or "segment" not in value:
            return handler(value)
        if len(value) > 1:
            raise mistake("a segment stands alone; a second condition is a second item of the list")
        name, known = value["segment"], (info.context or {}).get("segments", {})
        if not isinstance(name, str) or name not in known:
            raise mistake(f"there is no segment {quoted(name)} in this file{suggest(name, known)}")
        return handler(_segment(name, known, info.context))

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> Shape:
        """Give the shape of what is written, with segments by their names."""
        found = super().__get_pydantic_json_schema__(core_schema, handler)
        found["properties"]["segment"] = {"type": "string", "description": "A segment of this file, by its name."}
        return found

    @property
    def leaf(self) -> Condition:
        """The condition."""
        if self.tag is not None:
            return Tag(self.tag)
        if self.attr is not None:
            return Attributes(self.attr)
        if self.score is None:
            raise ValueError("a condition on the customer without content")
        return self.score

    def attributes(self) -> frozenset[str]:
        """Give the attributes it reads."""
        return self._attributes

    def scores(self) -> tuple[Score, ...]:
        """Give the scores it asks for."""
        return self._scores

    # Each decision asks, and a rule never changes.
    @cached_property
    def _attributes(self) -> frozenset[str]:
        return frozenset(name for leaf in self.leaves() if isinstance(leaf, Attributes) for name in leaf.asks)

    @cached_property
    def _scores(self) -> tuple[Score, ...]:
        return tuple(leaf for leaf in self.leaves() if isinstance(leaf, Score))


def in_order(segments: object) -> object:
    """Refuse segments that name themselves or one below: put in its place, such a name would mean nothing."""
    said = segments if isinstance(segments, dict) else {}
    names = list(said)
    told = {
        (name, *place): f"the segment {quoted(other)} does not stand above this one; move it up"
        for number, name in enumerate(names)
        for place, other in _named(said[name])
        if other in names[number:]
    }
    if told:
        raise at_places(told)
    return segments


def _named(said: object) -> Iterator[tuple[tuple[str | int, ...], object]]:
    """Give every segment that is named in conditions, with its place."""
    if isinstance(said, dict) and set(said) == {"segment"}:
        yield ("segment",), said["segment"]
    parts = said.items() if isinstance(said, dict) else enumerate(said) if isinstance(said, list) else ()
    for step, part in parts:
        yield from (((step, *place), name) for place, name in _named(part))


def _segment(name: str, known: Mapping[str, object], context: Any) -> dict[str, object]:
    """Read a segment in its place; it may name those that stand above it."""
    above = {one: said for place, (one, said) in enumerate(known.items()) if place < list(known).index(name)}
    try:
        return written(Who.model_validate(known[name], context={**context, "segments": above}))
    except ValidationError:
        # What is wrong with it is told where it stands.
        return {"all": []}
