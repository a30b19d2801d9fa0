#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL and Kafka crash and come back under load, or are not there at first: workers wait and go on, nothing is
lost, nothing comes twice, and an outage is never a reason for the dead letter. On servers of this test's own."""

import time
import unittest

from fleet import Fleet, OwnStack, main, wait_until
from loop_it import check_once, fresh_source, make, redeem

COMMANDS = 4000
# Some calls of librdkafka hang for ever after a broker died.
WATCHDOG = {"PROMO_TRANSACTION_WATCHDOG": "6s"}


class Outages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = OwnStack()
        cls.addClassCleanup(cls.stack.purge)
        cls.fleet = Fleet(cls.stack.values, env={"PROMO_BATCH_MAX": "50", "PROMO_SESSION_TIMEOUT": "3s"})
        cls.addClassCleanup(cls.fleet.close)
        _, cls.open = make(cls.fleet, unlimited=40)

    def tearDown(self):
        self.stack.start_postgres()
        self.stack.start_broker()
        self.fleet.stop()

    def under_load(self, outage):
        """Runs outage() in the middle of COMMANDS commands; all of them are answered, once."""
        fleet, source = self.fleet, fresh_source()
        commands = [redeem(self.open[n % len(self.open)], f"{n}", source) for n in range(COMMANDS)]
        workers = fleet.start("redeem", 2, WATCHDOG)
        fleet.wait_running()
        publisher = fleet.submit_later(commands)
        done = f"""select count(*) from redemption r join source s on s.id = r.source_id where s.name = '{source}'"""
        wait_until(lambda: int(fleet.value(done)) > 200, 30, "some commands are done", pause=0.01)
        outage(lambda: int(fleet.value(done)))
        self.assertEqual(publisher.wait(60), 0)
        fleet.wait_running()
        fleet.wait_lag_zero(seconds=90)
        self.assertEqual(check_once(fleet, commands, source), (COMMANDS, 0))
        self.assertEqual(fleet.dead_letters(), [])
        return workers

    @staticmethod
    def edges(worker):
        return [entry["event"] for entry in worker.lines() if entry["event"].startswith("dependency_")]

    def test_postgresql_crashes_and_comes_back(self):
        def outage(done):
            self.assertLess(done(), COMMANDS, "it was not in the middle")
            self.stack.kill_postgres()
            time.sleep(1)  # the outage
            self.stack.start_postgres()

        workers = self.under_load(outage)
        for worker in workers:
            self.assertEqual(worker.deaths, [])
            # One line at either edge, however often it was tried.
            self.assertEqual(self.edges(worker), ["dependency_failed", "dependency_recovered"])

    def test_the_broker_crashes_and_comes_back(self):
        def outage(done):
            self.assertLess(done(), COMMANDS, "it was not in the middle")
            self.stack.kill_broker()
            time.sleep(1)
            self.stack.start_broker()

        for worker in self.under_load(outage):
            # Through the watchdog at most.
            self.assertLessEqual(set(worker.deaths), {75})

    def test_without_servers_a_worker_says_so_and_waits(self):
        fleet, stack, source = self.fleet, self.stack, fresh_source()
        stack.kill_broker()
        stack.kill_postgres()
        worker, = fleet.start("redeem")
        line, = wait_until(lambda: worker.lines("dependency_failed"), 20, "it says what fails")
        self.assertEqual((line["level"], line["dependency"], line["err_domain"]), ("error", "servers", "db"))
        self.assertIn("PostgreSQL", line["err_text"])
        self.assertNotIn(fleet.pgurl.split("@")[0].rsplit(":", 1)[1], worker.text())  # the password
        self.assertEqual(worker.get("/readyz")[0], 503)
        self.assertIn(worker.state(), ("connecting", "recovering"))
        self.assertEqual(worker.get("/healthz")[0], 200)
        stack.start_postgres()
        # Now it is Kafka that is missing; it is still one outage.
        time.sleep(1)
        self.assertEqual(worker.get("/readyz")[0], 503)
        stack.start_broker()
        fleet.wait_running()
        self.assertEqual(self.edges(worker), ["dependency_failed", "dependency_recovered"])
        outcome, = fleet.submit([redeem(self.open[0], "x", source)])
        self.assertEqual(outcome["type"], "promofleet.code.redeemed.v1")
        self.assertEqual(worker.deaths, [])

    def test_a_worker_that_waits_for_servers_ends_when_asked(self):
        self.stack.kill_postgres()
        worker, = self.fleet.start("redeem")
        wait_until(lambda: worker.state() in ("connecting", "recovering"), 20, "it tries")
        began = time.monotonic()
        self.assertEqual(self.fleet.stop(), {worker.slot: 0})
        self.assertLess(time.monotonic() - began, 3)

    def test_z_afterwards_the_audit_finds_nothing(self):
        self.fleet.audit()


if __name__ == "__main__":
    main()
