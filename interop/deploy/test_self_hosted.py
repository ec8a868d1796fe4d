"""terraform/self-hosted: made once and taken down whole, what it says and refuses, the session key; and mistakes in it are found."""

import base64
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.gateways import SECRET, VALUE
from deploy.self_hosted import CONFIG, LEAST, MOST, applied, bare, task
from harness.command import run
from harness.terraform import Aws, Root


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[tuple[Root, Aws]]:
    with bare(tmp_path) as deployed:
        yield deployed


@pytest.fixture
def root(deployed: tuple[Root, Aws]) -> Root:
    return deployed[0]


@pytest.fixture
def provider(deployed: tuple[Root, Aws]) -> Aws:
    return deployed[1]


@pytest.mark.parametrize("given", [LEAST, MOST], ids=["least", "most"])
def test_it_is_made_once_and_taken_down_whole(root: Root, given: dict) -> None:
    root.run("validate", "-no-color").ok()
    applied(root, **given)
    again = root.run("plan", "-detailed-exitcode", "-no-color")
    assert again.status == 0, again.out
    root.run("destroy", "-auto-approve", "-no-color").ok()
    assert json.loads((root.path / "terraform.tfstate").read_text())["resources"] == []


def test_its_files_are_formatted_and_its_own_tests_pass(root: Root) -> None:
    unformatted = root.run("fmt", "-check", "-recursive", "..")
    own = [line for line in unformatted.out.splitlines() if "self-hosted" in line or "modules" in line]
    assert own == []
    tested = root.run("test", "-no-color")
    assert tested.status == 0 and ", 0 failed" in tested.out, tested.out + tested.err


@pytest.mark.parametrize("rule", ["egress", "ingress"])
def test_the_service_waits_until_its_tasks_reach_what_they_need(root: Root, provider: Aws, rule: str) -> None:
    kind = f"aws_vpc_security_group_{rule}_rule"
    provider.refuse(kind)
    root.variables(**LEAST)
    failed = root.run("apply", "-auto-approve", "-no-color")
    assert failed.status == 1 and f"{kind} was refused" in failed.text
    assert "aws_ecs_service" not in {change["type"] for change in provider.changes()}


def test_every_variable_and_output_is_explained(root: Root) -> None:
    root.variables(**LEAST)
    parts = root.plan()["configuration"]["root_module"]
    for kind in ["variables", "outputs"]:
        assert [name for name, part in parts[kind].items() if not part.get("description")] == []
    for file in root.path.glob("variables*.tf"):
        said = re.findall(r'error_message = "(.*)"$', file.read_text(), re.M)
        assert len(said) == file.read_text().count("validation {") > 0
        assert [message for message in said if "write" not in message and "take out" not in message] == []


def test_what_its_readme_and_its_example_say_works(root: Root) -> None:
    readme = (root.path / "README.md").read_text()
    [config] = re.findall(r"```toml\n(.*?)```", readme, re.S)
    example = (root.path / "terraform.tfvars.example").read_text()
    (root.path / "terraform.tfvars").write_text(example)
    planned = root.run("plan", "-no-color", env={"TF_VAR_config_toml": config})
    assert planned.status == 0 and "to add, 0 to change, 0 to destroy" in planned.out, planned.text
    assert set(re.findall(r"^\| `(\w+\.tf)`", readme, re.M)) <= {path.name for path in root.path.glob("*.tf")}


def test_mistakes_are_said_before_anything_is_made(root: Root, provider: Aws) -> None:
    root.variables(
        **LEAST
        | {"config_toml": CONFIG.replace("0.0.0.0:8080", "127.0.0.1:8080"), "secrets": {SECRET: VALUE}, "cpu": 700}
    )
    before = len(provider.changes())
    refused = root.run("apply", "-auto-approve", "-no-color")
    assert refused.status == 1 and len(provider.changes()) == before
    assert 'write `listen = "0.0.0.0:8080"` below [gateway]' in refused.text
    assert "put the value into Secrets Manager and write its ARN" in refused.text
    assert "write 256, 512, 1024" in refused.text


def test_commands_of_its_outputs_are_commands(root: Root) -> None:
    applied(root, **LEAST)
    outputs = root.outputs()
    shown = root.run("output", "-no-color", "commands").ok().out
    # As Terraform shows them they are pasted: nothing in them is escaped.
    assert [command for command in outputs["commands"].values() if command and f'= "{command}"' not in shown] == []
    ours = [
        command.split()[1:] for command in outputs["commands"].values() if command and command.startswith("causeway ")
    ]
    assert len(ours) == 2 and outputs["url"] in ours[0]
    for command in ours:
        run(*command, "--help").ok()
    # Without the option that writes a file, to see that the URL is understood.
    shown = run(*[word for word in ours[1] if word != "--write"], env={"HOME": str(root.path)}).ok()
    assert outputs["url"] in shown.out


@pytest.mark.parametrize(
    ("file", "right", "wrong", "said"),
    [
        ("service.tf", "task_role_arn            =", "task_rol_arn             =", 'Did you mean "task_role_arn"?'),
        ("service.tf", "aws_lb_target_group.gateway.arn", "aws_lb_target_group.gatewy.arn", "has not been declared"),
        ("alarms.tf", "threshold           = each.value.threshold", "threshold           = true", "number required"),
        ("main.tf", "  key_version = var.session_key_version\n", "", 'The argument "key_version" is required'),
    ],
    ids=["misspelt", "undeclared", "type", "missing"],
)
def test_terraform_finds_a_mistake(root: Root, file: str, right: str, wrong: str, said: str) -> None:
    root.replace(file, right, wrong)
    found = root.run("validate", "-no-color")
    assert found.status != 0 and said in found.text, found.text


# The session key.


def keys(provider: Aws, since: int) -> list[str]:
    """Session keys that AWS was told, since so many changes."""
    changes = provider.changes()[since:]
    return [
        change["config"]["secret_string_wo"]
        for change in changes
        if change["type"] == "aws_secretsmanager_secret_version"
    ]


def kept(root: Root) -> str:
    """All that Terraform keeps: the state, and the plan, which is an archive."""
    plan = zipfile.ZipFile(root.path / "plan")
    texts = [plan.read(name).decode(errors="replace") for name in plan.namelist()]
    return "".join([(root.path / "terraform.tfstate").read_text(), *texts])


def test_the_session_key_is_kept_nowhere_and_changes_when_told(root: Root, provider: Aws) -> None:
    since = len(provider.changes())
    root.variables(**LEAST)
    root.plan()
    root.apply()
    [key] = keys(provider, since)
    assert len(base64.b64decode(key, validate=True)) == 32 and key not in kept(root)
    root.plan()
    root.apply()
    assert keys(provider, since) == [key]

    since = len(provider.changes())
    [container] = task(applied(root, **LEAST | {"session_key_version": 2}))["containerDefinitions"]
    [new] = keys(provider, since)
    assert new != key and new not in kept(root)
    before = {secret["name"]: secret["valueFrom"] for secret in container["secrets"]}["CAUSEWAY_SESSION_KEY_BEFORE"]
    assert before.endswith("::AWSPREVIOUS:")


def test_a_key_that_a_state_would_keep_is_found(root: Root, provider: Aws) -> None:
    root.replace("../modules/session-key/main.tf", "secret_string_wo         =", "secret_string            =")
    root.variables(**LEAST)
    root.plan()
    root.apply()
    made = json.loads((root.path / "terraform.tfstate").read_text())["resources"]
    [version] = [
        each["instances"][0]["attributes"] for each in made if each["type"] == "aws_secretsmanager_secret_version"
    ]
    assert version["secret_string"] in kept(root)
