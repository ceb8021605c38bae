"""What people get told: every slip at once, with its place and a suggestion, and never a crash."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.offers import CouponPool
from rules.book import load
from rules.known import Known
from rules.yaml_reader import LARGEST, read
from tests.rules_strategies import unhurried

GOOD = """\
format: 1
zone: Asia/Shanghai
currency: CNY
rules:
  - id: lunch
    name: 午餐外卖券
    scenario: acquisition
    programme: takeaway
    valid: {from: 2026-12-01, until: 2027-02-28}
    on: {event: app_usage, where: {app_class: food_delivery}}
    who: {all: [{attr: {age: {at_least: 22}}}, {not: {tag: vip}}]}
    when: {all: [{count: {same_as: on, within: 7d, at_least: 3}}]}
    then:
      offer: {pool: soup-5}
      channels: [sms, push]
      template: lunch
      text: {zh: 午餐券, en: Lunch coupon}
      expires: 2h
    limits: {cooldown: 14d}
    experiment: {control: 10%}
    tests:
      - name: one order
        events:
          - {at: 2026-12-07 12:05, event: app_usage, app_class: food_delivery}
        fires: []
"""
POOL = CouponPool(pool="soup-5", programme="takeaway", merchant="m", value=500, count=1)
KNOWN = Known.of([POOL])
NO_CONSENT = (
    "looks like consent, which no rule may decide: it is a gate that every offer passes, "
    "by the rule's purpose and channels"
)

SLIPS = [
    (
        "app_class: food_delivery}}",
        "app_clas: x}}",
        "10:36: event app_usage has no field 'app_clas'; did you mean 'app_class'?",
    ),
    (
        "app_class: food_delivery}}",
        "app_class: {}}}",
        "10:47: nothing is asked here; write a value, a list of values, or not, exists",
    ),
    ("app_class: food_delivery}}", "seconds: long}}", "10:45: expected a number, got 'long'"),
    (
        "app_class: food_delivery}}",
        "app_class: {at_least: 3}}}",
        "10:48: unknown key 'at_least'; it is one of: any_of, exists, not",
    ),
    (
        "app_class: food_delivery}}",
        "app_class: {not: true}}}",
        "10:53: expected a word, got true; put it in quotes if it is a name",
    ),
    (
        "app_usage, where: {app_class: food_delivery}}",
        "transaction, where: {amount: {at_least: 30, below: 9 JPY}}}",
        "10:46: one condition speaks of one currency, here of CNY and JPY",
    ),
    (
        "app_usage, where: {app_class: food_delivery}}",
        "transaction, where: {amount: 0.005}}",
        "10:46: '0.005' is finer than the smallest unit of CNY",
    ),
    (
        "app_usage, where: {app_class: food_delivery}}",
        "transaction, where: {amount: a lot}}",
        "10:46: expected an amount such as 30, 30.50 or 12000 JPY, got 'a lot'",
    ),
    (
        "app_usage, where: {app_class: food_delivery}}",
        "transaction, where: {direction: debt}}",
        "10:49: 'debt' is not known here; did you mean 'debit'?",
    ),
    (
        "event: app_usage, where",
        "event: app_usge, where",
        "10:17: 'app_usge' is not known here; did you mean 'app_usage'?",
    ),
    ("within: 7d", "within: 1w", "12:48: expected a length of time such as 30m, 2h or 7d, got '1w'"),
    ("within: 7d", "within: 500d", "12:48: expected a length of time between 1s and 400d"),
    (
        "at_least: 3}",
        "at_least: 3, atmost: 5}",
        "12:65: unknown key 'atmost'; did you mean 'at_most'?",
    ),
    ("at_least: 3}", "at_least: true}", "12:62: expected a whole number"),
    ("at_least: 3}", "at_least: 65}", "12:62: should be less than or equal to 64"),
    ("same_as: on,", "same_as: on, event: login,", "12:26: give either event or same_as: on"),
    (
        "same_as: on,",
        "same_as: on, where: {app: a},",
        "12:47: same_as: on takes the trigger's own conditions; leave where out",
    ),
    ("count", "cuont", "12:19: unknown key 'cuont'; did you mean 'count'?"),
    (
        "{count: {same_as: on, within: 7d, at_least: 3}}",
        "{last_seen: {event: login}}",
        "12:30: give either at_least (so long ago, or never) or within (not longer ago)",
    ),
    (
        "{count: {same_as: on, within: 7d, at_least: 3}}",
        "{}",
        "12:18: give one of all, any, not, count, last_seen, first, sum, avg, min, max, distinct, sequence, absent; "
        "a second condition is a second item of the list",
    ),
    ("tag: vip", "tag: consent_sms", "11:60: 'consent_sms' " + NO_CONSENT),
    ("age: {at_least: 22}", "consent: true", "11:25: 'consent' " + NO_CONSENT),
    ("not: {tag: vip}", "not: {tg: vip}", "11:55: unknown key 'tg'; did you mean 'tag'?"),
    ("{at_least: 22}", "{at_leest: 22}", "11:31: unknown key 'at_leest'; did you mean 'at_least'?"),
    (
        "scenario: acquisition",
        "scenario: aquisition",
        "7:15: 'aquisition' is not known here; did you mean 'acquisition'?",
    ),
    ("sms, push", "sms, pussh", "15:23: 'pussh' is not known here; did you mean 'push'?"),
    ("sms, push", "sms, sms", "15:17: each is named once"),
    (
        "      text: {zh: 午餐券, en: Lunch coupon}\n",
        "",
        "14:7: say text:, or with: and where a template's values come from",
    ),
    ("zh: 午餐券, ", "", "17:13: the key 'zh' is missing"),
    ("{pool: soup-5}", "{}", "14:14: give a product, a pool, or both"),
    ("pool: soup-5", "pool: soup-6", "14:21: there is no pool 'soup-6'; did you mean 'soup-5'?"),
    (
        "programme: takeaway",
        "programme: lunch",
        "14:21: the pool 'soup-5' belongs to the programme 'takeaway', the rule to 'lunch'",
    ),
    ("control: 10%", "control: 10", "20:27: expected a share such as 10%, got 10"),
    ("control: 10%", "control: -10%", "20:27: expected a share such as 10%, got '-10%'"),
    ("cooldown: 14d", "cooldown: -14d", "19:24: expected a length of time such as 30m, 2h or 7d, got '-14d'"),
    ("{cooldown: 14d}", "{cooldown: 14d, per_customer: -1}", "19:43: should be greater than or equal to 1"),
    ("control: 10%", "control: 95%", "20:27: should be less than or equal to 0.9"),
    ("from: 2026-12-01", "from: 2026-13-01", "9:19: expected a day such as 2026-12-01, got '2026-13-01'"),
    ("from: 2026-12-01", "from: 2027-12-01", "9:12: until must not be before from"),
    (
        "id: lunch",
        "id: Lunch",
        "5:9: expected a name of lower case letters, digits, dots, dashes and underscores, got 'Lunch'",
    ),
    (
        "Asia/Shanghai",
        "Asia/Shangai",
        "2:7: expected a time zone such as Asia/Shanghai, got 'Asia/Shangai'; did you mean 'Asia/Shanghai'?",
    ),
    ("CNY", "yuan", "3:11: expected a currency such as CNY, got 'yuan'"),
    ("format: 1", "format: true", "1:9: the format is the whole number 1, not true"),
    ("format: 1", "format: 1.0", "1:9: the format is the whole number 1, not 1.0"),
    ("format: 1", "format: '1'", "1:9: the format is the whole number 1, not '1'"),
    ("format: 1", "format: 2", "1:9: 2 is not known here; it is one of: 1"),
    (
        "    programme: takeaway\n",
        "    programme: takeaway\n    programme: other\n",
        "9:5: the key 'programme' stands here a second time",
    ),
    (
        "    name: 午餐外卖券\n",
        "    name: *anchor\n",
        "6:11: aliases such as *anchor are not read; write the value again",
    ),
    (
        "    name: 午餐外卖券\n",
        "    name: !!python/object x\n",
        "6:11: tags such as tag:yaml.org,2002:python/object are not read",
    ),
    (
        "app_class: food_delivery}\n",
        "app_clss: food_delivery}\n",
        "24:64: event app_usage has no field 'app_clss'; did you mean 'app_class'?",
    ),
    ("2026-12-07 12:05", "noon", "24:18: expected a local time such as \"2026-12-01 12:05\", got 'noon'"),
    ("rules:\n", "rules: [\n", "5:3: not YAML: did not find expected node content"),
]


def said(text: str) -> list[str]:
    return [str(problem) for problem in load({"f": text}, KNOWN).problems]


def test_the_good_file_has_no_problems() -> None:
    assert said(GOOD) == []


@pytest.mark.parametrize(("right", "wrong", "expected"), SLIPS, ids=[slip[1][:40].strip() for slip in SLIPS])
def test_a_slip_is_told_with_its_place(right: str, wrong: str, expected: str) -> None:
    assert right in GOOD

    found = said(GOOD.replace(right, wrong, 1))

    assert f"f:{expected}" in found


def test_all_slips_are_told_at_once_in_the_order_of_their_places() -> None:
    text = GOOD.replace("7d", "1w").replace("sms, push", "fax").replace("soup-5", "soup-6").replace("10%", "ten")

    assert said(text) == [
        "f:12:48: expected a length of time such as 30m, 2h or 7d, got '1w'",
        "f:14:21: there is no pool 'soup-6'; did you mean 'soup-5'?",
        "f:15:18: 'fax' is not known here; it is one of: list, push, sms",
        "f:20:27: expected a share such as 10%, got 'ten'",
    ]


def test_an_id_is_taken_once_over_all_files() -> None:
    problems = load({"a.yaml": GOOD, "b.yaml": GOOD}).problems

    assert [str(problem) for problem in problems] == ["b.yaml:5:9: the id 'lunch' is already taken at a.yaml:5"]


def test_pools_are_checked_only_when_they_are_known() -> None:
    assert load({"f": GOOD.replace("soup-5", "soup-6")}).problems == ()


def test_what_authors_write_stays_what_they_wrote() -> None:
    tree, problems = read(
        "f", "{on: NO, a: 12:30, b: 010, c: 2026-12-01, d: yes, e: 1_000, f: 0x1F, g: .5, h: ~, i: '1'}"
    )

    assert problems == ()
    assert tree is not None
    assert tree.value == {
        "on": "NO", "a": "12:30", "b": "010", "c": "2026-12-01", "d": "yes",
        "e": "1_000", "f": "0x1F", "g": ".5", "h": None, "i": "1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"\xff\x00", "not UTF-8"),
        ("a" * (LARGEST + 1), "more than 1000000 bytes, which is all that is read"),
        ("[" * 5000, "more than 40 levels deep"),
        ("- 1\n---\n- 2", "a second document begins here"),
        ("a: &x [1]\nb: *x", "aliases such as *x are not read"),
        ("{[a]: 1}", "a key must be a word"),
        ("a\x00b", "1:2: the character U+0000 is not seen"),
        ("", "expected keys and values"),
        ("- 1", "expected keys and values"),
        ("format: 1\nzone: UTC\ncurrency: CNY\nrules: {}", "expected a list"),
        ("format: 1\nzone: UTC\ncurrency: CNY\nrules: [3]", "expected keys and values"),
        ("format: 1\nzone: UTC\ncurrency: CNY\nrules:", "expected a list"),
    ],
)
def test_a_file_that_is_none_gets_a_sentence(text: str | bytes, expected: str) -> None:
    loaded = load({"f": text})

    assert loaded.book is None
    assert expected in str(loaded.problems[0])


@unhurried
@given(st.text(max_size=200) | st.binary(max_size=200))
def test_no_text_makes_the_checker_stumble(text: str | bytes) -> None:
    load({"f": text})


@unhurried
@given(st.data())
def test_no_damage_to_a_file_makes_the_checker_stumble(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, min(len(GOOD), start + 30)))
    patch = data.draw(
        st.text(string.printable, max_size=10) | st.sampled_from(["{}", "[]", "null", "true", ": ", "- ", "99"])
    )

    loaded = load({"f": GOOD[:start] + patch + GOOD[end:]}, KNOWN)

    assert (loaded.book is None) == bool(loaded.problems)
    assert all(problem.line >= 1 and problem.column >= 1 and problem.what for problem in loaded.problems)
