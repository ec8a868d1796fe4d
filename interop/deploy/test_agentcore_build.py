"""The commands that CodeBuild runs for a server's image, run by bash. `aws` and `docker` are stand-ins that write down what they are asked
and answer as they are told."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from harness.process import CLEAN
from harness.terraform import REPOSITORY

BUILDSPEC = REPOSITORY / "terraform/modules/server-image/buildspec.yml"
URL = "123456789012.dkr.ecr.us-east-1.amazonaws.com/calculator"
STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >> "$ASKED"
case "$(basename "$0") $*" in $ABSENT | $FAILING) exit 1;; esac
"""


class Build:
    """A directory as CodeBuild has it: files of S3, without permissions."""

    def __init__(self, directory: Path) -> None:
        self.source, self.asked, programs = directory / "source", directory / "asked", directory / "programs"
        for path in (self.source, programs):
            path.mkdir()
        for name in ("aws", "docker"):
            (programs / name).write_text(STAND_IN)
            (programs / name).chmod(0o755)
        self.asked.touch()
        self.path = f"{programs}:{os.environ['PATH']}"

    def run(self, there: bool = False, failing: str = "") -> tuple[int, list[str]]:
        """The status, and what was asked, where the image is there or not and the command that begins so fails."""
        [command] = yaml.safe_load(BUILDSPEC.read_text())["phases"]["build"]["commands"]
        env = CLEAN | {"PATH": self.path, "ASKED": str(self.asked), "FAILING": f"{failing}*" if failing else ""}
        env["ABSENT"] = "" if there else "aws ecr describe-images*"
        env |= {"REPOSITORY_URL": URL, "REPOSITORY_NAME": "calculator", "IMAGE_TAG": "0123"}
        ran = subprocess.run(["bash", "-c", command], cwd=self.source, env=env, capture_output=True, timeout=60, check=False)
        return ran.returncode, self.asked.read_text().splitlines()


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path)


def test_an_image_that_is_not_there_is_built_for_arm64_and_pushed(build: Build) -> None:
    status, asked = build.run()
    assert status == 0
    assert asked[0] == "aws ecr describe-images --repository-name calculator --image-ids imageTag=0123"
    assert sorted(asked[1:3]) == [
        "aws ecr get-login-password",
        "docker login --username AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com",
    ]
    assert asked[3:] == [f"docker build --platform linux/arm64 --tag {URL}:0123 .", f"docker push {URL}:0123"]


def test_an_image_that_is_there_is_left_alone(build: Build) -> None:
    status, asked = build.run(there=True)
    assert status == 0 and len(asked) == 1


@pytest.mark.parametrize("step", ["aws ecr get-login-password", "docker login", "docker build", "docker push"])
def test_a_step_that_fails_fails_the_build(build: Build, step: str) -> None:
    status, asked = build.run(failing=step)
    assert status != 0
    assert asked[-1].startswith(step) or "login" in step and not any(each.startswith("docker build") for each in asked)


def test_programs_are_programs_again(build: Build) -> None:
    script, binary, text = build.source / "bin/start it.sh", build.source / "image.png", build.source / "notes.txt"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    binary.write_bytes(b"\0\0PNG")
    text.write_text("#")
    for path in (script, binary, text):
        path.chmod(0o644)
    status, _ = build.run()
    assert status == 0
    assert [os.access(path, os.X_OK) for path in (script, binary, text)] == [True, False, False]
