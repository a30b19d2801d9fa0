# SPDX-License-Identifier: Apache-2.0
"""The demo's stack, and the programs that talk to it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

SOURCE_DIR = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
WORKERS = "campaign=1,generate=2,redeem=2,export=1,maintain=1"
COMMANDS_S = 900  # until all commands of a file have their outcomes
RETURN_S = 120  # until a server that went away is back
DOWN = 3  # what ops/stack says of a stack that is not there, and promoctl of a server


class Failed(Exception):
    """A program of ours did not do what the story needs."""


def _end(process, patience):
    """A process that nobody waits for any longer, and what it started."""
    try:
        process.wait(patience)
        return
    except BaseException:  # pylint: disable=broad-except # another signal ends the patience, too
        pass
    for signum in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, signum)
            process.wait(10)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def call(args, patience=0, **how):
    """Runs a program in a session of its own, so that Ctrl-C reaches us alone and we decide what ends when. When a
    signal for us ends the wait, the program has `patience` seconds to come to its end."""
    # pylint: disable-next=consider-using-with # it must be ended, not waited for
    process = subprocess.Popen(args, start_new_session=True, stdin=subprocess.DEVNULL, text=True, **how)
    try:
        out, err = process.communicate()
    except BaseException:
        _end(process, patience)
        raise
    return subprocess.CompletedProcess(args, process.returncode, out, err)


class Stack:
    """state: where ops/stack keeps it; folder: for our own files."""

    def __init__(self, name, state, folder):
        self.name = name
        self.state = state
        self.folder = folder
        self.env = dict(os.environ)
        # Of another stack, from a shell that ops/stack env has set up.
        for variable in ("KAFKA_BROKERS", "PGURL", "PROMO_TOPIC_PREFIX", "PROMO_EXPORT_DIR", "PROMO_FLEET_SECRET_FILE"):
            self.env.pop(variable, None)

    def _stack(self, verb, *args, **how):
        return call([os.path.join(SOURCE_DIR, "ops", "stack"), verb, "--name", self.name, *args], env=self.env, **how)

    # --- life ---

    def exists(self):
        done = self._stack("env", "--plain", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return done.returncode != DOWN

    def up(self):
        # One that is ended half-way may leave a process that nobody has a record of yet.
        done = self._stack("up", "--workers", WORKERS, patience=60)
        if done.returncode != 0:
            raise Failed(f"ops/stack up failed with exit code {done.returncode}")
        self._learn()

    def _learn(self):
        done = self._stack("env", "--plain", stdout=subprocess.PIPE)
        if done.returncode != 0:
            raise Failed(f"ops/stack env failed with exit code {done.returncode}")
        self.env.update(line.partition("=")[::2] for line in done.stdout.splitlines())
        with open(os.path.join(self.state, "programs"), encoding="utf-8") as file:
            self.env["PATH"] = file.read().strip() + os.pathsep + self.env["PATH"]

    def purge(self):
        done = self._stack("down", "--purge")
        if done.returncode != 0:
            raise Failed(f"ops/stack down failed with exit code {done.returncode}; once more: "
                         f"ops/stack down --purge --name {self.name}")

    def save_logs(self):
        """Copies its logs to our folder: purge() removes them."""
        logs = os.path.join(self.state, "log")
        if os.path.isdir(logs):
            shutil.copytree(logs, os.path.join(self.folder, "log"), dirs_exist_ok=True)

    # --- programs ---

    def path(self, name):
        return os.path.join(self.folder, name)

    def promoctl(self, *args, **how):
        """Calls it again while a server does not answer. That is safe for submit, too: commands keep their ids, so
        what was done before is not done twice, and is answered as it was."""
        deadline = time.monotonic() + RETURN_S
        while True:
            done = call(["promoctl", *args], env=self.env, **how)
            if done.returncode != DOWN or time.monotonic() > deadline:
                return done
            time.sleep(1)

    def submit(self, commands, outcomes, bar=True):
        """Publishes the commands of a file and awaits what each comes to. Returns the seconds it took."""
        began = time.monotonic()
        with open(self.path(outcomes), "w", encoding="utf-8") as out:
            done = self.promoctl("submit", "--wait", "--timeout", str(COMMANDS_S), self.path(commands), stdout=out,
                                 stderr=None if bar else subprocess.PIPE)
        if done.returncode != 0:
            raise Failed(f"promoctl submit failed with exit code {done.returncode} {done.stderr or ''}".rstrip())
        return time.monotonic() - began

    def run_job(self, command_id, commands, outcomes, bar=True):
        """submit for a job; a bar shows how far it is."""
        watch = None
        if bar and sys.stdout.isatty():
            # pylint: disable-next=consider-using-with
            watch = subprocess.Popen(["promoctl", "job", "watch", "--timeout", str(COMMANDS_S), command_id],
                                     env=self.env, start_new_session=True, stdin=subprocess.DEVNULL)
        patience = 0
        try:
            seconds = self.submit(commands, outcomes, bar=False)
            patience = 5  # it looks twice a second
        finally:
            if watch:
                _end(watch, patience)
        return seconds

    def events(self, name):
        """The outcomes that submit has written."""
        with open(self.path(name), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def sql(self, query):
        """The one value of a query."""
        done = call(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.env["PGURL"], "-c", query], env=self.env,
                    stdout=subprocess.PIPE)
        if done.returncode != 0:
            raise Failed("psql failed, see above")
        return done.stdout.strip()

    def last_records(self, topic):
        """{key: value parsed as JSON} of the last committed record of each key; what can be read when the broker does
        not answer."""
        done = call(["kcat", "-C", "-q", "-e", "-b", self.env["KAFKA_BROKERS"], "-t", topic, "-o", "beginning",
                     "-X", "isolation.level=read_committed", "-f", "%k\t%s\n"], env=self.env, stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL)
        pairs = (line.partition("\t") for line in done.stdout.splitlines())
        return {key: json.loads(value) for key, _, value in pairs}
