#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ops/demo as a whole, small."""

import json
import os
import signal
import subprocess
import time
import unittest

import fleet
from demo_it import DEMO, DemoRun


class Whole(unittest.TestCase):
    def test_a_small_synthetic_demo_agrees_and_leaves_nothing(self):
        began = time.monotonic()
        with DemoRun("--synthetic", "--customers", "300", "--codes", "3000") as demo:
            demo.assert_agreed()
            rows = demo.rows()
        self.assertEqual(rows["accepted"][0], "600")
        self.assertEqual(rows["codes generated"][0], "3,000")
        self.assertLess(time.monotonic() - began, 60)

    def test_ctrl_c_ends_the_stack(self):
        with DemoRun("--synthetic", "--customers", "2000", "--codes", "20000") as demo:
            demo.wait_for("publishing")
            demo.process.send_signal(signal.SIGINT)
            self.assertEqual(demo.end(60), 130, demo.text)
            self.assertIn("interrupted (SIGINT)", demo.text)
            demo.assert_gone()

    def test_sigterm_while_the_stack_starts_ends_it(self):
        with DemoRun("--synthetic", "--customers", "20", "--codes", "20") as demo:
            demo.wait_for("starting stack")
            demo.process.send_signal(signal.SIGTERM)
            self.assertEqual(demo.end(120), 130, demo.text)
            demo.assert_gone()

    def test_keep_leaves_a_stack_on_which_all_can_be_tried_again(self):
        with DemoRun("--synthetic", "--customers", "40", "--codes", "500", "--keep") as demo:
            self.assertEqual(demo.end(), 0, demo.text)
            self.assertTrue(demo.status()["well"], demo.status())
            self._the_printed_commands_work(demo)
            self._the_same_commands_again_change_nothing(demo)
            self._the_name_is_taken(demo)

    def _shell(self, demo, *lines):
        """Runs what the demo prints in a shell that knows its stack."""
        env = {name: value for name, value in demo.env.items() if name != "STACK_BIN_DIR"}
        script = "\n".join(["set -euo pipefail", f"cd {fleet.SOURCE}", f'eval "$(ops/stack env --name {demo.name})"',
                            *lines])
        done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, f"{lines}: {done.stdout}{done.stderr}")
        return done.stdout

    def _the_printed_commands_work(self, demo):
        first = next(i for i, line in enumerate(demo.lines) if line.startswith("Then, for example"))
        last = next(i for i, line in enumerate(demo.lines) if line.startswith("At the end"))
        printed = [line.strip() for line in demo.lines[first + 1:last]]
        self.assertGreater(len(printed), 6)
        for line in printed:
            self.assertTrue(self._shell(demo, line).strip(), line)

    def _the_same_commands_again_change_nothing(self, demo):
        (folder,) = [os.path.join(demo.files, name) for name in os.listdir(demo.files)]
        facts = ("psql \"$PGURL\" -XAtq -c \"select md5(string_agg(t::text, '|' order by t::text)) from (select to_jsonb(r) "
                 "from redemption r union all select to_jsonb(c) from code c union all select to_jsonb(n) from counter n "
                 "union all select to_jsonb(y) from tally y) t\"")
        before = self._shell(demo, facts)
        again = self._shell(demo, f"promoctl submit --wait {folder}/redeem.jsonl")
        self.assertEqual(self._shell(demo, facts), before)
        with open(os.path.join(folder, "redeem.outcomes.jsonl"), encoding="utf-8") as file:
            first = [json.loads(line) for line in file]
        second = [json.loads(line) for line in again.splitlines()]
        self.assertEqual({outcome.pop("repeated") for outcome in second}, {True})
        # An outcome that was found in the ledger has the time of the first one, and all else.
        self.assertEqual([(event["id"], event["type"], event["data"]) for event in second],
                         [(event["id"], event["type"], event["data"]) for event in first])

    def _the_name_is_taken(self, demo):
        done = subprocess.run([DEMO, "--synthetic", "--customers", "5", "--name", demo.name], env=demo.env,
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("already", done.stderr)
        self.assertTrue(demo.status()["well"])


if __name__ == "__main__":
    fleet.main()
