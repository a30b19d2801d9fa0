# SPDX-License-Identifier: Apache-2.0
"""The demo: told by ops/demo --help, and called by it. Each step says what it does and what came of it."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import counts
import purchases as log
import story
import table
from stack import SOURCE_DIR, Failed, Stack

EXIT_FAILED = 1
EXIT_NOT_FETCHED = 3
EXIT_USAGE = 64
EXIT_INTERRUPTED = 130
METRICS_S = 60  # a snapshot is at most a second behind, more when its worker had to start again


class Interrupted(BaseException):
    """SIGINT, SIGTERM or SIGHUP."""


def interrupt(signum, _frame):
    raise Interrupted(signal.Signals(signum).name)


def on_signals(handler):
    """What was ignored when we were started (nohup) stays so."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(signum) != signal.SIG_IGN:
            signal.signal(signum, handler)


BEGAN = time.monotonic()


def say(text):
    print(f"[{time.monotonic() - BEGAN:5.1f} s] {text}", flush=True)


def complain(text):
    print(f"ops/demo: {text}", file=sys.stderr, flush=True)


def expect(events, wanted):
    """Every event is of this type."""
    for event in events:
        if event["type"] != wanted:
            raise Failed(f"{wanted} was expected, this came: {event['type']} {event.get('data', '')}")


class Demo:
    def __init__(self, stack, purchases, codes):
        self.stack = stack
        self.purchases = purchases
        self.code_count = codes
        self.publisher = story.Publisher(int(time.time() * 1000))
        self.exported = []  # the codes as a customer sees them

    def _write(self, name, events):
        return story.write_lines(self.stack.path(name), events)

    def _run_job(self, command, label, bar=True):
        """Publishes one job command and awaits its end. Returns (the data of its last event, seconds)."""
        self._write(f"{label}.jsonl", [command])
        seconds = self.stack.run_job(command["id"], f"{label}.jsonl", f"{label}.outcome.jsonl", bar)
        (event,) = self.stack.events(f"{label}.outcome.jsonl")
        expect([event], "promofleet.job.completed.v1")
        return event["data"], seconds

    def define(self):
        self._write("definitions.jsonl", self.publisher.definitions())
        self.stack.submit("definitions.jsonl", "definitions.outcomes.jsonl")
        events = self.stack.events("definitions.outcomes.jsonl")
        for event in events:
            expect([event], event["type"].rsplit(".", 2)[0] + ".changed.v1")
        say(f"{len(events)} definitions: campaign {story.ROOT} with child {story.CHILD}, two discounts, two coupons")

    def generate(self):
        say(f"generating {self.code_count:,} single-use codes in {story.CHILD}, and {story.GROUP_CODE} in {story.ROOT}")
        data, _ = self._run_job(self.publisher.generate_own(self.code_count), "generate")
        group, _ = self._run_job(self.publisher.generate_group(), "generate-group", bar=False)
        if group["rows"] != 1:
            raise Failed(f"{group['rows']} group codes were made")
        say(f"{data['rows']:,} codes in {data['elapsed_ms'] / 1000:.1f} s")
        return data["rows"], data["rate_per_s"]

    def export_codes(self):
        data, seconds = self._run_job(self.publisher.export_codes(), "export-codes")
        self.exported = [row["code"] for row in counts.read_parts(self._folder_of(data))]
        if len(set(self.exported)) != len(self.exported):
            raise Failed("the exported codes are not all different")
        self._same_rows(data, len(self.exported))
        say(f"{len(self.exported):,} codes exported in {seconds:.1f} s, {data['parts']} parts")

    def _folder_of(self, data):
        """Where the export lies that a completed event tells of."""
        return os.path.join(self.stack.env["PROMO_EXPORT_DIR"], data["job"])

    @staticmethod
    def _same_rows(data, rows):
        if data["rows"] != rows:
            raise Failed(f"the files hold {rows} rows, the event of the export says {data['rows']}")

    def redeem(self):
        customers = list(dict.fromkeys(purchase.customer for purchase in self.purchases))
        if len(self.exported) < len(customers):
            raise Failed(f"{len(self.exported)} codes are too few for {len(customers)} customers")
        codes = story.hand_out(customers, self.exported)
        sent = self._write("redeem.jsonl", self.publisher.redemptions(self.purchases, codes))
        say(f"publishing {sent:,} commands for {len(self.purchases):,} purchases")
        seconds = self.stack.submit("redeem.jsonl", "redeem.outcomes.jsonl")
        answers = counts.from_outcomes(self.stack.path("redeem.outcomes.jsonl"), self.stack.path("redeem.jsonl"))
        answers.commands_per_s = sent / seconds
        say(f"{answers.sent:,} outcomes in {seconds:.1f} s")
        return answers

    def export_redemptions(self):
        data, seconds = self._run_job(self.publisher.export_redemptions(), "export-redemptions")
        exported = counts.from_export(self._folder_of(data), len(self.exported))
        self._same_rows(data, exported.sent)
        say(f"{exported.sent:,} redemptions exported in {seconds:.1f} s, {data['parts']} parts")
        return exported

    def await_metrics(self, expected):
        """The last snapshots, as soon as they tell of all commands."""
        deadline = time.monotonic() + METRICS_S
        while True:
            metrics = counts.from_metrics(self.stack.last_records("promo.metrics"))
            if metrics.sent == expected.sent or time.monotonic() > deadline:
                return metrics
            time.sleep(0.3)

    def audit(self):
        done = self.stack.promoctl("audit", stdout=subprocess.PIPE)
        lines = done.stdout.strip().splitlines()
        if done.returncode != 0:
            print("\n".join(lines), flush=True)
            raise Failed(f"promoctl audit ends with exit code {done.returncode}, see above")
        say(f"promoctl audit: {lines[-1] if lines else 'nothing found'}")

    def tell(self):
        """The whole story. 0: all numbers agree."""
        say(f"starting stack {self.stack.name}: PostgreSQL, Kafka, seven workers")
        self.stack.up()
        self.define()
        code_count, codes_per_s = self.generate()
        self.export_codes()
        answers = self.redeem()
        answers.codes, answers.codes_per_s = code_count, codes_per_s
        exported = self.export_redemptions()
        expected = counts.from_log(self.purchases, self.code_count)
        metrics = self.await_metrics(expected)
        stored = counts.from_sql(self.stack.sql(counts.SQL))
        text, differing = table.render({"outcomes": answers, "log": expected, "SQL": stored, "export": exported,
                                        "metrics": metrics})
        print(f"\n{text}\nAn order that used two codes counts twice among the orders discounted.\n", flush=True)
        self.audit()
        if differing:
            raise Failed(f"{differing} rows differ")

    def tell_next(self):
        """After --keep."""
        redeem = self.stack.path("redeem.jsonl")
        used = story.GROUP_CODE
        if os.path.exists(redeem):
            with open(redeem, encoding="utf-8") as file:
                used = json.loads(file.readline())["data"]["codes"][0]
        name = self.stack.name
        print(f"""
The stack is still running. This makes your shell know it:
    cd {SOURCE_DIR}
    eval "$(ops/stack env --name {name})"
Then, for example:
    promoctl job list
    promoctl code show {used}
    promoctl code show --limit 3 {story.GROUP_CODE}
    promoctl submit --wait {redeem} | tail -1    # once more: repeated, nothing changes
    psql "$PGURL" -c 'select state, reason, count(*), sum(discount_minor) from redemption group by 1, 2'
    kcat -b "$KAFKA_BROKERS" -C -q -e -t promo.metrics | tail -2
    ls "$PROMO_EXPORT_DIR"/*
    ops/stack status --name {name}
At the end:
    ops/stack down --purge --name {name}; rm -r {self.stack.folder}""", flush=True)


def read_options():
    parser = argparse.ArgumentParser(prog="ops/demo", allow_abbrev=False)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--state", required=True)
    parser.add_argument("--synthetic", action="store_true")
    parser.add_argument("--customers", type=int)
    parser.add_argument("--codes", type=int, default=1_000_000)
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args()


def read_purchases(options):
    if options.synthetic:
        return log.parse(log.synthetic_log(options.customers or log.CUSTOMERS))
    return log.parse(log.real_log(options.cache), options.customers)


def close(demo, keep, failed):
    """Ends the stack whatever happened; what would help to understand a failure stays."""
    on_signals(lambda *_: None)  # not SIG_IGN, which programs that we start would inherit
    folder = demo.stack.folder
    if keep:
        demo.tell_next()
        return
    if failed:
        demo.stack.save_logs()
    say(f"ending stack {demo.stack.name}")
    demo.stack.purge()
    if failed:
        complain(f"commands, outcomes and logs, as far as there are any, are in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    options = read_options()
    on_signals(interrupt)
    try:
        purchases = read_purchases(options)
    except log.NotFetched as why:
        complain(f"the purchase log ({log.PACKAGE} from PyPI) cannot be fetched; --synthetic does without it.\n{why}")
        return EXIT_NOT_FETCHED
    except log.NotReadable as why:
        complain(str(why))
        return EXIT_FAILED
    customers = len({purchase.customer for purchase in purchases})
    if options.customers and customers < options.customers:
        complain(f"--customers: the log has {customers:,} customers")
        return EXIT_USAGE
    if options.codes < customers:
        complain(f"--codes: {customers:,} customers need a code each")
        return EXIT_USAGE
    stack = Stack(options.name, options.state, "")
    if stack.exists():
        complain(f"there is a stack {options.name} already; choose another name, or end it: "
                 f"ops/stack down --purge --name {options.name}")
        return EXIT_FAILED
    say(f"{'made-up' if options.synthetic else 'CDNOW'} purchase log, {purchases[0].day} to "
        f"{max(purchase.day for purchase in purchases)}: {len(purchases):,} purchases by {customers:,} customers")
    stack.folder = tempfile.mkdtemp(prefix="promofleet-demo-")
    demo = Demo(stack, purchases, options.codes)
    code = EXIT_FAILED
    try:
        demo.tell()
        code = 0
    except (Failed, counts.Wrong) as why:
        complain(str(why))
    except Interrupted as why:
        complain(f"interrupted ({why})")
        code = EXIT_INTERRUPTED
    finally:
        close(demo, options.keep and code != EXIT_INTERRUPTED, code == EXIT_FAILED)
    if code == 0:
        say("all numbers agree")
    return code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Interrupted:
        sys.exit(EXIT_INTERRUPTED)
    except Failed as unexpected:
        complain(str(unexpected))
        sys.exit(EXIT_FAILED)
