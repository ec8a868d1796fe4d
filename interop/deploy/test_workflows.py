"""The workflows, the Dockerfile and what runs before each commit: judged by their linters, and by rules that those do not have."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from harness.process import CLEAN
from harness.terraform import DEPLOY, REPOSITORY, TERRAFORM, Ran, checkov

WORKFLOWS = REPOSITORY / ".github/workflows"
DOCKERFILE = REPOSITORY / "Dockerfile"
PINNED = re.compile(r"^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def tool(name: str, *arguments: str | Path, cwd: Path = REPOSITORY) -> Ran:
    argv = [str(DEPLOY / ".venv/bin" / name), *(str(word) for word in arguments)]
    ran = subprocess.run(argv, env=CLEAN, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def workflows() -> list[Path]:
    found = sorted(WORKFLOWS.glob("*.yml"))
    assert [path.stem for path in found] == ["ci", "deploy", "release"]
    return found


def test_workflows_are_sound():
    tool("actionlint", *workflows()).ok()


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("runs-on: ubuntu-24.04", "runs-on: ubuntu-94.04", "ubuntu-94.04"),
        ("github.event_name == 'pull_request'", "github.event_nam == 'pull_request'", "event_nam"),
        ("timeout-minutes:", "timeout-minute:", "timeout-minute"),
        ("  contents: read", "  content: read", "content"),
    ],
)
def test_mistakes_in_a_workflow_are_found(tmp_path: Path, right: str, wrong: str, said: str):
    text = (WORKFLOWS / "ci.yml").read_text()
    assert right in text
    # A project of its own: the linter reads nothing else of this one.
    path = tmp_path / "ci.yml"
    path.write_text(text.replace(right, wrong, 1))
    found = tool("actionlint", path, cwd=tmp_path)
    assert found.status == 1 and said in found.text


def test_actions_are_pinned_by_hash_and_say_which_version_that_is():
    used = [line.split("uses:")[1].strip() for path in workflows() for line in path.read_text().splitlines() if "uses:" in line]
    assert used and [each for each in used if not PINNED.match(each)] == []
    # One version of each, so that a pin is moved once.
    assert len({each.split("@")[0] for each in used}) == len(set(used))


def test_a_workflow_may_do_nothing_that_a_job_does_not_ask_for():
    for path in workflows():
        workflow = yaml.safe_load(path.read_text())
        assert workflow["permissions"] == {"contents": "read"}, path.name
        for name, job in workflow["jobs"].items():
            assert "timeout-minutes" in job, f"{path.name}: {name}"
            for step in job["steps"]:
                if step.get("uses", "").startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False


def test_workflows_put_no_text_of_others_into_a_shell():
    """An expression within `run` is text of whoever opened the pull request; it comes by `env` instead."""
    for path in workflows():
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            for step in job["steps"]:
                assert "${{" not in step.get("run", ""), f"{path.name}: {step}"


def test_the_workflow_for_releases_builds_what_the_dockerfile_has():
    release = yaml.safe_load((WORKFLOWS / "release.yml").read_text())
    stages = re.findall(r"^FROM .* AS ([\w-]+)$", DOCKERFILE.read_text(), re.M)
    for job in release["jobs"].values():
        targets = job.get("strategy", {}).get("matrix", {}).get("target", [])
        targets += [step["with"]["target"] for step in job["steps"] if "target" in step.get("with", {})]
        assert {target for target in targets if "${{" not in target} <= set(stages)


def step(workflow: str, job: str, name: str) -> str:
    """What a step runs."""
    steps = yaml.safe_load((WORKFLOWS / f"{workflow}.yml").read_text())["jobs"][job]["steps"]
    return next(each["run"] for each in steps if name in (each.get("name"), each.get("id")))


def ran(script: str, cwd: Path, **env: str) -> tuple[str, dict[str, str]]:
    """Runs a step as GitHub's runner does; gives what it said, and the files that it wrote to by their variables."""
    files = {name: cwd / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_ENV")}
    given = CLEAN | env | {name: str(path) for name, path in files.items()}
    argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    ended = subprocess.run(argv, env=given, cwd=cwd, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout, {name: path.read_text() if path.exists() else "" for name, path in files.items()}


def test_what_an_environment_lacks_is_said(tmp_path: Path):
    names = ["AWS_REGION", "AWS_ROLE_ARN", "TF_ROOT", "TF_CLOUD_ORGANIZATION", "TF_WORKSPACE", "TF_API_TOKEN"]
    script = step("deploy", "environment", "check")
    said, files = ran(script, tmp_path, **(dict.fromkeys(names, "x") | {"TF_ROOT": "", "TF_API_TOKEN": ""}))
    assert "lacks TF_ROOT TF_API_TOKEN;" in said and files["GITHUB_OUTPUT"] == ""
    said, files = ran(script, tmp_path, **dict.fromkeys(names, "x"))
    assert said == "" and files["GITHUB_OUTPUT"] == "ready=true\n"


def test_terraform_is_told_where_it_is(tmp_path: Path):
    """The step that comes before `terraform init`, in a copy of the root that it is for."""
    root = Path(shutil.copytree(REPOSITORY / "terraform/lambda", tmp_path / "lambda", ignore=shutil.ignore_patterns(".terraform*")))
    (tmp_path / "gateway.toml").write_text('[gateway]\nname = "a"')
    given = {"ENVIRONMENT": "dev", "CONFIG": "gateway.toml", "GITHUB_WORKSPACE": str(tmp_path)}
    _, files = ran(step("deploy", "plan", "Variables, and where the state is"), root, **given)
    plan, apply, begin, *text, end = files["GITHUB_ENV"].splitlines()
    assert (plan, apply) == ("TF_CLI_ARGS_plan=-var-file=environments/dev.tfvars", "TF_CLI_ARGS_apply=-var-file=environments/dev.tfvars")
    assert begin == f"TF_VAR_config_toml<<{end}" and text == ["[gateway]", 'name = "a"']
    assert (root / "backend.tf").read_text() == "terraform {\n  cloud {}\n}\n"
    subprocess.run([TERRAFORM, "fmt", "-check", "backend.tf"], cwd=root, env=CLEAN, check=True)


def test_the_dockerfile_is_sound():
    tool("hadolint", DOCKERFILE).ok()
    checkov("dockerfile", "-f", DOCKERFILE).ok()


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("USER 65532:65532", "USER root", "CKV_DOCKER_8"),
        ("HEALTHCHECK ", "# HEALTHCHECK ", "CKV_DOCKER_2"),
        ("COPY . .", "ADD . .", "CKV_DOCKER_4"),
    ],
)
def test_mistakes_in_the_dockerfile_are_found(tmp_path: Path, right: str, wrong: str, said: str):
    text = DOCKERFILE.read_text()
    assert right in text
    path = tmp_path / "Dockerfile"
    path.write_text(text.replace(right, wrong))
    found = checkov("dockerfile", "-f", path)
    assert found.status == 1 and said in found.text


def test_what_runs_before_a_commit_finds_what_it_looks_for(tmp_path: Path):
    shutil.copy(REPOSITORY / ".pre-commit-config.yaml", tmp_path)
    tool("pre-commit", "validate-config", tmp_path / ".pre-commit-config.yaml").ok()
    # Taken apart, so that this file is not found itself.
    (tmp_path / "right.pem").write_text("-----BEGIN PUBLIC KEY-----\n" + "A" * 64 + "\n")
    (tmp_path / "wrong.pem").write_text("-----BEGIN " + "PRIVATE KEY-----\n" + "A" * 64 + "\n")
    (tmp_path / "credentials").write_text("[default]\naws_secret_access_key" + " = " + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    found = tool("pre-commit", "run", "keys", "--all-files", cwd=tmp_path)
    assert found.status == 1
    assert "wrong.pem" in found.out and "credentials" in found.out and "right.pem" not in found.out


def test_nothing_of_the_project_is_found_before_a_commit():
    found = tool("pre-commit", "run", "keys", "--all-files")
    assert found.status == 0, found.out


def test_the_dev_container_is_described_as_its_editors_read_it():
    lines = (REPOSITORY / ".devcontainer/devcontainer.json").read_text().splitlines()
    container = json.loads("\n".join(line for line in lines if not line.lstrip().startswith("//")))
    assert container["forwardPorts"] == [8080, 8081]
    # What it installs is what the checks are run with.
    assert ".ci/requirements.txt" in container["postCreateCommand"]
