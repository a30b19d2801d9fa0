#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports against what the tables hold: rows, members, values, manifests."""

import datetime
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from export_it import CODE_COLUMNS, REDEMPTION_COLUMNS, Fleet, Held, Session, definitions, equal, run_all, sql  # noqa: E402

FLEET = Fleet(["campaign-1", "generate-1", "redeem-1", "export-1", "export-2"])
ORDERS = ["=1+1", "+49", "@home", "-7", 'a,"b"', "plain", "'quoted'", "ümlaut €"]


def as_us(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1e6) if text else None


def unguarded(text):
    """What a reader makes of a guarded field."""
    return text[1:] if text[:1] == "'" and text[1:2] in tuple("=+-@\t\r\n") else text


def codes_in_table(where="true"):
    return FLEET.rows(f"""
        select c.key, c.batch_id || '.' || c.serial as id, c.uses, k.ext_id as coupon
          from code c join batch b on b.id = c.batch_id join coupon k on k.id = b.coupon_id
         where {where} order by c.batch_id, c.serial""")


def assert_codes(rows, wanted):
    found = [{"key": row["code"].replace("-", "").lower(), "id": row["id"], "uses": int(row["uses"]),
              "coupon": row["coupon"]} for row in rows]
    equal(len(found), len(wanted), "number of codes")
    for have, want in zip(found, wanted):
        equal(have, {**want, "key": want["key"].lower()})


def two_workers_export_every_code_of_a_tree_once_in_order():
    definitions(FLEET)
    FLEET.do(FLEET.command("codes.generate", {"coupon": "above", "count": 10000, "pattern": "=UP-#####-#####"}))
    FLEET.do(FLEET.command("codes.generate", {"coupon": "below", "count": 10000, "active": False,
                                              "starts_at": "2026-01-01T00:00:00Z",
                                              "ends_at": "2036-01-01T00:00:00.5Z"}))
    command = FLEET.command("codes.export", {"campaign": "root"})
    event = FLEET.do(command)[0]
    manifest, rows = FLEET.check(event)
    equal(manifest["columns"], CODE_COLUMNS)
    equal(manifest["filter"], {"campaign": "root", "include_descendants": True})
    equal(manifest["format"], "csv")
    equal((event["data"]["total"], event["data"]["done"], event["data"]["rows"]), (20000, 20000, 20000))
    equal(event["data"]["campaign"], "root")
    assert len(manifest["parts"]) >= 16, manifest["parts"]
    assert_codes([{**row, "code": unguarded(row["code"])[1:] if row["coupon"] == "above" else row["code"]}
                  for row in rows], [{**row, "key": row["key"].lstrip("=")} for row in codes_in_table()])
    above, below = rows[0], rows[-1]
    assert above["code"].startswith("'=UP-") and len(above["code"]) == len("'=UP-#####-#####"), above
    equal((above["campaign"], above["active"], above["max_uses"], above["state"]), ("root", "true", "1", "unused"))
    equal((above["starts_at"], above["ends_at"]), ("", ""))
    equal((below["campaign"], below["active"]), ("root/-child", "false"))
    equal((below["starts_at"], below["ends_at"]), ("2026-01-01T00:00:00Z", "2036-01-01T00:00:00.500Z"))
    equal(FLEET.number("select count(distinct owner) from progress where topic like '%.export.chunks'"), 2,
          "workers that share the chunks")


def a_second_submit_changes_nothing():
    command = FLEET.command("codes.export", {"coupon": "above"})
    first = FLEET.do(command)[0]
    folder = os.path.join(FLEET.exports, first["data"]["job"])
    before = {name: os.stat(os.path.join(folder, name)).st_mtime_ns for name in os.listdir(folder)}
    again = FLEET.do(command)[0]
    equal(again["id"], first["id"])
    equal(again["data"], first["data"])
    equal({name: os.stat(os.path.join(folder, name)).st_mtime_ns for name in os.listdir(folder)}, before)
    equal(FLEET.number(f"select count(*) from job where ce_id = '{command['id']}'"), 1)


def a_coupon_and_a_campaign_alone_limit_the_codes():
    coupon, alone = FLEET.do(
        FLEET.command("codes.export", {"coupon": "below"}),
        FLEET.command("codes.export", {"campaign": "root", "include_descendants": False}))
    manifest, rows = FLEET.check(coupon)
    equal(manifest["filter"], {"coupon": "below"})
    assert_codes(rows, codes_in_table("k.ext_id = 'below'"))
    manifest, rows = FLEET.check(alone)
    equal(manifest["filter"], {"campaign": "root", "include_descendants": False})
    equal({row["coupon"] for row in rows}, {"above"})
    equal(len(rows), 10000)


def an_export_of_nothing_is_an_export():
    codes, redemptions = FLEET.do(FLEET.command("codes.export", {"coupon": "free"}),
                                  FLEET.command("redemptions.export", {"campaign": "other"}))
    for event, columns in ((codes, CODE_COLUMNS), (redemptions, REDEMPTION_COLUMNS)):
        manifest, rows = FLEET.check(event)
        equal(rows, [])
        equal(manifest["columns"], columns)
        equal((event["data"]["rows"], event["data"]["parts"]), (0, 1))


def what_is_not_there_is_refused():
    events = FLEET.submit(FLEET.command("codes.export", {"campaign": "nope"}),
                          FLEET.command("redemptions.export", {"coupon": "nope"}))
    equal([(event["type"], event["data"]["reasons"][0]["code"], event["data"]["reasons"][0]["pointer"])
           for event in events],
          [("promofleet.job.rejected.v1", "unknown_campaign", "/campaign"),
           ("promofleet.job.rejected.v1", "unknown_coupon", "/coupon")])


def redeem(codes, orders, customer=True):
    return [FLEET.command("code.redeem", {
        "codes": [code], "order": {"id": order, "currency": "EUR", "total_minor": 1999},
        **({"customer": {"id": f"cust {i}", "email": f"c{i}@example.org"}} if customer else {})})
        for i, (code, order) in enumerate(zip(codes, orders))]


def redemptions_in_table(where):
    return FLEET.rows(f"""
        select r.seq, (extract(epoch from r.at) * 1e6)::bigint as at, r.state, s.name as source, r.ce_id as command_id,
               r.line, r.code, r.order_id, r.currency, r.order_minor, r.units, r.discount_minor, r.reason,
               (extract(epoch from r.released_at) * 1e6)::bigint as released_at,
               coalesce(encode(r.customer, 'hex'), '') as customer, coalesce(encode(r.email, 'hex'), '') as email,
               k.ext_id as coupon, c.batch_id || '.' || c.serial as code_id,
               (select string_agg(x.ext_id, '/' order by p.n)
                  from unnest(w.path) with ordinality as p (id, n) join campaign x on x.id = p.id) as campaign
          from redemption r join source s on s.id = r.source_id
          join coupon k on k.id = r.coupon_id join campaign_path w on w.id = r.path_id join code c on c.key = r.code
         where {where} order by r.seq""")


STATES = {1: "redeemed", 2: "refused", 3: "released", 4: "released_before"}


def assert_redemptions(rows, wanted):
    equal(len(rows), len(wanted), "number of redemptions")
    for row, want in zip(rows, wanted):
        equal(row["state"], STATES[want["state"]])
        for name in ("seq", "line", "order_minor", "units", "discount_minor"):
            equal(int(row[name]), want[name], name)
        for name in ("at", "released_at"):
            equal(as_us(row[name]), want[name], name)
        for name in ("source", "command_id", "code", "coupon", "campaign", "order_id"):
            equal(unguarded(row[name]), want[name] or "", name)
        for name in ("currency", "customer", "email", "code_id"):
            equal(row[name], want[name] or "", name)
        equal(row["reason"] == "", want["reason"] is None, row)


def redemptions_of_a_tree_are_those_of_the_ledger():
    above = [row["key"] for row in codes_in_table("k.ext_id = 'above'")[:len(ORDERS)]]
    FLEET.do(FLEET.command("codes.generate", {"coupon": "free", "count": 300}))
    below = [row["key"] for row in codes_in_table("k.ext_id = 'free'")[:200]]
    commands = redeem(above, ORDERS) + redeem(below, [f"o{i}" for i in range(200)], customer=False)
    FLEET.do(*commands)
    refused = FLEET.submit(*redeem(above[:2], ["twice", "twice more"]))
    equal([event["type"] for event in refused], ["promofleet.code.rejected.v1"] * 2)
    FLEET.do(FLEET.command("code.release", {"redemption": {"source": "it", "id": commands[3]["id"]}}))

    tree, alone, coupon = FLEET.do(
        FLEET.command("redemptions.export", {"campaign": "root"}),
        FLEET.command("redemptions.export", {"campaign": "root", "include_descendants": False}),
        FLEET.command("redemptions.export", {"coupon": "free"}))
    manifest, rows = FLEET.check(tree)
    equal(manifest["columns"], REDEMPTION_COLUMNS)
    equal(len(rows), len(ORDERS) + 200 + 2)
    assert_redemptions(rows, redemptions_in_table("r.state <> 5"))
    equal({row["order_id"] for row in rows if row["coupon"] == "above" and row["state"] != "refused"},
          {"'=1+1", "'+49", "'@home", "'-7", 'a,"b"', "plain", "'quoted'", "ümlaut €"})
    equal({row["campaign"] for row in rows}, {"root", "root/-child"})
    equal([(row["state"], row["reason"]) for row in rows[-2:]], [("refused", "code_exhausted")] * 2)
    released = [row for row in rows if row["state"] == "released"]
    equal([row["order_id"] for row in released], ["'-7"])
    assert released[0]["released_at"] and len(released[0]["customer"]) == 32, released
    manifest, rows = FLEET.check(alone)
    assert_redemptions(rows, redemptions_in_table("r.state <> 5 and k.ext_id = 'above'"))
    manifest, rows = FLEET.check(coupon)
    assert_redemptions(rows, redemptions_in_table("k.ext_id = 'free'"))
    equal(len(rows), 200)

    codes = FLEET.check(FLEET.do(FLEET.command("codes.export", {"coupon": "above"}))[0])[1]
    equal([(row["uses"], row["state"]) for row in codes[:5]],
          [("1", "exhausted")] * 3 + [("0", "unused"), ("1", "exhausted")])


def codes_that_are_made_after_the_acceptance_are_no_members():
    """Half of a batch is there when the export is accepted; the rest comes while it runs."""
    with Held(FLEET, 1) as exports, Held(FLEET, 2) as lanes:
        generated = FLEET.later(FLEET.command("codes.generate", {"coupon": "free", "count": 16000}))
        lanes.await_waiting()
        members = codes_in_table("k.ext_id = 'free'")
        assert 300 < len(members) < 16300, len(members)
        exported = FLEET.later(FLEET.command("codes.export", {"coupon": "free"}))
        exports.await_waiting()
        lanes.end()
        generated()
        equal(len(codes_in_table("k.ext_id = 'free'")), 16300)
    _, rows = FLEET.check(exported()[0])
    equal([row["id"] for row in rows], [row["id"] for row in members])
    _, rows = FLEET.check(FLEET.do(FLEET.command("codes.export", {"coupon": "free"}))[0])
    equal(len(rows), 16300)


def redemptions_that_come_after_the_acceptance_are_no_members():
    """What is released meanwhile stays a member, and the part says so when it is read later."""
    ledger = redemptions_in_table("k.ext_id = 'free'")
    with Held(FLEET, 1) as exports:
        exported = FLEET.later(FLEET.command("redemptions.export", {"coupon": "free"}))
        exports.await_waiting()
        fresh = [row["key"] for row in codes_in_table("k.ext_id = 'free'")[200:300]]
        FLEET.do(*redeem(fresh, [f"late {i}" for i in range(100)]))
        FLEET.do(FLEET.command("code.release", {"redemption": {"source": "it", "id": ledger[-1]["command_id"]}}))
    _, rows = FLEET.check(exported()[0])
    equal([int(row["seq"]) for row in rows], [row["seq"] for row in ledger])
    _, rows = FLEET.check(FLEET.do(FLEET.command("redemptions.export", {"coupon": "free"}))[0])
    assert_redemptions(rows, redemptions_in_table("k.ext_id = 'free'"))
    equal(len(rows), len(ledger) + 100)


def a_redemption_that_commits_after_the_acceptance_is_no_member():
    """Its number lies below that of members. The row is made by hand, and removed again."""
    ledger = redemptions_in_table("k.ext_id = 'free'")
    columns = sql(FLEET.url, """select string_agg(quote_ident(attname), ', ') from pg_attribute
        where attrelid = 'redemption'::regclass and attnum > 0 and attname not in ('seq', 'xid', 'ce_id')""")
    insert = f"""begin; insert into redemption (ce_id, {columns}) select 'slow', {columns} from redemption
        where seq = {ledger[0]["seq"]}"""
    with Session(FLEET, insert, "commit;\n") as slow:
        FLEET.do(*redeem([row["key"] for row in codes_in_table("k.ext_id = 'free'")[300:301]], ["after the slow one"]))
        members = redemptions_in_table("k.ext_id = 'free'")
        with Held(FLEET, 1) as exports:
            exported = FLEET.later(FLEET.command("redemptions.export", {"coupon": "free"}))
            exports.await_waiting()
            slow.end()
        _, rows = FLEET.check(exported()[0])
    equal([int(row["seq"]) for row in rows], [row["seq"] for row in members])
    _, rows = FLEET.check(FLEET.do(FLEET.command("redemptions.export", {"coupon": "free"}))[0])
    equal([row["command_id"] for row in rows[-2:]], ["slow", members[-1]["command_id"]])
    sql(FLEET.url, "delete from redemption where ce_id = 'slow'")


def serials_of_the_overflow_are_members_only_once_they_are_placed():
    """The overflow's rows are made by hand: of three that waited, one was placed before the acceptance."""
    before = FLEET.number("select max(id) from batch")
    FLEET.do(FLEET.command("coupon.put", {"id": "tight", "campaign": "root", "discounts": ["ten"]}),
             FLEET.command("codes.generate", {"coupon": "tight", "count": 50}))
    batch = FLEET.number(f"select id from batch where id > {before}")
    sql(FLEET.url, f"""
        insert into code_redrawn (batch_id, serial, attempt, placed) values ({batch}, 10, 9, true),
            ({batch}, 20, 9, false), ({batch}, 30, 9, false), ({batch}, 40, 3, true)
            on conflict (batch_id, serial) do update set attempt = excluded.attempt, placed = excluded.placed;
        create table kept as select * from code where batch_id = {batch} and serial in (20, 30);
        delete from code where batch_id = {batch} and serial in (20, 30)""")
    with Held(FLEET, 1) as exports:
        exported = FLEET.later(FLEET.command("codes.export", {"coupon": "tight"}))
        exports.await_waiting()
        sql(FLEET.url, f"""
            insert into code select * from kept where serial = 20;
            update code_redrawn set placed = true, xid = pg_current_xact_id()
             where batch_id = {batch} and serial = 20""")
    event = exported()[0]
    _, rows = FLEET.check(event)
    equal([row["id"] for row in rows], [f"{batch}.{i}" for i in range(50) if i not in (20, 30)])
    equal((event["data"]["total"], event["data"]["done"], event["data"]["rows"]), (48, 48, 48))
    _, rows = FLEET.check(FLEET.do(FLEET.command("codes.export", {"coupon": "tight"}))[0])
    equal([row["id"] for row in rows], [f"{batch}.{i}" for i in range(50) if i != 30])
    sql(FLEET.url, f"""
        insert into code select * from kept where serial = 30;
        update code_redrawn set placed = true where batch_id = {batch} and serial = 30;
        drop table kept""")


def what_is_archived_is_still_exported():
    FLEET.do(FLEET.command("coupon.archive", {"id": "below"}), FLEET.command("campaign.archive", {"id": "root"}))
    _, rows = FLEET.check(FLEET.do(FLEET.command("codes.export", {"campaign": "root"}))[0])
    equal(len(rows), FLEET.number("select count(*) from code"))


def the_audit_finds_nothing():
    FLEET.audit()


run_all([
    two_workers_export_every_code_of_a_tree_once_in_order,
    a_second_submit_changes_nothing,
    a_coupon_and_a_campaign_alone_limit_the_codes,
    an_export_of_nothing_is_an_export,
    what_is_not_there_is_refused,
    redemptions_of_a_tree_are_those_of_the_ledger,
    codes_that_are_made_after_the_acceptance_are_no_members,
    redemptions_that_come_after_the_acceptance_are_no_members,
    a_redemption_that_commits_after_the_acceptance_is_no_member,
    serials_of_the_overflow_are_members_only_once_they_are_placed,
    what_is_archived_is_still_exported,
    the_audit_finds_nothing,
])
