#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The parts of ops/demo that decide whether its table can be believed, and its refusals. No server."""

import copy
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import unittest
import uuid

import fleet

LIBRARY = os.path.join(fleet.SOURCE, "ops", "lib", "demo")
sys.path.insert(0, LIBRARY)

import counts  # noqa: E402
import purchases  # noqa: E402
import story  # noqa: E402
import table  # noqa: E402

LOG = """ customer_id  date number_of_cds  dollar_value\r
 00001 19970101  1   11.77\r
 00002 19970112  1    0.00\r
 00002 19970112  5   77.00\r
 00003 19970102  2 1286.01\r
 00003 19970330  2    0.10\r
"""


class Purchases(unittest.TestCase):
    def test_dollars_become_cents_as_text(self):
        read = purchases.parse(LOG)
        self.assertEqual([one.total_minor for one in read], [1177, 0, 7700, 128601, 10])
        self.assertEqual(read[3], purchases.Purchase(4, "00003", "1997-01-02", 2, 128601))

    def test_the_first_customers_only(self):
        self.assertEqual([one.customer for one in purchases.parse(LOG, 2)], ["00001", "00002", "00002"])
        self.assertEqual(len(purchases.parse(LOG, 3)), 5)

    def test_a_line_that_is_no_purchase_is_refused(self):
        for bad in (" 00001 19970101  1   11.7", " 1 19970101 1 11.77", " 00001 19970101  1  -11.77", "", " 00001 1"):
            with self.assertRaises(purchases.NotReadable):
                purchases.parse("heading\n" + bad + "\n 00002 19970112  1   12.00\n")

    def test_the_synthetic_log_has_the_shape_and_is_the_same_again(self):
        text = purchases.synthetic_log(2000)
        self.assertEqual(text, purchases.synthetic_log(2000))
        read = purchases.parse(text)
        visits = {}
        for one in read:
            visits[one.customer] = visits.get(one.customer, 0) + 1
        self.assertEqual(len(visits), 2000)
        self.assertTrue(0.45 < sum(count == 1 for count in visits.values()) / 2000 < 0.55)
        self.assertTrue(2.2 < len(read) / 2000 < 3.2)
        self.assertTrue(any(one.total_minor == 0 for one in read))
        self.assertEqual([one.customer for one in read], sorted(one.customer for one in read))


class Model(unittest.TestCase):
    def test_percent_is_half_up(self):
        self.assertEqual([counts.percent(total, 1500) for total in (0, 3, 10, 1177, 1290)], [0, 0, 2, 177, 194])
        self.assertEqual([counts.percent(total, 1000) for total in (4, 5, 14, 15)], [0, 1, 1, 2])

    def test_each_customer_is_accepted_twice_and_never_again(self):
        model = counts.from_log(purchases.parse(LOG), 10)
        self.assertEqual((model.customers, model.purchases, model.sent), (3, 5, 8))
        self.assertEqual((model.accepted, model.accepted_own, model.accepted_group), (6, 3, 3))
        self.assertEqual(model.rejected, {"code_customer_limit": 2})
        # 15 % and 10 % of 11.77, of nothing, and of 1,286.01
        self.assertEqual(model.discount_minor, 177 + 118 + 0 + 19290 + 12860)
        self.assertEqual(model.order_minor, 2 * (1177 + 128601))


class Story(unittest.TestCase):
    def test_commands_follow_the_log_and_their_ids_the_publisher(self):
        log = purchases.parse(LOG)
        codes = {"00001": "A", "00002": "B", "00003": "C"}
        commands = list(story.Publisher(1000).redemptions(log, codes))
        self.assertEqual([(one["data"]["codes"][0], one["data"]["customer"]["id"], one["data"]["order"]["id"])
                          for one in commands],
                         [("A", "00001", "cdnow-00001"), ("CDNOW-10", "00001", "cdnow-00001"),
                          ("B", "00002", "cdnow-00002"), ("CDNOW-10", "00002", "cdnow-00002"),
                          ("CDNOW-10", "00002", "cdnow-00003"),
                          ("C", "00003", "cdnow-00004"), ("CDNOW-10", "00003", "cdnow-00004"),
                          ("CDNOW-10", "00003", "cdnow-00005")])
        self.assertEqual(commands, list(story.Publisher(1000).redemptions(log, codes)))
        ids = [one["id"] for one in commands]
        self.assertEqual(len(set(ids)), len(ids))
        for one in ids:
            self.assertEqual((uuid.UUID(one).version, uuid.UUID(one).variant), (7, uuid.RFC_4122))
        self.assertFalse(set(ids) & {one["id"] for one in story.Publisher(1001).redemptions(log, codes)})

    def test_codes_are_handed_out_once_and_not_one_after_the_other(self):
        codes = [f"{number:06d}" for number in range(1000)]
        given = story.hand_out(["a", "b", "c", "d"], codes)
        self.assertEqual(list(given), ["a", "b", "c", "d"])
        self.assertEqual(len(set(given.values())), 4)
        self.assertNotEqual(list(given.values()), codes[:4])
        self.assertEqual(len(set(story.hand_out(codes, codes).values())), 1000)


class Sources(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="demo-pieces-")
        self.addCleanup(self.folder.cleanup)

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return path

    def test_a_missing_outcome_is_noticed(self):
        commands = list(story.Publisher(5).redemptions(purchases.parse(LOG, 1), {"00001": "A"}))
        path = self.write("commands", "".join(json.dumps(one) + "\n" for one in commands))
        refused = {"type": "promofleet.code.rejected.v1", "causationid": commands[1]["id"],
                   "data": {"codes": [{"reasons": [{"code": "expired"}]}]}}
        with self.assertRaises(counts.Wrong):
            counts.from_outcomes(self.write("outcomes", json.dumps(refused) + "\n"), path)

    def test_files_that_differ_from_their_manifest_are_noticed(self):
        text = "code,state\r\nA,unused\r\nB,unused\r\n"
        self.write("part", text)
        part = {"file": "part", "rows": 2, "bytes": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
        manifest = {"rows": 2, "parts": [part]}
        self.write("manifest.json", json.dumps(manifest))
        self.assertEqual([row["code"] for row in counts.read_parts(self.folder.name)], ["A", "B"])
        for change in ({"rows": 3}, {"bytes": 1}, {"sha256": "0" * 64}):
            self.write("manifest.json", json.dumps({"rows": 2, "parts": [{**part, **change}]}))
            with self.assertRaises(counts.Wrong):
                list(counts.read_parts(self.folder.name))
        self.write("manifest.json", json.dumps({"rows": 1, "parts": [part]}))
        with self.assertRaises(counts.Wrong):
            list(counts.read_parts(self.folder.name))

    def test_every_number_that_differs_is_marked(self):
        model = counts.from_log(purchases.parse(LOG), 10)
        same = {"outcomes": model, "log": model, "SQL": counts.Counts(sent=8, accepted=6, rejected=dict(model.rejected))}
        text, differing = table.render(same)
        self.assertEqual(differing, 0, text)
        self.assertNotIn("differs", text)
        for field in ("customers", "purchases", "codes", "sent", "accepted", "accepted_own", "accepted_group",
                      "discount_minor", "order_minor"):
            other = copy.deepcopy(model)
            setattr(other, field, getattr(model, field) + 1)
            text, differing = table.render({"outcomes": model, "log": other})
            self.assertEqual((differing, text.count("<- differs")), (1, 1), text)
        other = copy.deepcopy(model)
        other.rejected = {"code_exhausted": 2}
        self.assertEqual(table.render({"outcomes": model, "log": other})[1], 2)


class Refusals(unittest.TestCase):
    def demo(self, *args, **env):
        return subprocess.run([os.path.join(fleet.SOURCE, "ops", "demo"), *args], env={**os.environ, **env},
                              capture_output=True, text=True, timeout=60, check=False)

    def test_wrong_usage_starts_nothing(self):
        for args in (["--nonsense"], ["--customers", "0"], ["--customers"], ["--codes=x"], ["--name", "a/b"],
                     ["--synthetic", "--customers", "50", "--codes", "49"]):
            done = self.demo(*args)
            self.assertEqual(done.returncode, 64, f"{args}: {done.stdout}{done.stderr}")
            self.assertNotIn("starting", done.stdout)

    def test_a_log_that_cannot_be_fetched_is_exit_3(self):
        with tempfile.TemporaryDirectory(prefix="demo-pieces-") as cache:
            done = subprocess.run(
                ["/usr/bin/python3", "-B", LIBRARY, "--cache", cache, "--name", "demo-never", "--state",
                 os.path.join(cache, "never")],
                env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": cache}, capture_output=True, text=True,
                timeout=60, check=False)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn("cannot be fetched", done.stderr)
        self.assertIn("--synthetic", done.stderr)
        self.assertNotIn("starting", done.stdout)

    def test_a_package_that_was_changed_is_not_taken(self):
        with tempfile.TemporaryDirectory(prefix="demo-pieces-") as cache:
            with open(os.path.join(cache, purchases.PACKAGE_FILE), "wb") as file:
                file.write(b"PK\x03\x04 something else")
            done = subprocess.run(
                ["/usr/bin/python3", "-B", LIBRARY, "--cache", cache, "--name", "demo-never", "--state",
                 os.path.join(cache, "never")],
                env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": cache}, capture_output=True, text=True,
                timeout=60, check=False)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)


if __name__ == "__main__":
    fleet.main()
