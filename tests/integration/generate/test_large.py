#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ten million codes by two workers: an exact count, shared evenly, in memory that does not grow with it."""

import re
import unittest

from fleet import Fleet, main
from generate_it import COMPLETED, check_events, define, order

COUNT = 10000000
MEMORY_KB = 64 * 1024


class Large(unittest.TestCase):
    def test_ten_million_codes_in_64_mb_a_worker(self):
        with Fleet() as fleet:
            fleet.start("campaign")
            workers = fleet.start("generate", 2)
            fleet.wait_running()
            define(fleet)
            end, = fleet.submit([order(COUNT)], timeout=600)
            self.assertEqual((end["type"], end["data"]["rows"]), (COMPLETED, COUNT))
            job = end["data"]["job"]
            peaks, rows = [], []
            for worker in workers:
                with open(f"/proc/{worker.pid}/status", encoding="ascii") as status:
                    peaks.append(int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]))
                rows.append(int(re.search(r"^promofleet_job_rows_total (\d+)$", worker.get("/metrics")[1], re.M)[1]))
            print(f"{end['data']['rate_per_s']} codes/s, peaks {peaks} kB, rows {rows}", flush=True)
            self.assertLess(max(peaks), MEMORY_KB)
            self.assertEqual(sum(rows), COUNT)
            self.assertGreater(min(rows), COUNT * 35 // 100)
            self.assertEqual([worker.deaths for worker in workers], [[], []])
            self.assertEqual(fleet.sql(f"""
                select count(*), count(distinct c.serial), min(c.serial), max(c.serial)
                  from code c join batch b on b.id = c.batch_id where b.job_id = '{job}'"""),
                [(str(COUNT), str(COUNT), "0", str(COUNT - 1))])
            check_events(fleet, job, COMPLETED)


if __name__ == "__main__":
    main()
