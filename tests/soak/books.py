"""What is in force during a soak: rules and policies that change, pools that run out, models from anywhere."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from console.publishing import contents_of, publish
from kairos.instants import MINUTE, SECOND, Millis, rfc3339
from models.snapshot import Snapshot
from rules.stops import kind_of, written
from streams import clock
from streams.cluster import Cluster
from streams.versions import MODEL
from tests.fault_driver import ROOT
from tests.soak.closures import Closed, Shut

Wanted = frozenset[tuple[str, str]]
"""Event types and categories that a book wants, each for every customer."""

HEAD = "format: 1\nzone: Asia/Shanghai\ncurrency: CNY\nrules:\n"
RULE = """
  - id: {id}
    name: 规则{id}{version}
    scenario: activation
    programme: {programme}
    on: {{event: {event}, where: {where}}}
    {when}
    then:
      offer: {offer}
      channels: [{channel}]
      template: t
      text: {{zh: 第{version}版, en: Edition {version}}}
      expires: {expires}
      wait: 1s
    fresh: 3650d
    in_quiet_hours: {closed}
    experiment: {{control: 15%}}
"""
ABSENT = "when: {all: [{absent: {event: transaction, where: {coupon: {same_as: on}}, for: 3s}}]}"
FIELDS = ("id", "programme", "event", "where", "offer", "channel")
DINING = ("transaction", "{merchant_category: dining}")
ALWAYS = (
    ("cafe", "lunch", *DINING, "{pool: cafe}", "sms"),
    ("tea", "lunch", *DINING, "{pool: tea}", "sms"),
    ("ride", "transport", "app_usage", "{app_class: ride_hailing}", "{pool: ride}", "push"),
    ("card", "cards", "app_usage", "{app_class: travel}", "{product: credit-card}", "push"),
    ("reminder", "cards", "page_view", "{page: coupon}", "{product: reminder}", "push"),
)
WON = frozenset({("transaction", "dining"), ("app_usage", "ride_hailing"), ("app_usage", "travel")})
SOMETIMES = ("fuel", "pharmacy", "fashion", "leisure")
CHANNEL_OF = {row[0]: row[-1] for row in ALWAYS} | {f"also-{also}": "push" for also in SOMETIMES}
POLICY = """
format: 1
zone: Asia/Shanghai
hours: {{sms: "{hours[sms]}", push: "{hours[push]}", list: "{hours[list]}"}}
caps: {{sms: {{within: {within}s, at_most: {sms}}}, push: {{within: {within}s, at_most: {push}}}}}
calendar: [{closures}]
"""
CLOSURE = "{{name: works, from: '{begin}', until: '{end}', channels: {channel}}}"
POOLS = """
format: 1
zone: Asia/Shanghai
currency: CNY
pools:
  - {id: cafe, programme: lunch, merchant: m1, value: 15, count: 150, prefix: CA}
  - {id: tea, programme: lunch, merchant: m2, value: 10, count: 1000, codes: imported}
  - {id: ride, programme: transport, merchant: m3, value: 10, count: 1000, budget: 2000, prefix: RI}
"""
ABOUT = {row[0]: {"rule": row[0], "programme": row[1], "channel": row[-1], "pool": None} for row in ALWAYS} | {
    f"also-{also}": {"rule": f"also-{also}", "programme": "cards", "channel": "push", "pool": None}
    for also in SOMETIMES
}
for _pool in ("cafe", "tea", "ride"):
    ABOUT[_pool]["pool"] = _pool
"""What a stop may name of each rule."""
STOPPED = (
    ("all", ""),
    *(("rule", rule) for rule in ("cafe", "card", "reminder")),
    *(("programme", name) for name in ("lunch", "transport", "cards")),
    *(("channel", name) for name in ("sms", "push")),
    *(("pool", name) for name in ("cafe", "tea", "ride")),
)
"""What may be stopped."""
CODES = tuple(f"TEA-{number:04d}" for number in range(120))
LIMITS = {"cafe": 150, "tea": 120, "ride": 200}
WAITED: Millis = 3 * SECOND
"""How long a payment is waited for after a look at a coupon."""
WITHIN = 20
"""Seconds of the caps' window, in every policy."""
AHEAD, CLOSED_FOR = 5, 5
"""Seconds from the making of a policy until it closes a channel, for it is to be in force by then; and for how long."""
QUIET_AT_FIRST, QUIET_LATER = (20, 80), (5, 25)
"""Seconds, at least and less than, for which a policy's hours leave a channel quiet from its making on. Hours are of
whole minutes: the first policy always finds some that suit, a later one only where the minute is nearly over."""
ALL_DAY = "00:00-24:00"


@dataclass
class Books:
    """Publishes, and remembers what each content wants or allows, by its hash."""

    cluster: Cluster
    folder: Path
    chance: random.Random
    wanted: dict[str, Wanted] = field(default_factory=dict)
    caps: dict[str, dict[str, int]] = field(default_factory=dict)
    stops: list[Closed] = field(default_factory=list)
    closures: list[Closed] = field(default_factory=list)
    quiet: list[Closed] = field(default_factory=list)
    hours: dict[str, Closed] = field(default_factory=dict)
    version: int = 0

    @property
    def shut(self) -> Shut:
        """All that was not open at some time."""
        return Shut(self.stops, self.closures, self.quiet, self.hours)

    @property
    def quiet_until(self) -> Millis:
        """When the last quiet hours are over; what waits for their end is decided then."""
        return max((one.end for one in self.hours.values()), default=0)

    async def begin(self) -> None:
        """Put the first of everything into force."""
        for kind, text in {"rules": self._rules()[0], "policy": self._policy()[0], "pools": POOLS}.items():
            (self.folder / f"{kind}.yaml").write_text(text)
        await self._publish({"pools": POOLS, "apps": "the file of the examples"})
        await self._enforce()
        await self.new_rules()

    async def new_rules(self) -> str:
        """Publish another rule book: other words, other expiry, and another rule beside those that always are."""
        text, also, expires = self._rules()
        self.wanted[(await self._publish({"rules": text}))["rules"]] = WON | {("transaction", also)}
        return f"edition {self.version}, also {also}, offers live {expires}"

    async def new_policy(self) -> str:
        """Publish another policy: other caps, and now and then quiet hours."""
        quiet = _quiet(self.chance.choice(("sms", "push")), *QUIET_LATER)
        caps = await self._enforce(quiet=quiet)
        told = f", {quiet.name} is quiet for {(quiet.end - clock.now()) / SECOND:.0f} s" if quiet else ""
        return f"at most {caps['sms']} SMS and {caps['push']} pushes in {WITHIN} s{told}"

    async def first_quiet(self) -> Closed:
        """Publish a policy that leaves the pushes quiet, for among them is what does not wait for the end of it."""
        quiet = _quiet("push", *QUIET_AT_FIRST)
        assert quiet is not None, "this minute or the next one suits"
        await self._enforce(quiet=quiet)
        return quiet

    async def new_closure(self) -> Closed:
        """Publish a policy that closes a channel in a moment and for a moment; what comes then waits for its end."""
        begin = (clock.now() // SECOND + AHEAD) * SECOND
        closed = Closed("channel", self.chance.choice(("sms", "push")), begin, begin + CLOSED_FOR * SECOND)
        self.closures.append(closed)
        await self._enforce(closed)
        return closed

    async def stop(self, scope: str, name: str) -> Millis:
        """Stop something; gives when that had been published."""
        await self._stop(scope, name, stopped=True)
        return clock.now()

    async def start(self, scope: str, name: str, since: Millis) -> None:
        """Take it back."""
        self.stops.append(Closed(scope, name, since, clock.now()))
        await self._stop(scope, name, stopped=False)

    async def _stop(self, scope: str, name: str, *, stopped: bool) -> None:
        content = {kind_of(scope, name): written("the soak wants it", stopped=stopped)}
        await publish(self.cluster.for_aiokafka(), content, "soak", clock.now())

    async def new_model(self) -> str:
        """Publish a model of our own beside those of the learning stage."""
        weights = {f"made-up-{number}": self.chance.uniform(-1, 1) for number in range(20)}
        content = Snapshot("reaction", 0.05, weights).to_bytes()
        await publish(self.cluster.for_aiokafka(), {f"{MODEL}reaction": content}, "soak", clock.now())
        return "20 weights"

    def _rules(self) -> tuple[str, str, str]:
        self.version += 1
        also = self.chance.choice(SOMETIMES)
        # Some offers live so short that an outage outlasts them, and their decisions end by a timer.
        expires = self.chance.choice(["8s", "30s", "1h"])
        told = {"version": self.version, "expires": expires}
        extra = (f"also-{also}", "cards", "transaction", f"{{merchant_category: {also}}}", "{product: more}", "push")
        rules = [dict(zip(FIELDS, row, strict=True)) for row in (*ALWAYS, extra)]
        texts = [RULE.format(**rule, **told, **_waits(rule["id"])) for rule in rules]
        return HEAD + "".join(texts), also, expires

    async def _enforce(self, closed: Closed | None = None, quiet: Closed | None = None) -> dict[str, int]:
        """Put a policy into force, and note from when until when its quiet hours are those that hold."""
        text, caps = self._policy(closed, quiet)
        before = clock.now()
        name = (await self._publish({"policy": text}))["policy"]
        self.caps[name] = caps
        self.quiet = [one._replace(end=min(one.end, before)) for one in self.quiet]
        if quiet is not None:
            self.hours[name] = quiet
            self.quiet.append(quiet._replace(begin=clock.now()))
        return caps

    def _policy(self, closed: Closed | None = None, quiet: Closed | None = None) -> tuple[str, dict[str, int]]:
        caps = {channel: self.chance.choice([1, 2, 3]) for channel in ("sms", "push")}
        closures = "" if closed is None else _closure(closed)
        hours = dict.fromkeys(("sms", "push", "list"), ALL_DAY)
        if quiet is not None:
            hours[quiet.name] = f"{_of_the_day(quiet.end)}-{_of_the_day(quiet.begin)}"
        return POLICY.format(within=WITHIN, closures=closures, hours=hours, **caps), caps

    async def _publish(self, texts: Mapping[str, str]) -> dict[str, str]:
        for kind, text in texts.items():
            # A publication is checked with the files that it must fit to.
            (self.folder / f"{kind}.yaml").write_text(text)
        rules, policy, pools = (self.folder / f"{kind}.yaml" for kind in ("rules", "policy", "pools"))
        named = {"policy": policy, "pools": pools, "apps": ROOT / "examples" / "apps.json"}
        contents = await asyncio.to_thread(contents_of, rules, named)
        wanted = {kind: contents[kind] for kind in texts}
        return await publish(self.cluster.for_aiokafka(), wanted, "soak", clock.now())


def _waits(rule: str) -> dict[str, str]:
    """Say what a rule waits for: that nothing follows, or the end of a closed time."""
    return {"when": ABSENT, "closed": "drop"} if rule == "reminder" else {"when": "", "closed": "defer"}


def _quiet(channel: str, least: int, under: int) -> Closed | None:
    """Give quiet hours of a channel from this minute to its end, or the next one's, if that is so many seconds away."""
    now = clock.now()
    begin = now // MINUTE * MINUTE
    ends = (begin + MINUTE, begin + 2 * MINUTE)
    found = [end for end in ends if least * SECOND <= end - now < under * SECOND]
    return Closed("channel", channel, begin, found[0]) if found else None


def _of_the_day(at: Millis) -> str:
    """Say the minute as the policy's zone has it, eight hours before Greenwich all the year."""
    minute = (at // MINUTE + 8 * 60) % (24 * 60)
    return f"{minute // 60:02}:{minute % 60:02}"


def _closure(closed: Closed) -> str:
    return CLOSURE.format(begin=rfc3339(closed.begin), end=rfc3339(closed.end), channel=closed.name)
