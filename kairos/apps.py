"""The catalogue of apps: which class an app belongs to, and which tag its use leaves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field, StringConstraints

from kairos.offers import Identifier, Written

__all__ = ["Apps", "AppsFile"]


class AppsFile(Written):
    """The catalogue as it is written down: app classes in their order, and each app's class.

    A class's place in `classes` is its tag; an app's place in `apps`, counted after the classes, is its own.
    So an app keeps its tag as long as nothing is taken out: append, never insert.
    """

    classes: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=1000)]
    apps: dict[Annotated[str, StringConstraints(min_length=1, max_length=200)], Identifier]


@dataclass(frozen=True, slots=True)
class Apps:
    """The catalogue as the engine asks it.

    Examples
    --------
    >>> apps = Apps.of(AppsFile(classes=("food_delivery", "travel"), apps={"meituan": "food_delivery"}))
    >>> apps.class_of("meituan"), apps.tags_of("meituan", "food_delivery"), apps.class_of("unheard-of")
    ('food_delivery', (0, 2), None)

    """

    classes: tuple[str, ...] = ()
    _class_of: Mapping[str, str] = field(default_factory=dict)
    _tag_of: Mapping[str, int] = field(default_factory=dict)
    _class_tag: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, file: AppsFile) -> "Apps":
        """Index a catalogue.

        Raises
        ------
        ValueError
            An app has a class that is not listed, or there are more tags than 65,536.

        """
        known = set(file.classes)
        for app, class_ in file.apps.items():
            if class_ not in known:
                raise ValueError(f"app {app!r} has the class {class_!r}, which is not listed")
        if len(file.classes) + len(file.apps) > 65_536:
            raise ValueError("a customer's tags have room for 65,536 classes and apps together")
        first = len(file.classes)
        return cls(
            file.classes,
            dict(file.apps),
            {app: first + place for place, app in enumerate(file.apps)},
            {class_: place for place, class_ in enumerate(file.classes)},
        )

    def class_of(self, app: str) -> str | None:
        """Give the class of an app, or None for one that nobody classified."""
        return self._class_of.get(app)

    def tags_of(self, app: str, class_: str | None) -> tuple[int, ...]:
        """Give the tags that the use of an app leaves: its class's and its own."""
        own = self._tag_of.get(app)
        group = self._class_tag.get(class_) if class_ else None
        if group is None:
            return () if own is None else (own,)
        return (group,) if own is None else (group, own)
