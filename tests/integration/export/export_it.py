# SPDX-License-Identifier: Apache-2.0
"""A fleet of a test's own: data base, topics, folder of exports and worker processes, on the servers of the
fixture. What an export has written is read back by check(), which takes nothing on trust."""

import atexit
import csv
import ctypes
import hashlib
import io
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "audit"))

from ctl_it import database, environment, equal, need, promoctl, run_all, sql  # noqa: E402,F401

PATIENCE = 60
BIN = os.path.dirname(need("PROMOCTL"))
CODE_COLUMNS = ["code", "id", "coupon", "campaign", "active", "max_uses", "uses", "starts_at", "ends_at", "state"]
REDEMPTION_COLUMNS = ["seq", "at", "state", "source", "command_id", "line", "code", "code_id", "coupon", "campaign",
                      "order_id", "currency", "order_minor", "units", "discount_minor", "reason", "released_at",
                      "customer", "email"]

# Lets a test hold the chunks of exports (key 1), and those of generating jobs from lane 8 on (key 2), just
# before their rows are written.
HOLD = """
create function hold() returns trigger language plpgsql as $$
begin
    if (select kind from job where id = new.job_id) > 1 then
        perform pg_advisory_xact_lock_shared(1);
    elsif new.lane >= 8 then
        perform pg_advisory_xact_lock_shared(2);
    end if;
    return new;
end
$$;
create trigger hold before insert on chunk for each row execute function hold();
"""


def die_with_the_test():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def wait_for(what, condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.05)


class Session:
    """A session that has run some SQL and stays open; what it has open then, such as a transaction, ends by `last`."""

    def __init__(self, fleet, text, last=""):
        self.fleet = fleet
        self.text = text
        self.last = last

    def __enter__(self):
        self.psql = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.fleet.url],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.psql.stdin.write(f"{self.text};\n\\echo done\n")
        self.psql.stdin.flush()
        for line in self.psql.stdout:
            if line.strip() == "done":
                return self
        raise AssertionError(f"psql failed: {self.text}")

    def end(self):
        if not self.psql.stdin.closed:
            self.psql.stdin.write(self.last)
            self.psql.stdin.close()
        equal(self.psql.wait(PATIENCE), 0, "psql")

    def __exit__(self, *_):
        self.end()


class Held(Session):
    """The chunks of a key wait while this is open."""

    def __init__(self, fleet, key):
        super().__init__(fleet, f"select pg_advisory_lock({key})")
        self.key = key

    def await_waiting(self, at_least=1):
        wait_for(f"{at_least} chunks that wait", lambda: self.fleet.number(
            "select count(*) from pg_locks where locktype = 'advisory' and not granted "
            f"and objid = {self.key} and database = (select oid from pg_database where datname = current_database())")
            >= at_least)


class Fleet:
    def __init__(self, workers):
        self.dir = tempfile.mkdtemp(prefix="export-it-")
        self.exports = os.path.join(self.dir, "exports")
        os.mkdir(self.exports)
        secret = os.path.join(self.dir, "secret")
        with open(os.open(secret, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        self.url = database()
        self.env = environment(KAFKA_BROKERS=need("KAFKA_BROKERS"), PGURL=self.url,
                               PROMO_TOPIC_PREFIX=f"t{secrets.token_hex(5)}", PROMO_EXPORT_DIR=self.exports,
                               PROMO_FLEET_SECRET_FILE=secret)
        self.processes = {}
        self.serial = 0
        atexit.register(self.close)
        for command in (["migrate"], ["topics", "apply"]):
            done = promoctl(*command, env=self.env)
            equal(done.code, 0, done.err)
        sql(self.url, HOLD)
        for slot in workers:
            self.start(slot)

    def close(self):
        for process in self.processes.values():
            process.kill()
            process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    # --- workers ------------------------------------------------------------------------------------------

    def start(self, slot, **settings):
        before = self.processes.get(slot)
        if before is not None and before.poll() is None:  # left by a test that failed
            self.kill(slot)
        with open(self.log_file(slot), "ab") as log:
            self.processes[slot] = subprocess.Popen(
                [os.path.join(BIN, f"{slot.split('-')[0]}-worker")], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=die_with_the_test,
                env={**self.env, "PROMO_SLOT": slot, "PROMO_CHUNK_TIME": "10ms", **settings})

    def kill(self, slot):
        self.processes[slot].kill()
        equal(self.processes[slot].wait(PATIENCE), -signal.SIGKILL)

    def stop(self, slot):
        self.processes[slot].terminate()
        equal(self.processes[slot].wait(PATIENCE), 0, slot)

    def signal(self, slot, number):
        self.processes[slot].send_signal(number)

    def log_file(self, slot):
        return os.path.join(self.dir, f"{slot}.log")

    def log(self, slot):
        with open(self.log_file(slot), encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if line.startswith("{")]

    # --- commands -----------------------------------------------------------------------------------------

    def command(self, what, data, source="it", **more):
        self.serial += 1
        return {"specversion": "1.0", "id": f"c{self.serial}", "source": source, "type": f"promofleet.{what}.v1",
                "data": data, **more}

    def submit(self, *commands):
        """The terminal events, in order."""
        done = promoctl("submit", "--wait", "--timeout", str(PATIENCE), "-", env=self.env,
                        text="".join(json.dumps(command) + "\n" for command in commands), timeout=2 * PATIENCE)
        equal(done.code, 0, done.err)
        events = done.lines()
        equal(len(events), len(commands), done.err)
        return events

    def do(self, *commands):
        """The same, and none of them was refused."""
        events = self.submit(*commands)
        for event in events:
            assert "rejected" not in event["type"], event
        return events

    def later(self, *commands):
        """Submits meanwhile; call the result to have the events."""
        events = []
        thread = threading.Thread(target=lambda: events.extend(self.submit(*commands)), daemon=True)
        thread.start()

        def join():
            thread.join(2 * PATIENCE)
            equal(len(events), len(commands), "events")
            return events
        return join

    # --- what is there ------------------------------------------------------------------------------------

    def rows(self, query):
        return json.loads(sql(self.url, f"select coalesce(json_agg(t), '[]') from ({query}) t"))

    def number(self, query):
        return int(sql(self.url, query))

    def job(self, command):
        found = self.rows("select j.id, j.state, j.total, j.done, j.snapshot::text from job j join source s on "
                          f"s.id = j.source_id where s.name = '{command['source']}' and j.ce_id = '{command['id']}'")
        return found[0] if found else None

    def await_job(self, command):
        wait_for(f"the job of {command}", lambda: self.job(command) is not None)
        return self.job(command)

    def files(self, event):
        return sorted(os.listdir(os.path.join(self.exports, event["data"]["job"])))

    def check(self, event, only_these=True):
        """The manifest and the rows of a completed export, after checking one against the other."""
        data = event["data"]
        equal(event["type"], "promofleet.job.completed.v1", event)
        equal(data["manifest"], f"{data['job']}/manifest.json")
        folder = os.path.join(self.exports, data["job"])
        with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        equal(manifest["job"], data["job"])
        equal(manifest["kind"], data["kind"])
        equal(manifest["snapshot"], self.rows(f"select snapshot::text from job where id = '{data['job']}'")[0]["snapshot"])
        rows = []
        for part in manifest["parts"]:
            with open(os.path.join(folder, part["file"]), "rb") as file:
                content = file.read()
            equal(len(content), part["bytes"], part["file"])
            equal(hashlib.sha256(content).hexdigest(), part["sha256"], part["file"])
            assert content.endswith(b"\r\n"), part
            lines = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
            equal(lines[0], manifest["columns"], part["file"])
            equal(len(lines) - 1, part["rows"], part["file"])
            rows += [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
        for name, found in (("rows", len(rows)), ("bytes", sum(part["bytes"] for part in manifest["parts"])),
                            ("parts", len(manifest["parts"]))):
            equal(data[name], found, name)
            if name != "parts":
                equal(manifest[name], found, name)
        if only_these:
            equal(self.files(event), sorted(["manifest.json"] + [part["file"] for part in manifest["parts"]]))
        return manifest, rows

    def audit(self):
        done = promoctl("audit", env=self.env)
        equal(done.code, 0, done.out + done.err)


def definitions(fleet):
    """Campaign root with a child, a coupon in each, single-use codes of ten percent."""
    fleet.do(fleet.command("discount.put", {"id": "ten", "kind": "percent", "percent_bp": 1000}),
             fleet.command("campaign.put", {"id": "root"}),
             fleet.command("campaign.put", {"id": "-child", "parent": "root"}),
             fleet.command("campaign.put", {"id": "other"}),
             fleet.command("coupon.put", {"id": "above", "campaign": "root", "discounts": ["ten"],
                                           "code_defaults": {"max_uses": 1}}),
             fleet.command("coupon.put", {"id": "below", "campaign": "-child", "discounts": ["ten"],
                                           "code_defaults": {"max_uses": 1}}),
             fleet.command("coupon.put", {"id": "free", "campaign": "-child", "discounts": ["ten"],
                                           "code_defaults": {"max_uses": 1}}))
