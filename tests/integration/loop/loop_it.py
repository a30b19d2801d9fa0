# SPDX-License-Identifier: Apache-2.0
"""What the tests of the loop share: definitions, codes, commands, and the check that every command has exactly one
outcome, which the ledger says as well."""

import collections
import os
import secrets

from fleet import command, has_faults, skip, wait_until

CAMPAIGN, COUPON, OPEN_COUPON = "loop", "loop-single", "loop-open"
REDEEMED, REJECTED = "promofleet.code.redeemed.v1", "promofleet.code.rejected.v1"


def need_faults():
    if not has_faults():
        skip("the programs are built without -DFAULTS=ON")


def define(fleet):
    """A campaign with a coupon of single-use codes and one of codes that may be used for ever. Needs the worker
    `campaign`."""
    outcomes = fleet.submit([
        command("promofleet.campaign.put.v1", {"id": CAMPAIGN, "status": "active"}),
        command("promofleet.discount.put.v1", {"id": "ten-percent", "kind": "percent", "percent_bp": 1000}),
        command("promofleet.coupon.put.v1", {"id": COUPON, "campaign": CAMPAIGN, "discounts": ["ten-percent"],
                                             "active": True, "code_defaults": {"max_uses": 1}}),
        command("promofleet.coupon.put.v1", {"id": OPEN_COUPON, "campaign": CAMPAIGN, "discounts": ["ten-percent"],
                                             "active": True, "code_defaults": {"max_uses": None}}),
    ])
    assert [outcome["type"].rsplit(".", 2)[1] for outcome in outcomes] == ["changed"] * 4, outcomes


def generate(fleet, count, coupon=COUPON):
    """Generates codes and returns their keys. Needs the worker `generate`."""
    end, = fleet.submit([command("promofleet.codes.generate.v1", {"coupon": coupon, "count": count})])
    assert end["type"] == "promofleet.job.completed.v1", end
    rows = fleet.sql(f"""select key from code c join batch b on b.id = c.batch_id
                          where b.job_id = '{end["data"]["job"]}' order by serial""")
    assert len(rows) == count, len(rows)
    return [key for key, in rows]


def make(fleet, single=0, unlimited=0):
    """Definitions and codes by workers that are stopped again: (single-use keys, unlimited keys)."""
    slots = [worker.slot for worker in fleet.start("campaign") + fleet.start("generate")]
    fleet.wait_ready(*slots)
    define(fleet)
    keys = (generate(fleet, single) if single else [], generate(fleet, unlimited, OPEN_COUPON) if unlimited else [])
    codes = fleet.stop(*slots)
    assert set(codes.values()) == {0}, codes
    return keys


def redeem(code, id_=None, source="shop", order="o", total=1000, **more):
    return command("promofleet.code.redeem.v1",
                   {"codes": [code], "order": {"id": order, "currency": "EUR", "total_minor": total}},
                   id_, source, **more)


def fresh_source(name="shop"):
    return f"{name}-{secrets.token_hex(4)}"


def outcomes_of(fleet, source, topic="redemption.events"):
    """{command id: [records]}: the outcomes that commands of this source have in a topic."""
    found = collections.defaultdict(list)
    for record in fleet.events(topic):
        if record["headers"].get("ce_causationsource") == source:
            found[record["headers"]["ce_causationid"]].append(record)
    return found


def check_once(fleet, commands, source):
    """Every redeem command of this source has one outcome and no more, and the ledger tells the same. Returns
    (redeemed, rejected)."""
    found = outcomes_of(fleet, source)
    wanted = {event["id"] for event in commands}
    lost = wanted - set(found)
    assert not lost, f"{len(lost)} of {len(wanted)} commands without outcome, {sorted(lost)[:3]}"
    assert set(found) == wanted, f"outcomes of unknown commands: {sorted(set(found) - wanted)[:3]}"
    twice = {id_: [r["headers"] for r in records] for id_, records in found.items() if len(records) != 1}
    assert not twice, f"{len(twice)} commands with several outcomes: {list(twice.items())[:2]}"
    ids = [records[0]["headers"]["ce_id"] for records in found.values()]
    assert len(set(ids)) == len(ids), "two outcomes of one id"
    types = {id_: records[0]["headers"]["ce_type"] for id_, records in found.items()}
    assert set(types.values()) <= {REDEEMED, REJECTED}, set(types.values())
    ledger = dict(fleet.sql(f"""select r.ce_id, r.state from redemption r join source s on s.id = r.source_id
                                 where s.name = '{source}'"""))
    assert ledger == {id_: "1" if type_ == REDEEMED else "2" for id_, type_ in types.items()}, \
        f"ledger and outcomes differ: {len(ledger)} and {len(types)}"
    redeemed = sum(type_ == REDEEMED for type_ in types.values())
    return redeemed, len(types) - redeemed


class Mark:
    """A file that a fault point makes when it fires, so that it does so once."""

    def __init__(self, fleet):
        self.path = os.path.join(fleet.folder, "mark-" + secrets.token_hex(4))

    def fired(self):
        return os.path.exists(self.path)

    def fault(self, point, nth, action):
        return {"FLEET_FAULT": f"{point}:{nth}:{action}:{self.path}"}

    def wait(self, seconds=30):
        wait_until(self.fired, seconds, "the fault point fires", pause=0.01)
