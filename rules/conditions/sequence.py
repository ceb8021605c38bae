"""Sequence: some events one after another, the first of them not too long before the trigger."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from rules import chains, ties
from rules.asked import Written
from rules.chains import Chain
from rules.conditions.past import begins, events
from rules.features import Feature
from rules.fields import CATEGORY, EventName, one_of, texts
from rules.judged import Judged, Seen
from rules.problems import at_places, mistake, shown, suggest
from rules.rings import second
from rules.saying import Language, denied, length
from rules.scope import Scope
from rules.selectors import Selector, Watched
from rules.shapes import OneOrMore, listed
from rules.source import all_of, constant
from rules.ties import Ties
from rules.words import Window

__all__ = ["Sequence"]


def _some(steps: tuple[Watched, ...]) -> tuple[Watched, ...]:
    if not 2 <= len(steps) <= 5:
        raise mistake(f"a sequence has 2 to 5 steps, not {len(steps)}")
    return steps


def _in_order(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(sorted({*names}))


class Sequence(Written):
    """Two to five steps, each in a later second than the one before it, all inside the window.

    A last step that is `same_as: on` is the trigger itself. Where it is another, the steps were taken before the
    trigger, or with it. Other events may come in between. With `same` each step has the trigger's own value there.
    """

    within: Window
    """How long before the trigger the first step may be."""
    steps: Annotated[
        tuple[Watched, ...], Field(json_schema_extra={"minItems": 2, "maxItems": 5}), AfterValidator(_some)
    ]
    """Two to five kinds of events, in their order; the last one may be the trigger itself."""
    same: (
        Annotated[
            tuple[Annotated[str, one_of(texts)], ...],
            Field(min_length=1, max_length=3),
            BeforeValidator(listed),
            AfterValidator(_in_order),
            OneOrMore(),
        ]
        | None
    ) = None
    """By what the steps belong together: a field, or some, in which each says what the trigger says."""

    @model_validator(mode="after")
    def _says_the_same(self) -> Self:
        told = (self.unfit(step.event) for step in self.steps if step.event is not None)
        if what := next((what for what in told if what is not None), None):
            raise at_places({("same",): what})
        return self

    def unfit(self, event: EventName) -> str | None:
        """Say why these events cannot say the same as others, or None."""
        known = texts(event)
        lacks = next((name for name in self.same or () if name not in known), None)
        return lacks and f"event {event} has no text {shown(lacks)} to be the same{suggest(lacks, known)}"

    @property
    def ends_with_trigger(self) -> bool:
        """Whether the last step is the trigger itself."""
        return self.steps[-1].same_as is not None

    def features(self, on: Selector) -> Iterator[Feature]:
        """Remember how far the customer has come."""
        yield self._chain(on)

    def _chain(self, on: Selector) -> Chain | Ties:
        selectors = tuple(step.watched(on) for step in self.before)
        return Chain(selectors) if self.same is None else Ties(selectors, self.same)

    @property
    def before(self) -> tuple[Watched, ...]:
        """The steps before the trigger."""
        return self.steps[:-1] if self.ends_with_trigger else self.steps

    def holds(self, scope: Scope) -> str:
        """Write that a run started in the window and ended before the trigger."""
        return f"started({self._runs(scope)}, {self._last}) > {self._begin(scope)}"

    def fails(self, scope: Scope) -> str:
        """Write that the latest of all that ended before the trigger started before the window."""
        key, begin = self._chain(scope.on).key, self._begin(scope)
        parts = [f"none_started({self._runs(scope)}, {self._last}, {begin})", scope.warm(key, begin)]
        if self.same is not None:
            parts.append(f"knows({self._packed(scope)}, {begin})")
        return all_of(parts)

    def _runs(self, scope: Scope) -> str:
        packed = self._packed(scope)
        steps = f"past.get({packed})" if self.same is None else f"tied({packed})"
        return scope.readings.of(f"ends({steps}, {len(self.before)})")[0]

    def _packed(self, scope: Scope) -> str:
        """Write where the steps are remembered, and of which values."""
        past = f"{constant(self._chain(scope.on).key)}, b''"
        if self.same is None:
            return past
        category = CATEGORY.get(scope.on.event)
        said = ", ".join("event.category" if name == category else f"event.data.{name}" for name in self.same)
        return f"past.get({past}), ({said},), {len(self.before)}"

    @property
    def _last(self) -> str:
        """Write the last second in which the steps before the trigger may end."""
        return "at - 1" if self.ends_with_trigger else "at"

    def _begin(self, scope: Scope) -> str:
        said = f"at - {second(self.within)}"
        return scope.after_firing(said, said)[0]

    def judged(self, seen: Seen, scope: Scope) -> Judged:
        """Look for the latest run that ended before the trigger."""
        chain, begin = self._chain(scope.on), begins(scope, seen, seen.at - second(self.within))
        packed, steps, knows = seen.customer.remembered.get(chain.key, b""), len(chain.selectors), True
        if isinstance(chain, Ties):
            said = chain.said(seen.event)
            packed, knows = ties.tied(packed, said, steps), ties.knows(packed, said, steps, begin)
        runs = chains.ends(packed, steps)
        last = seen.at - 1 if self.ends_with_trigger else seen.at
        start = chains.started(runs, last)
        if start > begin:
            return Judged(True, seen.at - start)
        known = knows and chains.none_started(runs, last, begin) and scope.is_warm(seen.since[chain.key], begin)
        return Judged(False if known else None)

    def said(self, language: Language) -> str:
        """Say it."""
        zh, window = language == "zh", length(self.within, language)
        steps = ("，然后" if zh else ", then ").join(
            ("本次事件" if zh else "this event")
            if step.same_as and place == len(self.steps) - 1
            else events(step, language)
            for place, step in enumerate(self.steps)
        )
        same = ("、" if zh else " and ").join(self.same or ())
        if zh:
            return f"{window}内依次有{f'（{same}相同）' if same else ''}：{steps}"
        return f"one after another in {window}{f' with the same {same}' if same else ''}: {steps}"

    def denied(self, language: Language) -> str:
        """Say that it fails."""
        return denied(self.said(language), language)
