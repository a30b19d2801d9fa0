#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ops/demo while its workers are killed and frozen at random, and its broker is killed: the same table, a clean audit.
DEMO_CHAOS_SEED repeats a run's choices (not its moments), DEMO_CHAOS_OPTIONS are other options for the demo."""

import os
import random
import secrets
import signal
import threading
import time
import unittest

import fleet
from demo_it import DemoRun

FROZEN_S = 8  # longer than a session, 6 s: its partitions go to others, and it wakes up as a zombie
OPTIONS = "--synthetic --customers 4000 --codes 300000"
STRIKES_S = 60  # the demo must come to its end on a slow machine, too
# Who works after the demo has said this; most strikes go there.
BUSY = (("definitions:", "campaign"), ("generating", "generate"), ("codes in", "export"), ("publishing", "redeem"),
        ("outcomes in", "export"))


class Chaos:
    """Strikes a random worker every one or two seconds, from when the stack is up until stop(), a minute at most."""

    def __init__(self, demo, seed):
        self.demo = demo
        self.rand = random.Random(seed)
        self.done = threading.Event()
        self.strikes = []  # (seconds since the start, what, slot)
        self.began = time.monotonic()
        self.thawing = []
        self.threads = [threading.Thread(target=self._strike_workers), threading.Thread(target=self._strike_broker)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.done.set()
        for thread in self.threads + self.thawing:
            thread.join()

    def count(self, what):
        return sum(strike[1] == what for strike in self.strikes)

    def _note(self, what, whom):
        self.strikes.append((round(time.monotonic() - self.began, 1), what, whom))

    def _running(self):
        return not self.done.is_set() and self.demo.process.poll() is None

    def _workers(self, folder):
        """{slot: pid} of those that run. Asking ops/stack would take most of the time between two strikes."""
        found = {}
        for name in os.listdir(folder):
            slot, ending = os.path.splitext(name)
            if ending == ".pid" and "-" in slot and not slot.endswith(".super"):
                try:
                    with open(os.path.join(folder, name), encoding="ascii") as file:
                        found[slot] = int(file.read())
                except (FileNotFoundError, ValueError):
                    continue
        return found

    def _victim(self, workers):
        said = self.demo.text
        busy = max(BUSY, key=lambda sign: said.rfind(sign[0]))[1]
        slots = [slot for slot in workers if slot.startswith(busy)]
        return self.rand.choice(sorted(slots if slots and self.rand.random() < 0.6 else workers))

    def _strike_workers(self):
        status = {}
        while self._running() and not status.get("well"):
            self.done.wait(0.2)
            status = self.demo.status()
        until = time.monotonic() + STRIKES_S
        while self._running() and time.monotonic() < until:
            workers = self._workers(os.path.join(status["folder"], "run"))
            if workers:
                slot = self._victim(workers)
                self._strike(slot, workers[slot])
            self.done.wait(self.rand.uniform(1, 2))

    def _strike(self, slot, pid):
        # Two kills, then a freeze: all three happen in the shortest of demos.
        what = "freeze" if self.count("kill") > 2 * self.count("freeze") else "kill"
        try:
            # A descriptor, since the number may be another process's by the time it is thawed.
            process = os.pidfd_open(pid)
            signal.pidfd_send_signal(process, signal.SIGSTOP if what == "freeze" else signal.SIGKILL)
        except ProcessLookupError:
            return
        self._note(what, slot)
        if what == "kill":
            os.close(process)
            return
        self.thawing.append(threading.Thread(target=self._thaw, args=(process,)))
        self.thawing[-1].start()

    def _thaw(self, process):
        self.done.wait(FROZEN_S)
        try:
            signal.pidfd_send_signal(process, signal.SIGCONT)
        except ProcessLookupError:
            pass
        os.close(process)

    def _strike_broker(self):
        """Once, in the midst of the purchases."""
        while self._running() and not self.demo.has_said("publishing"):
            self.done.wait(0.05)
        self.done.wait(0.7)
        if not self._running():
            return
        self._note("kill", "broker")
        for verb in ("kill-broker", "start-broker"):
            done = self.demo.stack(verb)
            if done.returncode != 0:
                self._note(f"{verb}: {done.stderr}", "broker")
                return
            self.done.wait(0.5)


class KilledAndFrozen(unittest.TestCase):
    def test_the_table_is_the_same_whatever_dies(self):
        seed = int(os.environ.get("DEMO_CHAOS_SEED") or secrets.randbits(32))
        print(f"seed {seed}", flush=True)
        with DemoRun(*os.environ.get("DEMO_CHAOS_OPTIONS", OPTIONS).split()) as demo:
            chaos = Chaos(demo, seed)
            try:
                demo.wait_for("redemptions exported", 240)
            finally:
                chaos.stop()
                print(*chaos.strikes, sep="\n", flush=True)
            demo.assert_agreed()
            print(demo.text, flush=True)
        self.assertEqual([strike for strike in chaos.strikes if strike[2] == "broker"][0][1:], ("kill", "broker"))
        self.assertEqual(len([strike for strike in chaos.strikes if strike[2] == "broker"]), 1)
        self.assertGreaterEqual(chaos.count("kill"), 4)
        self.assertGreaterEqual(chaos.count("freeze"), 1)


if __name__ == "__main__":
    fleet.main()
