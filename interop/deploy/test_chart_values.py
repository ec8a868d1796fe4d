"""charts/causeway: values that are refused, with what to write instead, and that each is explained."""

import json

import pytest
import yaml

from deploy.chart import CHART, CONFIG, DEFAULT, MOST, helm


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "`config` is empty: give the text of config.toml"),
        (
            {"config": CONFIG.replace("0.0.0.0:8080", "127.0.0.1:8080")},
            'write `listen = "0.0.0.0:8080"` below [gateway]',
        ),
        (
            {"config": CONFIG.replace("key_env", "#key_env")},
            'write `key_env = ["CAUSEWAY_SESSION_KEY"]` below [sessions]',
        ),
        (
            {**MOST, "config": CONFIG.replace("public_url", "#public_url")},
            'write `public_url = "https://gateway.example.com/mcp"`',
        ),
        ({**DEFAULT, "ingress": {"enabled": True}}, "`ingress.enabled` needs `ingress.host`"),
        (
            {"config": CONFIG.replace("0.0.0.0:8081", "127.0.0.1:8081"), "admin": {"enabled": True}},
            'write `listen = "0.0.0.0:8081"`',
        ),
        ({**MOST, "config": CONFIG.replace("metrics", "#metrics")}, 'write `metrics = "anyone"` below [admin]'),
        ({**DEFAULT, "serviceMonitor": {"enabled": True}}, "set `admin.enabled` to true"),
        ({**MOST, "networkPolicy": {}}, "say in `networkPolicy.adminFrom` where it is"),
        ({**DEFAULT, "sharedState": {"enabled": True}}, "`sharedState.enabled` needs `sharedState.existingSecret`"),
        ({**DEFAULT, "autoscaling": {"minReplicas": 4, "maxReplicas": 3}}, "`autoscaling.maxReplicas` is below"),
        (
            {**DEFAULT, "sessionKey": {"key": "new", "previousKey": "old"}},
            "the key of before keeps the name that it had",
        ),
    ],
    ids=[
        "no config",
        "loopback",
        "no session key",
        "no URL",
        "no host",
        "admin",
        "metrics",
        "monitor",
        "scraper",
        "redis",
        "replicas",
        "old key",
    ],
)
def test_what_would_only_fail_in_the_cluster_is_refused(given: dict, said: str) -> None:
    refused = helm("template", "tools", CHART, given=given)
    assert refused.status != 0 and said in refused.text, refused.text


@pytest.mark.parametrize(
    "wrong",
    [
        ({"replica": 2}, "additional properties 'replica' not allowed"),
        ({"replicas": "two"}, "/replicas"),
        ({"replicas": 0}, "/replicas"),
        ({"image": {"repository": "example.com/causeway:1.0.0"}}, "/image/repository"),
        ({"image": {"tag": "latest"}}, "/image/tag"),
        ({"image": {"digest": "sha256:1"}}, "/image/digest"),
        ({"image": {"pullPolicy": "Sometimes"}}, "/image/pullPolicy"),
        ({"extraEnv": [{"value": "a"}]}, "/extraEnv/0"),
        ({"extraEnv": [{"name": "CAUSEWAY_SESSION_KEY", "value": "in the open"}]}, "/extraEnv/0/name"),
        ({"sessionKey": {"key": ""}}, "/sessionKey/key"),
        ({"autoscaling": {"targetCPUUtilizationPercentage": 0}}, "/autoscaling/targetCPUUtilizationPercentage"),
        ({"podDisruptionBudget": {"maxUnavailable": 0}}, "/podDisruptionBudget/maxUnavailable"),
        ({"service": {"type": "ExternalName"}}, "/service/type"),
        ({"service": {"port": 70000}}, "/service/port"),
        ({"service": {"sessionAffinity": "Cookie"}}, "/service/sessionAffinity"),
        ({"ingress": {"host": "https://gateway.example.com"}}, "/ingress/host"),
        ({"ingress": {"paths": ["mcp"]}}, "/ingress/paths/0"),
        ({"serviceMonitor": {"interval": "often"}}, "/serviceMonitor/interval"),
        ({"networkPolicy": {"egressPorts": []}}, "/networkPolicy/egressPorts"),
        ({"preStopSeconds": 0}, "/preStopSeconds"),
        ({"podLabels": {"a": 1}}, "/podLabels/a"),
    ],
    ids=lambda wrong: wrong[1],
)
def test_wrong_values_are_refused(wrong: tuple[dict, str]) -> None:
    given, where = wrong
    refused = helm("template", "tools", CHART, given={**DEFAULT, **given})
    assert refused.status != 0 and where in refused.text and "schema" in refused.text, refused.text


def test_every_value_is_explained() -> None:
    """The schema names what values.yaml has, no more and no less, with a description each."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    default = yaml.safe_load((CHART / "values.yaml").read_text())
    assert schema["properties"].keys() - {"global"} == default.keys()
    for name, part in schema["properties"].items():
        inner = part.get("properties", {})
        assert part.get("description") or inner, name
        if part.get("additionalProperties") is False:
            assert isinstance(default[name], dict) and (inner.keys() == default[name].keys() or name == "resources"), (
                name
            )
            assert all(each.get("description") for each in inner.values()), name
