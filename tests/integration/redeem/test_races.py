#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two redeem-workers and more customers than uses; workers that are killed; a file that is submitted again."""

import random
import re
import signal
import time
import unittest

from redeem_it import Shop, is_redeemed, order, redeem, release, wait_until
from fleet import main

SEED = 20261120
RACERS = 64
ROUNDS = 20
MIXED = 5000

shop = None


def setUpModule():
    global shop
    shop = Shop(2)


def tearDownModule():
    shop.close()


def metric(worker, name):
    _, text = worker.get("/metrics")
    return sum(float(value) for value in re.findall(rf"^promofleet_{name}(?:{{[^}}]*}})? (\S+)$", text, re.M))


def redeem_workers():
    return [worker for worker in shop.workers.values() if worker.kind == "redeem"]


class OneBatch(unittest.TestCase):
    def test_three_commands_for_one_last_use_have_one_winner(self):
        code, = shop.codes(shop.coupon())
        shop.wait_lag_zero("redeem")
        self.assertEqual({"redeem-1": 0, "redeem-2": 0}, shop.stop("redeem-1", "redeem-2"))
        sent = [redeem(code, order=order(id_=f"o{i}")) for i in range(3)]
        shop.publish(("one key", event) for event in sent)
        shop.start_again("redeem-1", "redeem-2")
        shop.wait_ready()
        shop.wait_lag_zero("redeem")
        found = shop.outcomes_of(sent)
        self.assertEqual([1, 1, 1], [len(events) for events in found.values()])
        winners = [events[0]["data"]["order"]["id"] for events in found.values()
                   if events[0]["headers"]["ce_type"] == "promofleet.code.redeemed.v1"]
        self.assertEqual(["o0"], winners)
        self.assertEqual(1, sum(metric(worker, "batches_total") for worker in redeem_workers()))


class Races(unittest.TestCase):
    def race(self, make, winners):
        """RACERS commands of make(i) over all partitions; so many of them win."""
        sent = [make(i) for i in range(RACERS)]
        shop.publish((f"{random.random()}", event) for event in sent)
        ids = ",".join(f"'{event['id']}'" for event in sent)
        wait_until(lambda: shop.value(f"select count(distinct ce_id) from redemption where ce_id in ({ids})")
                   == str(RACERS), 30, "all of them in the ledger")
        self.assertEqual(str(winners), shop.value(
            f"select count(distinct ce_id) from redemption where state = 1 and ce_id in ({ids})"))
        return sent

    def test_the_last_use_has_one_winner(self):
        """Of a code, a coupon, a campaign above and a customer in turn, with one use to spare or up to three."""
        random.seed(SEED)
        sent = []
        for n in range(ROUNDS):
            most = n % 3 + 1
            kind = n % 4
            top = shop.campaign(**({"limits": {"total": most}} if kind == 2 else {}))
            coupon = shop.coupon(shop.campaign(parent=top), code_defaults={"max_uses": most if kind == 0 else None},
                                 **({"limits": {"total": most}} if kind == 1 else
                                    {"limits": {"per_customer": most}} if kind == 3 else {}))
            codes = shop.codes(coupon, 1 if kind == 0 else 5)
            with self.subTest(kind=kind, most=most):
                sent += self.race(
                    lambda i, codes=codes: redeem(codes[i % len(codes)], customer={
                        "id": f"c{i}", "email": "Same@Example.org" if i % 2 else "same@example.org"}), most)
        shop.wait_lag_zero("redeem")
        self.assertEqual({1}, {len(events) for events in shop.outcomes_of(sent).values()})
        shop.audit()

    def test_two_codes_in_opposite_orders_end_all_the_same(self):
        """Each command wants both of two hot codes, half of them the other way round, and there is a release now and
        then: nobody waits for ever, and nobody gets half."""
        one, two = shop.codes(shop.coupon(shop.campaign(limits={"total": 100000}), code_defaults={"max_uses": None}), 2)
        first = redeem(one, two)
        self.assertTrue(is_redeemed(shop.ask(first)[0]))
        sent = []
        for i in range(3000):
            sent.append(redeem(*((one, two) if i % 2 else (two, one)), customer={"id": f"c{i}"}))
            if i % 10 == 9:
                sent.append(release(sent[i // 2]))
        began = time.monotonic()
        shop.publish((f"k{i}", event) for i, event in enumerate(sent))
        shop.wait_lag_zero("redeem")
        print(f"{len(sent)} in {time.monotonic() - began:.1f} s, "
              f"{sum(metric(worker, 'retries_total') for worker in redeem_workers()):.0f} retries ", end="")
        self.assertEqual({1}, {len(events) for events in shop.outcomes_of(sent).values()})
        self.assertEqual("3000", shop.value(
            f"select count(distinct ce_id) from redemption where state in (1, 3) and ce_id <> '{first['id']}' and code = "
            f"'{one.replace('-', '').lower()}'"))
        self.assertEqual([], shop.dead_letters())
        shop.audit()


class Again(unittest.TestCase):
    def test_a_second_submit_changes_nothing_and_says_the_same(self):
        random.seed(SEED)
        single = shop.codes(shop.coupon(), 60)
        many = shop.codes(shop.coupon(limits={"total": 50, "per_customer": 2}, code_defaults={"max_uses": 20}), 3)
        pool = single + many * 10 + ["nobody", "--"]
        redeems = [redeem(*random.sample(sorted(set(pool)) if i % 5 else single, 1 + (i % 7 == 0)),
                          customer={"id": f"c{random.randrange(20)}"}, order=order(random.randrange(5000)))
                   for i in range(200)]
        files = [redeems, [release(of) for of in random.sample(redeems, 60)], [release(of) for of in redeems[:10]]]
        first = [shop.submit(file) for file in files]
        before = shop.dump()
        again = [shop.submit(file) for file in files]
        self.assertEqual(before, shop.dump())

        def said(runs):
            return [(one["id"], one["type"], one["time"] if one["type"] != "promofleet.code.rejected.v1" else "",
                     one["data"]) for outcomes in runs for one in outcomes]

        self.assertEqual(said(first), said(again))
        kinds = {one["type"] for outcomes in first for one in outcomes}
        self.assertEqual(3, len(kinds), kinds)


class Killed(unittest.TestCase):
    def commands(self, rng):
        """Redeems of single and hot codes, releases of some of them, and repeats of earlier ones, with any key."""
        limited = shop.coupon(shop.campaign(limits={"total": 900, "per_customer": 40}), discounts=["d15", "d5"],
                              code_defaults={"max_uses": 150, "per_customer": 5})
        pool = shop.codes(shop.coupon(), 3000) + shop.codes(limited, 8) * 100 + ["nobody"]
        made = []
        for i in range(MIXED):
            dice = rng.random()
            redeems = [event for event in made[-400:] if event["type"].endswith("redeem.v1")]
            if dice < 0.1 and made:
                made.append(rng.choice(made))
            elif dice < 0.25 and redeems:
                of = rng.choice(redeems)
                made.append(release(of, *(of["data"]["codes"] if rng.random() < 0.3 else [])))
            else:
                codes = sorted(set(rng.choices(pool, k=1 if rng.random() < 0.8 else 3)))
                made.append(redeem(*codes, customer={"id": f"c{rng.randrange(60)}"}, order=order(rng.randrange(9000)),
                                   id_=f"k{SEED}-{i}"))
        return made

    def test_each_command_has_one_outcome_however_often_workers_die(self):
        rng = random.Random(SEED)
        sent = self.commands(rng)
        before = shop.restarts()
        for start in range(0, MIXED, 250):
            shop.publish((f"{rng.random()}", event) for event in sent[start:start + 250])
            if start % 500 == 0:
                shop.kill(f"redeem-{rng.randrange(2) + 1}", signal.SIGKILL)
            time.sleep(rng.random() * 0.4)
        shop.wait_lag_zero("redeem", seconds=120)
        self.assertGreaterEqual(shop.restarts() - before, 5)
        records = {}
        for event in sent:
            records[event["id"]] = records.get(event["id"], 0) + 1
        redeemed = {id_ for id_, in shop.sql("select distinct ce_id from redemption where state in (1, 2, 3)")}
        released = {id_ for id_, in shop.sql("select distinct ce_id from redemption where state = 5")}
        for (_, id_), events in shop.outcomes_of(sent).items():
            self.assertEqual(records[id_], len(events), id_)
            first = [event["headers"] for event in events if "ce_repeated" not in event["headers"]]
            if id_ in redeemed:
                self.assertEqual(1, len(first), id_)
                self.assertEqual(1, len({event["headers"]["ce_id"] for event in events}), id_)
            # Refusals of a release are not stored: it may pass when it is sent again.
            if id_ in released:
                self.assertEqual(1, sum(one["ce_type"] == "promofleet.code.released.v1" for one in first), id_)
        shop.audit()
        self.assertEqual([], shop.dead_letters())


if __name__ == "__main__":
    main()
