#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A worker is frozen (SIGSTOP) for longer than its session, its peer takes over, and it wakes late. Its epoch is old
in PostgreSQL, and Kafka has fenced it or still waits for it: no command is lost, none has two outcomes."""

import signal
import unittest

from fleet import Fleet, main, wait_until
from loop_it import Mark, check_once, fresh_source, make, need_faults, redeem

COMMANDS = 400
PARTITIONS = 8


class Zombies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        need_faults()
        cls.fleet = Fleet(env={"PROMO_BATCH_MAX": "40", "PROMO_SESSION_TIMEOUT": "1500ms",
                               "PROMO_LOCK_TIMEOUT": "500ms"})
        cls.addClassCleanup(cls.fleet.close)
        cls.single, _ = make(cls.fleet, single=COMMANDS // 2 * 5)

    def tearDown(self):
        self.fleet.stop()

    def owned(self, slot):
        return int(self.fleet.value(f"select count(*) from progress where worker = 'redeem' and owner = '{slot}'"))

    def freeze_at(self, point, nth):
        """redeem-1 freezes itself at a point; redeem-2 is given all partitions; redeem-1 wakes."""
        fleet, mark, source = self.fleet, Mark(self.fleet), fresh_source()
        codes = [self.single.pop() for _ in range(COMMANDS // 2)]
        commands = [redeem(code, f"{n}-{i}", source) for n in range(2) for i, code in enumerate(codes)]
        zombie, = fleet.start("redeem", 1, mark.fault(point, nth, "stop"))
        peer, = fleet.start("redeem")
        fleet.wait_running()
        wait_until(lambda: self.owned(zombie.slot) == self.owned(peer.slot) == PARTITIONS // 2, 20,
                   "both have partitions")
        publisher = fleet.submit_later(commands)
        mark.wait()
        wait_until(lambda: self.owned(peer.slot) == PARTITIONS, 40, "the peer takes over")
        self.assertEqual(publisher.wait(30), 0)
        # All but what the zombie holds in an open transaction of Kafka's is answered without it.
        wait_until(lambda: int(fleet.value(f"""select count(distinct ce_id) from redemption r
            join source s on s.id = r.source_id where s.name = '{source}'""")) == COMMANDS, 40,
            "the peer applies all commands")
        zombie.send(signal.SIGCONT)
        # It comes back as a member like any other, and nobody has died.
        wait_until(lambda: self.owned(zombie.slot) == PARTITIONS // 2, 40, "the zombie is a worker again")
        fleet.wait_running()
        fleet.wait_lag_zero()
        self.assertEqual((zombie.deaths, peer.deaths), ([], []))
        self.assertEqual(check_once(fleet, commands, source), (COMMANDS // 2, COMMANDS // 2))
        self.assertEqual(fleet.dead_letters(), [])
        return zombie, peer

    def test_frozen_in_the_postgresql_transaction_it_is_cut_off_by_its_peer(self):
        zombie, peer = self.freeze_at("before_pg_commit", 2)
        # It held the rows of `progress`: the peer could only go on by ending its session.
        line, = zombie.lines("dependency_failed")
        self.assertIn(line["err_code"], ("commit_unknown", "connection_lost", "57P01"))
        self.assertIn("terminating connection due to administrator command", line["err_text"])
        self.assertEqual(self.fleet.value("select count(*) from pg_stat_activity where xact_start is not null "
                                          "and pid <> pg_backend_pid() and datname = current_database()"), "0")
        self.assertEqual(peer.lines("dependency_failed"), [])

    def test_frozen_between_the_commits(self):
        self.freeze_at("after_pg_commit", 2)

    def test_frozen_in_the_kafka_transaction(self):
        self.freeze_at("in_kafka_transaction", 2)

    def test_frozen_with_offsets_in_an_open_kafka_transaction(self):
        self.freeze_at("before_kafka_commit", 2)

    def test_frozen_after_the_kafka_commit(self):
        self.freeze_at("after_kafka_commit", 2)

    def test_z_afterwards_the_audit_finds_nothing(self):
        self.fleet.audit()


if __name__ == "__main__":
    main()
