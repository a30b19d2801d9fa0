# SPDX-License-Identifier: Apache-2.0
"""Decoder and schema reach the same verdict on thousands of right and nearly right commands."""

import json
import random
import sys

from contract import Contract, encode
from mutate import make, mutations

SEED = 20261120
MADE = 60      # values made from each schema
PER_TYPE = 1500 # single changes of them and of the examples
DOUBLE = 400   # changes of changes


def sample(rng, items, count):
    """Distinct, in a stable order."""
    known = {}
    for item in items:
        known.setdefault(json.dumps(item, sort_keys=True), item)
    keys = sorted(known)
    return [known[key] for key in (keys if len(keys) <= count else rng.sample(keys, count))]


def cases(contract, kind, rng):
    schema = contract.schemas[kind]
    right = [json.loads(path.read_text())["data"]
             for path in sorted((contract.folder / "examples" / "valid" / kind).glob("*.json"))]
    made = [make(rng, schema, schema, rng.random() < 0.3) for _ in range(MADE)]
    right += [value for value in made if contract.accepts(kind, value)]
    single = sample(rng, (one for value in right[:12] for one in mutations(schema, value)), PER_TYPE)
    double = []
    for value in rng.sample(single, min(60, len(single))):
        if isinstance(value, dict):
            double += mutations(schema, value)
    return right + made + single + sample(rng, double, DOUBLE)


def has_huge_number(value):
    """json-c and others read numbers beyond 2^53 differently: the decoder refuses them wherever they stand."""
    if isinstance(value, dict):
        return any(has_huge_number(item) for item in value.values())
    if isinstance(value, list):
        return any(has_huge_number(item) for item in value)
    return isinstance(value, (int, float)) and abs(value) > 2**53 - 1


def main():
    contract = Contract(sys.argv)
    accepted = 0
    for kind in contract.commands:
        values = cases(contract, kind, random.Random(f"{SEED} {kind}"))
        for value, answer in zip(values, contract.judge_data([(kind, value) for value in values])):
            wanted = contract.accepts(kind, value) and not has_huge_number(value)
            decoded = answer["verdict"] == "decoded"
            accepted += decoded
            contract.check(decoded == wanted, f"{kind}: schema {wanted}, decoder {answer}, {encode(value)[:300]}")
            contract.check(answer["verdict"] != "unreadable", f"{kind}: the envelope was right")
    contract.check(accepted > 1000, f"only {accepted} of the cases are right ones")
    contract.finish(20000)


main()
