"""The judge of the other files here: that real Terraform with the stand-in for the AWS provider finds mistakes, and keeps a state as
it should. A stand-in that let everything pass would make all of them worthless."""

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.process import CLEAN
from harness.terraform import DEPLOY, TERRAFORM, Aws, Root, aws, resources

SECRET = "never in a state"


class Sample(Root):
    def __init__(self, directory: Path, provider: Aws) -> None:
        shutil.copytree(DEPLOY / "sample", directory / "sample")
        self.path = directory / "sample"
        self._env = CLEAN | provider.env


@pytest.fixture(scope="module")
def provider(tmp_path_factory) -> Iterator[Aws]:
    with aws(tmp_path_factory.mktemp("aws"), DEPLOY / "sample") as provider:
        yield provider


@pytest.fixture
def sample(tmp_path: Path, provider: Aws) -> Sample:
    return Sample(tmp_path, provider).init()


def test_what_is_right_is_planned_applied_and_destroyed(sample: Sample):
    sample.run("validate", "-no-color").ok()
    state = sample.apply()
    types = sorted(resource["type"] for resource in resources(state))
    assert types == ["aws_bedrockagentcore_oauth2_credential_provider", "aws_iam_role", "aws_iam_role_policy", "aws_s3_bucket"]
    [policy] = [resource["values"]["policy"] for resource in resources(state) if resource["type"] == "aws_iam_role_policy"]
    [statement] = json.loads(policy)["Statement"]
    assert statement["Resource"][0].startswith("arn:aws:s3:") and statement["Resource"][0].endswith("/*")
    assert sample.outputs()["secret_arn"].startswith("arn:aws:")

    # Nothing is to be done a second time; afterwards nothing is left.
    assert sample.run("plan", "-detailed-exitcode", "-no-color").status == 0
    sample.run("destroy", "-auto-approve", "-no-color").ok()
    assert json.loads((sample.path / "terraform.tfstate").read_text())["resources"] == []


def test_write_only_arguments_reach_the_provider_but_no_state(sample: Sample, provider: Aws):
    sample.apply()
    assert SECRET in json.dumps(provider.changes())
    assert SECRET not in (sample.path / "terraform.tfstate").read_text()


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("discovery_url =", "discovery_ur =", 'Did you mean "discovery_url"?'),
        ("oauth_discovery {", "oauth_discovry {", "Unsupported block type"),
        ('credential_provider_vendor = "CustomOauth2"', "", 'The argument "credential_provider_vendor" is required'),
        ("client_credentials_wo_version = 1", 'client_credentials_wo_version = "one"', "a number is required"),
        ("[0].secret_arn", "[0].secret_urn", "does not have an attribute named"),
        ('"aws_s3_bucket" "source"', '"aws_s3_bukket" "source"', "aws_s3_bukket"),
        ("var.secret", "var.secrets", "Reference to undeclared input variable"),
        ('["s3:GetObject"]', '["s3:GetObject",', "Missing item separator"),
    ],
)
def test_mistakes_are_found(sample: Sample, right: str, wrong: str, said: str):
    sample.replace("main.tf", right, wrong)
    found = sample.run("validate", "-no-color")
    assert found.status != 0 and said in found.text


def test_what_is_refused_fails_and_is_made_at_the_next_try(sample: Sample, provider: Aws):
    provider.refuse("aws_iam_role_policy")
    failed = sample.run("apply", "-auto-approve", "-no-color")
    assert failed.status == 1 and "aws_iam_role_policy was refused" in failed.text
    provider.refuse()
    again = sample.run("apply", "-auto-approve", "-no-color").ok()
    assert "1 added, 0 changed, 0 destroyed" in again.text


def test_an_interrupt_ends_what_has_begun_and_no_more(sample: Sample, provider: Aws):
    provider.hold("aws_s3_bucket")
    before = len(provider.changes())
    child = subprocess.Popen(
        [TERRAFORM, f"-chdir={sample.path}", "apply", "-auto-approve", "-no-color"], env=CLEAN | provider.env, stdout=subprocess.PIPE, text=True
    )
    provider.until_asked("aws_s3_bucket", after=before)
    child.send_signal(signal.SIGINT)
    for line in child.stdout:
        if "Interrupt" in line or "Stopping" in line:
            break
    provider.hold()
    said, _ = child.communicate(timeout=60)
    assert child.returncode != 0, said
    made = [resource["type"] for resource in json.loads((sample.path / "terraform.tfstate").read_text())["resources"]]
    assert "aws_s3_bucket" in made and "aws_iam_role_policy" not in made
