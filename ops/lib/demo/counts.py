# SPDX-License-Identifier: Apache-2.0
"""The same numbers, counted five times: each function looks at one source only and shares nothing with the others.

Counts.rejected is {reason: commands}. None says that a source cannot tell."""

import csv
import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass, field

from story import CHILD, CURRENCY, GROUP_BP, GROUP_COUPON, OWN_BP, OWN_COUPON, ROOT


class Wrong(Exception):
    """A source contradicts itself."""


@dataclass
class Counts:
    customers: int = None
    purchases: int = None
    codes: int = None
    sent: int = None
    accepted: int = None
    accepted_own: int = None
    accepted_group: int = None
    rejected: dict = field(default_factory=dict)
    discount_minor: int = None
    order_minor: int = None
    commands_per_s: float = None
    codes_per_s: float = None


def percent(total_minor, basis_points):
    """Of an order's total, half up."""
    return (total_minor * basis_points * 2 + 10000) // 20000


def from_log(purchases, codes):
    """What must come out. A customer's first purchase has a code of its own and is the first to try CDNOW-10, so both
    are taken, also of an order that costs nothing; every later try finds the customer at the limit."""
    counts = Counts(customers=0, purchases=len(purchases), codes=codes, sent=0, accepted=0, accepted_own=0,
                    accepted_group=0, discount_minor=0, order_minor=0)
    met = set()
    refused = 0
    for purchase in purchases:
        counts.sent += 1
        if purchase.customer in met:
            refused += 1
            continue
        met.add(purchase.customer)
        counts.sent += 1
        counts.accepted_own += 1
        counts.accepted_group += 1
        counts.discount_minor += percent(purchase.total_minor, OWN_BP) + percent(purchase.total_minor, GROUP_BP)
        counts.order_minor += 2 * purchase.total_minor
    counts.customers = len(met)
    counts.accepted = counts.accepted_own + counts.accepted_group
    if refused:
        counts.rejected["code_customer_limit"] = refused
    return counts


def _reason(outcome):
    if outcome["type"] != "promofleet.code.rejected.v1":
        return outcome["type"]  # such as a dead letter
    data = outcome["data"]
    reasons = data.get("reasons") or data["codes"][0]["reasons"]
    return reasons[0]["code"]


def from_outcomes(path, commands_path):
    """The outcome events from Kafka, one a line, in the order of the commands."""
    counts = Counts(sent=0, accepted=0, accepted_own=0, accepted_group=0, discount_minor=0, order_minor=0)
    rejected = Counter()
    orders = set()
    with open(path, encoding="utf-8") as outcomes, open(commands_path, encoding="utf-8") as commands:
        for line, sent in zip(outcomes, commands):
            outcome, command = json.loads(line), json.loads(sent)
            if outcome.get("causationid") != command["id"]:
                raise Wrong(f"the outcome of command {command['id']} is missing")
            counts.sent += 1
            orders.add(command["data"]["order"]["id"])
            if outcome["type"] != "promofleet.code.redeemed.v1":
                rejected[_reason(outcome)] += 1
                continue
            data = outcome["data"]
            coupon = data["codes"][0]["coupon"]
            counts.accepted += 1
            counts.accepted_own += coupon == OWN_COUPON
            counts.accepted_group += coupon == GROUP_COUPON
            counts.discount_minor += data["discount_total_minor"]
            counts.order_minor += data["order"]["total_minor"]
    counts.purchases = len(orders)
    counts.rejected = dict(rejected)
    return counts


SQL = """
with line as (
    select r.*, k.ext_id as coupon
      from redemption r
      left join coupon k on k.id = r.coupon_id
), refused as (
    select case reason when 110 then 'code_exhausted' when 111 then 'code_customer_limit'
                       else 'reason number ' || coalesce(reason::text, 'none') end as reason, count(*) as n
      from line where state = 2 group by 1
), own as (
    select b.id, j.total, j.accepted_at, j.finished_at
      from batch b join coupon k on k.id = b.coupon_id join job j on j.id = b.job_id
     where k.ext_id = '{own}'
)
select json_build_object(
    'customers', count(distinct customer),
    'purchases', count(distinct order_id),
    'sent', count(distinct (source_id, ce_id)),
    'accepted', count(*) filter (where state = 1),
    'accepted_own', count(*) filter (where state = 1 and coupon = '{own}'),
    'accepted_group', count(*) filter (where state = 1 and coupon = '{group}'),
    'discount_minor', coalesce(sum(discount_minor) filter (where state = 1 and currency = '{currency}'), 0),
    'order_minor', coalesce(sum(order_minor) filter (where state = 1 and currency = '{currency}'), 0),
    'rejected', coalesce((select json_object_agg(reason, n) from refused), '{{}}'),
    'codes', (select count(*) from code where batch_id in (select id from own)),
    'codes_per_s', (select sum(total) / greatest(extract(epoch from max(finished_at) - min(accepted_at)), 0.001)
                      from own))
  from line
""".format(own=OWN_COUPON, group=GROUP_COUPON, currency=CURRENCY)


def from_sql(answer):
    """answer: the one value of SQL."""
    return Counts(**json.loads(answer))


def read_parts(folder):
    """Yields the rows of an export as dicts. Raises Wrong when a file is not as the manifest says."""
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
        manifest = json.load(file)
    in_all = 0
    for part in manifest["parts"]:
        path = os.path.join(folder, part["file"])
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
        if digest.hexdigest() != part["sha256"] or os.path.getsize(path) != part["bytes"]:
            raise Wrong(f"{path} is not the file that the manifest names")
        rows = 0
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                rows += 1
                yield row
        if rows != part["rows"]:
            raise Wrong(f"{path} has {rows} rows, the manifest says {part['rows']}")
        in_all += rows
    if in_all != manifest["rows"]:
        raise Wrong(f"the parts have {in_all} rows, the manifest says {manifest['rows']}")


def from_export(folder, codes):
    """The exported redemptions; codes: rows of the exported codes."""
    counts = Counts(codes=codes, sent=0, accepted=0, accepted_own=0, accepted_group=0, discount_minor=0, order_minor=0)
    customers, orders, rejected = set(), set(), Counter()
    for row in read_parts(folder):
        counts.sent += 1
        customers.add(row["customer"])
        orders.add(row["order_id"])
        if row["state"] != "redeemed":
            rejected[row["reason"] or row["state"]] += 1
            continue
        counts.accepted += 1
        counts.accepted_own += row["coupon"] == OWN_COUPON
        counts.accepted_group += row["coupon"] == GROUP_COUPON
        counts.discount_minor += int(row["discount_minor"])
        counts.order_minor += int(row["order_minor"])
    counts.customers, counts.purchases, counts.rejected = len(customers), len(orders), dict(rejected)
    return counts


def from_metrics(snapshots):
    """snapshots: {campaign: data of its last snapshot}; the child's codes are its own, all else adds up in the root."""
    root = snapshots.get(ROOT, {}).get("total", {})
    child = snapshots.get(CHILD, {}).get("own", {})
    rejected = root.get("refused", {})
    accepted = root.get("redeemed")
    own = child.get("redeemed")
    known = accepted is not None and own is not None
    return Counts(
        codes=child.get("issued"),
        sent=accepted + sum(rejected.values()) if known else None,
        accepted=accepted,
        accepted_own=own,
        accepted_group=accepted - own if known else None,
        rejected=rejected,
        discount_minor=root.get("discount_minor", {}).get(CURRENCY, 0),
        order_minor=root.get("order_minor", {}).get(CURRENCY, 0))
