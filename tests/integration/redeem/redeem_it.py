# SPDX-License-Identifier: Apache-2.0
"""A fleet with a shop's definitions, for the tests of this folder."""

import itertools
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))

from fleet import Fleet, command, wait_until  # noqa: E402

_numbers = itertools.count(1)


def fresh(word):
    """A name that no other test has."""
    return f"{word}{next(_numbers)}"


def order(total=1000, currency="EUR", id_="o"):
    return {"id": id_, "currency": currency, "total_minor": total}


def redeem(*codes, id_=None, source="shop", **data):
    data.setdefault("order", order())
    return command("promofleet.code.redeem.v1", {"codes": list(codes), **data}, id_, source)


def validate(*codes, **data):
    return command("promofleet.code.validate.v1", {"codes": list(codes), **data}, source="shop")


def release(of, *codes, id_=None, source="shop"):
    data = {"redemption": {"source": of["source"], "id": of["id"]}}
    if codes:
        data["codes"] = list(codes)
    return command("promofleet.code.release.v1", data, id_, source)


def is_redeemed(outcome):
    return outcome["type"] == "promofleet.code.redeemed.v1"


def is_released(outcome):
    return outcome["type"] == "promofleet.code.released.v1"


def reasons(outcome):
    """All reasons of a rejection as (code, pointer), those of the command first; None of anything else."""
    if outcome["type"] != "promofleet.code.rejected.v1":
        return None
    data = outcome["data"]
    found = list(data.get("reasons", []))
    for code in data.get("codes", []):
        found += code["reasons"]
    return [(reason["code"], reason.get("pointer")) for reason in found]


class Shop(Fleet):
    """Definitions by one line each; all in campaign "free", which has no limits, unless told otherwise."""

    def __init__(self, redeem_workers, **options):
        super().__init__(**options)
        self.start("campaign")
        self.start("generate")
        self.start("redeem", redeem_workers)
        self.wait_ready()
        self.define("campaign", id="free", status="active")
        self.define("discount", id="d15", kind="percent", percent_bp=1500)
        self.define("discount", id="d5", kind="amount", amount_minor=500, currency="EUR")

    def define(self, what, **data):
        outcome, = self.submit([command(f"promofleet.{what}.put.v1", data, source="crm")])
        assert outcome["type"] == f"promofleet.{what}.changed.v1", outcome
        return data["id"]

    def archive(self, kind, id_):
        outcome, = self.submit([command(f"promofleet.{kind}.archive.v1", {"id": id_}, source="crm")])
        assert outcome["type"] == f"promofleet.{kind}.archived.v1", outcome

    def campaign(self, **data):
        return self.define("campaign", **{"id": fresh("campaign"), "status": "active", **data})

    def coupon(self, campaign="free", **data):
        """Codes of a single use, unless said otherwise."""
        defaults = {"max_uses": 1, **data.pop("code_defaults", {})}
        return self.define("coupon", **{"id": fresh("coupon"), "campaign": campaign, "discounts": ["d15"],
                                        "code_defaults": defaults, **data})

    def codes(self, coupon, count=1, **data):
        """Codes of a coupon as customers see them."""
        before = self.value("select coalesce(max(id), 0) from batch")
        pattern = fresh("CODE") + "-####"
        made, = self.submit([command("promofleet.codes.generate.v1", {
            "coupon": coupon, "count": count, "pattern": pattern, "allow_guessable": True, **data}, source="crm")])
        assert made["type"] == "promofleet.job.completed.v1", made
        return [key.upper() for key, in self.sql(
            f"select key from code where batch_id > {before} and batch_id in (select id from batch where coupon_id = "
            f"(select id from coupon where ext_id = '{coupon}')) order by serial")]

    def ask(self, *commands):
        return self.submit(list(commands))

    def dump(self):
        """All that redeeming can have written."""
        return {table: sorted(self.sql(f"select to_jsonb(t) from {table} t"))
                for table in ("redemption", "code", "counter", "tally", "source", "command", "job", "batch")}

    def publish(self, keyed):
        """(key, command) pairs at once, by a publisher whose keys are its own business: they choose the partition."""
        lines = "".join(f"{key}\t{json.dumps(event)}\n" for key, event in keyed)
        subprocess.run(["kcat", "-P", "-q", "-b", self.brokers, "-t", self.topic("redeem.commands"), "-K", "\t", "-H",
                        "content-type=application/cloudevents+json"], input=lines.encode(), check=True)

    def outcomes_of(self, commands):
        """The published outcomes of each command, by (source, id), in the order of their partition."""
        found = {(sent["source"], sent["id"]): [] for sent in commands}
        for event in self.events("redemption.events"):
            cause = (event["headers"].get("ce_causationsource"), event["headers"].get("ce_causationid"))
            if cause in found:
                found[cause].append(event)
        return found


__all__ = ["Shop", "command", "fresh", "is_redeemed", "is_released", "order", "reasons", "redeem", "release", "validate",
           "wait_until"]
