"""charts/causeway as real Helm renders it: the least, the default and the most that is asked of it. Judges with Kubernetes' own schemas,
and knows nothing else of what is right."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import yaml

from harness.process import CLEAN
from harness.terraform import DEPLOY, HELM, REPOSITORY, TIMEOUT, Ran

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
    "extraEnv": [
        {"name": "RUST_LOG", "value": "info"},
        {"name": "GIT_TOKEN", "valueFrom": {"secretKeyRef": {"name": "git", "key": "token"}}},
    ],
    "extraVolumes": [{"name": "secrets", "secret": {"secretName": "files"}}],
    "extraVolumeMounts": [{"name": "secrets", "mountPath": "/run/secrets", "readOnly": True}],
    "sessionKey": {"existingSecret": "sessions", "key": "now", "previousKey": "before"},
    "sharedState": {"enabled": True, "existingSecret": "redis"},
    "autoscaling": {
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 80}},
            }
        ]
    },
    "service": {"type": "LoadBalancer", "annotations": {"example.com/kind": "internal"}},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "host": "gateway.example.com",
        "tlsSecret": "tls",
        "annotations": {"example.com/a": "b"},
    },
    "admin": {"enabled": True},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "networkPolicy": {
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}],
        "adminFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        "egressPorts": [443, 8000],
        "extraEgress": [{"ports": [{"protocol": "TCP", "port": 6379}], "to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}],
    },
    "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/causeway"}},
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
    ],
    "nodeSelector": {"kubernetes.io/arch": "arm64"},
    "tolerations": [{"key": "arm", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
    "podAnnotations": {"example.com/c": "d"},
    "podLabels": {"team": "tools"},
}
DEFAULT = {"config": CONFIG}

ALL = pytest.mark.parametrize("given", [DEFAULT, LEAST, MOST], ids=["default", "least", "most"])


def copied(directory: Path) -> Path:
    """A copy, to make mistakes in."""
    return Path(shutil.copytree(CHART, directory / "causeway"))


def mistake(chart: Path, file: str, right: str, wrong: str) -> None:
    path = chart / "templates" / file
    assert right in path.read_text()
    path.write_text(path.read_text().replace(right, wrong, 1))


def helm(*arguments: str | Path, given: dict | None = None) -> Ran:
    """Helm with these arguments and values, without a cluster."""
    argv = [HELM, *arguments, *(["--values", "-"] if given is not None else [])]
    with tempfile.TemporaryDirectory() as home:
        ran = subprocess.run(
            [str(word) for word in argv],
            env=CLEAN | {"HOME": home, "KUBECONFIG": f"{home}/config"},
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
        [program, "--strict", "--quiet", "-k", version, file],
        env=CLEAN,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0 or said
    return said
