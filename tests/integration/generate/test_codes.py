#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a job makes: exact counts, serials, order, the same codes from the same command, check characters, blocked words,
character sets of all kinds."""

import json
import re
import subprocess
import unittest

from fleet import Fleet, main
from generate_it import COUPON, check_events, check_job, define, keys_of, order, run, COMPLETED

# H. Michael Damm, "Total anti-symmetrische Quasigruppen", 2004: the table that everybody uses for decimal digits.
DAMM = ("0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
        "3674209581", "5869720134", "8945362017", "9438617205", "2581436790")


def damm(digits):
    value = 0
    for digit in digits:
        value = int(DAMM[value][int(digit)])
    return value


class Codes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet()
        cls.addClassCleanup(cls.fleet.close)
        cls.fleet.start("campaign")
        cls.fleet.start("generate", 2)
        cls.fleet.wait_running()
        define(cls.fleet, code_defaults={"max_uses": 1})

    def test_counts_around_the_number_of_lanes_are_exact(self):
        for count in (1, 2, 15, 16, 17, 1000):
            with self.subTest(count=count):
                data = run(self.fleet, count)
                check_job(self.fleet, data, count, re.compile("[0-9a-hjkmnp-tv-z]{12}"))
                check_events(self.fleet, data["job"], COMPLETED)

    def test_a_hundred_thousand_codes_are_exact(self):
        data = run(self.fleet, 100000)
        check_job(self.fleet, data, 100000)
        check_events(self.fleet, data["job"], COMPLETED)

    def test_all_default_attributes_come_from_the_coupon_and_given_ones_from_the_command(self):
        plain = run(self.fleet, 1)
        own = run(self.fleet, 1, max_uses=7, per_customer=2, active=False, starts_at="2026-01-01T00:00:00Z",
                  ends_at="2026-02-01T00:00:00+01:00")
        endless = run(self.fleet, 1, max_uses=None, starts_at=None, ends_at=None)
        rows = {job: row for job, *row in self.fleet.sql(
            """select job_id, size, active, max_uses, customer_limit, extract(epoch from starts_at)::int8,
                      extract(epoch from ends_at)::int8, origin from batch""")}
        self.assertEqual(rows[plain["job"]], ["1", "t", "", "", "", "", "1"])
        self.assertEqual(rows[own["job"]], ["1", "f", "7", "2", "1767225600", "1769900400", "1"])
        self.assertEqual(rows[endless["job"]], ["1", "t", "0", "", "", "", "1"])

    def test_priority_is_the_number_of_lanes_that_begin_at_once(self):
        for width in (1, 3, 16):
            with self.subTest(width=width):
                data = run(self.fleet, 2000, priority=width)
                check_job(self.fleet, data, 2000)
                # Lanes that no chunk has opened were open from the beginning.
                roots = self.fleet.value(f"""
                    select count(*) from lane l
                     where l.job_id = '{data["job"]}' and l.lane < 16
                       and not exists (select from chunk c where c.job_id = l.job_id and c.next_lane = l.lane
                                                             and c.next_n = 0)""")
                self.assertEqual(int(roots), width)

    def test_the_same_command_makes_the_same_codes_in_another_data_base(self):
        commands = [order(3000, "one", "crm"), order(3000, "two", "crm"), order(3000, "one", "erp")]
        ends = self.fleet.submit(commands)
        keys = [check_job(self.fleet, end["data"], 3000) for end in ends]
        # Another id or another source is another job.
        for a, b in ((0, 1), (0, 2), (1, 2)):
            self.assertFalse(set(keys[a]) & set(keys[b]))
        self.assertEqual(len({end["data"]["checksum"] for end in ends}), 3)

        secret = {"PROMO_FLEET_SECRET_FILE": self.fleet.env["PROMO_FLEET_SECRET_FILE"], "PROMO_CHUNK_TIME": "10ms"}
        with Fleet(env=secret) as other:
            other.start("campaign")
            other.start("generate")
            other.wait_running()
            define(other)
            again = other.submit(list(reversed(commands)))
            for keys_before, before, after in zip(keys, ends, reversed(again)):
                self.assertEqual(keys_of(other, after["data"]["job"]), keys_before)
                self.assertEqual((after["data"]["job"], after["data"]["checksum"]),
                                 (before["data"]["job"], before["data"]["checksum"]))

    def test_another_secret_makes_other_codes(self):
        mine = run(self.fleet, 500, id_="secret")
        with Fleet() as other:
            other.start("campaign")
            other.start("generate")
            other.wait_running()
            define(other)
            theirs = run(other, 500, id_="secret")
            self.assertEqual(theirs["job"], mine["job"])
            self.assertFalse(set(keys_of(other, theirs["job"])) & set(keys_of(self.fleet, mine["job"])))

    def dump(self):
        """All rows and sequences but the progress of the partitions, without the lines that differ each time."""
        text = subprocess.run(["pg_dump", "--data-only", "--exclude-table=progress", "-d", self.fleet.pgurl],
                              check=True, capture_output=True, text=True).stdout
        return [line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]

    def test_a_second_submit_of_the_same_file_changes_nothing(self):
        commands = [order(1000, "again-1"), order(0, "again-2"), order(77, "again-3", pattern="AGAIN-####-####"),
                    order(5, "again-4", coupon="no-such-coupon")]
        first = self.fleet.submit(commands)
        self.fleet.wait_lag_zero()
        before = self.dump()
        second = self.fleet.submit(commands)
        self.fleet.wait_lag_zero()
        after = self.dump()
        self.assertGreater(len(before), 1082)
        self.assertTrue(after == before, [pair for pair in zip(before, after) if pair[0] != pair[1]][:3])
        self.assertEqual([event["id"] for event in second], [event["id"] for event in first])
        self.assertEqual([event["data"] for event in second], [event["data"] for event in first])
        self.assertEqual([event.get("repeated") for event in first], [None] * 4)
        # What is refused for its form is not in the ledger: it is refused anew.
        self.assertEqual([str(event.get("repeated")).lower() for event in second], ["true", "none", "true", "true"])

    def test_check_characters_verify(self):
        data = run(self.fleet, 3000, format={"length": 11, "charset": "digits"}, check=True, allow_guessable=True)
        keys = check_job(self.fleet, data, 3000, re.compile("[0-9]{12}"))
        self.assertEqual({damm(key) for key in keys}, {0})
        data = run(self.fleet, 2000, pattern="C-[0-9]{6}-[0-9]{5}{check}-X", allow_guessable=True)
        keys = check_job(self.fleet, data, 2000, re.compile("c[0-9]{12}x"))
        self.assertEqual({damm(key[1:-1]) for key in keys}, {0})

    def test_codes_of_characters_beyond_ascii_are_exact(self):
        # Final sigma folds to sigma; capitals fold; letters of two and three bytes in one place.
        data = run(self.fleet, 4000, pattern="Ω-[α-ωÄÖÜ]{4}-[ぁ-んA-F]{4}", allow_guessable=True)
        keys = check_job(self.fleet, data, 4000, re.compile("ω[α-ρσ-ωäöü]{4}[ぁ-んa-f]{4}"))
        self.assertIn("ä", "".join(keys))
        self.assertIn("ん", "".join(keys))

    def test_free_places_beyond_what_a_rank_can_hold_are_drawn_too(self):
        data = run(self.fleet, 5000, pattern="[A-Z]{40}")
        keys = check_job(self.fleet, data, 5000, re.compile("[a-z]{40}"))
        self.assertEqual(len({key[-8:] for key in keys}), 5000)

    def test_long_patterns_are_kept_as_they_are(self):
        places = "".join(f"[{chr(start)}-{chr(start + 200)}]" for start in range(0x4E00, 0x4E00 + 24 * 210, 210))
        for pattern in (places, "[A-Za-z0-9]{60}", "[" + "".join(chr(c) for c in range(0x4E00, 0x4E00 + 380, 2)) + "]{6}",
                        "\\[\\]\\{\\}\\#\\\\-####-####-####"):
            with self.subTest(pattern=pattern[:20]):
                self.assertLessEqual(len(pattern), 200)
                check_job(self.fleet, run(self.fleet, 400, pattern=pattern), 400)

    def test_blocked_words_never_appear(self):
        words = ["ab", "C-D", "EE"]
        data = run(self.fleet, 20000, pattern="[A-H]{7}", blocked_words=words, allow_guessable=True)
        keys = check_job(self.fleet, data, 20000, re.compile("[a-h]{7}"))
        self.assertEqual([key for key in keys if re.search("ab|cd|ee", key)], [])
        self.assertGreater(data["redrawn"], 1000)
        # The fleet's own list holds without being asked for.
        data = run(self.fleet, 600, pattern="[FUCK]{6}", allow_guessable=True)
        self.assertEqual([key for key in check_job(self.fleet, data, 600) if "fuck" in key], [])

    def test_the_coupons_pattern_is_the_default_and_the_command_overrules_it(self):
        self.fleet.submit([{"specversion": "1.0", "id": "pattern", "source": "crm", "type": "promofleet.coupon.put.v1",
                            "data": {"id": "patterned", "campaign": "gen", "discounts": ["ten-percent"], "active": True,
                                     "pattern": "SPRING-########"}}])
        check_job(self.fleet, run(self.fleet, 20, coupon="patterned"), 20, re.compile("spring[0-9a-hjkmnp-tv-z]{8}"))
        check_job(self.fleet, run(self.fleet, 20, coupon="patterned", pattern="OWN-########"), 20,
                  re.compile("own[0-9a-hjkmnp-tv-z]{8}"))

    def test_acceptance_tells_capacity_and_odds(self):
        data = run(self.fleet, 1000, pattern="ODDS-[0-9]{9}", allow_guessable=True)
        accepted = check_events(self.fleet, data["job"], COMPLETED)[0]["data"]
        self.assertEqual((accepted["capacity"], accepted["guess_odds"], accepted["coupon"], accepted["pattern"]),
                         ("1000000000", "1000000", COUPON, "ODDS-[0-9]{9}"))
        self.assertEqual(accepted["warnings"], ["One guess in 1000000 will hit a code."])
        data = run(self.fleet, 1000)
        accepted = check_events(self.fleet, data["job"], COMPLETED)[0]["data"]
        self.assertNotIn("warnings", accepted)
        self.assertEqual(accepted["capacity"], str(32 ** 12))

    def test_z_afterwards_the_audit_finds_nothing(self):
        self.fleet.wait_lag_zero()
        self.assertEqual(self.fleet.dead_letters(), [], json.dumps(self.fleet.dead_letters(), default=str)[:500])
        self.fleet.audit()


if __name__ == "__main__":
    main()
