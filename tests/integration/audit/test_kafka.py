#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""promoctl audit compares commands and outcomes in Kafka with each other and with the ledgers.

The outcomes are made by the echo of the tests of submit, the ledgers by SQL: first so that all agrees, then
one thing at a time is made wrong. What is wrong in Kafka stays so, and the next one comes on top."""

import json
import os
import secrets
import subprocess

from ctl_it import database, environment, equal, need, promoctl, run_all, sql

PREFIX = f"t{secrets.token_hex(5)}"
BROKERS = need("KAFKA_BROKERS")
URL = database()
ENV = environment(KAFKA_BROKERS=BROKERS, PGURL=URL, PROMO_TOPIC_PREFIX=PREFIX)
ONE, LEDGER = "kafka_one_outcome", "kafka_outcome_equals_ledger"


def event(id_, type_, **echo):
    return {"specversion": "1.0", "id": id_, "source": "shop", "type": f"promofleet.{type_}.v1",
            "data": {"id": "c", "codes": ["ab"], "echo": echo}}


def submit(*events):
    """Sends, and waits for what the echo answers."""
    text = "".join(json.dumps(e) + "\n" for e in events)
    return promoctl("submit", "--wait", "--pipeline", "--timeout", "20", "-", env=ENV, text=text)


def produce(value, **headers):
    """A record that submit would refuse."""
    args = [part for name, text in headers.items() for part in ("-H", f"{name}={text}")]
    subprocess.run(["kcat", "-P", "-b", BROKERS, "-t", f"{PREFIX}.redeem.commands", "-p", "0", *args],
                   input=value, text=True, check=True)


REDEEMED = {"codes": [{"code": "ab"}, {"code": "cd"}], "discount_total_minor": 30, "currency": "EUR"}

CONSISTENT = """
    insert into source (name) values ('shop');
    insert into command (kind, source_id, ce_id, hash, partition, "offset", at, outcome_type, outcome)
    values (1, 1, 'c1', '\\x00', 0, 0, now(), 'promofleet.campaign.changed.v1', '{ "version": 1.0 }'),
           (1, 1, 'c2', '\\x00', 0, 0, now(), 'promofleet.campaign.rejected.v1', '{"reasons": []}'),
           (2, 1, 'g1', '\\x00', 0, 0, now(), 'promofleet.job.accepted.v1', '{"rows": 5}');
    insert into job (id, kind, state, source_id, ce_id, params, total, done, lanes_left, width, accepted_at, progress_at,
                     finished_at, outcome)
    values ('00000000-0000-5000-8000-000000000001', 1, 3, 1, 'g1', '{}', 0, 0, 0, 4, now(), now(), now(), '{"rows": 5}');
    update command set job_id = '00000000-0000-5000-8000-000000000001' where ce_id = 'g1';
    insert into campaign_path (path) values ('{1}');
    insert into campaign (ext_id, path_id, status, version, def_version, created_at, created_by, updated_at, updated_by)
    values ('c', 1, 1, 1, 0, now(), 'x', now(), 'x');
    insert into definition_history values (1, 1, 1, now(), 'x', 'put', '{}'), (3, 1, 1, now(), 'x', 'put', '{}');
    insert into coupon (ext_id, campaign_id, active, version, def_version, created_at, created_by, updated_at, updated_by)
    values ('p', 1, true, 1, 0, now(), 'x', now(), 'x');
    insert into batch (job_id, coupon_id, origin, size, created_at)
    values ('00000000-0000-5000-8000-000000000001', 1, 1, 0, now());
    insert into redemption (source_id, ce_id, line, state, partition, "offset", at, code, coupon_id, path_id,
                            discount_minor, order_minor, currency, hash, reason)
    values (1, 'r1', 0, 1, 0, 0, now(), 'ab', 1, 1, 10, 100, 'EUR', '\\x00', null),
           (1, 'r1', 1, 3, 0, 0, now(), 'cd', 1, 1, 20, 100, 'EUR', '\\x00', null),
           (1, 'r2', 0, 2, 0, 0, now(), 'ab', 1, 1, 0, 100, 'EUR', '\\x00', 110);
    -- every command of these topics is known to be answered, however many there will be
    insert into progress (worker, topic, partition, from_offset, next_offset)
    select 'test', t || '.commands', p, 1000000, 1000000
      from unnest('{PREFIX.campaign,PREFIX.generate,PREFIX.redeem,PREFIX.maintain}'::text[]) as t
     cross join generate_series(0, 63) as p;
""".replace("PREFIX", PREFIX)


def audit():
    """What the two checks found: {check: [what, ...]}, and the whole lines."""
    done = promoctl("audit", "--json", "--limit", "1000", env=ENV)
    lines = {line["check"]: line for line in done.lines() if "ok" in line}
    assert ONE in lines and LEDGER in lines, done.err
    return {name: sorted(row["what"] for row in lines[name]["rows"]) for name in (ONE, LEDGER)}, done


def set_up():
    equal(promoctl("migrate", env=ENV).code, 0)
    equal(promoctl("topics", "apply", env=ENV).code, 0)


def what_agrees_is_clean():
    done = submit(event("c1", "campaign.put", data={"version": 1}),
                  event("c2", "campaign.put", answer="reject", data={"reasons": []}),
                  event("g1", "codes.generate", data={"rows": 5}),
                  event("r1", "code.redeem", data=REDEEMED),
                  event("r2", "code.redeem", answer="reject"),
                  event("unknown", "code.redeem", answer="reject"),
                  event("v1", "code.validate", answer="reject"),
                  event("d1", "code.redeem", answer="dead"))
    equal(done.code, 0, done.err)
    # sent once more: a repeated answer of each
    equal(submit(event("c1", "campaign.put", answer="repeated", data={"version": 1})).code, 0)
    equal(submit(event("r1", "code.redeem", answer="repeated", data=REDEEMED)).code, 0)
    sql(URL, CONSISTENT)
    found, _ = audit()
    equal(found, {ONE: [], LEDGER: []})


def changes_of_the_ledger_are_found():
    command = "update command set {} where ce_id = 'c1'"
    redemption = "update redemption set {} where ce_id = '{}' and line = 0"
    for change, undo, wanted in (
            (command.format("outcome = '{\"version\": 2}'"), command.format("outcome = '{\"version\": 1}'"),
             "the ledger has another outcome than was published"),
            (command.format("outcome_type = 'promofleet.campaign.archived.v1'"),
             command.format("outcome_type = 'promofleet.campaign.changed.v1'"),
             "the ledger has another outcome than was published"),
            (command.format("ce_id = 'c0'"), "update command set ce_id = 'c1' where ce_id = 'c0'",
             "published as done, and not in the ledger"),
            ("update job set outcome = '{\"rows\": 6}'", "update job set outcome = '{\"rows\": 5}'",
             "the job has another end than was published"),
            ("update job set state = 4", "update job set state = 3", "the job has another end than was published"),
            (redemption.format("discount_minor = 11", "r1"), redemption.format("discount_minor = 10", "r1"),
             "the ledger has other figures than were published"),
            (redemption.format("state = 2", "r1"), redemption.format("state = 1", "r1"),
             "the ledger has other figures than were published"),
            ("update redemption set state = 2 where ce_id = 'r1'",
             "update redemption set state = 2 * line + 1 where ce_id = 'r1'",
             "published as redeemed, refused in the ledger"),
            (redemption.format("state = 1", "r2"), redemption.format("state = 2", "r2"),
             "redeemed in the ledger, published as something else"),
            ("update redemption set ce_id = 'r0' where ce_id = 'r1'",
             "update redemption set ce_id = 'r1' where ce_id = 'r0'", "published as done, and not in the ledger")):
        sql(URL, change)
        found, done = audit()
        equal(found, {ONE: [], LEDGER: [wanted]}, change)
        equal(done.code, 1)
        sql(URL, undo)
    equal(audit()[0], {ONE: [], LEDGER: []})


def ends_of_jobs_are_counted():
    sql(URL, "update job set state = 1, outcome = null, finished_at = null")
    equal(audit()[0], {ONE: ["ends published are not the ends of jobs"], LEDGER: []})
    sql(URL, """update job set state = 3, outcome = '{"rows": 5}', finished_at = now()""")
    # a second job of a command that says nothing
    sql(URL, """insert into job (id, kind, state, source_id, ce_id, params, total, lanes_left, width, accepted_at,
                                 progress_at, finished_at, outcome)
                values ('00000000-0000-5000-8000-000000000002', 1, 4, 1, 'g1', '{}', 0, 0, 4, now(), now(), now(), '{}')""")
    found, _ = audit()
    equal(found[ONE], ["ends published are not the ends of jobs"])
    sql(URL, "delete from job where state = 4")
    equal(audit()[0], {ONE: [], LEDGER: []})


def a_command_that_is_not_answered_yet_is_told_and_no_violation():
    promoctl("submit", "-", env=ENV, text=json.dumps(event("late", "code.redeem", answer="silent")))
    sql(URL, "update progress set from_offset = 0")
    found, done = audit()
    equal(found, {ONE: [], LEDGER: []})
    assert any(line.get("note", "").find("not known to be answered") > 0 for line in done.lines()), done.out


def a_command_without_outcome_is_found_once_it_should_have_one():
    sql(URL, "update progress set from_offset = 1000000")
    found, done = audit()
    equal(found, {ONE: ["no outcome"], LEDGER: []})
    row, = [line for line in done.lines() if line["check"] == ONE][0]["rows"]
    equal((row["source"], row["id"]), ("shop", "late"))


def two_outcomes_are_found():
    submit(event("two", "code.redeem", answer="twice", data={"codes": []}))
    found, _ = audit()
    equal(found[ONE], ["more outcomes than commands", "no outcome"])
    equal(found[LEDGER], ["published as done, and not in the ledger"])


def an_outcome_that_only_repeats_is_found():
    submit(event("again", "campaign.put", answer="repeated"))
    equal(audit()[0][ONE], ["more outcomes than commands", "no outcome", "only repeated outcomes"])


def what_cannot_be_read_belongs_in_the_dead_letter():
    produce("{", ce_specversion="1.0", ce_id="x")
    produce("not even an envelope")
    equal(audit()[0][ONE], ["more outcomes than commands", "no outcome", "not readable, and not in the dead letter",
                            "not readable, and not in the dead letter", "only repeated outcomes"])


def a_broker_that_is_away_is_exit_3_after_the_sql():
    done = promoctl("audit", env={**ENV, "KAFKA_BROKERS": "127.0.0.1:1"})
    equal(done.code, 3, done.err)
    assert "ok      01_code_uses_within_limit" in done.out, done.out


if __name__ == "__main__":
    set_up()
    echo = subprocess.Popen([need("PROMO_TEST_ECHO"), BROKERS, PREFIX], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)
    equal(echo.stdout.readline(), "ready\n")
    try:
        run_all([what_agrees_is_clean, changes_of_the_ledger_are_found, ends_of_jobs_are_counted,
                 a_command_that_is_not_answered_yet_is_told_and_no_violation,
                 a_command_without_outcome_is_found_once_it_should_have_one, two_outcomes_are_found,
                 an_outcome_that_only_repeats_is_found, what_cannot_be_read_belongs_in_the_dead_letter,
                 a_broker_that_is_away_is_exit_3_after_the_sql])
    finally:
        echo.kill()
