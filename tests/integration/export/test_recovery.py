#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports whose workers die or freeze, or whose folder cannot be written: they end with exactly the rows of the
table, in exactly the files that the manifest names. Needs a build with fault points (-DFAULTS=ON)."""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from export_it import Fleet, definitions, equal, run_all, sql, wait_for  # noqa: E402

COUNT = 20000
FLEET = Fleet(["campaign-1", "generate-1"])
definitions(FLEET)
FLEET.do(FLEET.command("codes.generate", {"coupon": "above", "count": COUNT}))


def export():
    return FLEET.command("codes.export", {"campaign": "root"})


def assert_exact(event, only_these=True):
    manifest, rows = FLEET.check(event, only_these)
    equal([row["id"] for row in rows],
          sql(FLEET.url, "select batch_id || '.' || serial from code order by batch_id, serial").split("\n"))
    return manifest


def dies_at(point):
    """A worker that dies there; another process of its slot goes on."""
    FLEET.start("export-1", FLEET_FAULT=f"{point}:kill")
    exported = FLEET.later(export())
    equal(FLEET.processes["export-1"].wait(60), -signal.SIGKILL, point)
    FLEET.start("export-1")
    event = exported()[0]
    assert_exact(event)
    equal(event["data"]["rows"], COUNT)
    FLEET.stop("export-1")


def a_worker_that_dies_before_a_part_has_its_name():
    dies_at("before_rename:3")


def a_worker_that_dies_before_the_row_of_a_part_is_committed():
    dies_at("after_rename:3")


def a_worker_that_dies_before_a_commit():
    dies_at("before_pg_commit:5")


def a_worker_that_dies_between_the_commits():
    dies_at("after_pg_commit:5")


def a_worker_that_dies_before_the_manifest():
    dies_at("before_manifest:1")


def a_worker_that_dies_behind_the_manifest():
    dies_at("after_manifest:1")


def one_of_two_workers_is_killed_in_the_middle():
    FLEET.start("export-1")
    FLEET.start("export-2")
    command = export()
    exported = FLEET.later(command)
    job = FLEET.await_job(command)["id"]
    wait_for("some parts", lambda: FLEET.number(f"select count(*) from chunk where job_id = '{job}'") >= 3)
    FLEET.kill("export-2")
    FLEET.start("export-2")
    assert_exact(exported()[0])
    FLEET.stop("export-1")
    FLEET.stop("export-2")


def freezes_at(point):
    """Another worker finishes the export; the frozen one wakes up when all is done, and changes nothing."""
    FLEET.start("export-1", FLEET_FAULT=f"{point}:stop", PROMO_SESSION_TIMEOUT="1s")
    exported = FLEET.later(export())
    stat = f"/proc/{FLEET.processes['export-1'].pid}/stat"

    def is_frozen():
        with open(stat, encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] == "T"

    wait_for("a frozen worker", is_frozen)
    FLEET.start("export-2", PROMO_SESSION_TIMEOUT="1s")
    event = exported()[0]
    before = assert_exact(event, only_these=False)
    recovered = sum(line["event"] == "dependency_recovered" for line in FLEET.log("export-1"))
    FLEET.signal("export-1", signal.SIGCONT)
    wait_for("the frozen worker's recovery", lambda: sum(
        line["event"] == "dependency_recovered" for line in FLEET.log("export-1")) > recovered)
    equal(assert_exact(event, only_these=False), before, "the manifest")
    FLEET.stop("export-1")
    FLEET.stop("export-2")


def a_worker_that_freezes_over_a_part():
    freezes_at("before_rename:3")


def a_worker_that_freezes_before_the_manifest():
    freezes_at("before_manifest:1")


def a_worker_that_freezes_behind_the_manifest():
    freezes_at("after_manifest:1")


def a_folder_that_is_away_is_waited_for():
    FLEET.start("export-1")
    FLEET.do(export())
    away = FLEET.exports + ".away"
    os.rename(FLEET.exports, away)
    with open(FLEET.exports, "w", encoding="ascii") as file:
        file.write("in the way")
    skip = len(FLEET.log("export-1"))
    command = export()
    exported = FLEET.later(command)

    def complaints():
        return [line for line in FLEET.log("export-1")[skip:]
                if line["event"] == "dependency_failed" and line["dependency"] == "export.dir"]

    wait_for("a clear log line", complaints)
    equal(complaints()[0]["err_code"], "ENOTDIR")
    time.sleep(2)
    equal(FLEET.job(command)["state"], 1)
    equal(len(complaints()), 1, "complaints")
    equal([line for line in FLEET.log("export-1")[skip:] if line.get("dependency") == "servers"], [])
    os.remove(FLEET.exports)
    os.rename(away, FLEET.exports)
    assert_exact(exported()[0])
    equal([line["dependency"] for line in FLEET.log("export-1")[skip:] if line["event"] == "dependency_recovered"],
          ["export.dir"])
    FLEET.stop("export-1")


def the_audit_finds_nothing():
    FLEET.audit()


run_all([
    a_worker_that_dies_before_a_part_has_its_name,
    a_worker_that_dies_before_the_row_of_a_part_is_committed,
    a_worker_that_dies_before_a_commit,
    a_worker_that_dies_between_the_commits,
    a_worker_that_dies_before_the_manifest,
    a_worker_that_dies_behind_the_manifest,
    one_of_two_workers_is_killed_in_the_middle,
    a_worker_that_freezes_over_a_part,
    a_worker_that_freezes_before_the_manifest,
    a_worker_that_freezes_behind_the_manifest,
    a_folder_that_is_away_is_waited_for,
    the_audit_finds_nothing,
])
