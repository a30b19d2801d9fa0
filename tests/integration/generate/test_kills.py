#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Workers that die over chunks: at random moments of a large job, frozen, and at each fault point of the careful way and
of the overflow, which an undisturbed job does not take. The count is exact and the job is told once."""

import concurrent.futures
import os
import random
import secrets
import signal
import threading
import time
import unittest

from fleet import Fleet, has_faults, main, skip
from generate_it import COMPLETED, check_events, check_job, define, occupy, run, vacate

COUNT = 300000


class Kills(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not has_faults():
            skip("the programs are built without -DFAULTS=ON")
        cls.fleet = Fleet()
        cls.addClassCleanup(cls.fleet.close)
        cls.fleet.start("campaign")
        cls.fleet.wait_running()
        define(cls.fleet)

    def tearDown(self):
        slots = [slot for slot in self.fleet.workers if slot.startswith("generate")]
        self.fleet.stop(*slots)
        for slot in slots:
            del self.fleet.workers[slot]

    def start(self, **env):
        self.fleet.start("generate", 2, {"PROMO_CHUNK_TIME": "20ms", **env})
        self.fleet.wait_running()

    def send(self, slot, signum):
        """To the process that is there, if one is."""
        self.fleet.workers[slot].process.send_signal(signum)

    def harm(self, id_, act, over):
        """Calls act(slot) as the job comes to each tenth of its rows, at some moment after that; returns how often. A
        worker that is gone keeps its lanes waiting, so the job cannot run away."""
        dice = random.Random(7)
        times = 0
        for tenths in (0, 2, 4, 6, 8):
            while not over.is_set() and self.tenths(id_) < tenths:
                time.sleep(0.02)
            if over.wait(dice.uniform(0.05, 0.3)):
                break
            act(f"generate-{dice.randint(1, 2)}")
            times += 1
        return times

    def tenths(self, id_):
        done = self.fleet.sql(f"select done * 10 / total from job where ce_id = '{id_}'")
        return int(done[0][0]) if done else -1

    def run_harmed(self, id_, act, least):
        self.start()
        over = threading.Event()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            harm = pool.submit(self.harm, id_, act, over)
            try:
                data = run(self.fleet, COUNT, id_=id_)
            finally:
                over.set()
            self.assertGreaterEqual(harm.result(), least)
        check_job(self.fleet, data, COUNT)
        self.fleet.wait_lag_zero("generate")
        check_events(self.fleet, data["job"], COMPLETED)

    def test_a_job_survives_kills_at_random_moments(self):
        self.run_harmed("killed", lambda slot: self.send(slot, signal.SIGKILL), 3)
        self.assertGreaterEqual(self.fleet.restarts(), 2)

    def test_a_job_survives_workers_that_freeze(self):
        def freeze(slot):
            self.send(slot, signal.SIGSTOP)
            time.sleep(1.5)
            self.send(slot, signal.SIGCONT)
        self.run_harmed("frozen", freeze, 2)

    def die_in_a_crowd(self, point, nth):
        """The job's space is half full of other codes: it redraws, and its overflow has work."""
        mark = os.path.join(self.fleet.folder, "mark-" + secrets.token_hex(4))
        prefix = "x" + secrets.token_hex(3)
        taken = [f"{prefix}{n:05}" for n in random.Random(5).sample(range(100000), 60000)]
        occupy(self.fleet, taken)
        try:
            self.start(FLEET_FAULT=f"{point}:{nth}:kill:{mark}")
            data = run(self.fleet, 30000, pattern=prefix.upper() + "[0-9]{5}", allow_guessable=True)
            self.assertTrue(os.path.exists(mark), f"nobody came to {point} {nth} times")
            self.assertEqual(sorted(self.fleet.workers[f"generate-{n}"].deaths for n in (1, 2)), [[], [-9]])
            self.assertFalse(set(check_job(self.fleet, data, 30000)) & set(taken))
            self.fleet.wait_lag_zero("generate")
            check_events(self.fleet, data["job"], COMPLETED)
            lane_16 = self.fleet.value(f"select count(*) from chunk where job_id = '{data['job']}' and lane = 16")
            self.assertGreaterEqual(int(lane_16), 2)
        finally:
            vacate(self.fleet)

    def test_a_worker_dies_at_each_point_of_a_crowded_job(self):
        for point, nth in (("in_copy", 1), ("careful_chunk", 2), ("in_overflow", 1), ("in_overflow", 2),
                           ("job_finishing", 1), ("after_pg_commit", 11)):
            with self.subTest(point=point, nth=nth):
                self.die_in_a_crowd(point, nth)
                self.tearDown()

    def test_z_afterwards_the_audit_finds_nothing(self):
        self.fleet.wait_lag_zero()
        self.assertEqual(self.fleet.dead_letters(), [])
        self.fleet.audit()


if __name__ == "__main__":
    main()
