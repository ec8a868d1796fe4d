"""charts/causeway: what Helm makes of it, whether Kubernetes takes that, what it refuses, and that the gateway runs as its pods are
told to."""

import base64
import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from deploy.cluster import cluster
from deploy.gateways import SECRET, VALUE, Surroundings, knows, open_session, status, surroundings, until_ready
from harness.command import run
from harness.contained import contained, port
from harness.gateway import post
from harness.process import CLEAN
from harness.terraform import DEPLOY, HELM, REPOSITORY, TIMEOUT, Ran, checkov

CHART = REPOSITORY / "charts/causeway"
KUBERNETES = ["1.30", "1.37"]
#: Of another maker: Kubernetes' own schemas do not have it.
FOREIGN = {"ServiceMonitor"}
CONFIG = """\
[gateway]
listen = "0.0.0.0:8080"
public_url = "https://gateway.example.com/mcp"

[sessions]
key_env = ["CAUSEWAY_SESSION_KEY"]

[admin]
listen = "0.0.0.0:8081"
metrics = "anyone"
"""
LEAST = {
    "config": CONFIG,
    "autoscaling": {"enabled": False},
    "podDisruptionBudget": {"enabled": False},
    "networkPolicy": {"enabled": False},
    "serviceAccount": {"create": False},
    "sessionKey": {"existingSecret": "ours"},
    "service": {"sessionAffinity": "None"},
}
MOST = {
    "config": CONFIG,
    "image": {"repository": "registry.example.com:5000/causeway", "digest": "sha256:" + "0" * 64},
    "imagePullSecrets": [{"name": "registry"}],
    "envFromSecrets": ["targets"],
    "extraEnv": [{"name": "RUST_LOG", "value": "info"}, {"name": "GIT_TOKEN", "valueFrom": {"secretKeyRef": {"name": "git", "key": "token"}}}],
    "extraVolumes": [{"name": "secrets", "secret": {"secretName": "files"}}],
    "extraVolumeMounts": [{"name": "secrets", "mountPath": "/run/secrets", "readOnly": True}],
    "sessionKey": {"existingSecret": "sessions", "key": "now", "previousKey": "before"},
    "sharedState": {"enabled": True, "existingSecret": "redis"},
    "autoscaling": {"metrics": [{"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 80}}}]},
    "service": {"type": "LoadBalancer", "annotations": {"example.com/kind": "internal"}},
    "ingress": {"enabled": True, "className": "nginx", "host": "gateway.example.com", "tlsSecret": "tls", "annotations": {"example.com/a": "b"}},
    "admin": {"enabled": True},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "networkPolicy": {
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}],
        "adminFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        "egressPorts": [443, 8000],
        "extraEgress": [{"ports": [{"protocol": "TCP", "port": 6379}], "to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}],
    },
    "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/causeway"}},
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}],
    "nodeSelector": {"kubernetes.io/arch": "arm64"},
    "tolerations": [{"key": "arm", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
    "podAnnotations": {"example.com/c": "d"},
    "podLabels": {"team": "tools"},
}
DEFAULT = {"config": CONFIG}
ALL = pytest.mark.parametrize("given", [DEFAULT, LEAST, MOST], ids=["default", "least", "most"])


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A copy, to make mistakes in."""
    return Path(shutil.copytree(CHART, tmp_path / "causeway"))


@pytest.fixture(scope="module")
def around() -> Iterator[Surroundings]:
    with surroundings() as around:
        yield around


def helm(*arguments: str | Path, given: dict | None = None) -> Ran:
    """Helm with these arguments and values, without a cluster."""
    argv = [HELM, *arguments, *(["--values", "-"] if given is not None else [])]
    ran = subprocess.run(
        [str(word) for word in argv],
        env=CLEAN | {"HOME": "/nonexistent", "KUBECONFIG": "/nonexistent/config"},
        input=json.dumps(given) if given is not None else "",
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def rendered(chart: Path, given: dict, *arguments: str) -> str:
    return helm("template", "tools", chart, "--namespace", "mcp", *arguments, given=given).ok().out


def parts(text: str) -> list[dict]:
    return [part for part in yaml.safe_load_all(text) if part]


def of_kind(made: list[dict], kind: str) -> list[dict]:
    return [part for part in made if part["kind"] == kind]


def the(made: list[dict], kind: str) -> dict:
    [part] = of_kind(made, kind)
    return part


def pod(made: list[dict]) -> dict:
    return the(made, "Deployment")["spec"]["template"]["spec"]


def container(made: list[dict]) -> dict:
    [one] = pod(made)["containers"]
    return one


def complaints(made: list[dict], directory: Path, version: str) -> str:
    """What the schemas of Kubernetes have against it; fields and kinds that they do not know are mistakes."""
    file = directory / "manifests.yaml"
    file.write_text("\n---\n".join(json.dumps(part) for part in made if part["kind"] not in FOREIGN))
    program = DEPLOY / ".venv/bin/kubernetes-validate"
    ran = subprocess.run(
        [program, "--strict", "--quiet", "-k", version, file], env=CLEAN, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0 or said
    return said


# What is made.


@ALL
@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_takes_what_is_made(given: dict, version: str, tmp_path: Path) -> None:
    made = parts(rendered(CHART, given, "--kube-version", version))
    assert len(made) > 2 and complaints(made, tmp_path, version) == ""


@ALL
def test_helm_has_nothing_to_say(given: dict) -> None:
    linted = helm("lint", "--strict", CHART, given=given)
    assert linted.status == 0, linted.out + linted.err


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
        assert [port["name"] for service in watched for port in service["spec"]["ports"]] == [monitor["spec"]["endpoints"][0]["port"]]
    for ingress in of_kind(made, "Ingress"):
        backends = [path["backend"]["service"] for path in ingress["spec"]["rules"][0]["http"]["paths"]]
        names = {service["metadata"]["name"] for service in of_kind(made, "Service")}
        assert {backend["name"] for backend in backends} <= names and {backend["port"]["name"] for backend in backends} == {"http"}
    account = pod(made)["serviceAccountName"]
    assert account in [part["metadata"]["name"] for part in of_kind(made, "ServiceAccount")] or account == "default"


def test_a_changed_configuration_replaces_pods() -> None:
    def annotations(config: str) -> dict:
        return the(parts(rendered(CHART, {"config": config})), "Deployment")["spec"]["template"]["metadata"]["annotations"]

    assert annotations(CONFIG) == annotations(CONFIG) != annotations(CONFIG + "# changed\n")


def session_keys(url: str, **given) -> dict[str, str]:
    """The Secret with session keys that an upgrade makes, where the API server is at `url`."""
    made = parts(rendered(CHART, {**DEFAULT, **given}, "--dry-run=server", "--disable-openapi-validation", "--kube-apiserver", url))
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
    assert container(made)["image"] == "registry.example.com/causeway:1.0.0" and of_kind(made, "Ingress")


# What is refused.


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "`config` is empty: give the text of config.toml"),
        ({"config": CONFIG.replace("0.0.0.0:8080", "127.0.0.1:8080")}, 'write `listen = "0.0.0.0:8080"` below [gateway]'),
        ({"config": CONFIG.replace("key_env", "#key_env")}, 'write `key_env = ["CAUSEWAY_SESSION_KEY"]` below [sessions]'),
        ({**MOST, "config": CONFIG.replace("public_url", "#public_url")}, 'write `public_url = "https://gateway.example.com/mcp"`'),
        ({**DEFAULT, "ingress": {"enabled": True}}, "`ingress.enabled` needs `ingress.host`"),
        ({"config": CONFIG.replace("0.0.0.0:8081", "127.0.0.1:8081"), "admin": {"enabled": True}}, 'write `listen = "0.0.0.0:8081"`'),
        ({**MOST, "config": CONFIG.replace("metrics", "#metrics")}, 'write `metrics = "anyone"` below [admin]'),
        ({**DEFAULT, "serviceMonitor": {"enabled": True}}, "set `admin.enabled` to true"),
        ({**MOST, "networkPolicy": {}}, "say in `networkPolicy.adminFrom` where it is"),
        ({**DEFAULT, "sharedState": {"enabled": True}}, "`sharedState.enabled` needs `sharedState.existingSecret`"),
        ({**DEFAULT, "autoscaling": {"minReplicas": 4, "maxReplicas": 3}}, "`autoscaling.maxReplicas` is below"),
        ({**DEFAULT, "sessionKey": {"key": "new", "previousKey": "old"}}, "the key of before keeps the name that it had"),
    ],
    ids=["no config", "loopback", "no session key", "no URL", "no host", "admin", "metrics", "monitor", "scraper", "redis", "replicas", "old key"],
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
            assert isinstance(default[name], dict) and (inner.keys() == default[name].keys() or name == "resources"), name
            assert all(each.get("description") for each in inner.values()), name


# Security.


def unrestricted(made: list[dict]) -> list[str]:
    """What the Pod Security Standard "restricted" does not allow.
    https://kubernetes.io/docs/concepts/security/pod-security-standards/"""
    spec = pod(made)
    found = [f"{name} is set" for name in ("hostNetwork", "hostPID", "hostIPC", "hostUsers") if spec.get(name)]
    allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
    found += [f"volume {volume['name']}" for volume in spec.get("volumes", []) if not (volume.keys() - {"name"}) <= allowed]
    whole = spec.get("securityContext", {})
    for each in [*spec["containers"], *spec.get("initContainers", []), *spec.get("ephemeralContainers", [])]:
        own = each.get("securityContext", {})
        effective = whole | own
        capabilities = own.get("capabilities", {})
        checks = {
            "privilege escalation": own.get("allowPrivilegeEscalation") is not False,
            "privileged": own.get("privileged", False),
            "root": effective.get("runAsNonRoot") is not True or effective.get("runAsUser") == 0,
            "seccomp": effective.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"),
            "capabilities": capabilities.get("drop") != ["ALL"] or not set(capabilities.get("add", [])) <= {"NET_BIND_SERVICE"},
            "host ports": any(port.get("hostPort") for port in each.get("ports", [])),
            "proc mount": own.get("procMount", "Default") != "Default",
            "sysctls": bool(whole.get("sysctls")),
        }
        found += [f"{each['name']}: {name}" for name, wrong in checks.items() if wrong]
    return found


@ALL
def test_pods_meet_the_restricted_standard(given: dict) -> None:
    made = parts(rendered(CHART, given))
    assert unrestricted(made) == []
    # Beyond the standard: nothing is written, and Kubernetes is not talked to.
    assert container(made)["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod(made)["automountServiceAccountToken"] is False


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("runAsNonRoot: true", "runAsNonRoot: false", "root"),
        ("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "privilege escalation"),
        ("drop: [ALL]", "drop: [NET_RAW]", "capabilities"),
        ("type: RuntimeDefault", "type: Unconfined", "seccomp"),
        ("containerPort: {{ include \"causeway.port\" . }}", "containerPort: 8080\n              hostPort: 8080", "host ports"),
    ],
    ids=["root", "escalation", "capabilities", "seccomp", "host port"],
)
def test_a_pod_that_may_more_is_found(chart: Path, right: str, wrong: str, said: str) -> None:
    mistake(chart, "deployment.yaml", right, wrong)
    assert unrestricted(parts(rendered(chart, DEFAULT))) == [f"gateway: {said}"]


#: CPU is not limited: a limit slows calls down while the node has nothing else to do. The image is named by who installs it, with a tag
#: or a digest. Session keys are read from variables, which is what config.toml names. The namespace is the release's.
SKIPPED = "CKV_K8S_11,CKV_K8S_43,CKV_K8S_35,CKV_K8S_15"


@pytest.mark.parametrize("given", [DEFAULT, MOST], ids=["default", "most"])
def test_checkov_has_nothing_to_say(given: dict, tmp_path: Path) -> None:
    judged = checked(parts(rendered(CHART, given)), tmp_path)
    assert judged.status == 0, judged.out


def test_checkov_finds_a_mistake(chart: Path, tmp_path: Path) -> None:
    mistake(chart, "deployment.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false")
    judged = checked(parts(rendered(chart, DEFAULT)), tmp_path)
    assert judged.status != 0 and "CKV_K8S_22" in judged.out, judged.out


def checked(made: list[dict], directory: Path) -> Ran:
    file = directory / "manifests.yaml"
    file.write_text(yaml.safe_dump_all(made))
    return checkov("kubernetes", "--file", file, "--skip-check", SKIPPED)


def mistake(chart: Path, file: str, right: str, wrong: str) -> None:
    path = chart / "templates" / file
    assert right in path.read_text()
    path.write_text(path.read_text().replace(right, wrong, 1))


# That these checks find something.


@pytest.mark.parametrize(
    ("file", "right", "wrong", "said"),
    [
        ("deployment.yaml", "readinessProbe:", "readynessProbe:", "readynessProbe"),
        ("deployment.yaml", "terminationGracePeriodSeconds: {{ add .Values.preStopSeconds 40 }}", "terminationGracePeriodSeconds: soon", "soon"),
        ("poddisruptionbudget.yaml", "apiVersion: policy/v1", "apiVersion: policy/v2", "policy"),
        ("networkpolicy.yaml", "podSelector:", "podSelectors:", "podSelectors"),
    ],
    ids=["misspelt", "type", "version", "unknown"],
)
def test_a_manifest_that_kubernetes_refuses_is_found(chart: Path, tmp_path: Path, file: str, right: str, wrong: str, said: str) -> None:
    mistake(chart, file, right, wrong)
    assert said in complaints(parts(rendered(chart, DEFAULT)), tmp_path, KUBERNETES[-1])


def test_a_template_that_is_broken_is_found(chart: Path) -> None:
    mistake(chart, "service.yaml", '{{ include "causeway.name" . }}', '{{ include "causeway.nam" . }}')
    assert helm("lint", "--strict", chart, given=DEFAULT).status != 0


# That it runs.


def environment(made: list[dict], secrets: dict[str, dict[str, str]]) -> dict[str, str]:
    """The variables of the container: those that are written, and those of Secrets, of the chart or of ours."""
    kept = {part["metadata"]["name"]: {key: base64.b64decode(value).decode() for key, value in part["data"].items()} for part in of_kind(made, "Secret")}
    kept |= secrets
    env = {}
    for source in container(made).get("envFrom", []):
        env |= kept[source["secretRef"]["name"]]
    for each in container(made)["env"]:
        reference = each.get("valueFrom", {}).get("secretKeyRef")
        env[each["name"]] = kept[reference["name"]][reference["key"]] if reference else each["value"]
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
    own = own.replace('\nlisten = "127.0.0.1:8080"', '\nlisten = "0.0.0.0:8080"').replace("\n#key_env = ", "\nkey_env = ", 1)
    own = own.replace(', "CAUSEWAY_SESSION_KEY_BEFORE"]', "]", 1)
    made = parts(rendered(CHART, {"config": own}))
    path.write_text(files(made)["/etc/causeway/config.toml"])
    secrets = {name: VALUE for name in ["CALCULATOR_CLIENT_SECRET", "HELLO_CLIENT_SECRET", "CLOUDWATCH_INSIGHTS_CLIENT_SECRET"]}
    run("check", "--config", str(path), env=environment(made, {}) | secrets).ok()


def test_replicas_run_as_pods_are_told(around: Surroundings) -> None:
    made = parts(rendered(CHART, {"config": around.config, "envFromSecrets": ["targets"], "admin": {"enabled": True}}))
    spec, env = container(made), environment(made, {"targets": {SECRET: VALUE}})
    mounted = files(made)
    [config] = mounted.values()
    assert {each["name"]: each["containerPort"] for each in spec["ports"]} == {"http": port(config, "gateway"), "admin": port(config, "admin")}

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
