# SPDX-License-Identifier: Apache-2.0
"""Whatever the encoders write is valid by its schema, closed to fields that the schema does not name."""

import copy
import random
import sys

import jsonschema

from contract import Contract, encode
from mutate import make

SEED = 20261120
MADE = 250


def close(schema):
    """Events are open for readers; what we write has no unknown members."""
    if isinstance(schema, dict):
        if schema.get("additionalProperties") is True:
            schema["additionalProperties"] = False
        for member in schema.values():
            close(member)
    elif isinstance(schema, list):
        for member in schema:
            close(member)
    return schema


def without_defaults(schema, value):
    """What an encoder leaves out: optional members with their default, and empty ones."""
    if isinstance(value, list):
        return [without_defaults(schema.get("items", {}), item) for item in value]
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    result = {}
    for name, item in value.items():
        member = schema["properties"][name]
        item = without_defaults(member, item)
        optional = name not in schema["required"]
        if optional and ((isinstance(item, (list, dict)) and len(item) == 0) or
                         ("default" in member and item == member["default"]) or
                         (name == "next_at" and item.startswith("1970-01-01T00:00:00"))):  # 0 is "not known"
            continue
        result[name] = item
    return result


def same(a, b):
    """Equal, where a time may be written in another way."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, str) and isinstance(b, str) and "T" in b and a[:2] in ("19", "20", "99"):
        return a == b or b.endswith("Z")
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def main():
    contract = Contract(sys.argv)
    written = 0
    for kind in contract.events:
        rng = random.Random(f"{SEED} {kind}")
        schema = contract.schemas[kind]
        closed = jsonschema.Draft202012Validator(close(copy.deepcopy(schema)))
        values = [make(rng, schema, schema, i % 3 == 0) for i in range(MADE)]
        answers = contract.judge([("event", "-", kind, encode(value)) for value in values])
        for value, answer in zip(values, answers):
            valid = contract.validators[kind].is_valid(value)
            contract.check((answer["verdict"] == "decoded") == valid, f"{kind}: {answer} {encode(value)[:300]}")
            if answer["verdict"] != "decoded":
                continue
            written += 1
            for error in closed.iter_errors(answer["data"]):
                contract.check(False, f"{kind}: {error.message} in {encode(answer['data'])[:300]}")
            contract.check(same(without_defaults(schema, value), answer["data"]),
                           f"{kind}: {encode(value)[:300]} became {encode(answer['data'])[:300]}")
    contract.check(written > 4000, f"only {written} events were written")
    contract.finish(4000)


main()
