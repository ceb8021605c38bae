"""The shipped examples: clean, tested, sent as a bank would send them, and told in their page as they are."""

import re
from collections import Counter
from pathlib import Path

import pytest

from console.checking import Checked, check_files
from kairos.instants import DAY, MINUTE, from_rfc3339
from kairos.offers import Channel, CouponPool, Text
from rules.arms import forms
from rules.asked import Words
from rules.cases import run
from rules.known import load_names
from rules.pools import load_pools
from rules.schema import Rule, Scenario
from rules.sentence import sentence
from rules.template_checks import load_templates
from rules.template_preview import previews

EXAMPLES = Path(__file__).parent.parent / "examples"
RECORDED = EXAMPLES / "recorded"
FOLDERS = (EXAMPLES, EXAMPLES / "demo", RECORDED)
MERCHANTS = {"waimai-a", "waimai-b", "waimai-c", "chuxing-a", "lvxing-a"}
FACE_VALUE = 17_690_000
"""Yuan, of all coupons together, at no cost to the bank."""
ONE_SMS = 70
"""How many characters one SMS holds in Chinese."""


def pools_of(folder: Path) -> Path:
    """The recorded customers are won with the coupons of the whole bank."""
    return (EXAMPLES if folder == RECORDED else folder) / "pools.yaml"


def checked(folder: Path) -> Checked:
    named = {"policy": folder / "policy.yaml", "pools": pools_of(folder), "apps": EXAMPLES / "apps.json"}
    return check_files(folder / "rules", {**named, "names": EXAMPLES / "names.yaml" if folder == EXAMPLES else None})


def rules_in(folder: Path) -> list[Rule]:
    found = checked(folder)
    assert [str(problem) for problem in found.problems] == []
    assert found.book is not None
    return list(found.book.rules.values())


def pools_in(folder: Path) -> tuple[CouponPool, ...]:
    loaded = load_pools(pools_of(folder).read_bytes())
    assert loaded.problems == ()
    return loaded.pools


RULES = rules_in(EXAMPLES)
FROM_THE_TABLE = [rule for rule in RULES if rule.id.startswith("sleeper-at-")]
WRITTEN_OUT = [rule for rule in RULES if rule not in FROM_THE_TABLE]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_shipped_rule_does_what_its_tests_say_and_there_is_nothing_to_warn_of(folder: Path) -> None:
    found = checked(folder)

    assert [str(problem) for problem in found.problems] == []
    assert [str(warning) for warning in found.warnings(from_rfc3339("2026-12-01T12:00:00+08:00"))] == []
    assert found.book is not None
    assert all(rule.tests for rule in found.book.rules.values())
    assert [str(failure) for failure in run(found.book)] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_coupon_pool_of_the_five_merchants_is_used(folder: Path) -> None:
    pools = pools_in(folder)

    assert {pool.pool for pool in pools} == {rule.then.offer.pool for rule in rules_in(folder)} - {None}
    assert {pool.merchant for pool in pools} == MERCHANTS


def test_every_shipped_rule_can_be_said_in_both_languages() -> None:
    for rule in [*WRITTEN_OUT, *rules_in(EXAMPLES / "demo")]:
        assert sentence(rule, "zh").endswith("\u3002")
        assert rule.then.channels[0].value.casefold() in sentence(rule, "en").casefold()


def test_there_are_rules_of_every_scenario_and_forty_shops_in_a_table() -> None:
    scenarios = Counter(rule.scenario for rule in WRITTEN_OUT)

    assert min(scenarios[scenario] for scenario in Scenario) >= 5
    assert len(WRITTEN_OUT) >= 20
    assert len(FROM_THE_TABLE) == 40
    assert len({rule.then.text.zh for rule in FROM_THE_TABLE if rule.then.text}) > 1


@pytest.mark.parametrize("rule", [*RULES, *rules_in(RECORDED)], ids=lambda rule: rule.id)
def test_a_rule_is_shown_firing_and_shown_silent_with_the_reason(rule: Rule) -> None:
    assert any(case.fires for case in rule.tests)
    assert any(not case.fires for case in rule.tests)
    assert any(case.why_not for case in rule.tests) or rule.absent is not None


@pytest.mark.parametrize("rule", [*RULES, *rules_in(RECORDED)], ids=lambda rule: rule.id)
def test_no_setting_is_for_a_demo(rule: Rule) -> None:
    # What waits for the morning is fresh for a night.
    assert rule.fresh <= (10 * MINUTE if rule.in_quiet_hours == "drop" else DAY)
    assert rule.then.wait >= DAY
    assert 0 < rule.experiment.control <= 0.2
    assert rule.limits.cooldown or rule.limits.per_customer


@pytest.mark.parametrize("rule", [*WRITTEN_OUT, *rules_in(RECORDED)], ids=lambda rule: rule.id)
def test_a_text_that_may_be_an_sms_is_short_and_says_how_to_stop_it(rule: Rule) -> None:
    for channel in rule.then.channels:
        text = rule.then.text or said_by(rule.then.template, channel)
        if Channel.SMS in rule.then.channels and (rule.then.text or channel is Channel.SMS):
            assert "退订" in text.zh
            assert "Reply T to stop" in text.en
            assert len(text.zh) <= ONE_SMS
        for claim in ("保本", "保证", "稳赚", "最高", "最低", "第一", "免费", "必得", "零风险"):
            assert claim not in text.zh
        if "基金" in text.zh or "理财" in text.zh or "定投" in text.zh:
            assert "风险" in text.zh or "投资须谨慎" in text.zh


def said_by(template: str, channel: Channel) -> Text:
    """What a template says with its example values, by every gateway of the channel in one SMS."""
    loaded = load_templates((EXAMPLES / "templates.yaml").read_bytes())
    assert loaded.templates is not None, loaded.problems
    found = {one.language: one for one in previews(loaded.templates, template) if one.channel is channel}
    assert all(one.size is None or one.size.number == 1 for shown in found.values() for one in shown.carried)
    return Text(zh=found["zh"].text, en=found["en"].text)


def test_the_five_merchants_coupons_are_worth_17_69_million_yuan() -> None:
    pools = pools_in(EXAMPLES)
    face = sum(pool.value * pool.count if pool.budget is None else pool.budget for pool in pools)

    assert face == FACE_VALUE * 100
    assert {pool.currency for pool in pools} == {"CNY"}
    assert {pool.programme for pool in pools} == {rule.programme for rule in RULES}


def test_every_product_template_model_and_shop_that_is_listed_is_used() -> None:
    names, problems = load_names((EXAMPLES / "names.yaml").read_bytes())
    assert problems == ()
    assert names is not None

    thens = [form.then for rule in RULES for form in forms(rule)]
    assert set(names.products or ()) == {then.offer.product for then in thens} - {None}
    assert set(names.templates or ()) == {then.template for then in thens}
    assert set(names.models or ()) == {then.objective for then in thens}
    shops = {word for rule in FROM_THE_TABLE for word in asked_for(rule, "merchant")}
    assert set(names.merchants or ()) == shops | MERCHANTS


def asked_for(rule: Rule, field: str) -> tuple[str, ...]:
    test = rule.on.where[field]
    assert isinstance(test, Words)
    return test.any_of or ()


def test_the_table_in_the_page_of_examples_is_what_the_files_say() -> None:
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `([a-z0-9-]+)` \| ([a-z_]+) \| ", page, re.MULTILINE)

    assert sorted(told) == sorted((rule.id, rule.scenario.value) for rule in WRITTEN_OUT)
    assert f"{len(FROM_THE_TABLE)} rows" in page


def test_the_recorded_customers_meet_all_four_scenarios_with_products_and_templates_that_are_listed() -> None:
    names, _ = load_names((EXAMPLES / "names.yaml").read_bytes())
    assert names is not None

    rules = rules_in(RECORDED)

    assert {rule.scenario for rule in rules} == set(Scenario)
    assert {rule.programme for rule in rules} == {pool.programme for pool in pools_in(RECORDED)}
    assert {rule.then.offer.product for rule in rules} - {None} <= set(names.products or ())
    assert {rule.then.template for rule in rules} <= set(names.templates or ())
