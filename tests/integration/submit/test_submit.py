#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""promoctl topics apply and promoctl submit against a real broker. A program of the test (echo.c) answers."""

import atexit
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "audit"))

from ctl_it import environment, equal, need, promoctl, run_all  # noqa: E402

PREFIX = f"t{secrets.token_hex(5)}"
ENV = environment(KAFKA_BROKERS=need("KAFKA_BROKERS"), PROMO_TOPIC_PREFIX=PREFIX)


class Echo:
    """The running echo; records() are those it has read since the last call."""

    def __init__(self):
        self.process = subprocess.Popen([need("PROMO_TEST_ECHO"), need("KAFKA_BROKERS"), PREFIX],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.seen = []
        self.lock = threading.Lock()
        equal(self.process.stdout.readline(), "ready\n")
        threading.Thread(target=self.read, daemon=True).start()
        atexit.register(self.stop)

    def read(self):
        for line in self.process.stdout:
            with self.lock:
                self.seen.append(json.loads(line))

    def records(self, wanted=None):
        deadline = time.monotonic() + 20
        while wanted and len(self.seen) < wanted and time.monotonic() < deadline:
            time.sleep(0.02)
        with self.lock:
            taken, self.seen = self.seen, []
        return taken

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def apply_creates_the_topics_once():
    first = promoctl("topics", "apply", "--json", env=ENV)
    equal(first.code, 0, first.err)
    names = [line["topic"] for line in first.lines()]
    equal(len(names), 13)
    assert f"{PREFIX}.campaign.commands" in names and f"{PREFIX}.dead-letter" in names, names
    equal({line["change"] for line in first.lines()}, {"created"})
    again = promoctl("topics", "apply", env=ENV)
    equal(again.code, 0, again.err)
    assert "nothing to do" in again.out, again.out


def event(type_, data=None, id_=None, **more):
    return {"specversion": "1.0", "id": id_ or secrets.token_hex(8), "source": "test", "type": type_,
            "data": {} if data is None else data, **more}


def campaign(**asked):
    return event("promofleet.campaign.put.v1", {"id": "c", "echo": asked})


def generate(**asked):
    return event("promofleet.codes.generate.v1", {"coupon": "c", "count": 1, "echo": asked})


def redeem(code="ab", **asked):
    return event("promofleet.code.redeem.v1", {"codes": [code], "echo": asked})


def submit(events, *args, **more):
    text = "".join((e if isinstance(e, str) else json.dumps(e)) + "\n" for e in events)
    return promoctl("submit", *args, "-", env=ENV, text=text, **more)


def answers(done, events):
    """The outcomes, which must be those of the events, in their order."""
    lines = done.lines()
    equal([line["causationid"] for line in lines], [e["id"] for e in events], done.err)
    return lines


def without_servers_it_says_which_exit_code():
    equal(promoctl("submit", "-", env=environment(), text=json.dumps(redeem())).code, 2)
    away = environment(KAFKA_BROKERS="127.0.0.1:1")
    done = promoctl("submit", "-", env=away, text=json.dumps(redeem()))
    equal(done.code, 3, done.err)
    equal(len(done.err.splitlines()), 1, done.err)
    done = promoctl("topics", "apply", "--timeout", "1", env=away)
    equal(done.code, 3, done.err)


def a_prefix_without_topics_is_an_error_that_helps():
    done = promoctl("submit", "-", env={**ENV, "PROMO_TOPIC_PREFIX": PREFIX + "x"}, text=json.dumps(redeem()))
    equal(done.code, 1, done.err)
    assert "topics apply" in done.err, done.err


def attributes_become_headers_and_data_stay_as_given():
    ECHO.records()
    sent = event("promofleet.code.redeem.v1", {"zz": 1, "codes": ["SUMMER-ab c"], "a": {"b": [1.5, "é\"\n"]}},
                 subject="s", traceparent="00-11", someext="x", time="2026-01-01T00:00:00Z", flag=True, n=7)
    equal(submit([sent]).code, 0)
    record, = ECHO.records(1)
    equal(record["topic"], f"{PREFIX}.redeem.commands")
    equal(record["key"], "summerabc")
    equal(record["headers"], {"ce_specversion": "1.0", "ce_id": sent["id"], "ce_source": "test",
                              "ce_type": "promofleet.code.redeem.v1", "content-type": "application/json",
                              "ce_subject": "s", "ce_traceparent": "00-11", "ce_someext": "x",
                              "ce_time": "2026-01-01T00:00:00Z", "ce_flag": "true", "ce_n": "7"})
    equal(json.loads(record["value"]), sent["data"])
    assert " " not in record["value"].replace("SUMMER-ab c", ""), record["value"]


def keys_bring_together_what_belongs_together():
    ECHO.records()
    sent = [campaign(), generate(), event("promofleet.codes.export.v1"),
            event("promofleet.job.cancel.v1", {"job": "J"}), redeem("Ab-C"),
            event("promofleet.code.redeem.v1", {"codes": []}), event("promofleet.code.redeem.v1", {"codes": "no"})]
    equal(submit(sent).code, 0)
    found = {r["headers"]["ce_id"]: (r["topic"].split(".", 1)[1], r["key"]) for r in ECHO.records(len(sent))}
    equal([found[e["id"]] for e in sent],
          [("campaign.commands", "c"), ("generate.commands", sent[1]["id"]), ("export.commands", sent[2]["id"]),
           ("maintain.commands", "J"), ("redeem.commands", "abc"), ("redeem.commands", sent[5]["id"]),
           ("redeem.commands", sent[6]["id"])])


def bad_lines_are_all_named_and_nothing_is_sent():
    ECHO.records()
    good = redeem()
    done = submit([good, "{", "", {**good, "id": 5}, {k: v for k, v in good.items() if k != "source"},
                   {**good, "type": "promofleet.nothing.v1"}, {**good, "type": "promofleet.token.v1"},
                   {**good, "Upper": "x"}, {**good, "nested": {}}, {**good, "specversion": "0.3"},
                   {**good, "data_base64": "AA=="}, '{"a":1,"a":2}', "[]", {**good, "id": ""},
                   {**good, "id": "x" * 129}, {**good, "id": "a\u0007b"}])
    equal((done.code, done.out), (2, ""))
    lines = done.err.splitlines()
    equal([line.split(":")[1] for line in lines[:-1]],
          [" line 2", " line 4, /id", " line 5, /source", " line 6, /type", " line 7, /type", " line 8, /Upper",
           " line 9, /nested", " line 10, /specversion", " line 11, /data_base64", " line 12, /a", " line 13",
           " line 14, /id", " line 15, /id", " line 16, /id"])
    assert "14 of 15 lines" in lines[-1] and "nothing was sent" in lines[-1], lines[-1]
    time.sleep(0.5)
    equal(ECHO.records(), [])


def wrong_data_are_the_workers_to_refuse():
    sent = [event("promofleet.code.redeem.v1", d) for d in ([1], "text", 7, None, {"codes": 7})]
    sent[3]["data"] = None
    sent.append({k: v for k, v in event("promofleet.code.redeem.v1").items() if k != "data"})
    ECHO.records()
    equal(submit(sent).code, 0)
    values = {r["headers"]["ce_id"]: r["value"] for r in ECHO.records(len(sent))}
    equal([values[e["id"]] for e in sent], ["[1]", '"text"', "7", "null", '{"codes":7}', ""])


def an_empty_file_is_wrong_usage():
    equal(submit([""]).code, 2)
    equal(promoctl("submit", "/nowhere/at-all", env=ENV).code, 2)
    equal(promoctl("submit", "/", env=ENV).code, 2)
    equal(promoctl("submit", env=ENV).code, 2)


def outcomes_come_in_the_order_given():
    sent = [redeem("a", delay_ms=700), redeem("b"), redeem("c", delay_ms=300), redeem("d", answer="reject")]
    done = submit(sent, "--wait", "--timeout", "30")
    equal(done.code, 0, done.err)
    lines = answers(done, sent)
    equal([line["type"] for line in lines], ["promofleet.code.redeemed.v1"] * 3 + ["promofleet.code.rejected.v1"])
    equal({line["specversion"] for line in lines}, {"1.0"})
    equal({line["causationsource"] for line in lines}, {"test"})
    equal(lines[0]["source"], "promofleet/echo")
    equal(set(lines[0]["data"]), {"unanswered"})


def a_job_is_awaited_to_its_end():
    sent = [generate(delay_ms=300), generate(answer="reject")]
    done = submit(sent, "--wait", "--timeout", "30")
    equal(done.code, 0, done.err)
    equal([line["type"] for line in answers(done, sent)],
          ["promofleet.job.completed.v1", "promofleet.job.rejected.v1"])


def another_topic_waits_for_what_is_open_unless_pipelined():
    sent = [campaign(delay_ms=600), redeem(delay_ms=600), generate(delay_ms=600)]
    lines = answers(submit(sent, "--wait", "--timeout", "30"), sent)
    equal([line["data"]["unanswered"] for line in lines], [0, 0, 0])
    # Topics are read in any order, but whichever command is read last finds the two others unanswered.
    sent = [campaign(delay_ms=2500), redeem(delay_ms=2500), generate(delay_ms=2500)]
    lines = answers(submit(sent, "--wait", "--pipeline", "--timeout", "30"), sent)
    equal(sorted(line["data"]["unanswered"] for line in lines), [0, 1, 2])


def a_dead_letter_is_an_outcome():
    sent = [redeem("a"), redeem("b", answer="dead"), campaign(answer="dead")]
    done = submit(sent, "--wait", "--timeout", "30")
    equal(done.code, 0, done.err)
    lines = answers(done, sent)
    equal([line["type"] for line in lines], ["promofleet.code.redeemed.v1", "dead-letter", "dead-letter"])
    equal(lines[1]["errors"]["topic"], f"{PREFIX}.redeem.commands")
    equal(lines[1]["errors"]["class.name"], "made_up")


def outcomes_of_others_are_none():
    sent = [redeem(answer="stranger"), campaign(answer="stranger")]
    answers(submit(sent, "--wait", "--timeout", "30"), sent)
    # the very identity, but on another topic: the campaign's outcome does not answer the redeem
    one = {**redeem(answer="silent"), "id": sent[1]["id"]}
    done = submit([one, {**sent[1], "id": one["id"]}], "--wait", "--pipeline", "--timeout", "3")
    equal(done.code, 4, done.err)
    equal([line["type"] for line in done.lines()], ["promofleet.campaign.changed.v1"])


def the_same_command_twice_has_two_outcomes():
    one = redeem(delay_ms=200)
    done = submit([one, one, redeem("z")], "--wait", "--timeout", "30")
    equal(done.code, 0, done.err)
    equal([line["causationid"] for line in done.lines()][:2], [one["id"]] * 2)
    equal(len(done.lines()), 3)


def a_timeout_prints_what_there_is_and_counts_the_rest():
    sent = [redeem("a"), redeem("b", answer="silent"), redeem("c"), campaign()]
    start = time.monotonic()
    done = submit(sent, "--wait", "--timeout", "2")
    took = time.monotonic() - start
    equal(done.code, 4, done.err)
    answers(done, [sent[0], sent[2]])
    assert "2 of 4 commands have no outcome" in done.err and "1 were not sent" in done.err, done.err
    assert 2 <= took < 8, took
    equal(submit([redeem()], "--timeout", "5").code, 2, "a time-out without --wait")


def many_lines_pass_through_a_small_window():
    sent = [redeem(f"{n:x}", **({"delay_ms": 50} if n % 97 == 0 else {})) for n in range(20000)]
    start = time.monotonic()
    done = submit(sent, "--wait", "--timeout", "100", "--window", "500", timeout=110)
    took = time.monotonic() - start
    equal(done.code, 0, done.err)
    answers(done, sent)
    print(f"        20000 commands and outcomes in {took:.1f} s")


def ctrl_c_ends_the_wait():
    path = os.path.join("/tmp", f"{PREFIX}.jsonl")
    with open(path, "w", encoding="utf-8") as out:
        for e in (redeem("a"), redeem("b", answer="silent")):
            out.write(json.dumps(e) + "\n")
    process = subprocess.Popen([need("PROMOCTL"), "submit", "--wait", path], env=ENV, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    ECHO.records()
    ECHO.records(2)
    time.sleep(0.5)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    os.unlink(path)
    equal(process.returncode, 130, err)
    equal(len(out.splitlines()), 1, "the outcome that had come")
    assert time.monotonic() - start < 5, "it took long"


if __name__ == "__main__":
    apply_creates_the_topics_once()
    ECHO = Echo()
    run_all([without_servers_it_says_which_exit_code, a_prefix_without_topics_is_an_error_that_helps,
             attributes_become_headers_and_data_stay_as_given, keys_bring_together_what_belongs_together,
             bad_lines_are_all_named_and_nothing_is_sent, wrong_data_are_the_workers_to_refuse,
             an_empty_file_is_wrong_usage, outcomes_come_in_the_order_given, a_job_is_awaited_to_its_end,
             another_topic_waits_for_what_is_open_unless_pipelined, a_dead_letter_is_an_outcome,
             outcomes_of_others_are_none, the_same_command_twice_has_two_outcomes,
             a_timeout_prints_what_there_is_and_counts_the_rest, many_lines_pass_through_a_small_window,
             ctrl_c_ends_the_wait])
