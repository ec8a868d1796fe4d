"""charts/causeway: what pods may do, as the Pod Security Standards say and checkov judges; and what they may too much is found."""

from pathlib import Path

import pytest
import yaml

from deploy.chart import ALL, CHART, DEFAULT, MOST, container, copied, mistake, parts, pod, rendered
from harness.terraform import Ran, checkov


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    return copied(tmp_path)


def unrestricted(made: list[dict]) -> list[str]:
    """What the Pod Security Standard "restricted" does not allow.
    https://kubernetes.io/docs/concepts/security/pod-security-standards/"""
    spec = pod(made)
    found = [f"{name} is set" for name in ("hostNetwork", "hostPID", "hostIPC", "hostUsers") if spec.get(name)]
    allowed = {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
    found += [
        f"volume {volume['name']}" for volume in spec.get("volumes", []) if not (volume.keys() - {"name"}) <= allowed
    ]
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
            "capabilities": capabilities.get("drop") != ["ALL"]
            or not set(capabilities.get("add", [])) <= {"NET_BIND_SERVICE"},
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
        (
            'containerPort: {{ include "causeway.port" . }}',
            "containerPort: 8080\n              hostPort: 8080",
            "host ports",
        ),
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
