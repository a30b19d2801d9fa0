# SPDX-License-Identifier: Apache-2.0
"""The documents beside the schemas name what exists, and all of it."""

import json
import re
import sys

from contract import TOPIC_OF, Contract


def main():
    contract = Contract(sys.argv)
    topics = json.loads((contract.folder / "topics.json").read_text())["topics"]
    names = [topic["name"] for topic in topics]
    contract.check(set(TOPIC_OF.values()) <= set(names), "the commands' topics are there")
    contract.check(len(names) == len(set(names)), "no topic is there twice")
    for topic in topics:
        contract.check(set(topic) == {"name", "carries", "key", "partitions", "config"}, f"{topic['name']}: members")
        contract.check(all(isinstance(value, str) for value in topic["config"].values()), f"{topic['name']}: texts")

    asyncapi = (contract.folder / "asyncapi.yaml").read_text()
    referred = set(re.findall(r"\$ref: messages/(\S+)\.schema\.json$", asyncapi, re.MULTILINE))
    contract.check(referred == set(contract.schemas), f"asyncapi.yaml: {referred ^ set(contract.schemas)}")
    addresses = re.findall(r"address: '\{prefix\}\.(\S+)'", asyncapi)
    contract.check(addresses == names, f"asyncapi.yaml: topics {addresses}")
    for target in set(re.findall(r"\$ref: '#/channels/(\w+)'", asyncapi)):
        contract.check(f"\n  {target}:\n    address:" in asyncapi, f"asyncapi.yaml: channel {target}")
    for target in set(re.findall(r"\$ref: '#/components/\w+/([\w.]+)'", asyncapi)):
        contract.check(f"\n    {target}:\n" in asyncapi, f"asyncapi.yaml: component {target}")

    readme = (contract.folder / "README.md").read_text()
    for kind in contract.schemas:
        contract.check(f"`{kind}`" in readme, f"README.md does not name {kind}")
    for name in names:
        contract.check(f"`{name}`" in readme, f"README.md does not name the topic {name}")
    contract.finish(100)


main()
