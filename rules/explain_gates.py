"""The gates, explained: each of them with what it read, in the order in which `rules.decide` asks them."""

from collections.abc import Generator, Iterator, Mapping, Sequence

from kairos.decisions import Reason
from kairos.instants import SECOND, Millis
from kairos.offers import Channel
from kairos.permissions import consents, permitted
from rules import rings
from rules.explain_contacts import Way, contact_findings
from rules.findings import Bilingual, Finding, ago, bilingual, both, clock, flag, read_of
from rules.hours import Use, closed, closures, hours_of, zone_of
from rules.judged import Seen
from rules.limits import in_cooldown, last_decided, used_up
from rules.moments import clock_hours
from rules.policy import Policy
from rules.saying import WORDS, Language, length
from rules.schema import Rule, Status
from rules.stops import NOTHING, Stops

__all__ = ["gate_findings", "stop_findings", "valid_days"]

_ASKED: dict[str, Bilingual] = {
    Reason.HELD: {"zh": "目录可读", "en": "the catalogue can be read"},
    Reason.STOPPED: {"zh": "未被叫停", "en": "nobody stopped it"},
    "status": {"zh": "规则已启用", "en": "the rule is active"},
    "fresh": {"zh": "事件发生不超过", "en": "the event is not older than "},
    Reason.DO_NOT_CONTACT: {"zh": "客户未要求免打扰", "en": "the customer may be contacted"},
    Reason.NO_PERSONALISATION: {"zh": "客户同意个性化营销", "en": "the customer agreed to personalisation"},
}


def stop_findings(rule: Rule, stops: Stops) -> Iterator[Finding]:
    """Say that people stopped the rule, or that nobody can read what they said; nothing where it runs."""
    reason = stops.of_rule(rule)
    if reason is not None:
        found = sorted(stops.unread or stops.kinds)
        yield Finding(reason, holds=False, said=_ASKED[reason], read=both(lambda _: ", ".join(found)))


def gate_findings(
    rule: Rule, seen: Seen, policy: Policy, now: Millis, scores: Mapping[str, float | None], stops: Stops = NOTHING
) -> tuple[Finding, ...]:
    """Ask every gate, also behind one that refuses; the first that does is the reason that `rules.decide` gives."""
    channels = stops.open(rule.then.channels) or rule.then.channels
    by_channel = _by_channel(rule, channels, seen, policy, now)
    return (*_of_the_rule(rule, seen, policy, now), *by_channel, *_scores(rule, scores))


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


def _by_channel(rule: Rule, channels: Sequence[Channel], seen: Seen, policy: Policy, now: Millis) -> Iterator[Finding]:
    standing = seen.standing()
    said = consents(standing.profile.consent, standing.said)
    allowed = [channel for channel in channels if permitted(said, rule.purpose, channel.value)]
    purpose = bilingual(f"客户同意“{rule.purpose}”用途的触达", f"consent for {rule.purpose}")
    yield Finding(Reason.NO_CONSENT, bool(allowed), purpose, _each(channels, allowed))
    agreed = standing.profile.personalisation
    yield Finding(Reason.NO_PERSONALISATION, agreed, _ASKED[Reason.NO_PERSONALISATION])
    # Behind a gate that refused every channel, the next one is asked of all of them.
    awake = yield from _moment(rule, seen, allowed or list(channels), policy, now)
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
    yield from contact_findings(rule, seen, awake, policy, now)


def _moment(
    rule: Rule, seen: Seen, channels: Sequence[Channel], policy: Policy, now: Millis
) -> Generator[Finding, None, Sequence[Channel]]:
    """Ask the calendar, then the hours; gives the channels that are open."""
    zone, product = zone_of(policy, seen.standing().profile.attrs), rule.then.offer.product
    uses = {channel: Use(channel, product, zone) for channel in channels}
    why = {channel: closed(policy, use, now) for channel, use in uses.items()}
    way = Way(policy.purposes.get(rule.purpose), policy.passes(rule.purpose))
    if policy.calendar:
        names = [closure.name for use in uses.values() for _, closure in closures(policy, use, now)]
        said = bilingual("不在停发日历内", "nothing in the calendar closes it")
        found, channels = way.through(Reason.BLACKOUT, why, said, both(lambda _: ", ".join(dict.fromkeys(names))))
        yield found
    local = both(lambda _: f"{clock(now, zone or policy.zone)} ({zone or policy.zone})")
    left = {channel: why[channel] for channel in channels}
    found, channels = way.through(Reason.QUIET_HOURS, left, _hours([uses[c] for c in channels], policy), local)
    yield found
    return channels


def _each(channels: Sequence[Channel], allowed: Sequence[Channel]) -> Bilingual:
    def say(language: Language) -> str:
        return ", ".join(f"{WORDS[language][c.value]} {flag(c in allowed)[language]}" for c in channels)

    return both(say)


def _hours(uses: Sequence[Use], policy: Policy) -> Bilingual:
    def say(language: Language) -> str:
        words, both_hold = WORDS[language], "且" if language == "zh" else " and "
        return ", ".join(
            f"{words[use.channel.value]} {both_hold.join(map(clock_hours, hours_of(policy, use)))}" for use in uses
        )

    return {"zh": f"允许触达时段：{say('zh')}", "en": f"open hours: {say('en')}"}


def _scores(rule: Rule, scores: Mapping[str, float | None]) -> Iterator[Finding]:
    for asked in rule.who.scores():
        found = scores.get(asked.model)
        enough = found is not None and found >= asked.at_least
        read = bilingual("模型未给出", "no word from the model") if found is None else read_of(asked, found)
        yield Finding(Reason.SCORE_TOO_LOW, enough, both(asked.said), read)
