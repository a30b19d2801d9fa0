#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Redeeming as a publisher sees it: what passes, every refusal with its reason and pointer, repeats, releases."""

import copy
import json
import unittest

from redeem_it import Shop, command, fresh, is_redeemed, is_released, order, reasons, redeem, release, validate
from fleet import main

LONG_AGO = "2001-01-01T00:00:00Z"
FAR_OFF = "2101-01-01T00:00:00Z"

shop = None


def setUpModule():
    global shop
    shop = Shop(2)


def tearDownModule():
    shop.close()


class Test(unittest.TestCase):
    def refused(self, commanded, *expected):
        outcome, = shop.ask(commanded)
        self.assertEqual(list(expected), reasons(outcome), outcome)
        return outcome


class Accepted(Test):
    def test_says_what_was_given(self):
        parent = shop.campaign()
        child = shop.campaign(parent=parent)
        coupon = shop.coupon(child, discounts=["d15", "d5"], code_defaults={"max_uses": 3})
        code, = shop.codes(coupon)
        sent = redeem(code.lower().replace("-", " "), order=order(1003), customer={"id": "c"})
        outcome, = shop.ask(sent)
        self.assertTrue(is_redeemed(outcome), outcome)
        self.assertEqual(sent["id"], outcome["causationid"])
        said, = outcome["data"]["codes"]
        self.assertEqual(code.replace("-", "").lower(), said["code"])
        self.assertEqual(coupon, said["coupon"])
        self.assertEqual([parent, child], said["campaign_path"])
        self.assertEqual(1, said["units"])
        self.assertEqual(2, said["uses_left"])
        # 15 % of 10.03 are 1.5045: half a cent and more is rounded up, less down
        self.assertEqual({"currency": "EUR", "total_minor": 650, "items": [
            {"discount": "d15", "minor": 150}, {"discount": "d5", "minor": 500}]}, said["discount"])
        self.assertEqual(650, outcome["data"]["discount_total_minor"])
        self.assertEqual("EUR", outcome["data"]["currency"])
        self.assertEqual(sent["data"]["order"], outcome["data"]["order"])

    def test_time_of_the_outcome_is_the_time_of_the_command(self):
        code, = shop.codes(shop.coupon())
        outcome, = shop.ask(redeem(code))
        at = shop.value(f"select to_char(at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') from redemption "
                        f"where ce_id = '{outcome['causationid']}'")
        self.assertEqual(at, outcome["time"])

    def test_uses_count_down_to_none(self):
        code, = shop.codes(shop.coupon(code_defaults={"max_uses": 2}))
        left = [outcome["data"]["codes"][0]["uses_left"] for outcome in (shop.ask(redeem(code)) + shop.ask(redeem(code)))]
        self.assertEqual([1, 0], left)
        self.refused(redeem(code), ("code_exhausted", "/codes/0"))

    def test_a_question_takes_no_use_and_leaves_no_trace(self):
        code, = shop.codes(shop.coupon(code_defaults={"max_uses": 1, "per_customer": 1}))
        before = shop.dump()
        for asked in (validate(code, customer={"id": "c"}), validate(code, customer={"id": "c"}, order=order(200))):
            outcome, = shop.ask(asked)
            self.assertEqual("promofleet.code.validated.v1", outcome["type"])
            self.assertEqual(0, outcome["data"]["codes"][0]["uses_left"])
        self.assertEqual(30, outcome["data"]["discount_total_minor"])
        self.assertEqual(before, shop.dump())

    def test_limits_count_per_customer_and_in_total(self):
        coupon = shop.coupon(limits={"total": 3, "per_customer": 2}, code_defaults={"max_uses": None})
        code, = shop.codes(coupon)
        ann, bob = {"id": "ann"}, {"id": "bob"}
        outcomes = [shop.ask(redeem(code, customer=who))[0] for who in (ann, ann, ann, bob, bob)]
        self.assertEqual([None, None, [("coupon_customer_limit", "/codes/0")], None, [("coupon_limit", "/codes/0")]],
                         [reasons(outcome) for outcome in outcomes])


class Refused(Test):
    def test_what_is_no_code_leaves_no_trace(self):
        known, = shop.codes(shop.coupon(code_defaults={"max_uses": 9, "per_customer": 1}))
        before = shop.dump()
        source = fresh("stranger")
        who = {"customer": {"id": "c"}}
        self.refused(redeem("nobody", source=source, **who), ("unknown_code", "/codes/0"))
        self.refused(redeem("--", source=source, **who), ("bad_code", "/codes/0"))
        self.refused(redeem("x" * 65, source=source, **who), ("bad_code", "/codes/0"))
        self.refused(redeem("nobody", known, source=source, **who),
                     ("unknown_code", "/codes/0"), ("other_code_refused", "/codes/1"))
        self.refused(redeem(known, known.lower(), source=source, **who),
                     ("other_code_refused", "/codes/0"), ("code_repeated", "/codes/1"))
        self.refused(validate("nobody"), ("unknown_code", "/codes/0"))
        self.assertEqual(before, shop.dump())

    def test_switched_off(self):
        off, = shop.codes(shop.coupon(), active=False)
        self.refused(redeem(off), ("code_inactive", "/codes/0"))
        code, = shop.codes(shop.coupon(active=False))
        self.refused(redeem(code), ("coupon_inactive", "/codes/0"))
        for status in ("draft", "paused"):
            top = shop.campaign()
            code, = shop.codes(shop.coupon(shop.campaign(parent=top)))
            shop.define("campaign", id=top, status=status)
            self.refused(redeem(code), ("campaign_inactive", "/codes/0"))

    def test_an_archived_coupon_whose_discount_is_archived_says_both(self):
        discount = shop.define("discount", id=fresh("d"), kind="percent", percent_bp=100)
        coupon = shop.coupon(discounts=[discount])
        code, = shop.codes(coupon)
        shop.archive("coupon", coupon)
        shop.archive("discount", discount)
        self.refused(redeem(code), ("coupon_inactive", "/codes/0"), ("discount_inactive", "/codes/0"))

    def test_outside_its_windows(self):
        levels = {
            "code": lambda **when: (shop.coupon(), when),
            "coupon": lambda **when: (shop.coupon(**when), {}),
            "campaign": lambda **when: (shop.coupon(shop.campaign(**when)), {}),
            "parent": lambda **when: (shop.coupon(shop.campaign(parent=shop.campaign(**when))), {}),
        }
        for level, make in levels.items():
            with self.subTest(level):
                coupon, when = make(starts_at=FAR_OFF)
                code, = shop.codes(coupon, **when)
                outcome = self.refused(redeem(code), ("not_started", "/codes/0"))
                reason, = outcome["data"]["codes"][0]["reasons"]
                self.assertEqual(FAR_OFF, reason["next_at"])
                answer, = shop.ask(validate(code, as_of=FAR_OFF))
                self.assertEqual("promofleet.code.validated.v1", answer["type"])
                self.refused(validate(code, as_of="2100-12-31T23:59:59.999999Z"), ("not_started", "/codes/0"))
                coupon, when = make(ends_at=LONG_AGO)
                code, = shop.codes(coupon, **when)
                outcome = self.refused(redeem(code), ("expired", "/codes/0"))
                self.assertNotIn("next_at", outcome["data"]["codes"][0]["reasons"][0])
                self.refused(validate(code, as_of=LONG_AGO), ("expired", "/codes/0"))
                answer, = shop.ask(validate(code, as_of="2000-12-31T23:59:59.999999Z"))
                self.assertEqual("promofleet.code.validated.v1", answer["type"])

    def test_money_and_customers(self):
        code, = shop.codes(shop.coupon(discounts=["d5"]))
        self.refused(redeem(code, order=order(currency="USD")), ("currency_mismatch", "/codes/0"))
        for limited in ({"limits": {"per_customer": 1}}, {"code_defaults": {"max_uses": None, "per_customer": 1}}):
            code, = shop.codes(shop.coupon(**limited))
            self.refused(redeem(code), ("customer_required", "/codes/0"))
        code, = shop.codes(shop.coupon(shop.campaign(limits={"per_customer": 1})))
        self.refused(redeem(code), ("customer_required", "/codes/0"))

    def test_limits_of_each_level(self):
        who = {"customer": {"id": "c", "email": "c@example.org"}}
        cases = [
            ("code_exhausted", {}, {"code_defaults": {"max_uses": 1}}),
            ("code_customer_limit", {}, {"code_defaults": {"max_uses": None, "per_customer": 1}}),
            ("coupon_limit", {}, {"limits": {"total": 1}, "code_defaults": {"max_uses": None}}),
            ("coupon_customer_limit", {}, {"limits": {"per_customer": 1}, "code_defaults": {"max_uses": None}}),
            ("campaign_limit", {"limits": {"total": 1}}, {"code_defaults": {"max_uses": None}}),
            ("campaign_customer_limit", {"limits": {"per_customer": 1}}, {"code_defaults": {"max_uses": None}}),
        ]
        for reason, top, coupon in cases:
            with self.subTest(reason):
                leaf = shop.campaign(parent=shop.campaign(**top))
                code, = shop.codes(shop.coupon(leaf, **coupon))
                self.assertTrue(is_redeemed(shop.ask(redeem(code, **who))[0]))
                self.refused(redeem(code, customer={"email": "C@EXAMPLE.ORG"}), (reason, "/codes/0"))

    def test_all_reasons_are_told(self):
        top = shop.campaign(limits={"total": 1})
        coupon = shop.coupon(shop.campaign(parent=top), discounts=["d5"], code_defaults={"max_uses": 1},
                             limits={"per_customer": 1})
        code, = shop.codes(coupon)
        self.assertTrue(is_redeemed(shop.ask(redeem(code, customer={"id": "c"}))[0]))
        shop.define("campaign", id=top, status="paused", limits={"total": 1}, ends_at=LONG_AGO)
        self.refused(redeem(code, customer={"id": "c"}, order=order(currency="USD")),
                     *((reason, "/codes/0") for reason in (
                         "campaign_inactive", "expired", "currency_mismatch", "coupon_customer_limit", "code_exhausted",
                         "campaign_limit")))
        self.assertEqual("1", shop.value(f"select count(*) from redemption where state = 2 and reason = 105 and code = "
                                         f"'{code.replace('-', '').lower()}'"))

    def test_malformed_commands_say_where(self):
        code, = shop.codes(shop.coupon())
        good = redeem(code)["data"]
        for change, expected in [
                (lambda d: d.pop("order"), ("required", "/order")),
                (lambda d: d.update(codes=[]), ("too_few", "/codes")),
                (lambda d: d.update(codes=[code, code]), ("not_distinct", "/codes/1")),
                (lambda d: d.update(codes=[7]), ("wrong_type", "/codes/0")),
                (lambda d: d.update(codes=[f"x{i}" for i in range(31)]), ("too_many", "/codes")),
                (lambda d: d["order"].update(total_minor=-1), ("out_of_range", "/order/total_minor")),
                (lambda d: d["order"].update(total_minor=10**15 + 1), ("out_of_range", "/order/total_minor")),
                (lambda d: d["order"].update(currency="eur"), ("bad_format", "/order/currency")),
                (lambda d: d.update(customer={}), ("required", "/customer/id")),
                (lambda d: d.update(on_refused="drop_refused"), ("bad_value", "/on_refused")),
                (lambda d: d.update(as_of=LONG_AGO), ("unknown_field", "/as_of")),
                (lambda d: d.update(surprise=1), ("unknown_field", "/surprise"))]:
            data = copy.deepcopy(good)
            change(data)
            with self.subTest(json.dumps(data)[:80]):
                self.refused(command("promofleet.code.redeem.v1", data, source="shop"), expected)
        self.assertTrue(is_redeemed(shop.ask(redeem(code))[0]))


class Repeated(Test):
    def test_a_repeat_is_told_what_was_said(self):
        code, = shop.codes(shop.coupon())
        sent = redeem(code)
        first, = shop.ask(sent)
        before = shop.dump()
        again, = shop.ask(sent)
        self.assertEqual((first["id"], first["type"], first["time"], first["data"]),
                         (again["id"], again["type"], again["time"], again["data"]))
        self.assertEqual(before, shop.dump())
        events, = shop.outcomes_of([sent]).values()
        self.assertEqual([False, True], ["ce_repeated" in event["headers"] for event in events])

    def test_a_refusal_is_repeated_although_it_would_pass_by_now(self):
        coupon = shop.coupon(active=False)
        code, = shop.codes(coupon)
        sent = redeem(code)
        first, = shop.ask(sent)
        shop.define("coupon", id=coupon, campaign="free", discounts=["d15"])
        again, = shop.ask(sent)
        self.assertEqual([("coupon_inactive", "/codes/0")], reasons(first))
        self.assertEqual((first["id"], first["data"]), (again["id"], again["data"]))
        self.assertTrue(is_redeemed(shop.ask(redeem(code))[0]))

    def test_an_id_is_not_used_for_something_else(self):
        code, other = shop.codes(shop.coupon(), 2)
        sent = redeem(code)
        shop.ask(sent)
        changed = redeem(other, id_=sent["id"])
        self.refused(changed, ("command_id_reused", None))
        self.refused(redeem("nobody", id_=sent["id"]), ("command_id_reused", None))
        self.refused(release(sent, id_=sent["id"]), ("command_id_reused", None))
        self.assertTrue(is_redeemed(shop.ask(redeem(other, id_=sent["id"], source="till"))[0]))


class Released(Test):
    def test_gives_back_everything_once(self):
        coupon = shop.coupon(shop.campaign(limits={"total": 1}), limits={"per_customer": 1})
        code, = shop.codes(coupon, per_customer=1)
        who = {"customer": {"id": "c", "email": "c@example.org"}}
        sent = redeem(code, **who)
        self.assertTrue(is_redeemed(shop.ask(sent)[0]))
        given_back = release(sent)
        outcome, = shop.ask(given_back)
        self.assertTrue(is_released(outcome), outcome)
        self.assertEqual("o", outcome["data"]["order_id"])
        self.assertEqual(1, outcome["data"]["codes"][0]["units"])
        again, = shop.ask(given_back)
        self.assertEqual((outcome["id"], outcome["data"]), (again["id"], again["data"]))
        self.refused(release(sent), ("already_released", "/redemption"))
        self.assertTrue(is_redeemed(shop.ask(redeem(code, **who))[0]))
        self.refused(redeem(code, **who), *((reason, "/codes/0") for reason in (
            "code_customer_limit", "coupon_customer_limit", "code_exhausted", "campaign_limit")))

    def test_gives_back_single_codes(self):
        one, two, three = shop.codes(shop.coupon(), 3)
        sent = redeem(one, two, three)
        self.assertTrue(is_redeemed(shop.ask(sent)[0]))
        outcome, = shop.ask(release(sent, two))
        self.assertEqual([two.replace("-", "").lower()], [code["code"] for code in outcome["data"]["codes"]])
        outcome, = shop.ask(release(sent))
        self.assertEqual(2, len(outcome["data"]["codes"]))
        self.assertEqual("0", shop.value("select sum(uses) from code where batch_id = (select max(id) from batch)"))

    def test_forestalls_a_redeem_that_comes_later(self):
        code, = shop.codes(shop.coupon())
        sent = redeem(code)
        outcome, = shop.ask(release(sent, code))
        self.assertTrue(outcome["data"]["before_redeem"])
        self.refused(sent, ("already_released", None))
        self.refused(sent, ("already_released", None))
        self.assertTrue(is_redeemed(shop.ask(redeem(code))[0]))

    def test_is_refused_where_there_is_nothing(self):
        code, other = shop.codes(shop.coupon(), 2)
        self.refused(release({"source": "shop", "id": fresh("x")}), ("unknown_redemption", "/redemption"))
        self.refused(release({"source": "shop", "id": fresh("x")}, code, "nobody"), ("unknown_code", "/codes/1"))
        sent = redeem(code)
        shop.ask(sent)
        self.refused(release(sent, other), ("not_in_redemption", "/codes/0"))
        refused = redeem(code)
        shop.ask(refused)
        self.refused(release(refused), ("nothing_to_release", "/redemption"))
        given_back = release(sent)
        shop.ask(given_back)
        self.refused(release(given_back), ("unknown_redemption", "/redemption"))


class ZAfterwards(Test):
    """Unittest goes by name: this one comes last."""

    def test_everything_adds_up(self):
        shop.wait_lag_zero()
        shop.audit()
        self.assertEqual([], shop.dead_letters())
        self.assertEqual(0, shop.restarts())


if __name__ == "__main__":
    main()
