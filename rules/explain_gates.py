"""The gates, explained: each of them with what it read, in the order in which `rules.decide` asks them."""

from collections.abc import Iterator, Mapping, Sequence

from kairos.decisions import Reason
from kairos.instants import SECOND, Millis
from kairos.offers import Channel
from kairos.permissions import consents, permitted
from rules import rings
from rules.findings import Bilingual, Finding, ago, bilingual, both, clock, flag, read_of
from rules.judged import Seen
from rules.limits import capped, in_cooldown, last_decided, used_up
from rules.moments import clock_hours
from rules.policy import Policy, within_hours
from rules.saying import WORDS, Language, length
from rules.schema import Rule, Status

__all__ = ["gate_findings", "valid_days"]

_ASKED: dict[str, Bilingual] = {
    "status": {"zh": "规则已启用", "en": "the rule is active"},
    "fresh": {"zh": "事件发生不超过", "en": "the event is not older than "},
    Reason.DO_NOT_CONTACT: {"zh": "客户未要求免打扰", "en": "the customer may be contacted"},
    Reason.NO_PERSONALISATION: {"zh": "客户同意个性化营销", "en": "the customer agreed to personalisation"},
}


def gate_findings(
    rule: Rule, seen: Seen, policy: Policy, now: Millis, scores: Mapping[str, float | None]
) -> tuple[Finding, ...]:
    """Ask every gate, also behind one that refuses; the first that does is the reason that `rules.decide` gives."""
    return (*_of_the_rule(rule, seen, policy, now), *_by_channel(rule, seen, policy, now), *_scores(rule, scores))


def _of_the_rule(rule: Rule, seen: Seen, policy: Policy, now: Millis) -> Iterator[Finding]:
    if rule.status is Status.DRAFT:
        yield Finding("draft", holds=False, said=_ASKED["status"], read=both(lambda _: rule.status.value))
    if rule.valid.from_ is not None or rule.valid.until is not None:
        days = valid_days(rule, policy.zone)
        yield Finding(Reason.NOT_VALID, rule.valid.at(now), days, both(lambda _: clock(now, policy.zone)))
    if rule.status is Status.PAUSED:
        yield Finding(Reason.RULE_PAUSED, holds=False, said=_ASKED["status"], read=both(lambda _: rule.status.value))
    fresh = both(lambda language: _ASKED["fresh"][language] + length(rule.fresh, language))
    yield Finding(Reason.STALE, now - seen.event.at <= rule.fresh, fresh, ago(max(0, now - seen.event.at)))
    profile = seen.standing().profile
    yield Finding(Reason.DO_NOT_CONTACT, not profile.do_not_contact, _ASKED[Reason.DO_NOT_CONTACT])


def valid_days(rule: Rule, zone: str) -> Bilingual:
    """Say from when until when a rule is valid; the last day is included where the rule ends with one."""
    begin = None if rule.valid.from_ is None else clock(rule.valid.from_, zone).removesuffix(" 00:00")
    end = None
    if rule.valid.until is not None:
        # The instant after the last one of a day is the midnight that follows it.
        is_day = clock(rule.valid.until, zone).endswith(" 00:00")
        end = clock(rule.valid.until - SECOND, zone)[:10] if is_day else clock(rule.valid.until, zone)
    zh = (f"{begin}起" if begin else "") + (f"至{end}" if end else "")
    en = " ".join([f"from {begin}"] * bool(begin) + [f"until {end}"] * bool(end))
    return {"zh": f"有效期{zh}（{zone}）", "en": f"valid {en} ({zone})"}


def _by_channel(rule: Rule, seen: Seen, policy: Policy, now: Millis) -> Iterator[Finding]:
    standing, channels = seen.standing(), rule.then.channels
    said = consents(standing.profile.consent, standing.said)
    allowed = [channel for channel in channels if permitted(said, rule.purpose, channel.value)]
    purpose = bilingual(f"客户同意“{rule.purpose}”用途的触达", f"consent for {rule.purpose}")
    yield Finding(Reason.NO_CONSENT, bool(allowed), purpose, _each(channels, allowed))
    agreed = standing.profile.personalisation
    yield Finding(Reason.NO_PERSONALISATION, agreed, _ASKED[Reason.NO_PERSONALISATION])
    # Behind a gate that refused every channel, the next one is asked of all of them.
    asked = allowed or list(channels)
    awake = [channel for channel in asked if within_hours(policy, channel, now)]
    local = clock(now, policy.zone)
    yield Finding(Reason.QUIET_HOURS, bool(awake), _hours(asked, policy), both(lambda _: f"{local} ({policy.zone})"))
    if rule.limits.cooldown:
        rest = both(lambda language: length(rule.limits.cooldown, language))
        least = bilingual(f"{rest['zh']}内至多一次", f"at most once in {rest['en']}")
        decided = last_decided(seen.customer, rule)
        read = ago(None if decided is None else now - decided)
        yield Finding(Reason.COOLDOWN, not in_cooldown(seen.customer, rule, now), least, read)
    if rule.limits.per_customer is not None:
        most = rule.limits.per_customer
        least = bilingual(f"每位客户至多{most}次", f"at most {most} for a customer, ever")
        made = len(rings.until(seen.customer.decisions.get(rule.id, b""), rings.second(now)))
        yield Finding(Reason.CUSTOMER_LIMIT, not used_up(seen.customer, rule), least, both(lambda _: str(made)))
    yield _caps(awake or asked, seen, policy, now)


def _each(channels: Sequence[Channel], allowed: Sequence[Channel]) -> Bilingual:
    def say(language: Language) -> str:
        return ", ".join(f"{WORDS[language][c.value]} {flag(c in allowed)[language]}" for c in channels)

    return both(say)


def _hours(channels: Sequence[Channel], policy: Policy) -> Bilingual:
    def say(language: Language) -> str:
        return ", ".join(f"{WORDS[language][c.value]} {clock_hours(policy.hours[c])}" for c in channels)

    return {"zh": f"允许触达时段：{say('zh')}", "en": f"open hours: {say('en')}"}


def _caps(channels: Sequence[Channel], seen: Seen, policy: Policy, now: Millis) -> Finding:
    customer = seen.customer
    free = [channel for channel in channels if not capped(customer, channel, policy, now)]

    def say(language: Language) -> str:
        caps = {channel: policy.caps[channel] for channel in channels if channel in policy.caps}
        least = {"zh": "{within}内至多{most}条{channel}", "en": "at most {most} {channel} in {within}"}[language]
        said = [
            least.format(within=length(cap.within, language), most=cap.at_most, channel=WORDS[language][channel.value])
            for channel, cap in caps.items()
        ]
        return ", ".join(said) or {"zh": "不限条数", "en": "no cap"}[language]

    def read(language: Language) -> str:
        used = {channel: _used(seen, channel, policy, now) for channel in channels if channel in policy.caps}
        return ", ".join(f"{WORDS[language][channel.value]} {number}" for channel, number in used.items())

    return Finding(Reason.CONTACT_CAP, bool(free), both(say), both(read))


def _used(seen: Seen, channel: Channel, policy: Policy, now: Millis) -> int:
    second, within = rings.second(now), policy.caps[channel].within // SECOND
    ring = seen.customer.contacts.get(channel.value, b"")
    return sum(at > second - within for at in rings.until(ring, second))


def _scores(rule: Rule, scores: Mapping[str, float | None]) -> Iterator[Finding]:
    for asked in rule.who.scores():
        found = scores.get(asked.model)
        enough = found is not None and found >= asked.at_least
        read = bilingual("模型未给出", "no word from the model") if found is None else read_of(asked, found)
        yield Finding(Reason.SCORE_TOO_LOW, enough, both(asked.said), read)
