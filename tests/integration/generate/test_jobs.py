#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Jobs as such: cancelled in the middle, archived with their campaign, shared by two workers, tokens that are lost,
progress, definitions that move."""

import concurrent.futures
import os
import re
import time
import unittest

from fleet import SOURCE, Fleet, command, main, wait_until
from generate_it import CANCELLED, COMPLETED, check_events, check_job, define, live, order, run

LARGE = 2000000


class Jobs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(env={"PROMO_PROBE_AFTER": "500ms"})
        cls.addClassCleanup(cls.fleet.close)
        cls.fleet.start("campaign")
        cls.fleet.start("maintain")
        cls.fleet.wait_running()
        define(cls.fleet)

    def setUp(self):
        self.start()

    def start(self, chunk_time="20ms"):
        """Two new generate-workers: their metrics begin at 0."""
        self.stop()
        self.fleet.start("generate", 2, {"PROMO_CHUNK_TIME": chunk_time})
        self.fleet.wait_running()

    def stop(self):
        slots = [slot for slot in self.fleet.workers if slot.startswith("generate")]
        if slots:
            self.assertEqual(set(self.fleet.stop(*slots).values()), {0})
        for slot in slots:
            del self.fleet.workers[slot]

    def begin(self, count, chunks, **more):
        """Orders a job and returns its id as soon as so many chunks of it are done."""
        event = order(count, **more)
        self.fleet.submit([event], wait=False)
        job, = wait_until(lambda: self.fleet.sql(f"select id from job where ce_id = '{event['id']}'"), 20, "a job")[0]
        wait_until(lambda: int(self.fleet.value(f"select count(*) from chunk where job_id = '{job}'")) >= chunks, 20,
                   "chunks", pause=0.01)
        return job

    def count(self, job):
        return int(self.fleet.value(f"""select count(*) from code c join batch b on b.id = c.batch_id
                                         where b.job_id = '{job}'"""))

    def check_cancelled(self, job, before, reason):
        state, done, total = self.fleet.sql(f"select state, done, total from job where id = '{job}'")[0]
        done = int(done)
        self.assertEqual((state, total), ("5", str(LARGE)))
        self.assertTrue(0 < done < LARGE, done)
        self.assertEqual(self.count(job), done)
        self.fleet.wait_lag_zero("generate")
        time.sleep(1.2)  # the probe has looked twice by now
        self.fleet.wait_lag_zero("generate")
        self.assertEqual(self.count(job), done)
        self.assertEqual(live(self.fleet), before + done)
        end, = [event for event in check_events(self.fleet, job, CANCELLED) if event["headers"]["ce_type"] == CANCELLED]
        self.assertEqual((end["data"]["state"], end["data"]["done"], end["data"]["rows"]), ("cancelled", done, done))
        self.assertEqual([r["code"] for r in end["data"]["reasons"]], [reason])

    def test_a_cancelled_job_stops_and_keeps_what_it_has(self):
        before = live(self.fleet)
        job = self.begin(LARGE, 10)
        steered, = self.fleet.submit([command("promofleet.job.cancel.v1", {"job": job})])
        self.assertEqual(steered["type"], "promofleet.job.steered.v1")
        self.check_cancelled(job, before, "job_cancelled")
        again, = self.fleet.submit([command("promofleet.job.cancel.v1", {"job": job})])
        self.assertEqual([r["code"] for r in again["data"]["reasons"]], ["job_finished"])
        check_events(self.fleet, job, CANCELLED)

    def test_an_archived_campaign_takes_its_jobs_with_it_and_refuses_new_ones(self):
        define(self.fleet, campaign="short-lived", coupon="short-lived-codes")
        before = live(self.fleet)
        job = self.begin(LARGE, 10, coupon="short-lived-codes")
        archived, = self.fleet.submit([command("promofleet.campaign.archive.v1", {"id": "short-lived"})])
        self.assertEqual(archived["type"], "promofleet.campaign.archived.v1")
        self.check_cancelled(job, before, "campaign_archived")
        refused, = self.fleet.submit([order(1, coupon="short-lived-codes")])
        self.assertEqual([r["code"] for r in refused["data"]["reasons"]], ["campaign_archived"])

    def test_an_archive_and_orders_at_once_leave_no_job_running(self):
        define(self.fleet, campaign="raced", coupon="raced-codes")
        orders = [order(5000, f"raced-{n}", coupon="raced-codes") for n in range(40)]
        for n, event in enumerate(orders):
            if n == 20:
                self.fleet.produce_command("campaign.commands", command("promofleet.campaign.archive.v1", {"id": "raced"}))
            self.fleet.produce_command("generate.commands", event, n % 8)
        ends = wait_until(lambda: self.ends({event["id"] for event in orders}), 60, "forty ends")
        self.assertEqual(set(ends.values()) - {"completed", "cancelled", "rejected"}, set())
        self.assertIn("rejected", ends.values())
        self.assertEqual(self.fleet.value("""select count(*) from job j join coupon k on k.id = j.coupon_id
            where k.ext_id = 'raced-codes' and j.state < 3"""), "0")

    def ends(self, ids):
        # A chunk that was committed before the archive may tell of its progress after the job's end.
        verbs = [(event["headers"].get("ce_causationid"), event["headers"]["ce_type"].split(".")[2])
                 for event in self.fleet.events("job.events")]
        over = {id_: verb for id_, verb in verbs if id_ in ids and verb not in ("accepted", "progressed")}
        return over if len(over) == len(ids) else None

    def test_two_workers_share_a_job_evenly(self):
        self.start("250ms")
        data = run(self.fleet, 1000000)
        rows = []
        for slot in ("generate-1", "generate-2"):
            _, text = self.fleet.workers[slot].get("/metrics")
            rows.append(int(re.search(r"^promofleet_job_rows_total (\d+)$", text, re.M)[1]))
        self.assertEqual(sum(rows), 1000000)
        self.assertTrue(350000 <= rows[0] <= 650000, rows)
        check_job(self.fleet, data, 1000000)
        # One token for each chunk, but for those that the probe sends again where a lane is slow.
        tokens = self.tokens_of(data["job"])
        chunks = int(self.fleet.value(f"select count(*) from chunk where job_id = '{data['job']}'"))
        self.assertEqual(len(tokens), chunks)
        self.assertEqual(len({(event["data"]["lane"], event["data"]["n"]) for event in tokens}), chunks)
        self.check_progress(data)

    def tokens_of(self, job, sender="generate"):
        return [event for event in self.fleet.events("generate.chunks") if event["data"]["job"] == job
                and event["headers"]["ce_source"] == f"promofleet/{sender}"]

    def check_progress(self, data):
        """Each 5 % or each second at most; the numbers are those of the chunks."""
        events = [event for event in check_events(self.fleet, data["job"], COMPLETED)
                  if event["headers"]["ce_type"].endswith("progressed.v1")]
        self.assertTrue(5 <= len(events) <= 20 + data["elapsed_ms"] // 1000 + 1, len(events))
        done = sorted(event["data"]["done"] for event in events)
        steps = [b * 20 // 1000000 - a * 20 // 1000000 for a, b in zip(done, done[1:])]
        self.assertLessEqual(steps.count(0), data["elapsed_ms"] // 1000 + 1)

    def test_of_chunks_that_wait_for_each_other_one_reports_progress(self):
        job = run(self.fleet, 100)["job"]
        with open(os.path.join(SOURCE, "common/store/sql/job_add.sql"), encoding="utf-8") as file:
            add = f"prepare add (uuid, int8, numeric, bool) as {file.read()};"
        one = f"{add} execute add ('{job}', 1, 0, false);"
        self.fleet.sql(f"create table kept as select outcome, finished_at from job where id = '{job}'")
        # Running, the last progress just now. The second chunk of the three completes 5 % of 2040, and the third has
        # asked before the second could write.
        self.fleet.sql(f"""update job set state = 1, outcome = null, finished_at = null, total = 2040, done = 100,
                           progress_at = clock_timestamp() where id = '{job}'""")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            first = pool.submit(self.fleet.sql, f"{one} select pg_sleep(0.7);")
            time.sleep(0.2)
            others = [pool.submit(self.fleet.sql, one) for _ in range(2)]
            rows = sorted(list(asked.result()[0]) for asked in (first, *others))
        self.fleet.sql(f"""update job j set state = 3, outcome = k.outcome, finished_at = k.finished_at, total = 100,
                                            done = 100
                             from kept k where j.id = '{job}'; drop table kept;""")
        self.assertEqual([(row[0], row[3]) for row in rows], [("101", "f"), ("102", "t"), ("103", "f")])

    def test_a_job_of_one_lane_goes_from_lane_to_lane(self):
        data = run(self.fleet, 100000, priority=1)
        check_job(self.fleet, data, 100000)
        order_of_lanes = [int(lane) for lane, in self.fleet.sql(f"""
            select lane from chunk where job_id = '{data["job"]}' and lane < 16 order by at""")]
        self.assertEqual(order_of_lanes, sorted(order_of_lanes))
        self.assertEqual(set(order_of_lanes), set(range(16)))

    def test_lost_tokens_are_issued_again(self):
        job = self.begin(LARGE // 10, 5)
        self.stop()
        self.assertEqual(self.fleet.value(f"select state from job where id = '{job}'"), "1")
        # Tokens of another epoch are dropped: those on the way are worth nothing now.
        self.fleet.sql(f"update lane set epoch = epoch + 1 where job_id = '{job}'")
        done = self.fleet.value(f"select done from job where id = '{job}'")
        self.start()
        wait_until(lambda: self.fleet.value(f"select state from job where id = '{job}'") == "3", 40, "the end")
        self.assertGreater(LARGE // 10, int(done))
        self.fleet.wait_lag_zero("generate")
        end, = [event for event in check_events(self.fleet, job, COMPLETED) if event["headers"]["ce_type"] == COMPLETED]
        check_job(self.fleet, end["data"], LARGE // 10)

    def test_a_token_that_comes_again_does_nothing(self):
        data = run(self.fleet, 20000)
        self.fleet.wait_lag_zero("generate")
        before = self.fleet.sql("select * from chunk order by job_id, lane, n")
        tokens = self.tokens_of(data["job"])
        self.assertGreater(len(tokens), 3)
        for token in tokens:
            self.fleet.produce("generate.chunks", token["payload"], {k: v for k, v in token["headers"].items()},
                               token["key"], token["partition"])
        self.fleet.wait_lag_zero("generate")
        self.assertEqual(self.fleet.sql("select * from chunk order by job_id, lane, n"), before)
        self.assertEqual(len(self.tokens_of(data["job"])), 2 * len(tokens))
        check_events(self.fleet, data["job"], COMPLETED)

    def test_many_jobs_at_once_are_all_exact(self):
        ends = self.fleet.submit([order(n * 37, f"many-{n}", priority=n) for n in range(1, 17)])
        for n, end in enumerate(ends, 1):
            self.assertEqual(end["type"], COMPLETED)
            check_job(self.fleet, end["data"], n * 37)

    def test_z_afterwards_the_audit_finds_nothing(self):
        self.fleet.wait_lag_zero()
        self.assertEqual(self.fleet.dead_letters(), [])
        self.fleet.audit()


if __name__ == "__main__":
    main()
