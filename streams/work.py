"""Work: what one step of the customers' stage has in its hands, and how it is put back into the store."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from kairos.customer import Customer, Standing, pack, unpack
from kairos.events import Consent, Profile
from kairos.instants import Millis, moment
from kairos.permissions import Permission, consents
from kairos.ports import Batch, Output, Store
from streams import warming
from streams.deadlines import Deadlines
from streams.memories import remembered
from streams.ours import record
from streams.profiles import KeptProfile, pack_profile, person, spoken, unpack_profile
from streams.topics import PERMISSIONS
from streams.versions import Versions
from streams.warming import Warming

__all__ = ["ABSENCE", "DECISION", "HOT", "PROFILE", "SAID", "TIMER", "Work"]

HOT, PROFILE, SAID, DECISION, ABSENCE, TIMER = "h", "p", "s", "d", "a", "t"
"""The kinds of the customers' store: hot record, profile, what the customer said, open decisions, absences, timers.

Timers have no owner: they lie under the empty key, by the time they are due.
"""

_NOBODY = Profile()
_CONSENTS: TypeAdapter[tuple[Consent, ...]] = TypeAdapter(tuple[Consent, ...])


@dataclass(slots=True)
class Work:
    """The desk of one step: the store, the moment, and what has been written so far.

    A hot record is changed in place, and put back by `put_back` after the customer's last event or by `finish`.
    """

    store: Store
    batch: Batch[Versions]
    now: Millis
    versions: Versions
    outputs: list[Output]
    deadlines: Deadlines
    _hot: dict[str, Customer]
    _standings: dict[str, Standing]
    _permissions: dict[str, None]
    _handing: Warming | None = None
    _since: Mapping[str, int] | None = None

    @classmethod
    def on(cls, store: Store, batch: Batch[Versions]) -> "Work":
        """Begin a step."""
        return cls(store, batch, batch.now, batch.versions, [], Deadlines(store), {}, {}, {}, warming.handing(store))

    def since(self, at: Millis) -> Mapping[str, int]:
        """Give the second since when each feature is remembered; `at` is the time of the event that is being taken."""
        if self._since is None:
            self._since = remembered(self.store, self.versions.book, at)
        return self._since

    def customer(self, key: str) -> Customer:
        """Give the hot record of a customer, to be changed in place."""
        found = self._hot.get(key)
        if found is None:
            found = self._taken(key, self.store.get(key.encode(), HOT))
        return found

    def _taken(self, key: str, packed: bytes | None) -> Customer:
        found = self._hot[key] = unpack(packed)
        if self._handing is not None:
            warming.hand_over(self.store, self._handing, self.versions.book, key, found)
        return found

    def put_back(self, key: str) -> None:
        """Put the hot record of a customer back into the store; one that was not taken is left alone.

        A record that goes back at once leaves its memory to the next one, while it is still in the processor's cache.
        """
        customer = self._hot.pop(key, None)
        if customer is not None:
            self.store.put(key.encode(), HOT, b"", pack(customer))

    def forget(self, key: str) -> None:
        """Forget what was observed of a customer: tags, windows, summaries, the memory of contacts."""
        self._hot.pop(key, None)
        self.store.delete(key.encode(), HOT)

    def known(self, key: str) -> bool:
        """Whether there is a hot record of this customer."""
        if key in self._hot:
            return True
        packed = self.store.get(key.encode(), HOT)
        if packed is None:
            return False
        # Who asks goes on to take it.
        self._taken(key, packed)
        return True

    def profile(self, key: str) -> KeptProfile | None:
        """Give what the bank said of a customer, if it did."""
        packed = self.store.get(key.encode(), PROFILE)
        return None if packed is None else unpack_profile(packed)

    def keep_profile(self, key: str, at: Millis, profile: Profile) -> None:
        """Put the bank's newest word in the place of the last."""
        self._standings.pop(key, None)
        self.store.put(key.encode(), PROFILE, b"", pack_profile(at, profile))

    def drop_profile(self, key: str) -> None:
        """Forget what the bank said."""
        self._standings.pop(key, None)
        self.store.delete(key.encode(), PROFILE)

    def said(self, key: str) -> tuple[Consent, ...]:
        """Give what the customer said of consent through the channels."""
        packed = self.store.get(key.encode(), SAID)
        return () if packed is None else _CONSENTS.validate_json(packed)

    def keep_said(self, key: str, said: tuple[Consent, ...]) -> None:
        """Keep what the customer said."""
        self._standings.pop(key, None)
        self.store.put(key.encode(), SAID, b"", _CONSENTS.dump_json(said))

    def standing(self, key: str) -> Standing:
        """Give who the customer is for a decision; one without a profile has no attributes and no consent."""
        found = self._standings.get(key)
        if found is None:
            kept = self.profile(key)
            profile = _NOBODY if kept is None else person(kept)
            found = self._standings[key] = Standing(profile, self.said(key))
        return found

    def permission(self, key: str) -> None:
        """Write the permission in force after a change: once a step, whatever changed in it."""
        self._permissions[key] = None

    def _write_permission(self, key: str) -> None:
        standing = self.standing(key)
        word = Permission(
            customer=key,
            do_not_contact=standing.profile.do_not_contact,
            consent=spoken(consents(standing.profile.consent, standing.said)),
            at=moment(self.now),
            personalisation=standing.profile.personalisation,
        )
        self.outputs.append(record(PERMISSIONS, key, "kairos.permission.v1", f"{key}@{self.now}", word, self.now))

    def finish(self) -> list[Output]:
        """Put the hot records back, and give the outputs."""
        for key in list(self._hot):
            self.put_back(key)
        self.deadlines.finish()
        for key in self._permissions:
            self._write_permission(key)
        return self.outputs
