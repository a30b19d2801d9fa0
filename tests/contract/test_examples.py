# SPDX-License-Identifier: Apache-2.0
"""The published examples: what is said of each holds for the schema and for the decoder."""

import json
import sys

from contract import TOPIC_OF, Contract, encode

# Refusals that no schema of the data can see: they concern the envelope, or the text of the JSON.
NOT_OF_THE_DATA = {"bad_envelope", "bad_content_type", "unknown_type", "wrong_topic", "bad_json", "too_deep",
                   "duplicate_key", "nul_character", "lone_surrogate", "number_out_of_range"}


def check_valid(contract):
    folder = contract.folder / "examples" / "valid"
    contract.check({path.name for path in folder.iterdir()} == set(contract.schemas), "every type has valid examples")
    for path in sorted(folder.glob("*/*.json")):
        kind = path.parent.name
        name = f"{kind}/{path.name}"
        raw = path.read_bytes()
        event = json.loads(raw)
        contract.check(event["type"] == kind, f"{name} has the type of its folder")
        for error in contract.validators[kind].iter_errors(event["data"]):
            contract.check(False, f"{name}: {error.message}")
        if kind in TOPIC_OF:
            answers = contract.judge([("structured", TOPIC_OF[kind], "-", raw),
                                      ("binary", TOPIC_OF[kind], kind, encode(event["data"]))])
            for answer in answers:
                contract.check(answer["verdict"] == "decoded", f"{name}: {answer}")
        else:
            answer = contract.judge([("event", "-", kind, encode(event["data"]))])[0]
            contract.check(answer.get("data") == event["data"], f"{name}: encodes to {answer}")


def check_invalid(contract):
    folder = contract.folder / "examples" / "invalid"
    expected = json.loads((folder / "expected.json").read_text())
    found = {f"{path.parent.name}/{path.name}" for path in folder.glob("*/*.json")}
    contract.check(found == set(expected), f"expected.json names each example: {found ^ set(expected)}")
    for kind in contract.commands:
        contract.check(any(name.startswith(kind + "/") for name in expected), f"{kind} has an invalid example")
    for name in sorted(found & set(expected)):
        kind = name.split("/")[0]
        raw = (folder / name).read_bytes()
        want = expected[name]
        answer = contract.judge([("structured", TOPIC_OF[kind], "-", raw)])[0]
        contract.check(answer["verdict"] == want["verdict"], f"{name}: {answer}")
        first = answer.get("reasons", [{}])[0]
        contract.check(first == {"code": want["code"], "pointer": want["pointer"]}, f"{name}: {answer}")
        if want["code"] in NOT_OF_THE_DATA:
            continue
        event = json.loads(raw)
        if "data" in event:
            contract.check(not contract.accepts(kind, event["data"]), f"{name}: the schema accepts it")


def check_codes(contract):
    """Each kind of refusal by the decoder has an example."""
    expected = json.loads((contract.folder / "examples" / "invalid" / "expected.json").read_text())
    reasons = json.loads((contract.folder / "messages" / "reasons.json").read_text())
    shown = {want["code"] for want in expected.values()}
    contract.check(shown <= set(reasons), f"reasons.json lacks {shown - set(reasons)}")
    of_decoder = NOT_OF_THE_DATA | {"required", "unknown_field", "wrong_type", "out_of_range", "bad_value", "too_short",
                                    "too_long", "bad_format", "too_few", "too_many", "not_distinct", "conflict",
                                    "window_order"}
    contract.check(of_decoder <= shown, f"no example for {of_decoder - shown}")


def main():
    contract = Contract(sys.argv)
    check_valid(contract)
    check_invalid(contract)
    check_codes(contract)
    contract.finish(400)


main()
