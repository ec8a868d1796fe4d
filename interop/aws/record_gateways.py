"""Writes gateway/tests/import/*.json anew: what the control plane answers about each gateway of `gateways.py`, as the program
reads it. Run it after a change there, in interop/: `.venv/bin/python -m aws.record_gateways`."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from random import Random

from aws.doubles.control_plane import ControlPlane, control_plane
from aws.gateways import everything, open_to_all, signed

OUTPUT = Path(__file__).resolve().parents[2] / "gateway" / "tests" / "import"
GATEWAYS = {"everything": everything, "signed": signed, "open": open_to_all}


def record(make: Callable[[ControlPlane], str]) -> dict:
    """All answers about one gateway."""
    with control_plane(chance=Random(1)) as plane:
        gateway, client = make(plane), plane.client()
        client.get_gateway(gatewayIdentifier=gateway)
        pages = client.get_paginator("list_gateway_targets").paginate(gatewayIdentifier=gateway)
        targets = []
        for item in [item for page in pages for item in page["items"]]:
            client.get_gateway_target(gatewayIdentifier=gateway, targetId=item["targetId"])
            targets.append(plane.answered["GetGatewayTarget"])
        providers = {arn: provider(plane, arn) for target in targets for arn in arns(target)}
        return {"gateway": plane.answered["GetGateway"], **rest(plane, gateway), "targets": targets, "providers": providers}


def rest(plane: ControlPlane, gateway: str) -> dict:
    """Who may call it, how often, and what is led elsewhere, where anything is said of that."""
    client, found = plane.client(), {}
    if policy := plane.answered.get("PutResourcePolicy"):
        found["resourcePolicy"] = {"text": policy["policy"]}
    for name, operation, member in [
        ("rateLimits", "list_gateway_rate_limits", "rateLimits"),
        ("rules", "list_gateway_rules", "gatewayRules"),
    ]:
        entries = []
        for _ in client.get_paginator(operation).paginate(gatewayIdentifier=gateway):
            entries += plane.answered[client.meta.method_to_api_mapping[operation]][member]
        if entries:
            found[name] = {"shown": entries}
    return found


def arns(target: dict) -> list[str]:
    """The credential providers that a target refers to."""
    return re.findall(r'"providerArn": "([^"]+)"', json.dumps(target))


def provider(plane: ControlPlane, arn: str) -> dict:
    client, (kind, name) = plane.client(), arn.rsplit("/", 2)[1:]
    if kind == "oauth2credentialprovider":
        client.get_oauth2_credential_provider(name=name)
        return {"oauth2": plane.answered["GetOauth2CredentialProvider"]}
    client.get_api_key_credential_provider(name=name)
    return {"apiKey": plane.answered["GetApiKeyCredentialProvider"]}


def main() -> None:
    OUTPUT.mkdir(exist_ok=True)
    for name, make in GATEWAYS.items():
        text = json.dumps(record(make), indent=2) + "\n"
        # The only thing that is another each time.
        text = re.sub(r'"(createdAt|updatedAt)": "[^"]+"', r'"\1": "2026-11-21T10:00:00+00:00"', text)
        text = re.sub(r'"(createdTime|lastUpdatedTime)": [\d.]+', r'"\1": 1795255200.0', text)
        (OUTPUT / f"{name}.json").write_text(text)


if __name__ == "__main__":
    main()
