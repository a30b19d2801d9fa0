#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where reading begins: group offsets that are lost or wrong, a data base that was restored, topics that were made
anew or lost commands; and workers that come, go and stop in the middle."""

import signal
import subprocess
import time
import unittest

from fleet import Fleet, main, wait_until
from loop_it import check_once, fresh_source, make, outcomes_of, redeem

HALTED = 76
TOPIC = "redeem.commands"


class Progress(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(env={"PROMO_BATCH_MAX": "50", "PROMO_SESSION_TIMEOUT": "1500ms"})
        cls.addClassCleanup(cls.fleet.close)
        cls.single, cls.open = make(cls.fleet, single=400, unlimited=24)
        cls.group = f"{cls.fleet.prefix}.redeem"
        cls.topic = cls.fleet.topic(TOPIC)

    def tearDown(self):
        self.fleet.stop()

    def commands(self, source, count, first=0):
        return [redeem(self.open[n % 24], f"{n}", source) for n in range(first, first + count)]

    def forget_offsets(self):
        """The group is free once its members' sessions are over."""
        def gone():
            try:
                self.fleet.wire.delete_group(self.group)
                return True
            except Exception:  # pylint: disable=broad-except
                return False
        wait_until(gone, 20, "the group has no members", pause=0.1)
        self.assertEqual(self.fleet.wire.group_offsets(self.group), {})

    def run_workers(self, count=1):
        workers = self.fleet.start("redeem", count)
        self.fleet.wait_running()
        return workers

    def test_lost_group_offsets_publish_nothing_twice(self):
        fleet, source = self.fleet, fresh_source()
        commands = self.commands(source, 300)
        self.run_workers(2)
        fleet.submit(commands)
        # At once: how far Kafka is known to be must not wait for an idle moment.
        self.assertEqual(set(fleet.stop().values()), {0})
        self.forget_offsets()
        more = self.commands(source, 40, 300)
        for event in more[:5]:
            fleet.produce_command(TOPIC, event, 0)
        self.run_workers(2)
        fleet.submit(more[5:])
        fleet.wait_lag_zero()
        self.assertEqual(check_once(fleet, commands + more, source), (340, 0))

    def test_group_offsets_set_back_or_forward_publish_nothing_twice_and_lose_nothing(self):
        fleet, source = self.fleet, fresh_source()
        commands = self.commands(source, 100)
        self.run_workers()
        fleet.submit(commands)
        fleet.wait_lag_zero()
        for at in (-2, -1):
            fleet.stop()
            more = self.commands(source, 16, len(commands))
            for partition in range(8):
                fleet.produce_lines(TOPIC, more[partition * 2:partition * 2 + 2], partition)
            commands += more
            offsets = fleet.wire.offsets(self.topic, at)
            wait_until(lambda o=offsets: self.set_offsets(o), 20, "the group has no members", pause=0.1)
            self.run_workers()
            # With a wrong offset of the group its lag tells nothing.
            wait_until(lambda: len(outcomes_of(fleet, source)) == len(commands), 20, "all are answered", pause=0.2)
            self.assertEqual(check_once(fleet, commands, source), (len(commands), 0))

    def set_offsets(self, offsets):
        try:
            self.fleet.wire.set_group_offsets(self.group, self.topic, offsets)
            return True
        except Exception:  # pylint: disable=broad-except
            return False

    def test_y_a_full_replay_publishes_the_same_outcomes_and_changes_nothing(self):
        """As an operator does who lost the topics of events: from_offset back to 0, and the group forgotten."""
        fleet, source = self.fleet, fresh_source()
        keys = [self.single.pop() for _ in range(40)]
        commands = [redeem(key, f"{n}-{i}", source) for n in range(2) for i, key in enumerate(keys)]
        commands += [redeem(f"unknown-{n}", f"u{n}", source) for n in range(5)]
        self.run_workers()
        fleet.submit(commands)
        fleet.stop()
        state = """select md5(string_agg(r::text, ' ' order by seq)) from redemption r
                   union all select sum(uses)::text from code
                   union all select string_agg(t::text, ' ' order by t) from tally t"""
        before, first = fleet.sql(state), outcomes_of(fleet, source)
        self.forget_offsets()
        fleet.sql("update progress set from_offset = 0 where worker = 'redeem'")
        self.run_workers(2)
        fleet.wait_lag_zero()
        self.assertEqual(fleet.sql(state), before)
        second = outcomes_of(fleet, source)
        self.assertEqual(len(second), 85)
        for id_, records in second.items():
            with self.subTest(id_):
                self.assertEqual(len(records), 2)
                self.assertEqual([r["headers"].get("ce_repeated") for r in records], [None, None])
                if not id_.startswith("u"):
                    self.assertEqual({r["headers"]["ce_id"] for r in records}, {first[id_][0]["headers"]["ce_id"]})
                    self.assertEqual(records[0]["data"], records[1]["data"])
                    self.assertEqual(records[0]["headers"]["ce_time"], records[1]["headers"]["ce_time"])

    def test_y_a_restored_data_base_is_brought_up_to_date_from_the_topic(self):
        fleet, source = self.fleet, fresh_source()
        early, late = self.commands(source, 60), self.commands(source, 60, 60)
        self.run_workers()
        fleet.submit(early)
        fleet.stop()
        self.admin(f"create database {fleet.database}_old template {fleet.database}")
        self.run_workers()
        fleet.submit(late)
        fleet.stop()
        self.admin(f"drop database {fleet.database}")
        self.admin(f"alter database {fleet.database}_old rename to {fleet.database}")
        count = f"""select count(*) from redemption r join source s on s.id = r.source_id where s.name = '{source}'"""
        self.assertEqual(fleet.value(count), "60")
        self.run_workers()
        fleet.wait_lag_zero()
        self.assertEqual(fleet.value(count), "120")
        found = outcomes_of(fleet, source)
        self.assertEqual([len(found[event["id"]]) for event in early], [1] * 60)
        for event in late:
            records = found[event["id"]]
            self.assertEqual((len(records), len({r["headers"]["ce_id"] for r in records})), (2, 1))
        # Of what is published twice on purpose only the data base is asked.
        fleet.audit("--no-kafka")

    def admin(self, text):
        subprocess.run(["psql", "-X", "-q", "-d", self.fleet.server_url, "-c", text], check=True, capture_output=True)

    def test_a_lone_command_on_an_idle_fleet_is_answered_at_once(self):
        fleet, source = self.fleet, fresh_source()
        self.run_workers(2)
        commands = self.commands(source, 8)
        fleet.submit(commands[:1])
        for event in commands[1:]:
            time.sleep(0.3)  # idle: nothing to wait for
            fleet.submit([event])
        fleet.wait_lag_zero()
        sent = {record["headers"].get("ce_id"): record["ts"] for record in fleet.events(TOPIC)
                if record["headers"].get("ce_source") == source}
        found = outcomes_of(fleet, source)
        took = sorted(found[id_][0]["ts"] - ts for id_, ts in sent.items())
        self.assertEqual(len(took), 8)
        self.assertLess(took[-1], 1000, took)
        self.assertLess(took[4], 300, took)

    def test_sigterm_in_the_middle_loses_nothing(self):
        fleet, source = self.fleet, fresh_source()
        commands = self.commands(source, 2500)
        one, other = self.run_workers(2)
        publisher = fleet.submit_later(commands)
        done = """select count(*) from redemption r join source s on s.id = r.source_id where s.name = '%s'""" % source
        for n, (worker, signum) in enumerate([(one, signal.SIGTERM), (other, signal.SIGINT)]):
            wait_until(lambda n=n: int(fleet.value(done)) > 300 * (n + 1), 30, "some commands are done", pause=0.01)
            began = time.monotonic()
            self.assertEqual(fleet.stop(worker.slot, signum=signum), {worker.slot: 0})
            self.assertLess(time.monotonic() - began, 5)
            self.assertEqual(len(worker.lines("stopped")), len(worker.lines("started")))
            if n == 0:
                self.assertLess(int(fleet.value(done)), 2500, "it was not in the middle")
                fleet.start_again(worker.slot)
        fleet.start_again(other.slot)
        self.assertEqual(publisher.wait(30), 0)
        fleet.wait_running()
        fleet.wait_lag_zero()
        self.assertEqual(check_once(fleet, commands, source), (2500, 0))

    def test_workers_that_come_and_go_under_load_lose_and_double_nothing(self):
        fleet, source = self.fleet, fresh_source()
        commands = self.commands(source, 4000)
        self.run_workers()
        publisher = fleet.submit_later(commands)
        # Three rebalances by members that join, one by a member whose session ends.
        for n in range(3):
            worker, = fleet.start("redeem")
            fleet.wait_running(worker.slot)
            wait_until(lambda w=worker: fleet.value(
                f"select count(*) from progress where worker = 'redeem' and owner = '{w.slot}'") != "0", 20,
                "it has partitions")
        fleet.stop(worker.slot)
        self.assertEqual(publisher.wait(30), 0)
        wait_until(lambda: fleet.value(
            f"select count(*) from progress where worker = 'redeem' and owner = '{worker.slot}'") == "0", 20,
            "the others have its partitions")
        fleet.wait_lag_zero()
        self.assertEqual(fleet.restarts(), 0)
        self.assertEqual(check_once(fleet, commands, source), (4000, 0))

    def test_x_so_far_the_audit_finds_nothing(self):
        self.fleet.audit()

    def halts(self, code):
        """A worker started now leaves with 76 and says why."""
        worker, = self.fleet.start("redeem")
        worker.restart = False
        self.assertEqual(worker.wait(40), HALTED)
        self.assertEqual(worker.deaths, [HALTED])
        line = worker.lines("cannot_go_on")[-1]
        self.assertEqual(line["err_code"], code)
        self.assertIn(self.topic, line["err_text"])
        return line["err_text"]

    def test_z_a_topic_made_anew_halts_the_worker_until_it_is_told_to_go_on(self):
        fleet, source = self.fleet, fresh_source()
        self.run_workers()
        fleet.submit(self.commands(source, 40))
        fleet.wait_lag_zero()
        fleet.stop()
        fleet.wire.delete_topics([self.topic])
        wait_until(lambda: fleet.wire.partitions(self.topic) == 0, 20, "the topic is gone")
        fleet.promoctl("topics", "apply", check=True)
        # Empty: it ends before what was applied.
        self.assertIn("is not the one we know", self.halts("topic_changed"))
        # As long as the old one: the known record has another time.
        most = int(fleet.value("select max(next_offset) from progress where worker = 'redeem'"))
        later = [redeem(self.open[0], f"{n}", source + "-new") for n in range(most)]
        for partition in range(8):
            fleet.produce_lines(TOPIC, later, partition)
        self.assertIn("delete its rows of table progress", self.halts("topic_changed"))
        self.assertEqual(fleet.value(f"select count(*) from source where name = '{source}-new'"), "0")
        fleet.sql(f"delete from progress where topic = '{self.topic}'")
        self.run_workers()
        fleet.wait_lag_zero(seconds=90)
        self.assertEqual(fleet.value(f"""select count(*) from redemption r join source s on s.id = r.source_id
                                          where s.name = '{source}-new'"""), str(most))

    def test_zz_commands_that_retention_took_unread_halt_the_worker(self):
        fleet, source = self.fleet, fresh_source()
        self.run_workers()
        fleet.produce_lines(TOPIC, self.commands(source, 8), 2)
        fleet.wait_lag_zero()
        fleet.stop()
        next_offset = int(fleet.value(f"""select next_offset from progress
                                           where topic = '{self.topic}' and partition = 2"""))
        for event in self.commands(source, 3, 8):
            fleet.produce_command(TOPIC, event, 2)
        fleet.wire.delete_records(self.topic, {2: next_offset + 1})
        text = self.halts("commands_lost")
        self.assertIn(f"starts at offset {next_offset + 1}, but only {next_offset} was applied", text)
        fleet.sql(f"""update progress set next_offset = {next_offset + 1}
                       where topic = '{self.topic}' and partition = 2""")
        self.run_workers()
        fleet.wait_lag_zero()
        self.assertEqual(len(outcomes_of(fleet, source)), 10)


if __name__ == "__main__":
    main()
