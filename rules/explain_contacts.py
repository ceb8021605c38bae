"""The ledger of contacts, explained: each cap with what was counted, and what a purpose may pass."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kairos.decisions import Reason
from kairos.instants import SECOND, Millis
from kairos.offers import Channel
from rules import rings
from rules.contacts import counted, crowded, rests_until, shut
from rules.findings import Bilingual, Finding, ago, bilingual, both, clock
from rules.judged import Seen
from rules.policy import Caps, Policy, Purpose
from rules.policy_saying import caps_said
from rules.saying import WORDS, Language, length
from rules.schema import Rule

__all__ = ["Way", "contact_findings"]


@dataclass(frozen=True, slots=True)
class Way:
    """What a purpose may pass, and why."""

    purpose: Purpose | None
    passes: Collection[Reason]

    def found(self, reason: Reason, *, holds: bool, said: Bilingual, read: Bilingual) -> Finding:
        """Give the finding of a gate; one that is passed holds, and says why."""
        if holds or reason not in self.passes or self.purpose is None:
            return Finding(reason, holds, said, read)
        why = self.purpose.because
        passed = bilingual(f"{read['zh']}，因“{why}”放行", f"{read['en']}, passed because: {why}")
        return Finding(reason, holds=True, said=said, read=passed)

    def through(
        self, reason: Reason, why: Mapping[Channel, Collection[Reason]], said: Bilingual, read: Bilingual
    ) -> tuple[Finding, Sequence[Channel]]:
        """Ask a gate of several channels: one that is open is enough; gives those that are, or all if none is."""
        free = [channel for channel, reasons in why.items() if reason not in reasons]
        found = self.found(reason, holds=bool(free), said=said, read=read)
        left = [channel for channel in why if channel in free or reason in self.passes]
        return found, left or list(why)


def contact_findings(
    rule: Rule, seen: Seen, channels: Sequence[Channel], policy: Policy, now: Millis
) -> Iterator[Finding]:
    """Ask the ledger of contacts, in the order in which `rules.decide` does."""
    customer, second = seen.customer, rings.second(now)
    way = Way(policy.purposes.get(rule.purpose), policy.passes(rule.purpose))
    refused = set(crowded(customer, rule.purpose, policy, now))
    if policy.gap is not None:
        said = bilingual(f"距上次触达至少{length(policy.gap, 'zh')}", f"{length(policy.gap, 'en')} since any contact")
        newest = max((rings.before(ring, second + 1) or 0 for ring in customer.contacts.values()), default=0)
        read = ago(now - newest * SECOND if newest else None)
        yield way.found(Reason.GAP, holds=Reason.GAP not in refused, said=said, read=read)
    if policy.overall is not None:
        many = [counted(customer, second - cap.within // SECOND, second) for cap in policy.overall]
        said = _capped(policy.overall, "各渠道合计", "by all channels")
        yield way.found(Reason.OVERALL_CAP, holds=Reason.OVERALL_CAP not in refused, said=said, read=_numbers(many))
    if caps := policy.caps_of(rule.purpose):
        many = [_within(customer.purposes.get(rule.purpose, b""), cap.within, second) for cap in caps]
        said = _capped(caps, f"用途{rule.purpose}", f"for {rule.purpose}")
        yield way.found(Reason.PURPOSE_CAP, holds=Reason.PURPOSE_CAP not in refused, said=said, read=_numbers(many))
    why = {channel: tuple(shut(customer, channel, policy, now)) for channel in channels}
    if policy.ignored is not None:
        found, left = way.through(Reason.IGNORED, why, _attended(policy), _rests(seen, channels, policy))
        yield found
        why = {channel: why[channel] for channel in left}
    yield way.through(Reason.CONTACT_CAP, why, _caps(list(why), policy), _used(list(why), seen, policy, second))[0]


def _capped(caps: Caps, zh: str, en: str) -> Bilingual:
    return bilingual(f"{zh}{caps_said(caps, 'zh')}", f"{en} {caps_said(caps, 'en')}")


def _numbers(many: Sequence[int]) -> Bilingual:
    return both(lambda _: ", ".join(map(str, many)))


def _within(ring: bytes, within: Millis, second: int) -> int:
    return sum(at > second - within // SECOND for at in rings.until(ring, second))


def _attended(policy: Policy) -> Bilingual:
    after = policy.ignored.after if policy.ignored else 0
    return bilingual(f"未连续忽略{after}条消息", f"no {after} messages in a row were ignored")


def _rests(seen: Seen, channels: Sequence[Channel], policy: Policy) -> Bilingual:
    def say(language: Language) -> str:
        rows = {c: len(seen.customer.ignored.get(c.value, b"")) // rings.SIZE for c in channels}
        said = []
        for channel, number in rows.items():
            until = rests_until(seen.customer, channel, policy)
            rest = {"zh": "，停至", "en": ", rests until "}[language]
            rests = "" if until is None else rest + clock(until, policy.zone)
            said.append(f"{WORDS[language][channel.value]} {number}{rests}")
        return ", ".join(said)

    return both(say)


def _caps(channels: Sequence[Channel], policy: Policy) -> Bilingual:
    def say(language: Language) -> str:
        found = {channel: policy.caps[channel] for channel in channels if channel in policy.caps}
        said = [f"{WORDS[language][channel.value]} {caps_said(caps, language)}" for channel, caps in found.items()]
        return ", ".join(said) or {"zh": "不限条数", "en": "no cap"}[language]

    return both(say)


def _used(channels: Sequence[Channel], seen: Seen, policy: Policy, second: int) -> Bilingual:
    def say(language: Language) -> str:
        rings_of = {c: seen.customer.contacts.get(c.value, b"") for c in channels if c in policy.caps}
        return ", ".join(
            f"{WORDS[language][c.value]} {'/'.join(str(_within(ring, cap.within, second)) for cap in policy.caps[c])}"
            for c, ring in rings_of.items()
        )

    return both(say)
