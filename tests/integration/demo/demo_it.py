# SPDX-License-Identifier: Apache-2.0
"""What the tests of the demo share: a running ops/demo."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

from fleet import SOURCE, programs, wait_until

DEMO = os.path.join(SOURCE, "ops", "demo")
STACK = os.path.join(SOURCE, "ops", "stack")


class DemoRun:
    """ops/demo on a stack of its own name. Its files go to a folder that is removed at the end; they stay after a
    failure."""

    def __init__(self, *options, name=None):
        self.name = name or "demo-" + secrets.token_hex(5)
        self.files = tempfile.mkdtemp(prefix="demo-test-")
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith("PROMO_TEST") and name not in ("KAFKA_BROKERS", "PGURL")}
        self.env.update(STACK_BIN_DIR=programs(), TMPDIR=self.files)
        self.lines = []
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(
            [DEMO, "--name", self.name, *options], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(120)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.stack("down", "--purge")
        if failed:
            print(f"what the demo left is in {self.files}; it said:\n{self.text}", file=sys.stderr)
        else:
            shutil.rmtree(self.files)

    @property
    def text(self):
        return "\n".join(self.lines)

    def has_said(self, words):
        return any(words in line for line in self.lines)

    def wait_for(self, words, seconds=60):
        wait_until(lambda: self.has_said(words) or self.process.poll() is not None, seconds,
                   lambda: f"the demo says '{words}'; so far it said:\n{self.text}")
        assert self.has_said(words), self.text

    def end(self, seconds=200):
        """The exit code, once all output is read."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the demo does not end; so far it said:\n{self.text}") from None
        self.reader.join(10)
        return code

    def stack(self, verb, *args):
        return subprocess.run([STACK, verb, "--name", self.name, *args], env=self.env, capture_output=True, text=True,
                              timeout=200, check=False)

    def status(self):
        """What ops/stack says of it; {} while it cannot."""
        try:
            return json.loads(self.stack("status", "--json").stdout)
        except ValueError:
            return {}

    def rows(self):
        """The table: {label: its cells}."""
        heading = next(i for i, line in enumerate(self.lines) if line.split()[:2] == ["outcomes", "log"])
        rows = {}
        for line in self.lines[heading + 2:]:
            if line.startswith("An order"):
                break
            label, *cells = [cell.strip() for cell in line.split("  ") if cell.strip()]
            rows[label] = cells
        return rows

    def assert_agreed(self):
        """It went well to its end: each row has one number, and nothing is left of the stack."""
        code = self.end()
        assert code == 0, f"exit {code}:\n{self.text}"
        rows = self.rows()
        assert {"customers", "codes generated", "commands", "accepted", "rejected", "discounts, USD"} <= set(rows), rows
        for label, cells in rows.items():
            if "per second" not in label:
                assert len(cells) == 5 and len(set(cells) - {"-"}) == 1, f"{label}: {cells}\n{self.text}"
        assert "all is well" in self.text and self.lines[-1].endswith("all numbers agree"), self.text
        self.assert_gone()

    def assert_gone(self):
        assert self.status() == {"name": self.name, "state": "down"}, self.status()
        assert os.listdir(self.files) == [], os.listdir(self.files)
        left = wait_until(lambda: not self._processes() or None, 10, lambda: f"processes left: {self._processes()}")
        assert left

    def _processes(self):
        """Whatever still runs on this stack's folder."""
        mark = f"/{self.name}/".encode()
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read()
            except OSError:
                continue
            if mark in line:
                found.append((pid, line[:200]))
        return found
