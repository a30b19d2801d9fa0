# SPDX-License-Identifier: Apache-2.0
"""What an upstream service would publish: definitions, jobs and redemptions, as CloudEvents in structured JSON."""

import hashlib
import json
import random

SOURCE = "shop"
CURRENCY = "USD"
ROOT = "cdnow"
CHILD = "cdnow-first"
OWN_COUPON = "cdnow-15"
GROUP_COUPON = "cdnow-10"
GROUP_CODE = "CDNOW-10"
OWN_BP = 1500
GROUP_BP = 1000


class Publisher:
    """Makes commands. Their ids are UUIDv7, which keeps the ledger's index local, and follow from the moment at which
    the publisher began and from their number: the same publisher makes the same commands again."""

    def __init__(self, began_ms):
        self.began_ms = began_ms
        self.count = 0

    def _next_id(self):
        noise = int.from_bytes(hashlib.sha256(f"{self.began_ms} {self.count}".encode()).digest()[:10], "big")
        # 48 bits of time, the version 7, 12 bits, the variant 2, 62 bits
        value = (self.began_ms + self.count // 16) << 80 | 7 << 76 | (noise >> 62 & 0xFFF) << 64
        value |= 2 << 62 | noise & (1 << 62) - 1
        self.count += 1
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def command(self, type_, data, time=None):
        event = {"specversion": "1.0", "id": self._next_id(), "source": SOURCE, "type": f"promofleet.{type_}.v1"}
        if time is not None:
            event["time"] = time
        event["datacontenttype"] = "application/json"
        event["data"] = data
        return event

    def definitions(self):
        return [
            self.command("discount.put", {"id": "fifteen", "kind": "percent", "percent_bp": OWN_BP}),
            self.command("discount.put", {"id": "ten", "kind": "percent", "percent_bp": GROUP_BP}),
            self.command("campaign.put", {"id": ROOT, "name": "CDNOW 1997", "status": "active"}),
            self.command("campaign.put", {"id": CHILD, "name": "First purchases", "parent": ROOT, "status": "active"}),
            self.command("coupon.put", {"id": OWN_COUPON, "campaign": CHILD, "discounts": ["fifteen"],
                                        "code_defaults": {"max_uses": 1}, "pattern": "CD-####-####-####"}),
            self.command("coupon.put", {"id": GROUP_COUPON, "campaign": ROOT, "discounts": ["ten"],
                                        "code_defaults": {"max_uses": None, "per_customer": 1}}),
        ]

    def generate_own(self, count):
        return self.command("codes.generate", {"coupon": OWN_COUPON, "count": count})

    def generate_group(self):
        """A pattern without a place is one code. Everybody may know it, so guessing it is no concern."""
        return self.command("codes.generate", {"coupon": GROUP_COUPON, "count": 1, "pattern": GROUP_CODE,
                                               "allow_guessable": True})

    def export_codes(self):
        return self.command("codes.export", {"coupon": OWN_COUPON})

    def export_redemptions(self):
        return self.command("redemptions.export", {"campaign": ROOT})

    def _redeem(self, code, purchase):
        return self.command("code.redeem", {
            "codes": [code],
            "customer": {"id": purchase.customer},
            "order": {"id": f"cdnow-{purchase.number:05d}", "currency": CURRENCY,
                      "total_minor": purchase.total_minor},
        }, time=f"{purchase.day}T12:00:00Z")

    def redemptions(self, purchases, codes):
        """In the order of the log: the customer's own code with the first purchase, CDNOW-10 with every one.
        Yields one command after the other; codes: {customer: code}."""
        met = set()
        for purchase in purchases:
            if purchase.customer not in met:
                met.add(purchase.customer)
                yield self._redeem(codes[purchase.customer], purchase)
            yield self._redeem(GROUP_CODE, purchase)


def hand_out(customers, codes, seed=15):
    """A code for each customer. Codes come in the order of their serials, which is that of the codes: neighbours tell
    about each other, so they are not handed out one after the other."""
    return dict(zip(customers, random.Random(seed).sample(codes, len(customers))))


def write_lines(path, events):
    """One event a line; returns how many."""
    count = 0
    with open(path, "w", encoding="utf-8") as file:
        for event in events:
            file.write(json.dumps(event, separators=(",", ":"), ensure_ascii=False) + "\n")
            count += 1
    return count
