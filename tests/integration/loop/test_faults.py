#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A worker dies by SIGKILL at every named point of the loop, once. Its successor brings exactly one outcome per
command, and the ledger says the same: DESIGN section 3, "when it dies"."""

import collections
import unittest

from fleet import Fleet, command, main
from loop_it import Mark, check_once, fresh_source, make, need_faults, outcomes_of, redeem

COMMANDS = 400


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        need_faults()
        cls.fleet = Fleet(env={"PROMO_BATCH_MAX": "40"})
        cls.addClassCleanup(cls.fleet.close)
        # Half of the commands of each test name a code that another one of it has used up.
        cls.single, _ = make(cls.fleet, single=COMMANDS // 2 * 9)

    def tearDown(self):
        self.fleet.stop()

    def commands(self, source):
        codes = [self.single.pop() for _ in range(COMMANDS // 2)]
        return [redeem(code, f"{n}-{i}", source) for n in range(2) for i, code in enumerate(codes)]

    def redeem_through(self, point, nth):
        fleet, mark, source = self.fleet, Mark(self.fleet), fresh_source()
        commands = self.commands(source)
        if point == "handle":
            point = f"handle={commands[COMMANDS // 3]['id']}"
        env = mark.fault(point, nth, "kill")
        fleet.start("redeem", 2, env)
        fleet.wait_running()
        outcomes = fleet.submit(commands)
        self.assertEqual(len(outcomes), COMMANDS)
        self.assertTrue(mark.fired(), f"nobody came to {point}")
        fleet.wait_lag_zero()
        self.assertEqual(sorted(fleet.workers[slot].deaths for slot in fleet.running()), [[], [-9]])
        self.assertEqual(check_once(fleet, commands, source), (COMMANDS // 2, COMMANDS // 2))
        self.assertEqual(fleet.dead_letters(), [])

    def test_redeem_dies_while_it_takes_up_a_command(self):
        self.redeem_through("handle", 1)

    def test_redeem_dies_before_the_postgresql_commit(self):
        self.redeem_through("before_pg_commit", 2)

    def test_redeem_dies_after_the_postgresql_commit(self):
        self.redeem_through("after_pg_commit", 2)

    def test_redeem_dies_in_the_kafka_transaction(self):
        self.redeem_through("in_kafka_transaction", 2)

    def test_redeem_dies_before_the_kafka_commit(self):
        self.redeem_through("before_kafka_commit", 2)

    def test_redeem_dies_after_the_kafka_commit(self):
        self.redeem_through("after_kafka_commit", 2)

    def test_redeem_dies_after_the_very_first_postgresql_commit(self):
        self.redeem_through("after_pg_commit", 1)

    def campaign_through(self, point, nth):
        """Definitions: their versions count on without a gap, so nothing was applied twice."""
        fleet, mark, source = self.fleet, Mark(self.fleet), fresh_source("crm")
        id_ = fresh_source("c")
        commands = [command("promofleet.campaign.put.v1", {"id": id_, "name": f"name {n}"}, f"{n}", source)
                    for n in range(120)]
        fleet.start("campaign", 1, mark.fault(point, nth, "kill"))
        fleet.wait_running()
        fleet.submit(commands)
        self.assertTrue(mark.fired(), f"nobody came to {point}")
        fleet.wait_lag_zero()
        self.assertEqual(fleet.workers["campaign-1"].deaths, [-9])
        found = outcomes_of(fleet, source, "campaign.events")
        self.assertEqual({n: [r["data"]["version"] for r in records] for n, records in found.items()},
                         {f"{n}": [n + 1] for n in range(120)})
        self.assertEqual(fleet.value(f"""select count(*) from command k join source s on s.id = k.source_id
                                          where s.name = '{source}'"""), "120")
        self.assertEqual(fleet.sql(f"select version, name from campaign where ext_id = '{id_}'"), [("120", "name 119")])

    def test_campaign_dies_at_each_point(self):
        for point, nth in (("handle=77", 1), ("before_ledger_row", 50), ("definition_written", 30),
                           ("before_pg_commit", 2), ("after_pg_commit", 2), ("in_kafka_transaction", 2),
                           ("before_kafka_commit", 2), ("after_kafka_commit", 2)):
            with self.subTest(point=point):
                self.campaign_through(point, nth)
                self.tearDown()

    def generate_through(self, point, nth):
        """Jobs: as many codes as ordered, one accepted and one completed event, no chunk twice."""
        fleet, mark, source = self.fleet, Mark(self.fleet), fresh_source("crm")
        fleet.start("generate", 2, {**mark.fault(point, nth, "kill"), "PROMO_CHUNK_TIME": "10ms"})
        fleet.wait_running()
        end, = fleet.submit([command("promofleet.codes.generate.v1", {"coupon": "loop-single", "count": 30011},
                                     "j", source)])
        self.assertTrue(mark.fired(), f"nobody came to {point}")
        self.assertEqual((end["type"], end["data"]["rows"]), ("promofleet.job.completed.v1", 30011))
        fleet.wait_lag_zero()
        self.assertEqual(sorted(fleet.workers[slot].deaths for slot in fleet.running()), [[], [-9]])
        job = end["data"]["job"]
        self.assertEqual(fleet.sql(f"""select count(*), count(distinct serial), min(serial), max(serial)
            from code c join batch b on b.id = c.batch_id where b.job_id = '{job}'"""),
            [("30011", "30011", "0", "30010")])
        self.assertEqual(fleet.value(f"select sum(rows) from chunk where job_id = '{job}'"), "30011")
        records = outcomes_of(fleet, source, "job.events")["j"]
        types = collections.Counter(record["headers"]["ce_type"] for record in records)
        self.assertEqual((types["promofleet.job.accepted.v1"], types["promofleet.job.completed.v1"]), (1, 1))
        ids = [record["headers"]["ce_id"] for record in records]
        self.assertEqual(len(ids), len(set(ids)))

    def test_generate_dies_at_each_point(self):
        for point, nth in (("handle=j", 1), ("before_ledger_row", 1), ("in_copy", 2), ("before_chunk_row", 3),
                           ("before_pg_commit", 3), ("after_pg_commit", 3), ("in_kafka_transaction", 3),
                           ("before_kafka_commit", 3), ("after_kafka_commit", 3)):
            with self.subTest(point=point):
                self.generate_through(point, nth)
                self.tearDown()

    def test_z_afterwards_the_audit_finds_nothing(self):
        self.fleet.audit()


if __name__ == "__main__":
    main()
