#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""promoctl audit on a small consistent data base finds nothing; with one row made wrong, it finds exactly that.

Where a constraint forbids the wrong row, the constraint is dropped first: the audit must not rely on it."""

import os
import re

from ctl_it import database, environment, equal, promoctl, run_all, sql

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "..", "..", "..")
JOB = "'00000000-0000-5000-8000-00000000000{}'"

with open(os.path.join(HERE, "dataset.sql"), encoding="utf-8") as text:
    DATASET = text.read()

# check: the ways to break it, each with what it changes
BROKEN = {
    "01_code_uses_within_limit": [
        # the coupon's limit
        """update coupon set code_max_uses = 1 where id = 2; update batch set max_uses = null where id = 4;
           insert into redemption (source_id, ce_id, line, state, partition, "offset", at, code, batch_id, coupon_id,
                                   path_id, customer, hash)
           values (1, 'more', 0, 1, 0, 0, now(), 'cdnow10', 4, 2, 1, '\\xee', '\\x01');
           insert into counter values (2, '2', '\\xee', 1, 2), (1, 'cdnow10', '\\xee', 1, 1);
           update tally set value = 2 where campaign_id = 1 and name = 'redeemed';
           update campaign_snapshot set changes = 0;
           update code set uses = 2 where key = 'cdnow10'""",
        # the batch's
        "update batch set max_uses = 1 where id = 2",
        # its own
        """alter table code drop constraint code_uses_within_limit;
           update code set max_uses = 1 where key = '002003'""",
    ],
    "02_code_uses_equal_ledger": [
        "update code set uses = 1 where key = '001007'",
        "update code set uses = 1 where key = '002003'",
        "update code set uses = 0 where key = '001000'",
        "update code set flags = 2, uses = 0 where key = '001000'",
    ],
    "03_counter_within_limit": [
        """alter table counter drop constraint counter_within_limit;
           update counter set most = 2 where scope = 3 and customer = ''""",
    ],
    "04_definition_limits_hold": [
        "update campaign set total_limit = 2 where id = 2",
        "update coupon set total_limit = 2 where id = 1",
        # the ledger counts for all campaigns above
        "update campaign set total_limit = 3 where id = 1; insert into counter values (3, '1', '', 4, 4)",
    ],
    "05_counter_equals_ledger": [
        "update counter set uses = 2 where scope = 3 and customer = ''",
        "update counter set uses = 2 where scope = 3 and customer = '\\xaa'",
        "update counter set uses = 0 where scope = 2 and subject = '2' and customer = '\\xbb'",
        "update counter set uses = 0 where scope = 1 and customer = '\\xaa'",
        "insert into counter values (2, '1', '\\x99', 1, 9)",
    ],
    "06_counter_exists": [
        "delete from counter where scope = 3 and customer = ''",
        "delete from counter where scope = 2 and subject = '1'",
        "delete from counter where scope = 3 and customer = '\\xdd'",
        "delete from counter where scope = 1 and customer = '\\xbb'",
    ],
    "07_tally_issued": [
        "update tally set value = value + 1 where campaign_id = 2 and shard = 1 and name = 'issued';"
        "update campaign_snapshot set changes = 0",
        "delete from tally where name = 'issued'; update campaign_snapshot set changes = 0",
        "insert into tally values (3, 0, 'issued', 1)",
    ],
    "08_tally_redemptions": [
        "update tally set value = 4 where campaign_id = 2 and shard = 0 and name = 'redeemed';"
        "update campaign_snapshot set changes = 0",
        "delete from tally where name = 'released'; update campaign_snapshot set changes = 0",
    ],
    "09_tally_money": [
        "update tally set value = value + 1 where campaign_id = 2 and shard = 0 and name = 'discount:EUR';"
        "update campaign_snapshot set changes = 0",
        "update tally set name = 'order:GBP' where name = 'order:USD'; update campaign_snapshot set changes = 0",
        "insert into tally values (3, 0, 'discount:EUR', 1)",
    ],
    "10_tally_refused": [
        "update tally set value = 2 where name = 'refused:code_exhausted'; update campaign_snapshot set changes = 0",
        "update redemption set reason = 107 where ce_id = 'r5'",
        "update redemption set reason = 99 where ce_id = 'r5'",
        "update redemption set reason = null where ce_id = 'r5'",
    ],
    "11_job_counts": [
        f"update chunk set checksum = checksum + 1 where job_id = {JOB.format(2)} and lane = 0",
        f"""update chunk set rows = 1 where job_id = {JOB.format(2)} and lane = 0;
            update tally set value = value - 1 where campaign_id = 2 and shard = 1 and name = 'issued';
            update campaign_snapshot set changes = 0""",
        # completed, and not all of it done
        f"""update job set total = 2 where id = {JOB.format(5)}""",
    ],
    "12_job_lanes_left": [
        f"update job set lanes_left = 7 where id = {JOB.format(2)}",
        f"update job set lanes_left = 1 where id = {JOB.format(1)}",
        f"update lane set state = 1 where job_id = {JOB.format(1)} and lane = 3",
    ],
    "13_chunks_contiguous": [
        # a hole, an overlap, a number left out, a lane that is not where its chunks are, one that ended too soon
        f"update chunk set last = 2 where job_id = {JOB.format(2)} and lane = 1 and n = 0",
        f"update chunk set first = 2 where job_id = {JOB.format(2)} and lane = 1 and n = 1",
        f"""update chunk set n = 2 where job_id = {JOB.format(2)} and lane = 1 and n = 1""",
        f"update lane set n = 3 where job_id = {JOB.format(2)} and lane = 1",
        f"update lane set position = 5 where job_id = {JOB.format(2)} and lane = 2",
        f"update lane set last = 33 where job_id = {JOB.format(1)} and lane = 15",
        # lane 3 does what lane 2 did
        f"""update chunk set first = 5, last = 7 where job_id = {JOB.format(2)} and lane = 3;
            update lane set position = 7, last = 7 where job_id = {JOB.format(2)} and lane = 3""",
    ],
    "14_job_outcome": [
        f"update job set outcome = '{{\"rows\": ' where id = {JOB.format(1)}",
        f"update job set outcome = '[1]' where id = {JOB.format(1)}",
        f"update job set finished_at = null where id = {JOB.format(1)}",
        f"update job set finished_at = now() where id = {JOB.format(2)}",
        f"""alter table job drop constraint job_check1; update job set outcome = null where id = {JOB.format(3)}""",
    ],
    "15_batch_rows_equal_job": [
        "delete from code where key = '002001'",
        "insert into code (key, batch_id, serial) values ('002099', 2, 20)",
        "update batch set size = 33 where id = 1",
        "update batch set size = 40 where id = 3",
    ],
    "16_batch_serials": [
        "update code set serial = 1 where batch_id = 1 and serial = 0",
        "update code set serial = 32 where batch_id = 1 and serial = 0",
        "update code set serial = -1 where batch_id = 1 and serial = 0",
    ],
    "17_code_has_batch": ["insert into code (key, batch_id, serial) values ('zz', 77, 0)"],
    "18_code_key": [
        "update code set key = '0020 01' where key = '002001'",
        "update code set key = '002-001' where key = '002001'",
        "update code set key = 'A02001' where key = '002001'",
        "update code set key = '' where key = '002001'",
        "update code set key = repeat('a', 65) where key = '002001'",
        """alter table code drop constraint code_pkey; update code set key = '002002' where key = '002001'""",
    ],
    "19_space_reserved": [
        "update space set live = 67",
        "update space set live = 999001",
        "update space set usable = 1000001",
    ],
    "20_progress_forward": [
        "alter table progress drop constraint progress_check; update progress set from_offset = 9",
        "update progress set from_offset = -1",
    ],
    "21_command_ledger": [
        "update command set outcome = 'yes' where ce_id = 'c1'",
        "update command set outcome = '7' where ce_id = 'c1'",
        "update command set job_id = 'ffffffff-0000-5000-8000-000000000000' where ce_id = 'c1'",
        "delete from command where ce_id = 'g2'",
        "update command set source_id = 2 where ce_id = 'g2'",
    ],
    "22_snapshot_equals_tally": [
        "update campaign_snapshot set data = jsonb_set(data::jsonb, '{own,issued}', '2') where campaign_id = 1",
        "update campaign_snapshot set data = jsonb_set(data::jsonb, '{total,redeemed}', '4') where campaign_id = 1",
        "update campaign_snapshot set data = data::jsonb #- '{total,order_minor,USD}' where campaign_id = 1",
        "update campaign_snapshot set data = jsonb_set(data::jsonb, '{own,refused,expired}', '1') where campaign_id = 1",
        "update campaign_snapshot set data = '{' where campaign_id = 2",
        # as if CHILD had no news since its snapshot
        "update campaign_snapshot set changes = 6 where campaign_id = 2",
    ],
    "23_redemption_references": [
        "update redemption set batch_id = 9 where ce_id = 'r5'",
        "update redemption set coupon_id = 9 where ce_id = 'r5'",
        "update redemption set discount_id = 9 where ce_id = 'r3'",
        "update redemption set code = 'gone' where ce_id = 'r3'",
        "update redemption set code = null where ce_id = 'r3'",
        "update redemption set source_id = 9 where ce_id = 'r4'",
        "update redemption set path_id = 9 where ce_id = 'r4'",
    ],
    "24_redrawn_placed": ["update code_redrawn set placed = false where serial = 31"],
    "25_definition_versions": [
        "update coupon set version = 2 where id = 1",
        "delete from definition_history where kind = 1 and id = 2 and version = 2",
        "delete from definition_history where kind = 1 and id = 2 and version = 1",
        "delete from definition_history where kind = 4",
        "update definition_version set version = 7",
        "update discount set version = 3",
    ],
    "26_campaign_paths": [
        "update campaign set path_id = 3 where id = 1",
        "update campaign_path set path = '{9}' where id = 3",
    ],
}


def check_names():
    folder = os.path.join(SOURCE, "schemas", "sql", "checks")
    return sorted(n[:-4] for n in os.listdir(folder) if re.match(r"[0-9]{2}_.*\.sql$", n)
                  and n != "00_prelude.sql")


def consistent():
    url = database()
    done = promoctl("migrate", env=environment(PGURL=url))
    equal(done.code, 0, done.err)
    sql(url, DATASET)
    return url


def audit(url):
    done = promoctl("audit", "--json", "--no-kafka", env=environment(PGURL=url))
    checks = [line for line in done.lines() if "ok" in line]
    return done, {c["check"]: c for c in checks}


BASE = consistent()


def every_check_has_a_way_to_break_it():
    equal(sorted(BROKEN), check_names())


def refusals_go_by_the_names_of_the_contract():
    def text(*path):
        with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
            return file.read()

    contract = dict(re.findall(r'X\((\d+), \w+,\s*\\?\s*"(\w+)"', text("common", "msg", "msg_reason.h")))
    known = dict(re.findall(r"\((\d+), '(\w+)'\)", text("schemas", "sql", "checks", "10_tally_refused.sql")))
    redeeming = {number: code for number, code in contract.items() if 100 <= int(number) < 200}
    assert len(redeeming) > 20, contract
    equal(known, redeeming)


def consistent_data_are_clean():
    done, checks = audit(BASE)
    equal({n: c["rows"] for n, c in checks.items() if not c["ok"]}, {})
    equal(sorted(checks), check_names())
    equal(done.code, 0, done.err)


def an_empty_data_base_is_clean():
    url = database()
    equal(promoctl("migrate", env=environment(PGURL=url)).code, 0)
    done, checks = audit(url)
    equal([n for n, c in checks.items() if not c["ok"]], [])
    equal(done.code, 0)


# Makes a data base what BASE is; much quicker than a new one, or than truncating.
RESET = "update job set batch_id = null;" + "".join(
    f"delete from {table};" for table in """campaign_snapshot tally counter redemption code_redrawn code chunk lane
    batch space command job coupon_discount coupon discount affiliate campaign campaign_path definition_history
    progress source""".split()) + """
    update definition_version set version = 0;
    select setval(oid::regclass, 1, false) from pg_class where relkind = 'S';
""" + DATASET


def break_one(url, name, way):
    sql(url, way)
    done, checks = audit(url)
    broken = [n for n, c in checks.items() if not c["ok"]]
    if broken != [name] or done.code != 1:
        return (f"\n  {name}: {way}\n    breaks {broken}, exit {done.code} {done.err}" +
                "".join(f"\n    {n}: {checks[n]['rows'][:3]}" for n in broken))
    return "" if checks[name]["rows"] else f"\n  {name}: no rows shown"


def each_wrong_row_breaks_exactly_its_check():
    shared, wrong = database(template=BASE), ""
    for name, ways in BROKEN.items():
        for way in ways:
            if "alter table" in way:
                wrong += break_one(database(template=BASE), name, way)
            else:
                sql(shared, RESET)
                wrong += break_one(shared, name, way)
    assert not wrong, wrong


def rows_are_shown_up_to_the_limit_and_counted_beyond():
    url = database(template=BASE)
    sql(url, "update code set uses = 1 where batch_id = 1 and uses = 0")
    done = promoctl("audit", "--json", "--no-kafka", "--limit", "2", env=environment(PGURL=url))
    check = [c for c in done.lines() if c["check"] == "02_code_uses_equal_ledger"][0]
    equal(check["violations"], 31)
    equal(len(check["rows"]), 2)
    done = promoctl("audit", "--no-kafka", "--limit", "2", env=environment(PGURL=url))
    equal(done.code, 1)
    assert "31 violations" in done.out and "the first 2 are shown" in done.out, done.out
    assert "uses are the units of its redemptions" in done.out, done.out


def what_is_left_out_is_said():
    done = promoctl("audit", "--no-kafka", env=environment(PGURL=BASE))
    assert re.search(r"^skipped kafka +left out by --no-kafka$", done.out, re.M), done.out
    done = promoctl("audit", env=environment(PGURL=BASE))
    assert re.search(r"^skipped kafka +no broker given", done.out, re.M), done.out
    assert re.search(r"^skipped exports ", done.out, re.M), done.out


def a_data_base_of_another_version_is_refused():
    done = promoctl("audit", "--no-kafka", env=environment(PGURL=database()))
    equal((done.code, done.out), (1, ""))
    assert "audit:" in done.err, done.err


def a_server_that_is_away_is_exit_3():
    equal(promoctl("audit", "--no-kafka", env=environment(PGURL="postgresql://x@127.0.0.1:1/x")).code, 3)
    equal(promoctl("audit", "--no-kafka", env=environment()).code, 2)


if __name__ == "__main__":
    run_all([every_check_has_a_way_to_break_it, refusals_go_by_the_names_of_the_contract,
             consistent_data_are_clean, an_empty_data_base_is_clean,
             each_wrong_row_breaks_exactly_its_check, rows_are_shown_up_to_the_limit_and_counted_beyond,
             what_is_left_out_is_said, a_data_base_of_another_version_is_refused,
             a_server_that_is_away_is_exit_3])
