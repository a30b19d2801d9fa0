# SPDX-License-Identifier: Apache-2.0
"""What the contract tests share: the schemas, the decoder, and a list of failures."""

import json
import pathlib
import re
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is missing")
    sys.exit(77)

COMMAND_TOPICS = {
    "campaign.commands": ["campaign.put", "campaign.archive", "discount.put", "discount.archive",
                          "coupon.put", "coupon.archive", "affiliate.put", "affiliate.archive"],
    "generate.commands": ["codes.generate"],
    "redeem.commands": ["code.redeem", "code.validate", "code.release"],
    "export.commands": ["codes.export", "redemptions.export"],
    "maintain.commands": ["job.cancel"],
    "generate.chunks": ["token"],
    "internal": ["snapshot"],
}
TOPIC_OF = {f"promofleet.{name}.v1": topic for topic, names in COMMAND_TOPICS.items() for name in names}


class Contract:
    def __init__(self, argv):
        self.folder = pathlib.Path(argv[1])
        self.program = argv[2]
        self.schemas = {}
        for path in sorted((self.folder / "messages").glob("*.schema.json")):
            self.schemas[path.name.removesuffix(".schema.json")] = json.loads(path.read_text())
        self.validators = {}
        for name, schema in self.schemas.items():
            jsonschema.Draft202012Validator.check_schema(schema)
            self.validators[name] = jsonschema.Draft202012Validator(schema)
        self.commands = sorted(TOPIC_OF)
        self.events = sorted(set(self.schemas) - set(TOPIC_OF))
        self.failures = []
        self.checks = 0

    def check(self, right, what):
        self.checks += 1
        if not right:
            self.failures.append(what)

    def finish(self, least):
        """Exit; at least so many checks must have been made."""
        for failure in self.failures[:40]:
            print("FAILED", failure)
        print(f"{self.checks} checks, {len(self.failures)} failures")
        sys.exit(1 if self.failures or self.checks < least else 0)

    def judge(self, requests):
        """requests: (mode, topic, type, bytes); the decoder's answers in the same order."""
        stream = b"".join(f"{mode} {topic} {kind} {len(raw)}\n".encode() + raw
                          for mode, topic, kind, raw in requests)
        done = subprocess.run([self.program], input=stream, stdout=subprocess.PIPE, check=True)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(requests), "one answer for each request"
        return answers

    def judge_data(self, pairs):
        """pairs: (type of a command, data)"""
        return self.judge([("binary", TOPIC_OF[kind], kind, encode(data)) for kind, data in pairs])

    def accepts(self, kind, data):
        """The published verdict: the schema, and the one condition that it cannot say."""
        return self.validators[kind].is_valid(data) and window_in_order(data)


def encode(data):
    return json.dumps(data, ensure_ascii=False, allow_nan=False).encode()


TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))")


def microseconds(text):
    """A time that the schema accepts, as a number, without datetime's limits on offsets."""
    year, month, day, hour, minute, second, fraction, sign, off_h, off_m = TIME.fullmatch(text).groups()
    y = int(year) - (int(month) <= 2)
    m = (int(month) + 9) % 12
    days = 365 * y + y // 4 - y // 100 + y // 400 + (153 * m + 2) // 5 + int(day)
    offset = 0 if sign is None else (int(off_h) * 60 + int(off_m)) * (-1 if sign == "-" else 1)
    seconds = days * 86400 + (int(hour) * 60 + int(minute) - offset) * 60 + int(second)
    return seconds * 10**6 + int(((fraction or "") + "000000")[:6])


def window_in_order(data):
    start, end = data.get("starts_at"), data.get("ends_at")
    return start is None or end is None or microseconds(end) > microseconds(start)
