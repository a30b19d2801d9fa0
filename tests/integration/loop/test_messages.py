#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What nobody can work with is answered or goes to the dead letter, and what stands beside it is served as ever; what
comes a second time has no second effect."""

import json
import secrets
import unittest

from fleet import Fleet, command, main
from loop_it import (COUPON, REDEEMED, REJECTED, check_once, fresh_source, make, need_faults, outcomes_of,
                     redeem)

MIB = 1024 * 1024


def binary(source, id_, type_="promofleet.code.redeem.v1", **more):
    """Headers of a command in binary mode."""
    return {"ce_specversion": "1.0", "ce_id": id_, "ce_source": source, "ce_type": type_,
            "content-type": "application/json", **more}


class Messages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        need_faults()
        cls.fleet = Fleet()
        cls.addClassCleanup(cls.fleet.close)
        cls.single, cls.open = make(cls.fleet, single=60, unlimited=2)

    def tearDown(self):
        self.fleet.stop()

    def body(self, **more):
        data = {"codes": [self.open[0]], "order": {"id": "o", "currency": "EUR", "total_minor": 1000}}
        return json.dumps({**data, **more}).encode()

    def serve(self, source, messages):
        """Every message between two good commands of one partition, all in one batch. Returns outcomes by id and the
        new dead letters, after the good ones were looked at."""
        fleet, good = self.fleet, []
        before = len(fleet.dead_letters())
        for payload, headers in [*messages, (None, None)]:
            good.append(redeem(self.open[1], f"good-{len(good)}", source))
            fleet.produce_command("redeem.commands", good[-1], 4)
            if headers is not None:
                fleet.produce("redeem.commands", payload, headers, key="the key", partition=4)
        worker, = fleet.start("redeem")
        fleet.wait_running()
        fleet.wait_lag_zero()
        self.assertEqual(worker.deaths, [])
        found = outcomes_of(fleet, source)
        for event in good:
            self.assertEqual([r["headers"]["ce_type"] for r in found.pop(event["id"])], [REDEEMED])
        return found, fleet.dead_letters()[before:]

    def test_bad_commands_with_a_readable_envelope_are_rejected_with_a_pointer(self):
        source = fresh_source()
        order = {"id": "o", "currency": "EUR", "total_minor": 1000}
        cases = {
            "not-json": (b'{"codes":["A"],', {}, "bad_json", None),
            "no-data": (None, {}, "required", None),
            "trailing": (self.body() + b"{}", {}, "bad_json", None),
            "nan": (b'{"codes":["A"],"order":{"id":"o","currency":"EUR","total_minor":NaN}}', {}, "bad_json", None),
            "not-utf-8": (self.body().replace(b'"EUR"', b'"\xff\xfe\xfd"'), {}, "bad_utf8", None),
            "cut-utf-8": (self.body().replace(b'"o"', b'"\xc3"'), {}, "bad_utf8", None),
            "nul": (self.body().replace(b'"o"', b'"\\u0000"'), {}, "nul_character", None),
            "surrogate": (self.body().replace(b'"o"', b'"\\ud800"'), {}, "lone_surrogate", None),
            "deep": (b"[" * 33 + b"]" * 33, {}, "too_deep", None),
            "list": (b"[]", {}, "wrong_type", None),
            "twice": (b'{"codes":["A"],"codes":["B"]}', {}, "duplicate_key", None),
            "no-order": (json.dumps({"codes": ["A"]}).encode(), {}, "required", "/order"),
            "unknown-field": (self.body(nope=1), {}, "unknown_field", "/nope"),
            "no-currency": (self.body(order={"id": "o", "total_minor": 1}), {}, "required", "/order/currency"),
            "negative": (self.body(order={**order, "total_minor": -1}), {}, "out_of_range", "/order/total_minor"),
            "beyond": (self.body(order={**order, "total_minor": 2**53}), {}, "number_out_of_range",
                       "/order/total_minor"),
            "too-many": (self.body(codes=[str(n) for n in range(31)]), {}, "too_many", "/codes"),
            "unknown-type": (self.body(), {"ce_type": "promofleet.code.steal.v1"}, "unknown_type", None),
            "other-version": (self.body(), {"ce_type": "promofleet.code.redeem.v2"}, "unknown_type", None),
            "wrong-topic": (b'{"id":"c"}', {"ce_type": "promofleet.campaign.put.v1"}, "wrong_topic", None),
            "an-event": (self.body(), {"ce_type": REDEEMED}, "unknown_type", None),
            "text": (self.body(), {"content-type": "text/plain"}, "bad_content_type", None),
            "latin-1": (self.body(), {"content-type": "application/json; charset=latin1"}, "bad_content_type", None),
            "bad-time": (self.body(), {"ce_time": "yesterday"}, "bad_envelope", None),
            "too-large": (b'{"x":"' + b"x" * (4 * MIB) + b'"}', {}, "too_large", None),
        }
        found, dead = self.serve(source, [(payload, binary(source, id_, **headers))
                                          for id_, (payload, headers, _, _) in cases.items()])
        self.assertEqual(dead, [])
        self.assertEqual(set(found), set(cases))
        for id_, (_, _, code, pointer) in cases.items():
            with self.subTest(id_):
                record, = found[id_]
                self.assertEqual(record["headers"]["ce_type"], REJECTED)
                reasons = [(r["code"], r.get("pointer")) for r in record["data"]["reasons"]]
                if pointer is None:
                    self.assertEqual([c for c, _ in reasons], [code])
                else:
                    self.assertIn((code, pointer), reasons)
        # Nothing of this is in the ledger.
        self.assertEqual(self.fleet.value(f"""select count(*) from redemption r join source s on s.id = r.source_id
                                               where s.name = '{source}'"""), str(len(cases) + 1))

    def test_what_has_no_readable_envelope_goes_to_the_dead_letter_byte_for_byte(self):
        source = fresh_source()
        event = {"content-type": "application/cloudevents+json"}
        whole = redeem(self.open[0], "x", source)
        cases = [
            (bytes(range(256)) * 3, {}, "bad_envelope"),
            (b"{}", {"content-type": "application/json"}, "bad_envelope"),
            (self.body(), binary(source, ""), "bad_envelope"),
            (self.body(), binary(source, b"\xff\xfe"), "bad_envelope"),
            (self.body(), binary(source, "x" * 129), "bad_envelope"),
            (self.body(), {k: v for k, v in binary(source, "x").items() if k != "ce_source"}, "bad_envelope"),
            (self.body(), binary(source, "x", ce_specversion="0.3"), "bad_envelope"),
            (b'{"specversion":"1.0"', event, "bad_json"),
            (json.dumps(whole).encode().replace(b"EUR", b"\xc3UR"), event, "bad_utf8"),
            (json.dumps([whole]).encode(), {"content-type": "application/cloudevents-batch+json"}, "bad_content_type"),
            (json.dumps({**whole, "data": "x" * (4 * MIB)}).encode(), event, "too_large"),
        ]
        found, dead = self.serve(source, [(payload, headers) for payload, headers, _ in cases])
        self.assertEqual(dict(found), {})
        self.assertEqual(len(dead), len(cases))
        for (payload, headers, code), record in zip(cases, sorted(
                dead, key=lambda r: int(r["headers"]["__connect.errors.offset"]))):
            with self.subTest(code=code, payload=payload[:30]):
                self.assertEqual(record["payload"], payload)
                self.assertEqual(record["key"], "the key")
                kept = {name: value.encode("utf-8", "surrogateescape") for name, value in record["headers"].items()
                        if not name.startswith("__connect.errors.")}
                self.assertEqual(kept, {name: value if isinstance(value, bytes) else value.encode()
                                        for name, value in headers.items()})
                why = {name.removeprefix("__connect.errors."): value for name, value in record["headers"].items()
                       if name.startswith("__connect.errors.")}
                self.assertEqual((why["topic"], why["partition"], why["stage"], why["class.name"]),
                                 (self.fleet.topic("redeem.commands"), "4", "DECODE", code))
                self.assertTrue(why["exception.message"])

    def test_data_that_postgresql_refuses_are_split_off_and_buried(self):
        """A constraint (class 23) and an exception (class 22) that only some commands meet."""
        fleet, source = self.fleet, fresh_source()
        before = len(fleet.dead_letters())
        fleet.sql("""alter table redemption add constraint poison_23 check (order_id is distinct from 'poison-23');
                     alter table redemption add constraint poison_22
                         check (1 / (case when order_id = 'poison-22' then 0 else 1 end) = 1);""")
        self.addCleanup(fleet.sql, "alter table redemption drop constraint poison_23, drop constraint poison_22;")
        poison = {3: "23", 20: "22", 21: "23", 50: "22", 63: "23"}
        commands = [redeem(self.open[n % 2], f"{n}", source, f"poison-{poison[n]}" if n in poison else "o")
                    for n in range(64)]
        for n in range(0, 64, 16):
            for event in commands[n:n + 16]:
                fleet.produce_command("redeem.commands", event, n // 16)
        worker, = fleet.start("redeem")
        fleet.wait_running()
        fleet.wait_lag_zero()
        self.assertEqual(worker.deaths, [])
        dead = {record["data"]["id"]: record["headers"] for record in fleet.dead_letters()[before:]}
        self.assertEqual({int(id_): (h["__connect.errors.class.name"][:2], h["__connect.errors.stage"])
                          for id_, h in dead.items()}, {n: (cls, "APPLY") for n, cls in poison.items()})
        good = [event for n, event in enumerate(commands) if n not in poison]
        self.assertEqual(check_once(fleet, good, source), (59, 0))
        self.assertEqual(len(worker.lines("message_buried")), 5)

    def test_a_repeat_gets_the_stored_outcome_and_has_no_effect(self):
        """From another partition, from the same one, and within one batch."""
        fleet, source = self.fleet, fresh_source()
        event = redeem(self.single.pop(), "again", source)
        fleet.start("redeem")
        fleet.wait_running()
        first, = fleet.submit([event])
        for partition in (0, 7, 7):
            fleet.produce_command("redeem.commands", event, partition)
        fleet.wait_lag_zero()
        fleet.stop()
        for partition in (2, 2, 3):
            fleet.produce_command("redeem.commands", event, partition)
        fleet.start("redeem")
        fleet.wait_running()
        fleet.wait_lag_zero()
        records = outcomes_of(fleet, source)["again"]
        self.assertEqual(len(records), 7)
        self.assertEqual({record["headers"]["ce_id"] for record in records}, {first["id"]})
        self.assertEqual({json.dumps(record["data"], sort_keys=True) for record in records},
                         {json.dumps(first["data"], sort_keys=True)})
        self.assertEqual(sorted(record["headers"].get("ce_repeated", "") for record in records), [""] + ["true"] * 6)
        self.assertEqual(fleet.value(f"select uses from code where key = '{event['data']['codes'][0]}'"), "1")

    def test_the_same_id_with_other_data_is_refused(self):
        fleet, source = self.fleet, fresh_source()
        event = redeem(self.single.pop(), "mine", source)
        other = redeem(self.single.pop(), "mine", source)
        fleet.start("redeem")
        fleet.wait_running()
        first, = fleet.submit([event])
        self.assertEqual(first["type"], REDEEMED)
        for partition in (1, 6):
            fleet.produce_command("redeem.commands", other, partition)
        fleet.wait_lag_zero()
        records = [r for r in outcomes_of(fleet, source)["mine"] if r["headers"]["ce_id"] != first["id"]]
        self.assertEqual([record["data"]["reasons"][0]["code"] for record in records], ["command_id_reused"] * 2)
        self.assertEqual(len({record["headers"]["ce_id"] for record in records}), 1)
        self.assertEqual(fleet.value(f"select uses from code where key = '{other['data']['codes'][0]}'"), "0")
        # Another publisher may use the id.
        elsewhere, = fleet.submit([{**other, "source": source + "-2"}])
        self.assertEqual(elsewhere["type"], REDEEMED)

    def test_a_command_sent_twice_at_once_is_answered_twice_and_done_once(self):
        """Two workers hold the two copies at the same time: one has not committed when the other looks it up."""
        fleet, source = self.fleet, fresh_source()
        commands = [redeem(self.single.pop(), f"{n}", source) for n in range(10)]
        one, other = fleet.start("redeem", 2, {"FLEET_FAULT": "before_pg_commit:1:sleep700"})
        fleet.wait_running()
        fleet.wait_running(one.slot, other.slot)
        for event in commands:
            for partition in (0, 7):
                fleet.produce_command("redeem.commands", event, partition)
        fleet.wait_lag_zero()
        found = outcomes_of(fleet, source)
        for event in commands:
            records = found[event["id"]]
            self.assertEqual([r["headers"]["ce_type"] for r in records], [REDEEMED] * 2)
            self.assertEqual(sorted(r["headers"].get("ce_repeated", "") for r in records), ["", "true"])
            self.assertEqual(len({r["headers"]["ce_id"] for r in records}), 1)
        self.assertEqual(fleet.value(f"""select count(*) from redemption r join source s on s.id = r.source_id
                                          where s.name = '{source}'"""), "10")
        self.assertEqual(one.deaths + other.deaths, [])

    def test_a_job_ordered_twice_at_once_runs_once(self):
        fleet, source = self.fleet, fresh_source()
        before = len(fleet.dead_letters())
        event = command("promofleet.codes.generate.v1", {"coupon": COUPON, "count": 5000}, "job", source)
        fleet.start("generate", 2, {"FLEET_FAULT": "before_ledger_row:1:sleep700"})
        fleet.wait_running()
        for partition in (0, 7):
            fleet.produce_command("generate.commands", event, partition)
        fleet.wait_lag_zero()
        types = sorted((r["headers"]["ce_type"].split(".")[2], r["headers"].get("ce_repeated", ""))
                       for r in outcomes_of(fleet, source, "job.events")["job"]
                       if r["headers"]["ce_type"] != "promofleet.job.progressed.v1")
        # The repeat may be answered after the job has ended: then it gets both of its outcomes again.
        self.assertEqual([t for t in types if t != ("completed", "true")],
                         [("accepted", ""), ("accepted", "true"), ("completed", "")])
        self.assertEqual(fleet.sql(f"""select count(*), sum(b.size) from batch b join job j on j.id = b.job_id
            join source s on s.id = j.source_id where s.name = '{source}'"""), [("1", "5000")])
        self.assertEqual(len(fleet.dead_letters()), before)

    def test_unknown_codes_and_validations_write_nothing(self):
        fleet, source = self.fleet, fresh_source()
        fleet.start("redeem")
        fleet.wait_running()
        tables = "select count(*), (select count(*) from counter), (select count(*) from tally) from redemption"
        before = fleet.sql(tables)
        guesses = [redeem(secrets.token_hex(8), f"g{n}", source) for n in range(200)]
        validate = command("promofleet.code.validate.v1",
                           {"codes": [self.open[0]], "order": {"id": "o", "currency": "EUR", "total_minor": 1}}, "v", source)
        outcomes = fleet.submit([*guesses, validate])
        self.assertEqual({o["data"]["codes"][0]["reasons"][0]["code"] for o in outcomes[:-1]}, {"unknown_code"})
        self.assertEqual(outcomes[-1]["type"], "promofleet.code.validated.v1")
        self.assertEqual(fleet.sql(tables), before)
        # Asked again, the same verdict has the same id.
        again = fleet.submit(guesses[:5])
        self.assertEqual([o["id"] for o in again], [o["id"] for o in outcomes[:5]])

    def test_z_afterwards_the_audit_finds_nothing(self):
        self.fleet.audit()


if __name__ == "__main__":
    main()
