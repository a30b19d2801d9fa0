# SPDX-License-Identifier: Apache-2.0
"""What the tests of the generate-worker share: definitions, orders, and what must be true of every job that is over."""

import collections

from fleet import command

CAMPAIGN, COUPON = "gen", "gen-codes"
ACCEPTED, COMPLETED, FAILED, CANCELLED, REJECTED = (
    f"promofleet.job.{verb}.v1" for verb in ("accepted", "completed", "failed", "cancelled", "rejected"))
TERMINAL = {COMPLETED, FAILED, CANCELLED}
FIRST_OVERFLOW = 9  # attempts from here on are placed anywhere in the space


def define(fleet, campaign=CAMPAIGN, coupon=COUPON, **more):
    """Needs the worker `campaign`."""
    outcomes = fleet.submit([
        command("promofleet.campaign.put.v1", {"id": campaign, "status": "active"}),
        command("promofleet.discount.put.v1", {"id": "ten-percent", "kind": "percent", "percent_bp": 1000}),
        command("promofleet.coupon.put.v1", {"id": coupon, "campaign": campaign, "discounts": ["ten-percent"],
                                             "active": True, **more}),
    ])
    assert [outcome["type"].rsplit(".", 2)[1] for outcome in outcomes] == ["changed"] * 3, outcomes


def order(count, id_=None, source="crm", coupon=COUPON, **data):
    return command("promofleet.codes.generate.v1", {"coupon": coupon, "count": count, **data}, id_, source)


def run(fleet, count, **more):
    """Orders codes and awaits the end, which is to be a completed job. Returns the event's data."""
    end, = fleet.submit([order(count, **more)], timeout=120)
    assert end["type"] == COMPLETED, end
    return end["data"]


def refuse(fleet, count, **more):
    """Orders codes, which is to be refused. Returns the only reason."""
    end, = fleet.submit([order(count, **more)])
    assert end["type"] == REJECTED, end
    reason, = end["data"]["reasons"]
    return reason


def keys_of(fleet, job):
    """Keys in the order of their serials."""
    return [key for key, in fleet.sql(f"""select key from code c join batch b on b.id = c.batch_id
                                           where b.job_id = '{job}' order by serial""")]


def events_of(fleet, job):
    return [event for event in fleet.events("job.events") if event["data"].get("job") == job]


def check_events(fleet, job, terminal):
    """One accepted, one terminal event, all ids different; progress stays within the total."""
    events = events_of(fleet, job)
    types = collections.Counter(event["headers"]["ce_type"] for event in events)
    assert types[ACCEPTED] == 1, types
    assert {t: n for t, n in types.items() if t in TERMINAL} == {terminal: 1}, types
    ids = [event["headers"]["ce_id"] for event in events]
    assert len(ids) == len(set(ids)), types
    done = [event["data"]["done"] for event in events if event["headers"]["ce_type"].endswith(".progressed.v1")]
    assert all(0 <= d <= events[0]["data"]["total"] for d in done), done
    return events


def check_job(fleet, data, count, pattern=None):
    """A completed job has exactly its codes: distinct keys, serials 0..count-1 once each, in the order of the keys but
    for those of the overflow. Returns the keys by serial."""
    job = data["job"]
    assert (data["total"], data["done"], data["rows"]) == (count, count, count), data
    rows = fleet.sql(f"""select c.key, c.serial, coalesce(r.attempt, 0), coalesce(r.placed, true)
                           from batch b join code c on c.batch_id = b.id
                           left join code_redrawn r on r.batch_id = c.batch_id and r.serial = c.serial
                          where b.job_id = '{job}' order by c.serial""")
    assert [int(serial) for _, serial, _, _ in rows] == list(range(count)), "serials"
    keys = [key for key, _, _, _ in rows]
    assert len(set(keys)) == count, "keys"
    assert all(placed == "t" for _, _, _, placed in rows)
    drawn = [key.encode() for key, _, attempt, _ in rows if int(attempt) < FIRST_OVERFLOW]
    assert drawn == sorted(drawn), "key order is serial order"
    redrawn = fleet.value(f"""select count(*) from code_redrawn r join batch b on b.id = r.batch_id
                               where b.job_id = '{job}'""")
    assert int(redrawn) == data["redrawn"], (redrawn, data)
    if pattern is not None:
        wrong = [key for key in keys if not pattern.fullmatch(key)]
        assert not wrong, wrong[:3]
    return keys


def live(fleet):
    """Codes that spaces count as reserved."""
    return int(fleet.value("select coalesce(sum(live), 0) from space"))


def occupy(fleet, keys):
    """Codes that no space knows of, as imports and other patterns may leave them. vacate() before an audit."""
    values = ",".join(f"('{key}', -1, {n})" for n, key in enumerate(keys))
    fleet.sql(f"insert into code (key, batch_id, serial) values {values};")


def vacate(fleet):
    fleet.sql("delete from code where batch_id = -1;")
