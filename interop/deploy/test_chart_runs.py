"""charts/causeway: the gateway takes the configuration that pods get, and runs as they are told to."""

import base64
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.chart import CHART, MOST, container, of_kind, parts, pod, rendered, the
from deploy.gateways import SECRET, VALUE, Surroundings, knows, open_session, status, surroundings, until_ready
from harness.command import run
from harness.contained import contained, port
from harness.gateway import post
from harness.terraform import REPOSITORY


@pytest.fixture(scope="module")
def around() -> Iterator[Surroundings]:
    with surroundings() as around:
        yield around


#: What Kubernetes would say of a pod.
FIELDS = {"status.podIP": "127.0.0.1"}


def environment(made: list[dict], secrets: dict[str, dict[str, str]]) -> dict[str, str]:
    """The variables of the container: those that are written, and those of Secrets, of the chart or of ours."""
    kept = {
        part["metadata"]["name"]: {key: base64.b64decode(value).decode() for key, value in part["data"].items()}
        for part in of_kind(made, "Secret")
    }
    kept |= secrets
    env = {}
    for source in container(made).get("envFrom", []):
        env |= kept[source["secretRef"]["name"]]
    for each in container(made)["env"]:
        source = each.get("valueFrom", {})
        if reference := source.get("secretKeyRef"):
            env[each["name"]] = kept[reference["name"]][reference["key"]]
        elif field := source.get("fieldRef"):
            env[each["name"]] = FIELDS[field["fieldPath"]]
        else:
            # As the kubelet does with variables that stand before.
            env[each["name"]] = re.sub(r"\$\((\w+)\)", lambda name: env[name[1]], each["value"])
    return env


def files(made: list[dict]) -> dict[str, str]:
    """The files of the container that come from a ConfigMap."""
    mounts = {mount["name"]: mount["mountPath"] for mount in container(made)["volumeMounts"]}
    maps = {part["metadata"]["name"]: part["data"] for part in of_kind(made, "ConfigMap")}
    return {
        f"{mounts[volume['name']]}/{name}": text
        for volume in pod(made)["volumes"]
        if "configMap" in volume
        for name, text in maps[volume["configMap"]["name"]].items()
    }


def test_the_gateway_takes_the_configuration_that_pods_get(around: Surroundings, tmp_path: Path) -> None:
    made = parts(rendered(CHART, {"config": around.config, "envFromSecrets": ["targets"]}))
    [text] = files(made).values()
    assert text == around.config
    path = tmp_path / "config.toml"
    path.write_text(text)
    run("check", "--config", str(path), env=environment(made, {"targets": {SECRET: VALUE}})).ok()
    # The repository's own, too, with what the chart asks for.
    own = (REPOSITORY / "config.toml").read_text()
    own = own.replace('\nlisten = "127.0.0.1:8080"', '\nlisten = "0.0.0.0:8080"').replace(
        "\n#key_env = ", "\nkey_env = ", 1
    )
    own = own.replace(', "CAUSEWAY_SESSION_KEY_BEFORE"]', "]", 1)
    made = parts(rendered(CHART, {"config": own}))
    path.write_text(files(made)["/etc/causeway/config.toml"])
    secrets = {
        name: VALUE for name in ["CALCULATOR_CLIENT_SECRET", "HELLO_CLIENT_SECRET", "CLOUDWATCH_INSIGHTS_CLIENT_SECRET"]
    }
    run("check", "--config", str(path), env=environment(made, {}) | secrets).ok()


def test_replicas_run_as_pods_are_told(around: Surroundings) -> None:
    made = parts(rendered(CHART, {"config": around.config, "envFromSecrets": ["targets"], "admin": {"enabled": True}}))
    spec, env = container(made), environment(made, {"targets": {SECRET: VALUE}})
    mounted = files(made)
    [config] = mounted.values()
    assert {each["name"]: each["containerPort"] for each in spec["ports"]} == {
        "http": port(config, "gateway"),
        "admin": port(config, "admin"),
    }

    token = around.token()
    with contained(spec["args"], env, mounted) as one, contained(spec["args"], env, mounted) as other:
        for replica in one, other:
            for probe in ["startupProbe", "livenessProbe", "readinessProbe"]:
                assert spec[probe]["httpGet"]["port"] == "http"
                until_ready(replica, spec[probe]["httpGet"]["path"])
            [tool, *_] = post(replica.endpoint, token).json()["result"]["tools"]
            assert tool["name"].startswith("calculator___")
            assert status(replica.admin, "/metrics") == 200
        session = open_session(one, token)
        assert knows(other, token, session) and not knows(other, token, session[:-4] + "AAAA")
        one.process.signal(signal.SIGTERM)
        left = pod(made)["terminationGracePeriodSeconds"] - spec["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert one.process.wait(left) == 0


def test_the_ingress_lets_through_what_clients_need(around: Surroundings) -> None:
    made = parts(rendered(CHART, MOST))
    prefixes = [path["path"] for path in the(made, "Ingress")["spec"]["rules"][0]["http"]["paths"]]

    def passes(path: str) -> bool:
        return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)

    made = parts(rendered(CHART, {"config": around.config, "envFromSecrets": ["targets"]}))
    with contained(container(made)["args"], environment(made, {"targets": {SECRET: VALUE}}), files(made)) as gateway:
        for path in ["/mcp", "/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"]:
            assert passes(path) and status(gateway.endpoint, path) != 404
        for path in ["/readyz", "/healthz"]:
            assert not passes(path) and status(gateway.endpoint, path) != 404
    assert passes("/mcp/arithmetic") and passes("/login/callback")
