#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A command that kills whoever takes it up goes to the dead letter after a bounded number of deaths, and takes nobody
with it; deaths at random bury nothing."""

import signal
import time
import unittest
from random import Random

from fleet import Fleet, main, wait_until
from loop_it import check_once, fresh_source, make, need_faults, redeem

PARTITIONS = 8
# Three over the batch, and six over the killer alone, the first three of them in its batch.
DEATHS_MOST = 12


class Killers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        need_faults()
        cls.fleet = Fleet()
        cls.addClassCleanup(cls.fleet.close)
        _, cls.codes = make(cls.fleet, unlimited=24)

    def tearDown(self):
        self.fleet.stop()

    def fill(self, source, each):
        """each commands in every partition, from which nothing is read yet: {partition: [command]}."""
        filled = {}
        for partition in range(PARTITIONS):
            filled[partition] = [redeem(self.codes[0], f"{partition}-{n}", source) for n in range(each)]
            for event in filled[partition]:
                self.fleet.produce_command("redeem.commands", event, partition)
        return filled

    def bury(self, where, workers):
        fleet, source = self.fleet, fresh_source()
        before = len(fleet.dead_letters())
        filled = self.fill(source, 4)
        killer = filled[where[0]][where[1]]
        fleet.start("redeem", workers, {"FLEET_FAULT": f"handle={killer['id']}:1:kill"})
        buried = wait_until(lambda: fleet.dead_letters()[before:], 90, "the killer is buried", pause=0.3)
        fleet.wait_lag_zero()
        self.assertEqual([record["data"]["id"] for record in fleet.dead_letters()[before:]], [killer["id"]])
        self.assertEqual(buried[0]["data"], killer)
        headers = buried[0]["headers"]
        self.assertEqual(headers["__connect.errors.class.name"], "killed_the_worker")
        self.assertEqual(headers["__connect.errors.stage"], "APPLY")
        self.assertEqual(headers["__connect.errors.partition"], str(where[0]))
        self.assertLessEqual(fleet.restarts(), DEATHS_MOST)
        self.assertGreaterEqual(fleet.restarts(), 6)
        others = [event for events in filled.values() for event in events if event is not killer]
        self.assertEqual(check_once(fleet, others, source), (len(others), 0))
        self.assertEqual(fleet.value("select sum(deaths) from progress where worker = 'redeem'"), "0")

    def test_a_killer_among_others_is_buried_alone(self):
        self.bury((3, 2), 1)

    def test_a_killer_at_the_head_of_its_batch_takes_no_head_of_another_partition_with_it(self):
        self.bury((0, 0), 1)

    def test_a_killer_that_two_workers_hand_to_each_other_is_buried_alone(self):
        self.bury((5, 1), 2)

    def test_workers_that_are_killed_at_random_under_load_bury_nothing(self):
        fleet, source = self.fleet, fresh_source()
        before = len(fleet.dead_letters())
        commands = [redeem(self.codes[n % 24], f"{n}", source) for n in range(3000)]
        workers = fleet.start("redeem", 2, {"PROMO_BATCH_MAX": "25"})
        fleet.wait_running()
        publisher = fleet.submit_later(commands)
        random = Random(20261120)
        for n in range(10):
            worker = workers[n % 2]
            deaths = worker.restarts
            wait_until(lambda w=worker: w.alive() and w.state() == "running", 20, "a worker", pause=0.01)
            time.sleep(random.uniform(0, 0.2))
            fleet.kill(worker.slot)
            wait_until(lambda w=worker, d=deaths: w.restarts == d + 1 and w.alive(), 20, "its successor", pause=0.01)
        self.assertEqual(publisher.wait(30), 0)
        fleet.wait_lag_zero()
        self.assertEqual([worker.deaths for worker in workers], [[-signal.SIGKILL] * 5] * 2)
        self.assertEqual(check_once(fleet, commands, source), (3000, 0))
        self.assertEqual(len(fleet.dead_letters()), before)

    def test_z_afterwards_the_audit_finds_nothing(self):
        self.fleet.audit()


if __name__ == "__main__":
    main()
