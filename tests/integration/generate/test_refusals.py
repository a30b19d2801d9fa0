#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Orders that cannot be filled are refused with a reason and a JSON Pointer before a row is made, and their neighbours
are served."""

import unittest

from fleet import Fleet, command, main, wait_until
from generate_it import COUPON, COMPLETED, REJECTED, check_job, define, order, refuse, run

# (reason, pointer, data): each is refused for this one reason.
REFUSED = [
    ("out_of_range", "/count", {"count": 0}),
    ("out_of_range", "/count", {"count": -1}),
    ("out_of_range", "/count", {"count": 2000000001}),
    ("out_of_range", "/count", {"count": 2 ** 53 - 1}),
    ("wrong_type", "/count", {"count": "5"}),
    ("wrong_type", "/count", {"count": 1.5}),
    ("wrong_type", "/count", {"count": None}),
    ("not_enough_space", "/count", {"count": 1001, "pattern": "[0-9]{3}", "allow_guessable": True}),
    ("too_guessable", "/count", {"count": 10, "pattern": "[0-9]{7}"}),
    ("not_enough_space", "/count", {"count": 2, "pattern": "POSTER", "allow_guessable": True}),
    ("bad_format", "/coupon", {"coupon": "no such coupon", "count": 1}),
    ("unknown_coupon", "/coupon", {"coupon": "no-such-coupon", "count": 1}),
    ("coupon_archived", "/coupon", {"coupon": "gone", "count": 1}),
    ("campaign_archived", "/coupon", {"coupon": "gone-with-campaign", "count": 1}),
    ("campaign_archived", "/coupon", {"coupon": "gone-with-parent", "count": 1}),
    ("conflict", "/format", {"count": 1, "pattern": "########", "format": {"length": 8}}),
    ("unknown_field", "/amount", {"count": 1, "amount": 5}),
    ("unknown_field", "/format/size", {"count": 1, "format": {"length": 8, "size": 8}}),
    # patterns
    ("too_short", "/pattern", {"count": 1, "pattern": ""}),
    ("too_long", "/pattern", {"count": 1, "pattern": "#" * 201}),
    ("bad_pattern", "/pattern", {"count": 1, "pattern": "[A-Z"}),
    ("bad_pattern", "/pattern", {"count": 1, "pattern": "#{0}"}),
    ("bad_pattern", "/pattern", {"count": 1, "pattern": "#{65}"}),
    ("bad_pattern", "/pattern", {"count": 1, "pattern": "#{64}-A"}),
    ("bad_pattern", "/pattern", {"count": 1, "pattern": "A{3}"}),
    ("bad_pattern", "/pattern", {"count": 1, "pattern": "--- ---"}),
    ("bad_pattern", "/pattern", {"count": 1, "pattern": "{check}{check}####"}),
    ("bad_pattern", "/pattern", {"count": 1, "pattern": "A\u0007########"}),
    ("bad_charset", "/pattern", {"count": 1, "pattern": "[]{8}"}),
    ("bad_charset", "/pattern", {"count": 1, "pattern": "[Z-A]{8}"}),
    ("bad_charset", "/pattern", {"count": 1, "pattern": "[ABß]{8}"}),
    ("check_not_possible", "/check", {"count": 1, "pattern": "[AB]{30}", "check": True}),
    ("check_not_possible", "/check", {"count": 1, "pattern": "[A-F]{30}", "check": True}),
    ("check_not_possible", "/pattern", {"count": 1, "pattern": "[A-F]{30}{check}"}),
    # formats
    ("required", "/format/length", {"count": 1, "format": {}}),
    ("out_of_range", "/format/length", {"count": 1, "format": {"length": 0}}),
    ("out_of_range", "/format/length", {"count": 1, "format": {"length": 65}}),
    ("out_of_range", "/format/dash_every", {"count": 1, "format": {"length": 8, "dash_every": 0}}),
    ("bad_charset", "/format/charset", {"count": 1, "format": {"length": 12, "charset": "A-Zß"}}),
    ("bad_charset", "/format/charset", {"count": 1, "format": {"length": 12, "charset": "ABCﬁ"}}),
    ("bad_charset", "/format/charset", {"count": 1, "format": {"length": 12, "charset": "ABC DEF"}}),
    ("bad_charset", "/format/charset", {"count": 1, "format": {"length": 12, "charset": "ABC\u0301"}}),
    ("bad_charset", "/format/charset", {"count": 1, "format": {"length": 12, "charset": "Z-A"}}),
    ("bad_charset", "/format/charset", {"count": 1, "format": {"length": 12, "charset": "\u4e00-\u9fff"}}),
    ("bad_charset", "/format/charset", {"count": 1, "format": {"length": 12, "charset": "A\ue000\U000e0001"}}),
    ("too_short", "/format/charset", {"count": 1, "format": {"length": 12, "charset": ""}}),
    ("bad_pattern", "/format", {"count": 1, "format": {"length": 60, "prefix": "EASTER"}}),
    # words
    ("too_short", "/blocked_words/0", {"count": 1, "blocked_words": ["A"]}),
    ("bad_word", "/blocked_words/1", {"count": 1, "blocked_words": ["good", "- -"]}),
    ("too_many", "/blocked_words", {"count": 1, "blocked_words": [f"word{n}" for n in range(101)]}),
    ("too_many", "/blocked_words", {"count": 1, "pattern": "#{60}{check}",
                                    "blocked_words": [f"{n:032}" for n in range(100)]}),
    # what the codes are worth
    ("out_of_range", "/max_uses", {"count": 1, "max_uses": 0}),
    ("out_of_range", "/per_customer", {"count": 1, "per_customer": 0}),
    ("wrong_type", "/per_customer", {"count": 1, "per_customer": None}),
    ("bad_format", "/starts_at", {"count": 1, "starts_at": "2026-02-30T00:00:00Z"}),
    ("bad_format", "/ends_at", {"count": 1, "ends_at": "tomorrow"}),
    ("wrong_type", "/ends_at", {"count": 1, "ends_at": 1767225600}),
    ("window_order", "/ends_at", {"count": 1, "starts_at": "2026-02-01T00:00:00Z", "ends_at": "2026-02-01T00:00:00Z"}),
    ("window_order", "/ends_at", {"count": 1, "starts_at": "2026-02-01T00:00:00Z",
                                  "ends_at": "2026-02-01T00:30:00+01:00"}),
    ("out_of_range", "/priority", {"count": 1, "priority": 0}),
    ("out_of_range", "/priority", {"count": 1, "priority": 17}),
]


class Refusals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet()
        cls.addClassCleanup(cls.fleet.close)
        cls.fleet.start("campaign")
        cls.fleet.start("generate", 2)
        cls.fleet.wait_running()
        define(cls.fleet)
        define(cls.fleet, coupon="gone")
        define(cls.fleet, campaign="old", coupon="gone-with-campaign")
        define(cls.fleet, campaign="older", coupon="older-codes")
        cls.fleet.submit([
            command("promofleet.campaign.put.v1", {"id": "child", "parent": "older", "status": "active"}),
            command("promofleet.coupon.put.v1", {"id": "gone-with-parent", "campaign": "child", "active": True,
                                                 "discounts": ["ten-percent"]}),
            *(command(f"promofleet.{noun}.archive.v1", {"id": id_})
              for noun, id_ in (("coupon", "gone"), ("campaign", "old"), ("campaign", "older"))),
        ])

    def rows(self):
        return self.fleet.sql("select (select count(*) from job), (select count(*) from batch), (select count(*) from code)")

    def test_every_bad_order_is_refused_where_it_is_wrong(self):
        before = self.rows()
        ends = self.fleet.submit([command("promofleet.codes.generate.v1", {"coupon": COUPON, **data})
                                  for _, _, data in REFUSED])
        for (code, pointer, data), end in zip(REFUSED, ends):
            with self.subTest(code=code, data=data):
                self.assertEqual(end["type"], REJECTED)
                self.assertEqual([(reason["code"], reason.get("pointer")) for reason in end["data"]["reasons"]],
                                 [(code, pointer)])
                self.assertGreater(len(end["data"]["reasons"][0]["message"].split()), 3)
        self.assertEqual(self.rows(), before)

    def test_neighbours_of_a_refused_order_are_served(self):
        ends = self.fleet.submit([order(10), order(10, pattern="[A-Z"), order(10), order(0), order(10)])
        self.assertEqual([end["type"] for end in ends], [COMPLETED, REJECTED, COMPLETED, REJECTED, COMPLETED])
        for end in ends[::2]:
            check_job(self.fleet, end["data"], 10)

    def test_an_id_used_again_with_the_same_data_is_answered_with_the_same_outcome(self):
        first, = self.fleet.submit([order(25, "twice")])
        second, = self.fleet.submit([order(25, "twice")])
        self.assertEqual((second["id"], second["type"], second["data"]), (first["id"], COMPLETED, first["data"]))
        self.assertEqual(self.fleet.value("select count(*) from job where ce_id = 'twice'"), "1")
        check_job(self.fleet, second["data"], 25)

    def test_an_id_used_again_with_other_data_is_refused(self):
        first = run(self.fleet, 25, id_="reused")
        self.assertEqual(refuse(self.fleet, 26, id_="reused")["code"], "command_id_reused")
        check_job(self.fleet, first, 25)
        # Of another source it is another command.
        check_job(self.fleet, run(self.fleet, 26, id_="reused", source="erp"), 26)

    def test_one_command_sent_to_two_partitions_at_once_is_one_job(self):
        for n in range(5):
            for partition in range(8):
                self.fleet.produce_command("generate.commands", order(100, f"everywhere-{n}"), partition)
        wait_until(lambda: self.fleet.value("""select count(*) from job
            where ce_id like 'everywhere-%' and state = 3""") == "5", 60, "five jobs")
        self.fleet.wait_lag_zero("generate")
        for n in range(5):
            events = [event for event in self.fleet.events("job.events")
                      if event["headers"].get("ce_causationid") == f"everywhere-{n}"]
            once = [event["headers"]["ce_type"].split(".")[2] for event in events
                    if "ce_repeated" not in event["headers"] and "progressed" not in event["headers"]["ce_type"]]
            self.assertEqual(sorted(once), ["accepted", "completed"])
            self.assertEqual(sum(event["headers"]["ce_type"] == "promofleet.job.accepted.v1" for event in events), 8)

    def test_z_afterwards_the_audit_finds_nothing(self):
        self.fleet.wait_lag_zero()
        self.assertEqual(self.fleet.dead_letters(), [])
        for worker in self.fleet.workers.values():
            self.assertEqual(worker.deaths, [])
        self.fleet.audit()


if __name__ == "__main__":
    main()
