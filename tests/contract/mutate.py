# SPDX-License-Identifier: Apache-2.0
"""Makes data out of a schema, and changes it in ways that decoders get wrong."""

import copy
import random
import string

TIMES = ["2026-11-20T19:06:00Z", "2026-11-20t19:06:00.5z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
         "2024-02-29T12:00:00-03:30", "2026-11-20T19:06:00.123456+00:00"]
BAD_TIMES = ["", "2026-11-20", "2026-11-20 19:06:00Z", "2026-11-20T19:06:00", "2023-02-29T00:00:00Z",
             "2026-11-20T24:00:00Z", "2026-11-20T19:06:60Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+01:00",
             "2026-11-20T19:06:00.1234567Z", "2026-11-20T19:06:00Z\n", "\u0662026-11-20T19:06:00Z"]
ODD_TEXTS = ["", " ", "\n", "x\n", "\nx", "x\r", "\t", "\x01", "\x7f", "\u0080", "\u00e9", "e\u0301", "\u2028", "\u0661",
             "\U0001f39f", "\ufeff", "\ufffe", "\\", "\"", "/", "a b", "a-b", "A:b._", "null", "true", "0", "1", "EUR", "EURO",
             "eur", "E\u00dcR", "7d0c1a52-5b1e-5f0a-9c55-2f3f7e1f0a11", "7d0c1a52-5b1e-5f0a-9c55-2f3f7e1f0a1",
             "7d0c1a525b1e5f0a9c552f3f7e1f0a11", "{7d0c1a52-5b1e-5f0a-9c55-2f3f7e1f0a11}", "x" * 5000, "\u00e9" * 200]
OTHER_TYPES = [None, True, False, 0, 1, -1, 1.0, 0.0, -0.0, 1.5, 1e3, 2.0**53, 2**53, -(2**53), 10**30, "", "1", [], [None], {},
               {"a": 1}]


def resolve(root, schema):
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def branches(root, schema):
    """The schema, or what stands in its anyOf (a form that may be null)."""
    schema = resolve(root, schema)
    if "anyOf" in schema and "type" not in schema:
        return [resolve(root, one) for one in schema["anyOf"]]
    return [schema]


def text(rng, schema):
    if schema.get("format") == "date-time":
        return rng.choice(TIMES)
    if schema.get("format") == "uuid":
        digits = "".join(rng.choice("0123456789abcdefABCDEF") for _ in range(32))
        return "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])
    pattern = schema.get("pattern", "")
    letters = {"^[A-Z]{3}$": string.ascii_uppercase, "^[A-Za-z0-9._:-]+$": string.ascii_letters + "._:-7",
               "^[0-9]+$": string.digits, "^[a-z][a-z0-9_]*$": "abcxyz"}.get(pattern)
    if letters is None:
        letters = string.ascii_letters + string.digits + " -#[]{}\u00e9\u30b3\U0001f39f"
    low, high = schema.get("minLength", 0), schema.get("maxLength", 20)
    length = rng.choice([low, high, rng.randint(low, high), min(high, low + 3)])
    return "".join(rng.choice(letters) for _ in range(max(length, 1) if pattern else length))


def make(rng, root, schema, full):
    """A value that fits the schema on its own; full: with every optional member."""
    schema = rng.choice(branches(root, schema))
    kinds = schema.get("type")
    kind = rng.choice(kinds) if isinstance(kinds, list) else kinds
    if "enum" in schema:
        return rng.choice(schema["enum"])
    if kind == "null":
        return None
    if kind == "boolean":
        return rng.random() < 0.5
    if kind == "integer":
        low, high = schema["minimum"], schema["maximum"]
        return rng.choice([low, high, min(high, low + 1), rng.randint(low, min(high, low + 1000)), rng.randint(low, high)])
    if kind == "string":
        return text(rng, schema)
    if kind == "array":
        low, high = schema.get("minItems", 0), schema["maxItems"]
        count = min(high, max(low, rng.choice([low, low + 1, low + 2])))
        items = [make(rng, root, schema["items"], full) for _ in range(count)]
        return items
    if "propertyNames" in schema:
        names = resolve(root, schema["propertyNames"])
        return {text(rng, names): make(rng, root, schema["additionalProperties"], full) for _ in range(rng.randint(0, 3))}
    return {name: make(rng, root, member, full) for name, member in schema["properties"].items()
            if name in schema["required"] or full or rng.random() < 0.5}


def places(root, schema, value, at=()):
    """Every place in value that the schema speaks of: (path, schema)."""
    found = [(at, schema)]
    for one in branches(root, schema):
        if isinstance(value, dict) and "properties" in one:
            for name, member in one["properties"].items():
                if name in value:
                    found += places(root, member, value[name], (*at, name))
        elif isinstance(value, list) and "items" in one:
            for i, item in enumerate(value):
                found += places(root, one["items"], item, (*at, i))
    return found


def put(value, path, new):
    """A copy of value with new at path."""
    if not path:
        return new
    changed = copy.deepcopy(value)
    at = changed
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = new
    return changed


def get(value, path):
    for step in path:
        value = value[step]
    return value


def neighbours(root, schema, value):
    """Values to put in place of this one."""
    yield from OTHER_TYPES
    for one in branches(root, schema):
        for bound in ("minimum", "maximum"):
            if bound in one:
                yield from (one[bound] - 1, one[bound], one[bound] + 1, float(one[bound]))
        if one.get("type") == "string" or "string" in one.get("type", ()):
            yield from ODD_TEXTS
            if one.get("format") == "date-time":
                yield from TIMES + BAD_TIMES
            filler = {"^[A-Z]{3}$": "E", "^[0-9]+$": "7"}.get(one.get("pattern"), "x")
            for bound in ("minLength", "maxLength"):
                if bound in one:
                    for length in (one[bound] - 1, one[bound], one[bound] + 1):
                        yield filler * max(length, 0)
                        yield "\U0001f39f" * max(length, 0)
            if isinstance(value, str):
                for odd in ("\n", "\x00"[:0], "\x7f", "\u00e9", " ", "\U0001f39f"):
                    yield value + odd
                    yield odd + value
        if "enum" in one:
            yield from [*one["enum"], one["enum"][0].upper(), one["enum"][0] + " ", "other", "all"]
        if one.get("type") == "array" and isinstance(value, list) and value:
            yield value + [value[0]]
            yield value[:-1]
            for count in (one.get("minItems", 0) - 1, one.get("minItems", 0), one["maxItems"], one["maxItems"] + 1):
                if isinstance(value[0], str) and 0 <= count <= 200:
                    yield [f"item{i}" for i in range(count)]
                elif 0 <= count <= 200:
                    yield [value[0]] * count


def mutations(root, value):
    """Every single change of value."""
    for path, schema in places(root, root, value):
        for new in neighbours(root, schema, get(value, path)):
            yield put(value, path, new)
        here = get(value, path)
        if not isinstance(here, dict):
            continue
        for name in here:
            yield put(value, path, {key: item for key, item in here.items() if key != name})
        for name in ("unknown", "", "Id", "id ", "\u00e9/~"):
            yield put(value, path, {**here, name: 1})
        for one in branches(root, schema):
            for name, member in one.get("properties", {}).items():
                if name not in here:
                    rng = random.Random(name)
                    yield put(value, path, {**here, name: make(rng, root, member, True)})
                    yield put(value, path, {**here, name: None})
