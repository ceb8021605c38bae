"""Sequence: some events one after another, the first of them not too long before the trigger."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from rules import chains
from rules.asked import Written
from rules.chains import Chain
from rules.conditions.past import begins, events
from rules.features import Feature
from rules.judged import Judged, Seen
from rules.problems import mistake
from rules.rings import second
from rules.saying import Language, denied, length
from rules.scope import Scope
from rules.selectors import Selector, Watched
from rules.source import all_of, constant
from rules.words import Window

__all__ = ["Sequence"]


def _some(steps: tuple[Watched, ...]) -> tuple[Watched, ...]:
    if not 2 <= len(steps) <= 5:
        raise mistake(f"a sequence has 2 to 5 steps, not {len(steps)}")
    return steps


class Sequence(Written):
    """Two to five steps, each in a later second than the one before it, all inside the window.

    A last step that is `same_as: on` is the trigger itself. Where it is another, the steps were taken before the
    trigger, or with it. Other events may come in between.
    """

    within: Window
    """How long before the trigger the first step may be."""
    steps: Annotated[
        tuple[Watched, ...], Field(json_schema_extra={"minItems": 2, "maxItems": 5}), AfterValidator(_some)
    ]
    """Two to five kinds of events, in their order; the last one may be the trigger itself."""

    @property
    def ends_with_trigger(self) -> bool:
        """Whether the last step is the trigger itself."""
        return self.steps[-1].same_as is not None

    def features(self, on: Selector) -> Iterator[Feature]:
        """Remember how far the customer has come."""
        yield self._chain(on)

    def _chain(self, on: Selector) -> Chain:
        steps = self.steps[:-1] if self.ends_with_trigger else self.steps
        return Chain(tuple(step.watched(on) for step in steps))

    def holds(self, scope: Scope) -> str:
        """Write that a run started in the window and ended before the trigger."""
        return f"started({self._runs(scope)}, {self._last}) > {self._begin(scope)}"

    def fails(self, scope: Scope) -> str:
        """Write that the latest of all that ended before the trigger started before the window."""
        key, begin = self._chain(scope.on).key, self._begin(scope)
        return all_of((f"none_started({self._runs(scope)}, {self._last}, {begin})", scope.warm(key, begin)))

    def _runs(self, scope: Scope) -> str:
        chain = self._chain(scope.on)
        source = f"ends(past.get({constant(chain.key)}, b''), {len(chain.selectors)})"
        return scope.readings.of(source)[0]

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
        runs = chains.ends(seen.customer.remembered.get(chain.key, b""), len(chain.selectors))
        last = seen.at - 1 if self.ends_with_trigger else seen.at
        start = chains.started(runs, last)
        if start > begin:
            return Judged(True, seen.at - start)
        known = chains.none_started(runs, last, begin) and scope.is_warm(seen.since[chain.key], begin)
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
        return f"{window}内依次有：{steps}" if zh else f"one after another in {window}: {steps}"

    def denied(self, language: Language) -> str:
        """Say that it fails."""
        return denied(self.said(language), language)
