# SPDX-License-Identifier: Apache-2.0
"""Runs the real worker programs for integration tests in Python.

    with Fleet() as fleet:                       # topics and a data base of this test's own
        fleet.start("campaign"); fleet.start("redeem", 2)
        fleet.wait_ready()
        outcomes = fleet.submit([command("promofleet.campaign.put.v1", {...})])
        fleet.audit()

The servers are those of the file that PROMO_TEST_ENV names (KEY=VALUE lines), or of an OwnStack, which a test needs
that kills servers. FLEET_BIN is the folder of the programs. What is absent ends the program with 77, which CTest
counts as skipped. Standard library only, besides psql and kcat."""

import atexit
import csv
import http.client
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
from urllib.parse import urlsplit, urlunsplit

from kafka_wire import KafkaWire, WireError

SKIPPED = 77
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KINDS = ("campaign", "generate", "redeem", "export", "maintain")
# So that nothing is left of a test that is killed. The signal comes when the thread ends that started the process,
# which is never before the worker has ended.
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()
# Who reads what, besides <kind>.commands.
ALSO_READ = {"generate": ["generate.chunks"], "export": ["export.chunks"]}


def _file_values():
    path = os.environ.get("PROMO_TEST_ENV")
    if not path or not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as lines:
        return dict(line.rstrip("\n").partition("=")[::2] for line in lines if "=" in line)


def skip(why):
    print(f"skipped: {why}", file=sys.stderr, flush=True)
    sys.exit(SKIPPED)


def need(name):
    value = os.environ.get(name) or _file_values().get(name)
    if not value:
        skip(f"{name} is neither in the environment nor in $PROMO_TEST_ENV")
    return value


def programs():
    folder = need("FLEET_BIN")
    if not os.path.exists(os.path.join(folder, "promoctl")):
        skip(f"no programs in {folder}")
    return folder


def has_faults():
    """Were the programs built with -DFAULTS=ON? The name of the variable they read stands in them."""
    with open(os.path.join(programs(), "redeem-worker"), "rb") as program:
        return b"FLEET_FAULT" in program.read()


def wait_until(condition, seconds=30, what="a condition", pause=0.05):
    """Returns the first true value of condition(); fails when there is none in time. A callable `what` is asked then."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what() if callable(what) else what}: not within {seconds} s")
        time.sleep(pause)


def command(type_, data, id_=None, source="tests", **attributes):
    """A command as a structured CloudEvent; a fresh id unless one is given. None leaves an attribute out."""
    event = {"specversion": "1.0", "id": id_ or secrets.token_hex(12), "source": source, "type": type_, "data": data}
    event.update(attributes)
    return {name: value for name, value in event.items() if value is not None}


class Worker:
    """One slot: a process that is started again when it ends unasked. deaths has the return codes of such ends."""

    def __init__(self, fleet, kind, slot, env):
        self.fleet, self.kind, self.slot = fleet, kind, slot
        self.env = env
        self.log = os.path.join(fleet.folder, slot + ".log")
        self.deaths = []
        self.code = None  # of the end that was asked for, or that was not to be mended
        self.restart = True
        self.wanted = True
        self.process = None
        # Slots are used again: what was logged before is not this worker's.
        self.log_begin = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        self.log_start = 0  # of the current process
        self.lock = threading.Lock()
        self._spawn()
        self.thread = threading.Thread(target=self._supervise, daemon=True)
        self.thread.start()

    @property
    def pid(self):
        return self.process.pid

    @property
    def restarts(self):
        return len(self.deaths)

    def _spawn(self):
        with open(self.log, "ab") as log:
            self.log_start = log.tell()
            program = os.path.join(programs(), self.kind + "-worker")
            self.process = subprocess.Popen(
                [*DIES_WITH_US, program], env={**self.fleet.env, "PROMO_SLOT": self.slot, **self.env},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")

    def _supervise(self):
        while True:
            code = self.process.wait()
            with self.lock:
                if not self.wanted:
                    self.code = code
                    return
                self.deaths.append(code)
                if not self.restart:
                    self.code = code
                    return
            time.sleep(0.2)
            with self.lock:
                if not self.wanted:
                    self.code = code
                    return
                self._spawn()

    def alive(self):
        return self.process.poll() is None

    def text(self):
        """All that this worker has logged, over its restarts."""
        with open(self.log, "rb") as log:
            log.seek(self.log_begin)
            return log.read().decode("utf-8", "replace")

    def lines(self, name=None):
        """Its log lines as dicts, those of one event name if given."""
        found = []
        for line in self.text().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if name is None or entry.get("event") == name:
                found.append(entry)
        return found

    def port(self):
        """Of the current process, from its log; None when it has not said it yet."""
        with open(self.log, "rb") as log:
            log.seek(self.log_start)
            for line in log:
                if b'"http_port"' in line:
                    return json.loads(line)["http_port"]
        return None

    def get(self, path):
        """(status, body) of its HTTP server; (0, "") when it does not answer."""
        try:
            port = self.port()
            if port is None:
                return 0, ""
            link = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            link.request("GET", path)
            answer = link.getresponse()
            body = answer.read().decode()
            link.close()
            return answer.status, body
        except (OSError, ValueError, http.client.HTTPException):
            return 0, ""

    def state(self):
        """What /readyz says: running, joining and so on; empty when it does not answer."""
        _, body = self.get("/readyz")
        return json.loads(body)["state"] if body.startswith("{") else ""

    def ready(self):
        return self.alive() and self.get("/readyz")[0] == 200

    def send(self, signum):
        os.kill(self.process.pid, signum)

    def end(self, signum=signal.SIGTERM):
        """Asks it to end and not to come back. Does not wait."""
        with self.lock:
            self.wanted = False
            if self.alive():
                self.process.send_signal(signum)
                self.process.send_signal(signal.SIGCONT)

    def wait(self, seconds=25):
        """The return code after end(), or after a death that is not mended."""
        self.thread.join(seconds)
        if self.thread.is_alive():
            self.process.kill()
            self.thread.join(10)
            raise AssertionError(f"{self.slot} did not end within {seconds} s:\n{self.text()[-3000:]}")
        return self.code


class OwnStack:
    """Servers of one test's own, which it may kill. workers as for ops/stack up --workers; None: servers only."""

    def __init__(self, workers=None):
        self.name = "own-" + secrets.token_hex(5)
        self.env = {k: v for k, v in os.environ.items() if k not in ("KAFKA_BROKERS", "PGURL")}
        self.env["STACK_BIN_DIR"] = programs()
        atexit.register(self.purge)
        self.run("up", *(["--workers", workers, "--no-build"] if workers else ["--servers-only"]))
        lines = self.run("env", "--plain").splitlines()
        self.values = dict(line.partition("=")[::2] for line in lines)

    def run(self, verb, *args, check=True):
        done = subprocess.run([os.path.join(SOURCE, "ops", "stack"), verb, "--name", self.name, *args], env=self.env,
                              capture_output=True, text=True, timeout=200, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"ops/stack {verb}: exit {done.returncode}: {done.stderr}")
        return done.stdout

    def kill_broker(self):
        self.run("kill-broker")

    def start_broker(self):
        self.run("start-broker")

    def kill_postgres(self):
        self.run("kill-postgres")

    def start_postgres(self):
        self.run("start-postgres")

    def purge(self):
        self.run("down", "--purge", check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.purge()


class Fleet:
    """Topics and a data base of a test's own, and the workers on them.

    servers: {"KAFKA_BROKERS": ..., "PGURL": ...}, else those of PROMO_TEST_ENV. env: for all programs.
    setup=False leaves out migrations and topics."""

    def __init__(self, servers=None, env=None, setup=True):
        programs()
        values = servers or {name: need(name) for name in ("KAFKA_BROKERS", "PGURL")}
        self.brokers = values["KAFKA_BROKERS"]
        self.server_url = values["PGURL"]
        self.prefix = "t" + secrets.token_hex(6)
        self.database = "t_" + secrets.token_hex(8)
        self.pgurl = urlunsplit(urlsplit(self.server_url)._replace(path="/" + self.database))
        self.folder = tempfile.mkdtemp(prefix="fleet-")
        self.exports = os.path.join(self.folder, "exports")
        os.mkdir(self.exports)
        secret = os.path.join(self.folder, "secret")
        with open(secret, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
        os.chmod(secret, 0o600)
        self.workers = {}
        self.wire = KafkaWire(self.brokers)
        kept = {k: v for k, v in os.environ.items()
                if not k.startswith("PROMO_") and k not in ("PGURL", "KAFKA_BROKERS", "FLEET_FAULT")}
        self.env = {**kept, "KAFKA_BROKERS": self.brokers, "PGURL": self.pgurl, "PROMO_TOPIC_PREFIX": self.prefix,
                    "PROMO_FLEET_SECRET_FILE": secret, "PROMO_EXPORT_DIR": self.exports, **(env or {})}
        self.closed = False
        atexit.register(self.close)
        self._server_sql(f"create database {self.database}")
        if setup:
            self.promoctl("migrate", check=True)
            self.promoctl("topics", "apply", check=True)

    # --- life ---

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.tell_logs()
        self.close()

    def tell_logs(self, lines=15):
        """The ends of the workers' logs, for a test that failed."""
        for worker in self.workers.values():
            tail = "\n".join(worker.text().splitlines()[-lines:])
            print(f"--- {worker.slot}, {worker.restarts} restarts {worker.deaths}:\n{tail}", file=sys.stderr)

    def close(self):
        if self.closed:
            return
        self.closed = True
        for worker in self.workers.values():
            worker.end(signal.SIGKILL)
        for worker in self.workers.values():
            worker.wait()
        try:
            self._server_sql(f"drop database if exists {self.database} with (force)")
            self.wire.delete_topics([self.topic(name) for name in self.topic_kinds()])
        except (subprocess.CalledProcessError, OSError, WireError):
            pass  # the servers may be gone by now; the names are this test's own
        shutil.rmtree(self.folder, ignore_errors=True)

    def _server_sql(self, text):
        subprocess.run(["psql", "-X", "-q", "-d", self.server_url, "-c", text], check=True, capture_output=True)

    # --- workers ---

    def start(self, kind, n=1, env=None):
        """n workers more of a kind; returns them. Slots of stopped workers are used again first: theirs are the
        partitions until the session ends."""
        made = []
        for _ in range(n):
            number = 1
            while self.runs(f"{kind}-{number}"):
                number += 1
            slot = f"{kind}-{number}"
            self.workers[slot] = Worker(self, kind, slot, dict(env or {}))
            made.append(self.workers[slot])
        return made

    def runs(self, slot):
        return slot in self.workers and self.workers[slot].thread.is_alive()

    def running(self):
        """Slots of all workers that were not stopped."""
        return [slot for slot in self.workers if self.runs(slot)]

    def start_again(self, *slots, env=None):
        """New processes for slots that were stopped, with another environment if one is given."""
        for slot in slots:
            old = self.workers[slot]
            assert not self.runs(slot), f"{slot} runs"
            self.workers[slot] = Worker(self, old.kind, slot, old.env if env is None else dict(env))

    def kill(self, slot, signum=signal.SIGKILL):
        self.workers[slot].send(signum)

    def stop(self, *slots, signum=signal.SIGTERM):
        """Stops these slots, all that run when none is named, and returns {slot: return code}."""
        chosen = [self.workers[slot] for slot in slots or self.running()]
        for worker in chosen:
            worker.end(signum)
        return {worker.slot: worker.wait() for worker in chosen}

    def wait_ready(self, *slots, seconds=40):
        for slot in slots or self.running():
            worker = self.workers[slot]
            wait_until(worker.ready, seconds, lambda w=worker: f"{w.slot} ready; its log ends:\n{w.text()[-3000:]}")

    def wait_running(self, *slots, seconds=40):
        """As wait_ready, and partitions are assigned to each of them."""
        for slot in slots or self.running():
            worker = self.workers[slot]
            wait_until(lambda w=worker: w.alive() and w.state() == "running", seconds,
                       lambda w=worker: f"{w.slot} running; its log ends:\n{w.text()[-3000:]}")

    def restarts(self):
        return sum(worker.restarts for worker in self.workers.values())

    # --- commands and what comes of them ---

    def promoctl(self, *args, text=None, check=False, timeout=120, env=None):
        done = subprocess.run([os.path.join(programs(), "promoctl"), *args], env={**self.env, **(env or {})},
                              input=text, capture_output=True, text=True, timeout=timeout, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"promoctl {' '.join(args)}: exit {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def submit(self, commands, wait=True, timeout=60, options=()):
        """Publishes commands; with wait returns their outcomes, in order."""
        text = "".join(json.dumps(event) + "\n" for event in commands)
        waits = ["--wait", "--timeout", str(timeout)] if wait else []
        done = self.promoctl("submit", *waits, *options, "-", text=text, timeout=timeout + 30)
        if done.returncode != 0:
            raise AssertionError(f"promoctl submit: exit {done.returncode}: {done.stderr}\n{done.stdout[-2000:]}")
        return [json.loads(line) for line in done.stdout.splitlines()] if wait else []

    def submit_later(self, commands):
        """As submit(wait=False), without awaiting its end: the publisher's process."""
        publisher = subprocess.Popen([os.path.join(programs(), "promoctl"), "submit", "-"], env=self.env, text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        publisher.stdin.write("".join(json.dumps(event) + "\n" for event in commands))
        publisher.stdin.close()
        return publisher

    def produce(self, kind, payload, headers=None, key=None, partition=None):
        """One record of raw bytes; a payload of None is a null value and needs a key. headers: {name: text or bytes}."""
        args = ["kcat", "-P", "-q", "-b", self.brokers, "-t", self.topic(kind), "-X", "message.max.bytes=9000000"]
        if partition is not None:
            args += ["-p", str(partition)]
        for name, value in (headers or {}).items():
            args += ["-H", name.encode() + b"=" + (value.encode() if isinstance(value, str) else value)]
        if payload is None:
            subprocess.run([*args, "-Z", "-K", "\t"], check=True, capture_output=True, input=key.encode() + b"\t\n")
            return
        assert payload, "kcat sends nothing for an empty file"
        if key is not None:
            args += ["-k", key]
        with tempfile.NamedTemporaryFile(dir=self.folder) as file:
            file.write(payload)
            file.flush()
            subprocess.run([*args, file.name], check=True, capture_output=True)

    def produce_command(self, kind, event, partition=None, key=None):
        """A command in structured mode, to a partition of choice."""
        self.produce(kind, json.dumps(event).encode(),
                     {"content-type": "application/cloudevents+json; charset=UTF-8"}, key, partition)

    def produce_lines(self, kind, events, partition):
        """Many commands in structured mode, to one partition."""
        subprocess.run(["kcat", "-P", "-q", "-b", self.brokers, "-t", self.topic(kind), "-p", str(partition),
                        "-H", "content-type=application/cloudevents+json"], check=True, capture_output=True,
                       input="".join(json.dumps(event) + "\n" for event in events).encode())

    def events(self, kind):
        """All committed records of a topic: dicts of partition, offset, key, headers, payload (bytes), data (parsed
        JSON or None). Readers of committed records stop at an open transaction: await its end first."""
        done = subprocess.run(
            ["kcat", "-C", "-q", "-e", "-J", "-b", self.brokers, "-t", self.topic(kind), "-o", "beginning",
             "-X", "isolation.level=read_committed", "-X", "fetch.wait.max.ms=10",
             "-X", "fetch.message.max.bytes=10000000"],
            check=True, capture_output=True, timeout=120)
        found = []
        for line in done.stdout.split(b"\n"):
            if not line:
                continue
            record = json.loads(line.decode("utf-8", "surrogateescape"))
            pairs = record.get("headers") or []
            payload = record["payload"]
            record["headers"] = dict(zip(pairs[::2], pairs[1::2]))
            record["payload"] = None if payload is None else payload.encode("utf-8", "surrogateescape")
            try:
                record["data"] = json.loads(record["payload"])
            except (ValueError, TypeError):
                record["data"] = None
            found.append(record)
        return found

    def dead_letters(self):
        return self.events("dead-letter")

    # --- looking ---

    def topic(self, kind):
        return f"{self.prefix}.{kind}"

    @staticmethod
    def topic_kinds():
        with open(os.path.join(SOURCE, "schemas", "topics.json"), encoding="utf-8") as file:
            return [topic["name"] for topic in json.load(file)["topics"]]

    def sql(self, query):
        """Rows as tuples of text; NULL is the empty text. Several statements run in one transaction."""
        done = subprocess.run(["psql", "-X", "-q", "-t", "-1", "--csv", "-v", "ON_ERROR_STOP=1", "-d", self.pgurl,
                               "-f", "-"], input=query, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"psql: {done.stderr}\n{query}")
        return [tuple(row) for row in csv.reader(io.StringIO(done.stdout))]

    def value(self, query):
        """The one value of a query, as text."""
        (value,), = self.sql(query)
        return value

    def lag(self, kind):
        """Records that a kind of worker has not settled yet: exact where only plain producers write, else whether
        there are any."""
        known = self.wire.group_offsets(f"{self.prefix}.{kind}")
        # Of a group whose offsets were lost, what the data base knows to be committed.
        for topic, partition, told in self.sql(f"select topic, partition, from_offset from progress where worker = '{kind}'"):
            known[topic, int(partition)] = max(known.get((topic, int(partition)), 0), int(told))
        left = 0
        for name in [f"{kind}.commands", *ALSO_READ.get(kind, [])]:
            topic = self.topic(name)
            starts = None
            for partition, end in self.wire.offsets(topic).items():
                at = known.get((topic, partition))
                if at is None:
                    starts = starts or self.wire.offsets(topic, -2)
                    at = starts[partition]
                if at < end:
                    left += end - at if name.endswith(".commands") else self._records_from(topic, partition, at)
        return left

    def _records_from(self, topic, partition, offset):
        """1 when there are committed records from there on, 0 when only marks of transactions are left."""
        done = subprocess.run(
            ["kcat", "-C", "-q", "-e", "-c", "1", "-f", "%o\n", "-b", self.brokers, "-t", topic, "-p", str(partition),
             "-o", str(offset), "-X", "isolation.level=read_committed", "-X", "fetch.wait.max.ms=10"],
            check=True, capture_output=True, timeout=60)
        return 1 if done.stdout.strip() else 0

    def wait_lag_zero(self, *kinds, seconds=60):
        """All commands and tokens of these kinds (all that have slots) are settled and committed."""
        for kind in kinds or sorted({self.workers[slot].kind for slot in self.running()}):
            wait_until(lambda k=kind: self.lag(k) == 0, seconds, lambda k=kind: f"lag of {k} ({self.lag(k)} left)")

    def audit(self, *options):
        """promoctl audit finds nothing."""
        done = self.promoctl("audit", *options, timeout=200)
        assert done.returncode == 0, f"audit: exit {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout


def main(module="__main__"):
    """unittest.main that says how long each test took."""
    import unittest  # pylint: disable=import-outside-toplevel

    # So that what was made is removed when a test is ended from outside.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    class Result(unittest.TextTestResult):
        def startTest(self, test):
            self.began = time.monotonic()
            super().startTest(test)

        def addSuccess(self, test):
            self.stream.write(f"{time.monotonic() - self.began:.1f} s ")
            super().addSuccess(test)

    unittest.main(module, verbosity=2, testRunner=unittest.TextTestRunner(verbosity=2, resultclass=Result))
