"""The vocabulary's laws: names, money, permissions, recent events, apps, and what a record may hold."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from kairos import customer, decisions, events, examples, ids, offers, permissions, reservations
from kairos.apps import Apps, AppsFile
from kairos.decisions import Reason
from kairos.events import Consent, Profile
from kairos.instants import DAY, Millis, from_rfc3339, moment, rfc3339
from kairos.money import Money, exponent, parse
from kairos.offers import Channel, CouponPool, Offer, Text, Written
from kairos.permissions import Permission, permitted

AT = datetime(2026, 12, 1, 4, tzinfo=UTC)
currencies = st.sampled_from(["CNY", "USD", "JPY", "KRW", "KWD", "BHD"])
names = st.text(min_size=1)
NO_AMOUNTS = (
    *("", "thirty", "NaN", "Infinity", "1E+999999999", "1e3", "1_000", "1,000", "３０", "30.", ".5", "+5", "30 yuan"),
    *("30CNY", "30 CNY 5", "1234567890123456", "0x10", "--5", "5-"),
)


class TestNames:
    @given(st.lists(st.tuples(st.text(), st.text()), unique=True, max_size=20))
    def test_different_causes_have_different_names(self, causes: list[tuple[str, str]]) -> None:
        for name in (ids.event_id, ids.offer_id):
            assert len({name(*cause) for cause in causes}) == len(causes)

    @given(st.text(), st.text(), st.text())
    def test_the_same_cause_has_the_same_name_and_each_kind_its_own(self, one: str, two: str, three: str) -> None:
        decided = ids.decision_id(one, two, three)

        assert decided == ids.decision_id(one, two, three)
        assert decided not in {ids.event_id(one, two), ids.offer_id(one, two)}

    def test_where_a_part_ends_makes_a_difference(self) -> None:
        assert ids.event_id("ab", "c") != ids.event_id("a", "bc")

    def test_the_names_are_a_contract(self) -> None:
        # As `printf '5:offer2:d12:r1' | b2sum -l 128` has them.
        assert ids.decision_id("c1", "e1", "b1") == "ef6f5c24a53e8291acc63d984e35382f"
        assert ids.offer_id("d1", "r1") == "b3302743bb6dd2ec9feeedc01d12c467"
        # As `printf logins | b2sum -l 48 | xxd -r -p | base64` has it.
        assert ids.memory_id("logins") == "fI2wNc4J"

    @given(st.text(), st.text())
    def test_a_share_is_at_least_nothing_and_less_than_all(self, salt: str, who: str) -> None:
        assert 0.0 <= ids.share(salt, who) < 1.0

    def test_two_experiments_split_the_same_customers_independently(self) -> None:
        split = [(ids.share("a", f"c{n}") < 0.5, ids.share("b", f"c{n}") < 0.5) for n in range(4_000)]

        for half in [(False, False), (False, True), (True, False), (True, True)]:
            assert 900 < split.count(half) < 1_100


class TestInstants:
    @given(st.integers(0, 4_102_444_800_000))
    def test_an_instant_is_read_as_it_was_written(self, instant: Millis) -> None:
        assert from_rfc3339(rfc3339(instant)) == instant
        assert round(moment(instant).timestamp() * 1000) == instant


class TestMoney:
    @given(st.integers(-(10**15) + 1, 10**15 - 1), currencies)
    def test_what_is_written_is_read_to_the_last_unit(self, minor: int, currency: str) -> None:
        money = Money(minor, currency)

        assert parse(str(money), "EUR") == money

    @given(st.integers(0, 10**15 - 1), st.integers(0, 999), st.integers(0, 3), currencies)
    def test_a_decimal_is_read_exactly_or_refused(self, whole: int, part: int, places: int, currency: str) -> None:
        text = f"{whole}.{part:03}"[: len(f"{whole}.") + places] if places else str(whole)
        with localcontext(prec=60):
            exact = Decimal(text) * 10 ** exponent(currency)

            if exact == int(exact):
                assert parse(text, currency) == Money(int(exact), currency)
            else:
                with pytest.raises(ValueError, match="finer than the smallest unit"):
                    parse(text, currency)

    @given(st.integers(-(10**30), 10**30), currencies)
    def test_the_decimals_are_the_currency_s(self, minor: int, currency: str) -> None:
        number, _, unit = str(Money(minor, currency)).partition(" ")

        with localcontext(prec=60):
            assert Decimal(number).scaleb(exponent(currency)) == minor
        assert unit == currency
        assert len(number.partition(".")[2]) == exponent(currency)

    @pytest.mark.parametrize("text", NO_AMOUNTS)
    def test_what_is_no_amount_is_refused_in_words(self, text: str) -> None:
        with pytest.raises(ValueError, match="is no amount"):
            parse(text, "CNY")

    @given(st.text())
    def test_any_text_is_an_amount_or_refused(self, text: str) -> None:
        with suppress(ValueError):
            parse(text, "CNY")


consents = st.builds(
    Consent,
    purpose=st.sampled_from(["*", "marketing", "service"]),
    channel=st.sampled_from(["*", "sms", "push"]),
    granted=st.booleans(),
    at=st.integers(0, 3).map(lambda days: AT + timedelta(days=days)),
)


def by_hand(words: list[Consent], purpose: str, channel: str) -> bool:
    """Say it in plain loops: of the newest words that cover it there is one, and none of them is a no."""
    covering = [w for w in words if w.purpose in {"*", purpose} and w.channel in {"*", channel}]
    newest = [w for w in covering if all(w.at >= other.at for other in covering)]
    return bool(newest) and all(w.granted for w in newest)


class TestPermissions:
    @given(st.lists(consents, max_size=6))
    def test_the_newest_word_wins_and_a_refusal_wins_ties(self, words: list[Consent]) -> None:
        for purpose in ("marketing", "service"):
            for channel in ("sms", "push"):
                assert permitted(tuple(words), purpose, channel) == by_hand(words, purpose, channel)

    @given(st.lists(consents, max_size=6), st.randoms(use_true_random=False))
    def test_the_order_in_which_it_was_said_down_does_not_matter(self, words: list[Consent], chance: object) -> None:
        assert permitted(tuple(words), "marketing", "sms") == permitted(tuple(reversed(words)), "marketing", "sms")

    @given(st.lists(consents, max_size=6), st.sampled_from(["*", "sms"]), st.sampled_from(["*", "marketing"]))
    def test_who_opts_out_last_is_left_alone(self, words: list[Consent], channel: str, purpose: str) -> None:
        last = Consent(purpose=purpose, channel=channel, granted=False, at=AT + timedelta(days=3))

        assert not permitted((*words, last), "marketing", "sms")

    def test_unknown_is_no(self) -> None:
        assert not permitted((), "marketing", "sms")
        assert Permission(customer="c1", at=AT).refusal("marketing", "sms", 0) is Reason.NO_CONSENT
        assert not Profile().personalisation

    def test_do_not_contact_and_the_end_of_a_permission_stand_above_consent(self) -> None:
        given_ = (Consent(purpose="*", channel="*", granted=True, at=AT),)
        end = AT + timedelta(days=1)
        now = int(AT.timestamp() * 1000)

        may = Permission(customer="c", consent=given_, at=AT, until=end)
        assert may.refusal("m", "sms", now + DAY - 1) is None
        assert may.refusal("m", "sms", now + DAY) is Reason.NO_PERMISSION
        never = may.model_copy(update={"do_not_contact": True})
        assert never.refusal("m", "sms", now) is Reason.DO_NOT_CONTACT

    def test_who_does_not_agree_to_personalisation_is_refused_and_an_older_record_says_nothing_of_it(self) -> None:
        given_ = (Consent(purpose="*", channel="*", granted=True, at=AT),)
        older = Permission(customer="c", consent=given_, at=AT).model_dump_json(exclude={"personalisation"})

        disagrees = Permission(customer="c", consent=given_, at=AT, personalisation=False)

        assert disagrees.refusal("m", "sms", 0) is Reason.NO_PERSONALISATION
        assert Permission.model_validate_json(older).refusal("m", "sms", 0) is None


class TestApps:
    FILE = AppsFile(classes=("food_delivery", "travel"), apps={"meituan": "food_delivery", "ctrip": "travel"})

    def test_a_use_leaves_the_tag_of_the_class_and_the_app_s_own(self) -> None:
        apps = Apps.of(self.FILE)

        assert apps.tags_of("meituan", "food_delivery") == (0, 2)
        assert apps.tags_of("ctrip", "travel") == (1, 3)
        assert apps.tags_of("unheard-of", "travel") == (1,)
        assert apps.tags_of("unheard-of", "unheard-of") == apps.tags_of("unheard-of", None) == ()

    def test_what_is_appended_moves_no_app_s_tag(self) -> None:
        longer = AppsFile(classes=self.FILE.classes, apps={**self.FILE.apps, "keeta": "food_delivery"})

        before, after = Apps.of(self.FILE), Apps.of(longer)

        for app, class_ in self.FILE.apps.items():
            assert after.tags_of(app, class_) == before.tags_of(app, class_)

    def test_an_app_of_an_unknown_class_is_refused(self) -> None:
        with pytest.raises(ValueError, match="'games', which is not listed"):
            Apps.of(AppsFile(classes=("food_delivery",), apps={"go": "games"}))

    def test_more_tags_than_there_is_room_for_are_refused(self) -> None:
        with pytest.raises(ValueError, match="65,536"):
            Apps.of(AppsFile(classes=("c",), apps={f"a{number}": "c" for number in range(65_536)}))


def records(base: type[BaseModel]) -> list[type[BaseModel]]:
    below = [model for child in base.__subclasses__() for model in (child, *records(child))]
    return [model for model in below if model.__module__.startswith("kairos.")]


class TestRecords:
    @pytest.mark.parametrize("model", records(Written))
    def test_what_we_write_is_frozen_and_declared(self, model: type[BaseModel]) -> None:
        assert (model.model_config["frozen"], model.model_config["extra"]) == (True, "forbid")

    @pytest.mark.parametrize("model", records(events._Incoming))
    def test_what_we_read_is_frozen_and_may_carry_more(self, model: type[BaseModel]) -> None:
        assert (model.model_config["frozen"], model.model_config["extra"]) == (True, "ignore")

    def test_every_record_is_one_or_the_other(self) -> None:
        known = {*records(Written), *records(events._Incoming)}
        for module in (decisions, events, examples, offers, permissions, reservations):
            found = {v for v in vars(module).values() if isinstance(v, type) and issubclass(v, BaseModel)}
            assert found - known <= {BaseModel, Written, events._Incoming}

    def test_an_offer_with_a_field_that_nobody_declared_is_refused(self) -> None:
        offer = an_offer()

        with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
            Offer.model_validate({**offer.model_dump(), "phone": "13800138000"})

    def test_an_offer_cannot_be_changed(self) -> None:
        offer = an_offer()

        with pytest.raises(ValidationError, match="frozen"):
            offer.customer = "c2"  # type: ignore[misc]  # that is what is tried

    def test_an_offer_is_read_as_it_was_written(self) -> None:
        assert Offer.model_validate_json(an_offer().model_dump_json()) == an_offer()

    def test_a_pool_ends_after_it_begins(self) -> None:
        with pytest.raises(ValidationError, match="valid_until must be later"):
            CouponPool(pool="p", programme="g", merchant="m", value=1, count=1, valid_from=AT, valid_until=AT)

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-1e999", "1" + "0" * 400])
    def test_an_attribute_is_a_number_that_a_model_can_take(self, number: str) -> None:
        with pytest.raises(ValidationError):
            Profile.model_validate_json(f'{{"attrs": {{"balance": {number}}}}}')

    def test_an_attribute_keeps_its_kind(self) -> None:
        found = Profile.model_validate_json('{"attrs": {"a": 1, "b": 1.5, "c": true, "d": "1"}}').attrs

        assert {name: type(value) for name, value in found.items()} == {"a": int, "b": float, "c": bool, "d": str}

    @given(st.dictionaries(names, st.binary()), st.binary())
    def test_a_customer_is_read_as_written(self, rings: dict[str, bytes], tags: bytes) -> None:
        one = customer.Customer(tags=tags, remembered=rings, spending={"food": customer.Spending(1, 2, 3)})

        assert customer.unpack(customer.pack(one)) == one


def an_offer() -> Offer:
    return Offer(
        id="o1",
        decision="d1",
        customer="客户7",
        programme="takeaway",
        rule="takeaway-first",
        channel=Channel.SMS,
        purpose="marketing",
        template="t1",
        text=Text(zh="立减 5 元", en="5 off"),
        decided_at=AT,
        expires_at=AT + timedelta(hours=2),
    )
