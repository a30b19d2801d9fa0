# SPDX-License-Identifier: Apache-2.0
"""The purchase log: where it comes from and how it is read.

A line is one purchase: customer, day (yyyymmdd), number of CDs, dollars. Dollars become cents as text does, never by
way of a float."""

import hashlib
import os
import random
import re
import subprocess
import sys
import tempfile
import zipfile
from collections import namedtuple
from datetime import date, timedelta

# A purchase: number counts from 1 in the order of the file.
Purchase = namedtuple("Purchase", "number customer day cds total_minor")

PACKAGE = "lifetimes==0.11.3"
PACKAGE_FILE = "lifetimes-0.11.3.whl"
PACKAGE_SHA256 = "261e3dc89977c2b60767ca6728aaa29d429de0c814635070a749c36555895da8"
LOG_IN_PACKAGE = "lifetimes/datasets/CDNOW_master.txt"
HEADING = " customer_id  date number_of_cds  dollar_value"
# Of the real log; the made-up one has as many customers unless told otherwise.
CUSTOMERS = 23570

_LINE = re.compile(r"([0-9]{5}) ([0-9]{8}) +([0-9]+) +([0-9]+)\.([0-9]{2})")


class NotFetched(Exception):
    """The package cannot be had, or is not the one that we know."""


class NotReadable(Exception):
    """The log has a line that is no purchase."""


def _is_package(path):
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest() == PACKAGE_SHA256
    except FileNotFoundError:
        return False


def fetch(folder):
    """The package in this folder, downloaded unless it is there. It is never installed, and nothing of it is run: a
    wheel is a zip file. Raises NotFetched."""
    path = os.path.join(folder, PACKAGE_FILE)
    if _is_package(path):
        return path
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="part-") as part:
        wanted = os.path.join(part, "requirements.txt")
        with open(wanted, "w", encoding="ascii") as file:
            file.write(f"{PACKAGE} --hash=sha256:{PACKAGE_SHA256}\n")
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--retries", "2",
             "--timeout", "20", "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", wanted, "-d", part],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        wheels = [name for name in os.listdir(part) if name.endswith(".whl")]
        if done.returncode != 0 or len(wheels) != 1:
            said = [line for line in done.stdout.strip().splitlines() if line.startswith("ERROR")]
            raise NotFetched("\n".join(said) or done.stdout.strip() or "pip said nothing")
        os.replace(os.path.join(part, wheels[0]), path)
    if not _is_package(path):
        raise NotFetched(f"{path} has another SHA-256 than {PACKAGE_SHA256}")
    return path


def real_log(folder):
    """The text of the real log."""
    with zipfile.ZipFile(fetch(folder)) as package:
        return package.read(LOG_IN_PACKAGE).decode("ascii")


def synthetic_log(customers=CUSTOMERS, seed=1997):
    """A made-up log of the same shape: half of the customers come once, the rest ever more rarely; a customer's
    purchases stand together, by day; some orders cost nothing. The same seed gives the same text everywhere."""
    rand = random.Random(seed)
    first_day = date(1997, 1, 1)
    lines = [HEADING]
    for customer in range(1, customers + 1):
        day = rand.randrange(84)
        visits = 1 if rand.random() < 0.5 else 2 + int(rand.expovariate(0.34))
        for _ in range(visits):
            cds = 1 + min(int(rand.expovariate(0.7)), 98)
            cents = 0 if rand.random() < 0.003 else sum(rand.choice((999, 1177, 1199, 1499, 1697, 2976))
                                                        for _ in range(cds))
            when = (first_day + timedelta(days=day)).strftime("%Y%m%d")
            lines.append(f" {customer:05d} {when} {cds:2d} {cents // 100:4d}.{cents % 100:02d}")
            day = min(day + int(rand.expovariate(1 / 40)), 545)
    return "\n".join(lines) + "\n"


def parse(text, customers=None):
    """The purchases of the first customers (of all: None) in the order of the log. Raises NotReadable."""
    purchases = []
    seen = set()
    for number, line in enumerate(text.splitlines()[1:], start=1):
        found = _LINE.fullmatch(line.strip())
        if not found:
            raise NotReadable(f"line {number + 1} is no purchase: {line!r}")
        customer, day, cds, dollars, cents = found.groups()
        seen.add(customer)
        if customers is not None and len(seen) > customers:
            break
        purchases.append(Purchase(number, customer, f"{day[:4]}-{day[4:6]}-{day[6:]}", int(cds),
                                  int(dollars + cents)))
    return purchases
