#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""promoctl migrate, plan, job and code on the data set of the audit's tests."""

import json
import os
import signal
import subprocess
import threading
import time

from ctl_it import database, environment, equal, need, promoctl, run_all, sql

HERE = os.path.dirname(os.path.abspath(__file__))
URL = database()
ENV = environment(PGURL=URL)
JOB = "00000000-0000-5000-8000-00000000000{}"


def run(*args, code=0, env=None):
    done = promoctl(*args, env=env or ENV)
    equal(done.code, code, done.err or done.out)
    return done


def migrate_applies_once_and_names_what_it_did():
    folder = os.path.join(HERE, "..", "..", "..", "schemas", "sql")
    count = len([name for name in os.listdir(folder) if name.endswith(".sql")])
    equal([line["version"] for line in run("migrate", "--json").lines()], list(range(1, count + 1)))
    done = run("migrate")
    assert "nothing to do" in done.out, done.out
    with open(os.path.join(HERE, "dataset.sql"), encoding="utf-8") as text:
        sql(URL, text.read())


def migrate_waits_for_the_server_as_long_as_told():
    start = time.monotonic()
    done = run("migrate", "--timeout", "1", code=3, env=environment(PGURL="postgresql://x@127.0.0.1:1/x"))
    assert 0.9 <= time.monotonic() - start < 10, "not as long as told"
    assert "waiting for PostgreSQL" in done.err.splitlines()[0], done.err
    run("migrate", "--timeout", "soon", code=2)


def usage_errors_are_exit_2_and_one_line():
    for args in ([], ["fly"], ["job"], ["job", "fly"], ["migrate", "now"], ["plan"], ["plan", "--count", "0"],
                 ["plan", "--count", "2000000001"], ["plan", "--count", "1", "--pattern", "#", "--length", "3"],
                 ["code", "show"], ["code", "show", "-"], ["job", "list", "--state", "asleep"], ["migrate", "--fast"]):
        done = promoctl(*args, env=ENV)
        equal(done.code, 2, f"{args} {done.err}")
        if args:
            equal(len(done.err.splitlines()), 1, f"{args} {done.err}")
    equal(promoctl("job", "list", env=environment()).code, 2, "no data base given")


def help_and_version_are_there_for_each_verb():
    listed = run("--help").out
    for verb in (["migrate"], ["topics", "apply"], ["plan"], ["submit"], ["job", "watch"], ["job", "list"],
                 ["code", "show"], ["audit"]):
        assert " ".join(verb) in listed, verb
        assert "--help" in run(*verb, "--help").out, verb
    assert "librdkafka" in run("--version").out
    assert "130  interrupted" in listed, listed


def settings_of_the_workers_are_none_of_its_business():
    run("job", "list", env={**ENV, "PROMO_BATCH_MAX": "7", "PROMO_FLEET_SECRET_FILE": "/x", "PROMO_TOPIC_PREFIX": "y"})


def plan_counts_the_live_codes_and_says_the_verdict():
    plan, = run("plan", "--json", "--count", "10", "--pattern", "[0-9]{6}", code=1).lines()
    equal((plan["verdict"], plan["space"], plan["live"], plan["guess_odds"]), ("guessable", "1000000", "68", "12820"))
    plan, = run("plan", "--json", "--count", "999933", "--pattern", "[0-9]{6}", "--allow-guessable", code=1).lines()
    equal((plan["verdict"], plan["available"]), ("capacity_exceeded", "999932"))
    assert "999932" in plan["message"], plan
    plan, = run("plan", "--json", "--count", "999932", "--pattern", "[0-9]{6}", "--allow-guessable").lines()
    equal(plan["verdict"], "fits_guessable")
    equal(plan["share"], 1)
    plan, = run("plan", "--json", "--count", "1000000").lines()
    equal((plan["verdict"], plan["live"], plan["pattern"]), ("fits", "0", "####-####-####"))
    equal(plan["space"], str(32 ** 12))
    equal(plan["guess_odds"], str(32 ** 12 // 1000000))
    assert 40e6 < plan["bytes"] < 400e6, plan


def plan_takes_the_shape_in_every_way():
    def pattern(*args):
        return run("plan", "--json", "--count", "1", *args).lines()[0]

    made = pattern("--length", "10", "--charset", "digits", "--prefix", "A", "--suffix", "Z", "--dash-every", "5")
    for sample in made["samples"]:
        assert sample[0] == "A" and sample[-1] == "Z" and sample.count("-") >= 1, sample
    equal(made["space"], str(10 ** 10))
    assert "{check}" in pattern("--check", "--length", "10")["pattern"]
    sql(URL, "update coupon set pattern = 'SUMMER-#{9}' where ext_id = 'GROUP'")
    equal(pattern("--coupon", "GROUP")["pattern"], "SUMMER-#{9}")
    equal(pattern("--coupon", "SINGLE")["pattern"], "####-####-####")
    run("plan", "--count", "1", "--coupon", "NONE", code=1)
    run("plan", "--count", "1", "--pattern", "[[", code=1)


def plan_leaves_blocked_words_out():
    args = ["plan", "--json", "--allow-guessable", "--count", "1", "--pattern", "[AB]{3}"]
    equal(run(*args).lines()[0]["allowed"], "8")
    equal(run(*args, "--blocked-word", "ab").lines()[0]["allowed"], "4")  # aaa baa bba bbb
    plan, = run(*args, "--blocked-word=ab", "--blocked-word", "ba", "--blocked-word", "AA-A").lines()
    equal((plan["allowed"], plan["samples"]), ("1", ["BBB"] if plan["samples"] else []))
    run(*args, "--blocked-word", " ", code=1)


def plan_works_without_a_data_base_and_says_so():
    plan, = run("plan", "--json", "--count", "5", env=environment()).lines()
    equal(plan["live"], None)
    assert "no data base" in plan["live_unknown"], plan
    plan, = run("plan", "--json", "--count", "5", env=environment(PGURL="postgresql://x@127.0.0.1:1/x")).lines()
    equal((plan["verdict"], plan["live"], plan["rate_per_s"]), ("fits", None, None))
    done = run("plan", "--count", "5", env=environment())
    assert "taken as 0" in done.out and "unknown" in done.out, done.out
    run("plan", "--count", "5", "--coupon", "GROUP", code=3, env=environment(PGURL="postgresql://x@127.0.0.1:1/x"))


def plan_takes_the_time_from_the_last_jobs():
    equal(run("plan", "--json", "--count", "5").lines()[0]["rate_per_s"], None)
    sql(URL, f"""update job set total = 5000, done = 5000, finished_at = accepted_at + interval '2 seconds'
                  where id = '{JOB.format(1)}'""")
    plan, = run("plan", "--json", "--count", "10000").lines()
    equal((plan["rate_per_s"], plan["expected_s"]), (2500, 4))
    sql(URL, f"update job set total = 32, done = 32 where id = '{JOB.format(1)}'")


def jobs_are_listed_by_state():
    jobs = run("job", "list", "--json").lines()
    equal(sorted(job["command"] for job in jobs), ["g1", "g2", "g3", "g4", "x1"])
    job, = run("job", "list", "--json", "--state", "running").lines()
    equal((job["job"], job["kind"], job["campaign"], job["coupon"], job["total"], job["done"]),
          (JOB.format(2), "codes_generate", "CHILD", "SINGLE", 32, 16))
    equal(len(run("job", "list", "--json", "--limit", "2").lines()), 2)
    lines = run("job", "list").out.splitlines()
    equal(len(lines), 6)
    equal(lines[0].split()[:3], ["JOB", "KIND", "STATE"])


def a_job_that_is_over_is_shown_at_once():
    job, = run("job", "watch", "g1").lines()
    equal((job["state"], job["done"], job["total"], job["outcome"]), ("completed", 32, 32, {"rows": 32}))
    job, = run("job", "watch", JOB.format(3).upper(), code=1).lines()
    equal((job["state"], job["done"]), ("cancelled", 4))


def a_job_is_watched_to_its_end():
    def finish():
        time.sleep(1.2)
        sql(URL, "update job set done = 30 where ce_id = 'g2'")
        time.sleep(1.2)
        sql(URL, """update job set done = 32, state = 3, finished_at = now(), outcome = '{"rows": 32}'
                     where ce_id = 'g2'""")

    thread = threading.Thread(target=finish)
    thread.start()
    seen = run("job", "watch", "g2").lines()
    thread.join()
    equal([(line["state"], line["done"]) for line in seen], [("running", 16), ("running", 30), ("completed", 32)])
    sql(URL, "update job set done = 16, state = 1, finished_at = null, outcome = null where ce_id = 'g2'")


def a_job_that_does_not_end_in_time_is_exit_4():
    done = run("job", "watch", "g2", "--timeout", "1", code=4)
    assert "still running" in done.err, done.err
    done = run("job", "watch", "nothing", "--timeout", "1", code=1)
    assert "there is no job" in done.err, done.err


def a_refused_job_and_an_ambiguous_one_are_told():
    sql(URL, """insert into command (kind, source_id, ce_id, hash, partition, "offset", at, outcome_type, outcome)
                values (2, 1, 'g9', '\\x00', 0, 0, now(), 'promofleet.job.rejected.v1', '{"reasons": ["why"]}')""")
    done = run("job", "watch", "g9", code=1)
    assert "refused" in done.err and "why" in done.err, done.err
    sql(URL, "update job set ce_id = 'g1' where ce_id = 'g4'")
    done = run("job", "watch", "g1", code=1)
    assert "several" in done.err, done.err
    sql(URL, f"update job set ce_id = 'g4' where id = '{JOB.format(4)}'")


def ctrl_c_ends_the_watch():
    process = subprocess.Popen([need("PROMOCTL"), "job", "watch", "g2"], env=ENV, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    process.stdout.readline()
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    equal(process.returncode, 130)
    assert time.monotonic() - start < 3, "it took long"


def a_code_is_found_however_it_is_typed():
    for typed in ("CDNOW-10", "cdnow10", " Cd now 10 "):
        code = json.loads(run("code", "show", "--json", typed).out)
        equal((code["code"], code["id"], code["coupon"], code["campaign_path"]), ("cdnow10", "4.0", "GROUP", ["ROOT"]))
    equal((code["uses"], code["max_uses"], code["per_customer"], code["ledger_rows"]), (1, None, 1, 2))
    equal([row["state"] for row in code["ledger"]], ["refused", "redeemed"])
    equal(len(json.loads(run("code", "show", "--json", "--limit", "1", "CDNOW-10").out)["ledger"]), 1)
    text = run("code", "show", "001-000").out
    assert "ROOT / CHILD" in text and "redeemed" in text and "o1" in text, text
    done = run("code", "show", "nothing", code=1)
    assert "there is no code nothing" in done.err, done.err


def a_code_says_why_it_cannot_be_used():
    def state():
        return json.loads(run("code", "show", "--json", "001005").out)["state"]

    equal(state(), "usable")
    for table, change, undo, wanted in (
            ("code", "flags = 2", "flags = 0", "deleted"), ("code", "flags = 1", "flags = 0", "inactive"),
            ("batch", "active = false", "active = true", "inactive"),
            ("coupon", "active = false", "active = true", "coupon inactive"),
            ("campaign", "status = 2", "status = 1", "campaign inactive"),
            ("batch", "starts_at = now() + interval '1 day'", "starts_at = null", "not started"),
            ("coupon", "ends_at = now() - interval '1 day'", "ends_at = null", "expired"),
            ("campaign", "ends_at = now() - interval '1 day'", "ends_at = null", "expired"),
            ("code", "uses = 1", "uses = 0", "exhausted")):
        where = "where key = '001005'" if table == "code" else "where id = 1"
        sql(URL, f"update {table} set {change} {where}")
        equal(state(), wanted, change)
        sql(URL, f"update {table} set {undo} {where}")
    equal(state(), "usable")


if __name__ == "__main__":
    run_all([migrate_applies_once_and_names_what_it_did, migrate_waits_for_the_server_as_long_as_told,
             usage_errors_are_exit_2_and_one_line, help_and_version_are_there_for_each_verb,
             settings_of_the_workers_are_none_of_its_business, plan_counts_the_live_codes_and_says_the_verdict,
             plan_takes_the_shape_in_every_way, plan_leaves_blocked_words_out,
             plan_works_without_a_data_base_and_says_so, plan_takes_the_time_from_the_last_jobs,
             jobs_are_listed_by_state, a_job_that_is_over_is_shown_at_once, a_job_is_watched_to_its_end,
             a_job_that_does_not_end_in_time_is_exit_4, a_refused_job_and_an_ambiguous_one_are_told,
             ctrl_c_ends_the_watch, a_code_is_found_however_it_is_typed, a_code_says_why_it_cannot_be_used])
