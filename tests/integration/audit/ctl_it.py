# SPDX-License-Identifier: Apache-2.0
"""What the integration tests of promoctl share: servers, a data base of their own, calling programs.

Values come from the environment or from the file that PROMO_TEST_ENV names (KEY=VALUE lines, as for the C
tests: tests/support/test_env.h). PROMOCTL is the program under test. A test that lacks something leaves with
77, which CTest counts as skipped."""

import atexit
import json
import os
import secrets
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

SKIPPED = 77


def _file_values():
    values = {}
    path = os.environ.get("PROMO_TEST_ENV")
    if path and os.path.exists(path):
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                name, mark, value = line.rstrip("\n").partition("=")
                if mark:
                    values[name] = value
    return values


_VALUES = _file_values()


def need(name):
    value = os.environ.get(name) or _VALUES.get(name)
    if not value:
        print(f"skipped: {name} is not there", file=sys.stderr)
        sys.exit(SKIPPED)
    return value


def sql(url, text, quiet=False):
    """Runs SQL in one transaction and returns psql's unaligned output."""
    done = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-1", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", "-"],
        input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0 and not quiet:
        raise AssertionError(f"psql failed: {done.stderr}\n{text}")
    return done.stdout.strip()


def _statement(url, text):
    subprocess.run(["psql", "-X", "-q", "-d", url, "-c", text], check=True, capture_output=True)


def database(template=None):
    """URL of a new data base, which is dropped at the end."""
    url = need("PGURL")
    name = f"t_{secrets.token_hex(6)}"
    _statement(url, f"create database {name}" +
               (f" template {urlsplit(template).path[1:]}" if template else ""))
    atexit.register(drop, url, name)
    return urlunsplit(urlsplit(url)._replace(path="/" + name))


def drop(url, name):
    subprocess.run(["psql", "-X", "-q", "-d", url, "-c", f"drop database if exists {name} with (force)"],
                   check=False, capture_output=True)


class Done:
    """How a program ended."""

    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout
        self.err = process.stderr

    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


def environment(**values):
    """The environment without the servers of whoever started the test, and with these values."""
    kept = {k: v for k, v in os.environ.items()
            if not k.startswith("PROMO_") and k not in ("PGURL", "KAFKA_BROKERS")}
    return {**kept, **values}


def promoctl(*args, env, text=None, timeout=120):
    return Done(subprocess.run([need("PROMOCTL"), *args], env=env, input=text, capture_output=True,
                               text=True, timeout=timeout, check=False))


def equal(found, wanted, what=""):
    assert found == wanted, f"{what}: found {found!r}, wanted {wanted!r}"


def run_all(tests):
    """Runs the functions in order and leaves: 0 when all passed."""
    failed = 0
    for test in tests:
        try:
            test()
            print(f"ok      {test.__name__}", flush=True)
        except AssertionError as error:
            failed += 1
            print(f"FAILED  {test.__name__}: {error}", flush=True)
    print(f"{len(tests) - failed} of {len(tests)} tests passed")
    sys.exit(1 if failed else 0)
