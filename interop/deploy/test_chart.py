"""charts/causeway: what Helm makes of it, whether Kubernetes takes that, and that mistakes in it are found."""

import base64
import re
from pathlib import Path

import pytest
import yaml

from deploy.chart import (
    ALL,
    CHART,
    CONFIG,
    DEFAULT,
    KUBERNETES,
    LEAST,
    MOST,
    complaints,
    container,
    copied,
    helm,
    mistake,
    of_kind,
    parts,
    pod,
    rendered,
    the,
)
from deploy.cluster import cluster


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    return copied(tmp_path)


@ALL
@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_takes_what_is_made(given: dict, version: str, tmp_path: Path) -> None:
    made = parts(rendered(CHART, given, "--kube-version", version))
    assert len(made) > 2 and complaints(made, tmp_path, version) == ""


@ALL
def test_helm_has_nothing_to_say(given: dict) -> None:
    linted = helm("lint", "--strict", CHART, given=given)
    assert linted.status == 0, linted.out + linted.err


@pytest.mark.parametrize("before", ["", "\n", "  ", "\t", "# a comment: with a colon\n"])
def test_the_configuration_arrives_as_it_is_written(before: str) -> None:
    config = before + CONFIG
    [made] = of_kind(parts(rendered(CHART, {**DEFAULT, "config": config})), "ConfigMap")
    assert made["data"] == {"config.toml": config}


def test_what_is_off_is_not_there() -> None:
    kinds = sorted(part["kind"] for part in parts(rendered(CHART, LEAST)))
    assert kinds == ["ConfigMap", "Deployment", "Service"]
    kinds = sorted(part["kind"] for part in parts(rendered(CHART, MOST)))
    assert kinds == [
        *["ConfigMap", "Deployment", "HorizontalPodAutoscaler", "Ingress", "NetworkPolicy", "PodDisruptionBudget"],
        *["Service", "Service", "ServiceAccount", "ServiceMonitor"],
    ]


@ALL
def test_parts_find_each_other(given: dict) -> None:
    made = parts(rendered(CHART, given))
    deployment = the(made, "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    named = {port["name"]: port["containerPort"] for port in container(made)["ports"]}

    def selects(selector: dict) -> bool:
        return bool(selector) and selector.items() <= labels.items()

    assert selects(deployment["spec"]["selector"]["matchLabels"])
    for service in of_kind(made, "Service"):
        assert selects(service["spec"]["selector"])
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named.keys()
    for kind, path in [("NetworkPolicy", "podSelector"), ("PodDisruptionBudget", "selector")]:
        assert all(selects(part["spec"][path]["matchLabels"]) for part in of_kind(made, kind))
    for scaler in of_kind(made, "HorizontalPodAutoscaler"):
        assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
        assert "replicas" not in deployment["spec"]
    for monitor in of_kind(made, "ServiceMonitor"):
        watched = [
            service
            for service in of_kind(made, "Service")
            if monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        ]
        assert [port["name"] for service in watched for port in service["spec"]["ports"]] == [
            monitor["spec"]["endpoints"][0]["port"]
        ]
    for ingress in of_kind(made, "Ingress"):
        backends = [path["backend"]["service"] for path in ingress["spec"]["rules"][0]["http"]["paths"]]
        names = {service["metadata"]["name"] for service in of_kind(made, "Service")}
        assert {backend["name"] for backend in backends} <= names and {
            backend["port"]["name"] for backend in backends
        } == {"http"}
    account = pod(made)["serviceAccountName"]
    assert account in [part["metadata"]["name"] for part in of_kind(made, "ServiceAccount")] or account == "default"


def test_a_changed_configuration_replaces_pods() -> None:
    def annotations(config: str) -> dict:
        return the(parts(rendered(CHART, {"config": config})), "Deployment")["spec"]["template"]["metadata"][
            "annotations"
        ]

    assert annotations(CONFIG) == annotations(CONFIG) != annotations(CONFIG + "# changed\n")


def session_keys(url: str, **given) -> dict[str, str]:
    """The Secret with session keys that an upgrade makes, where the API server is at `url`."""
    made = parts(
        rendered(
            CHART, {**DEFAULT, **given}, "--dry-run=server", "--disable-openapi-validation", "--kube-apiserver", url
        )
    )
    return the(made, "Secret")["data"]


def test_a_session_key_that_is_there_stays() -> None:
    kinds = parts(rendered(CHART, DEFAULT))
    with cluster("tools", "mcp", kinds, {}) as url:
        first = session_keys(url)
        assert first != session_keys(url) and len(base64.b64decode(first["session-key"])) >= 32
    with cluster("tools", "mcp", kinds, {"tools-causeway-session-key": first}) as url:
        assert session_keys(url) == first
        both = session_keys(url, sessionKey={"key": "session-key-2", "previousKey": "session-key"})
        assert both["session-key"] == first["session-key"] != both["session-key-2"]


def test_notes_say_what_to_do_next() -> None:
    said = helm("install", "tools", CHART, "--dry-run=client", "--namespace", "mcp", given=DEFAULT).ok().out
    assert "http://tools-causeway.mcp.svc:80/mcp" in said and "Nobody outside the cluster reaches it" in said
    said = helm("install", "tools", CHART, "--dry-run=client", given=MOST).ok().out
    assert "https://gateway.example.com/mcp" in said and "Nobody outside" not in said


def test_what_its_readme_says_works() -> None:
    readme = (CHART / "README.md").read_text()
    [config] = re.findall(r"```toml\n(.*?)```", readme, re.S)
    [values] = re.findall(r"```yaml\n(.*?)```", readme, re.S)
    made = parts(rendered(CHART, {"config": config, **yaml.safe_load(values)}))
    assert container(made)["image"] == "ghcr.io/OWNER/causeway/gateway:0.1.0" and of_kind(made, "Ingress")


@pytest.mark.parametrize(
    ("file", "right", "wrong", "said"),
    [
        ("deployment.yaml", "readinessProbe:", "readynessProbe:", "readynessProbe"),
        (
            "deployment.yaml",
            "terminationGracePeriodSeconds: {{ add .Values.preStopSeconds .Values.drainSeconds 10 }}",
            "terminationGracePeriodSeconds: soon",
            "soon",
        ),
        ("poddisruptionbudget.yaml", "apiVersion: policy/v1", "apiVersion: policy/v2", "policy"),
        ("networkpolicy.yaml", "podSelector:", "podSelectors:", "podSelectors"),
    ],
    ids=["misspelt", "type", "version", "unknown"],
)
def test_a_manifest_that_kubernetes_refuses_is_found(
    chart: Path, tmp_path: Path, file: str, right: str, wrong: str, said: str
) -> None:
    mistake(chart, file, right, wrong)
    assert said in complaints(parts(rendered(chart, DEFAULT)), tmp_path, KUBERNETES[-1])


def test_a_template_that_is_broken_is_found(chart: Path) -> None:
    mistake(chart, "service.yaml", '{{ include "causeway.name" . }}', '{{ include "causeway.nam" . }}')
    assert helm("lint", "--strict", chart, given=DEFAULT).status != 0
