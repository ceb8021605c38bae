"""Arms: who is left alone, by whose word, and who gets the offer in which form."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.decisions import Arm
from rules.arms import Drawn, drawn
from rules.book import load
from rules.policy import Policy
from rules.schema import Rule
from tests.customer_table import Table, versions
from tests.rules_strategies import book_of, unhurried, written
from tests.test_rules_match import rule

customers = st.text(min_size=1, max_size=20)
PEOPLE = [f"c{number}" for number in range(4000)]


def one(**experiment: Any) -> Rule:
    (found,) = book_of(rule(experiment=experiment)).rules.values()
    return found


def policy(purposes: Any = None, **control: Any) -> Policy:
    said = {"format": 1, "zone": "UTC", "control": control, "purposes": purposes or {}}
    return Policy.model_validate(said)


def form(name: str, share: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "share": share, "template": name, **more}


def alone(rule: Rule, said: Policy | None = None) -> set[str]:
    return {who for who in PEOPLE if drawn(rule, who, said or Policy.default()).arm is Arm.CONTROL}


def treated(rule: Rule) -> dict[str, str | None]:
    return {who: drawn(rule, who, Policy.default()).treatment for who in PEOPLE}


def test_the_widest_control_group_is_told() -> None:
    house = policy(everywhere="50%", programmes={"p": "50%"})
    found = {who: drawn(one(control="75%"), who, house) for who in PEOPLE}
    share = {name: sum(d.control == name for d in found.values()) / len(PEOPLE) for name in ("everywhere", "programme")}

    assert share == {"everywhere": pytest.approx(0.5, abs=0.03), "programme": pytest.approx(0.25, abs=0.03)}
    # What the rule alone leaves alone is what its share has beyond the programme's: the salts are one.
    assert sum(d.control == "rule" for d in found.values()) / len(PEOPLE) == pytest.approx(0.125, abs=0.03)
    assert all((d.arm is Arm.CONTROL) == (d.control is not None) for d in found.values())


def test_a_programme_and_its_rules_draw_alike_and_everywhere_draws_apart() -> None:
    small, large = alone(one(control="10%")), alone(one(control="20%"))

    assert alone(one(), policy(programmes={"p": "10%"})) == small < large
    assert alone(one(control="20%"), policy(programmes={"p": "10%"})) == large
    assert alone(one(), policy(programmes={"other": "90%"})) == set()
    apart = alone(one(), policy(everywhere="20%"))
    assert len(apart & large) / len(PEOPLE) == pytest.approx(0.04, abs=0.015)
    assert alone(one(), policy(everywhere="20%", salt="p")) != large
    assert alone(one(), policy(everywhere="20%", salt="p")) != apart


@unhurried
@given(customers, st.floats(0, 0.9), st.floats(0, 0.9))
def test_a_larger_share_keeps_the_customers_of_a_smaller_one(customer: str, one_: float, other: float) -> None:
    small, large = sorted((one_, other))
    for said in ("everywhere", "programmes"):
        shares = (
            {"everywhere": share} if said == "everywhere" else {"programmes": {"p": share}} for share in (small, large)
        )
        less, more = (drawn(one(), customer, policy(**share)).arm for share in shares)

        assert less is Arm.TREATMENT or more is Arm.CONTROL


def test_what_the_bank_owes_the_customer_is_not_withheld_and_the_record_says_so() -> None:
    owed = {"service": {"bypass": ["control"], "because": "contract"}}
    house = policy(owed, everywhere="90%")
    (service,) = book_of(rule(purpose="service", experiment={"control": "50%"})).rules.values()
    found = {who: drawn(service, who, house) for who in PEOPLE}

    # The rule's own control group is its author's, and stays.
    assert alone(service, house) == alone(one(control="50%"))
    assert {d.control for d in found.values()} == {None, "rule"}
    assert sum(d.spared for d in found.values()) / len(PEOPLE) == pytest.approx(0.45, abs=0.03)
    assert not any(d.spared for d in found.values() if d.arm is Arm.CONTROL)


def test_treatments_have_the_shares_they_were_given_in_both_arms() -> None:
    split = one(control="50%", treatments=[form("warm", "50%"), form("bold", "30%")])
    found = [drawn(split, who, Policy.default()) for who in PEOPLE]

    for arm in Arm:
        forms = [d.treatment for d in found if d.arm is arm]
        shares = {name: forms.count(name) / len(forms) for name in ("warm", "bold", None)}
        assert shares == {
            "warm": pytest.approx(0.5, abs=0.04),
            "bold": pytest.approx(0.3, abs=0.04),
            None: pytest.approx(0.2, abs=0.04),
        }


def test_a_control_that_grows_and_a_treatment_that_is_added_move_nobody_to_another_form() -> None:
    before = treated(one(control="10%", treatments=[form("warm", "30%"), form("bold", "20%")]))
    grown = treated(one(control="60%", treatments=[form("warm", "30%"), form("bold", "20%")]))
    added = treated(one(treatments=[form("warm", "30%"), form("bold", "25%"), form("third", "40%")]))

    assert grown == before
    assert {was for who, was in before.items() if was != added[who]} == {None}


def test_a_treatment_changes_what_it_says_and_nothing_else() -> None:
    text = {"zh": "大胆", "en": "Bold"}
    split = one(treatments=[form("bold", "90%", offer={"product": "fund"}, channels=["push"], text=text)])
    found = next(d for who in PEOPLE if (d := drawn(split, who, Policy.default())).treatment == "bold").form(split)

    then = found.then.model_dump()
    usual = split.then.model_dump()
    assert {key: then[key] for key in usual if then[key] != usual[key]} == {
        "offer": {"product": "fund", "pool": None},
        "channels": ("push",),
        "template": "bold",
        "text": text,
    }
    assert found.model_copy(update={"then": split.then}) == split
    assert drawn(one(), "c", Policy.default()) == Drawn(Arm.TREATMENT)


@pytest.mark.parametrize(
    ("treatments", "told"),
    [
        (
            [form("control", "10%")],
            "'control' is what the house calls everybody's arm; give the treatment a name of its own",
        ),
        ([form("a", "10%"), form("a", "10%")], "the treatment 'a' is already there"),
        ([form("a", "60%"), form("b", "60%")], "the treatments together have more than 100% of the customers"),
        (
            [{"name": "a", "share": "10%"}],
            "says what is different: offer, channels, template, text or with",
        ),
        ([form("a", "95%")], "should be less than or equal to 0.9"),
        ([form("a", "-1%")], "expected a share such as 10%, got '-1%'"),
        ([form("a", "10%", tekst={})], "unknown key 'tekst'; did you mean 'text'?"),
        ([form("a", "10%", channels=["sms", "sms"])], "each is named once"),
        ([], "there must be something here"),
    ],
)
def test_a_slip_in_an_experiment_is_told(treatments: Any, told: str) -> None:
    problems = load({"r.yaml": written(rule(experiment={"treatments": treatments}))}).problems

    assert [told in problem.what for problem in problems] == [True], problems


@pytest.mark.parametrize("key", ["c" * 1024, "客" * 341 + "x", " :/\\'\""])
def test_a_key_of_any_length_and_letters_is_drawn_decided_on_and_answered(key: str) -> None:
    table = Table(versions(control="50%", policy={"control": {"everywhere": "10%"}}))

    table.hear(table.profile(key))
    asked, written_ = table.ask(table.pays(key))

    (decision,) = asked.decisions
    assert decision["customer"] == key
    assert len(decision["id"]) == 32
    rule_ = table.versions.book.rules["cafe"]
    assert {verdict["arm"] for verdict in decision["verdicts"]} == {drawn(rule_, key, table.versions.policy).arm}
    assert (decision["state"], len(written_.offers)) in (("offered", 1), ("withheld", 0))


def test_three_thirds_are_a_whole() -> None:
    names = ("a", "b", "c")

    assert one(treatments=[form(name, "33.333333%") for name in names]).experiment.treatments is not None
    assert {*treated(one(treatments=[form(name, "33.333333%") for name in names])).values()} == {*names}


def test_a_rule_that_says_nothing_of_treatments_is_published_as_before() -> None:
    book = book_of(rule(experiment={"control": "10%"}))

    assert b'"experiment":{"control":0.1}' in book.content
    assert b"treatments" not in book.content
