#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spaces that run short: the exact number at acceptance, all codes of a space, and codes in the way that no space knows
of, up to a space without any room."""

import collections
import itertools
import random
import re
import unittest

from fleet import Fleet, has_faults, main, skip
from generate_it import (COMPLETED, FAILED, REJECTED, check_events, check_job, define, keys_of, live, occupy, order,
                         refuse, run, vacate)


def strings(alphabet, length):
    return ["".join(symbols) for symbols in itertools.product(alphabet, repeat=length)]


class Space(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(env={"PROMO_CHUNK_TIME": "50ms"})
        cls.addClassCleanup(cls.fleet.close)
        cls.fleet.start("campaign")
        cls.fleet.start("generate", 2)
        cls.fleet.wait_running()
        define(cls.fleet)

    def refused_with(self, available, count, **more):
        reason = refuse(self.fleet, count, allow_guessable=True, **more)
        self.assertEqual((reason["code"], reason["pointer"]), ("not_enough_space", "/count"))
        self.assertIn(f"exactly {available} more", reason["message"])

    # --- acceptance ---

    def test_a_job_of_all_codes_makes_all_codes(self):
        data = run(self.fleet, 81, pattern="[A-C]{4}", allow_guessable=True)
        keys = check_job(self.fleet, data, 81)
        self.assertEqual(keys, strings("abc", 4))
        self.refused_with(0, 1, pattern="[A-C]{4}")

    def test_all_codes_without_blocked_words_are_exactly_those(self):
        words = ["ab", "dc", "aaa"]
        good = [key for key in strings("abcd", 6) if not re.search("ab|dc|aaa", key)]
        self.refused_with(len(good), len(good) + 1, pattern="[A-D]{6}", blocked_words=words)
        data = run(self.fleet, len(good), pattern="[A-D]{6}", blocked_words=words, allow_guessable=True)
        self.assertEqual(sorted(check_job(self.fleet, data, len(good))), good)
        self.assertGreater(data["redrawn"], 0)
        # Without the words there are more codes in the same space.
        self.refused_with(4 ** 6 - len(good), 4 ** 6, pattern="[A-D]{6}")

    def test_all_codes_with_a_check_character_are_exactly_those(self):
        data = run(self.fleet, 1000, pattern="[0-9]{3}{check}", allow_guessable=True)
        keys = check_job(self.fleet, data, 1000, re.compile("[0-9]{4}"))
        self.assertEqual([key[:3] for key in keys], strings("0123456789", 3))
        self.refused_with(0, 1, pattern="[0-9]{3}{check}")

    def test_a_second_job_gets_what_the_first_has_left_and_no_more(self):
        first = run(self.fleet, 200, pattern="N-[A-C]{5}", allow_guessable=True)
        self.refused_with(43, 44, pattern="N-[A-C]{5}")
        # The same strings in another spelling are the same space.
        self.refused_with(43, 44, pattern="n[cba][ABC]{4}")
        second = run(self.fleet, 43, pattern="N-[A-C]{5}", allow_guessable=True)
        keys = check_job(self.fleet, first, 200) + check_job(self.fleet, second, 43)
        self.assertEqual(sorted(keys), ["n" + key for key in strings("abc", 5)])
        self.refused_with(0, 1, pattern="N-[A-C]{5}")

    def test_of_commands_that_come_at_once_as_many_are_accepted_as_fit(self):
        if not has_faults():
            skip("the programs are built without -DFAULTS=ON")
        # The space is there already (making its row would put one worker behind the other), and both workers linger
        # between reading what is left and taking it. One order nearly fills the space: who reads too early is wrong.
        run(self.fleet, 1, pattern="M-[A-C]{5}", allow_guessable=True)
        self.renew(FLEET_FAULT="space_locked:1:sleep1000")
        commands = [order(200, f"at-once-{n}", pattern="M-[A-C]{5}", allow_guessable=True) for n in range(16)]
        ends = self.fleet.submit(commands)
        slots = {event["partition"] // 4 for event in self.fleet.events("generate.commands")
                 if b"at-once-" in event["payload"] or "at-once-" in event["headers"].get("ce_id", "")}
        self.assertEqual(slots, {0, 1}, "both workers have some")
        self.assertEqual(collections.Counter(end["type"] for end in ends), {COMPLETED: 1, REJECTED: 15})
        self.assertEqual(self.fleet.value("select live from space where pattern = 'M-[A-C]{5}'"), "201")
        self.refused_with(42, 43, pattern="M-[A-C]{5}")
        self.renew()

    def renew(self, **env):
        """New processes for both generate-workers."""
        self.fleet.stop("generate-1", "generate-2")
        self.fleet.start_again("generate-1", "generate-2", env=env)
        self.fleet.wait_running()

    def test_odds_are_refused_unless_allowed_and_count_the_codes_there_are(self):
        pattern = "O-[0-9]{9}"
        reason = refuse(self.fleet, 101, pattern=pattern)
        self.assertEqual((reason["code"], reason["pointer"]), ("too_guessable", "/count"))
        self.assertIn("one guess in 9900990 ", reason["message"])
        run(self.fleet, 60, pattern=pattern)
        self.assertEqual(refuse(self.fleet, 41, pattern=pattern)["code"], "too_guessable")
        data = run(self.fleet, 40, pattern=pattern)
        check_job(self.fleet, data, 40)
        self.assertEqual(refuse(self.fleet, 1, pattern=pattern)["code"], "too_guessable")
        check_job(self.fleet, run(self.fleet, 5000, pattern=pattern, allow_guessable=True), 5000)

    def test_a_literal_with_a_blocked_word_leaves_no_code(self):
        reason = refuse(self.fleet, 1, pattern="SPRING-####-####", blocked_words=["ring"])
        self.assertEqual((reason["code"], reason["pointer"]), ("not_enough_space", "/pattern"))
        self.assertIn("0 codes are available", reason["message"])
        reason = refuse(self.fleet, 1, format={"length": 8, "prefix": "sh-it"})
        self.assertEqual((reason["code"], reason["pointer"]), ("not_enough_space", "/format"))

    # --- codes in the way ---

    def test_a_crowded_space_still_gives_the_exact_count(self):
        everything = strings("abcd", 6)
        taken = random.Random(1).sample(everything, 2048)
        pattern = "P-[A-D]{6}"
        occupy(self.fleet, ["p" + key for key in taken])
        try:
            data = run(self.fleet, 1500, pattern=pattern, allow_guessable=True)
            keys = check_job(self.fleet, data, 1500, re.compile("p[a-d]{6}"))
            self.assertFalse(set(keys) & {"p" + key for key in taken})
            self.assertGreater(self.attempts(data, "between 1 and 8"), 100)
            self.assertGreater(self.attempts(data, "> 8"), 10)
            check_events(self.fleet, data["job"], COMPLETED)
        finally:
            vacate(self.fleet)

    def attempts(self, data, which):
        return int(self.fleet.value(f"""select count(*) from code_redrawn r join batch b on b.id = r.batch_id
                                         where b.job_id = '{data["job"]}' and r.attempt {which}"""))

    def test_the_last_free_codes_are_found_by_walking(self):
        everything = ["q" + key for key in strings("abcdefgh", 5)]
        free = random.Random(2).sample(everything, 600)
        occupy(self.fleet, sorted(set(everything) - set(free)))
        try:
            data = run(self.fleet, 600, pattern="Q-[A-H]{5}", allow_guessable=True)
            keys = check_job(self.fleet, data, 600)
            self.assertEqual(sorted(keys), sorted(free))
            self.assertGreater(self.attempts(data, "> 72"), 100)
        finally:
            vacate(self.fleet)

    def runs_full(self, count, free, **more):
        before = live(self.fleet)
        end, = self.fleet.submit([order(count, allow_guessable=True, **more)])
        self.assertEqual(end["type"], FAILED, end)
        data = end["data"]
        self.assertEqual((data["state"], data["total"], data["done"], data["rows"]), ("failed", count, len(free), len(free)))
        self.assertEqual([reason["code"] for reason in data["reasons"]], ["space_full"])
        self.assertEqual(sorted(keys_of(self.fleet, data["job"])), sorted(free))
        self.assertEqual(live(self.fleet), before + len(free))
        check_events(self.fleet, data["job"], FAILED)
        return data

    def test_a_full_space_fails_the_job_with_its_exact_count(self):
        everything = ["r" + key for key in strings("abcd", 6)]
        free = random.Random(3).sample(everything, 7)
        occupy(self.fleet, sorted(set(everything) - set(free)))
        try:
            self.runs_full(100, free, pattern="R-[A-D]{6}")
            self.runs_full(3, [], pattern="R-[A-D]{6}")
            # The seven are the space's own now.
            self.refused_with(4096 - 7, 4090, pattern="R-[A-D]{6}")
        finally:
            vacate(self.fleet)
        check_job(self.fleet, run(self.fleet, 4089, pattern="R-[A-D]{6}", allow_guessable=True), 4089)

    def test_a_full_space_with_blocked_words_fails_the_job_too(self):
        occupy(self.fleet, ["s" + key for key in strings("abc", 6) if "ab" not in key])
        try:
            self.runs_full(50, [], pattern="S-[A-C]{6}", blocked_words=["ab"])
        finally:
            vacate(self.fleet)

    def test_a_walk_goes_on_over_many_chunks(self):
        self.fleet.sql("""insert into code (key, batch_id, serial)
                          select 't' || lpad(n::text, 5, '0'), -1, n from generate_series(0, 99999) n;
                          delete from code where key in ('t00007', 't99999');""")
        try:
            data = self.runs_full(5, ["t00007", "t99999"], pattern="T-[0-9]{5}")
            chunks = self.fleet.value(f"select count(*) from chunk where job_id = '{data['job']}' and lane = 16")
            self.assertGreater(int(chunks), 3)
        finally:
            vacate(self.fleet)

    def test_z_afterwards_the_audit_finds_nothing(self):
        self.fleet.wait_lag_zero()
        self.assertEqual(self.fleet.dead_letters(), [])
        for worker in self.fleet.workers.values():
            self.assertEqual(worker.deaths, [])
        self.fleet.audit()


if __name__ == "__main__":
    main()
