"""Real Terraform on a copy of a root, with a stand-in for the AWS provider that knows its schema. Judges nothing."""

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.gateway import HERE
from harness.process import CLEAN, DEADLINE, Process

DEPLOY = HERE / "deploy"
REPOSITORY = HERE.parent
#: The program: what `causeway deploy` runs, and these checks.
TERRAFORM = DEPLOY / "bin/terraform"
HELM = DEPLOY / ".tools/bin/helm"
CHECKOV = DEPLOY / ".checkov/bin/checkov"
#: In seconds. The slowest, `terraform test` of a large root, takes a minute on a busy machine; one that takes longer hangs.
TIMEOUT = 300


@dataclass
class Ran:
    """What came of a command."""

    status: int
    out: str
    err: str

    def ok(self) -> "Ran":
        assert self.status == 0, f"status {self.status}\n{self.out}{self.err}"
        return self

    @property
    def text(self) -> str:
        """Both outputs in one line, without the frame that Terraform draws around an error."""
        return " ".join((self.out + self.err).replace("│", " ").split())


class Aws:
    """The stand-in: one for all of a check's commands. Serves the types that the files below `roots` use."""

    def __init__(self, directory: Path, *roots: Path) -> None:
        self.directory = directory
        bindings = DEPLOY / ".tools/aws-bindings"
        argv = [DEPLOY / ".venv/bin/python", DEPLOY / "provider/server.py", bindings, directory / "s", directory, *roots]
        self._process = Process([str(word) for word in argv])
        self.env = {
            "TF_REATTACH_PROVIDERS": self._process.first_line("the stand-in for the AWS provider serves"),
            "TF_CLI_CONFIG_FILE": os.devnull,
            "CHECKPOINT_DISABLE": "1",
            # Terraform wants a home for what it knows of this machine, which is nothing.
            "HOME": str(directory),
        }

    def changes(self) -> list[dict]:
        """Each change so far: `type`, `change` (create, update, delete) and `config`, the arguments."""
        path = self.directory / "changes.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def refuse(self, *types: str) -> None:
        """From now on nothing of these types is created or changed; none: everything is."""
        (self.directory / "refuse").write_text("\n".join(types))

    def hold(self, *types: str) -> None:
        """From now on the making of these types takes until this is called without them."""
        (self.directory / "hold").write_text("\n".join(types))

    def until_asked(self, kind: str, after: int = 0) -> None:
        """Waits until something of this type was asked for, after so many changes."""
        deadline = time.monotonic() + DEADLINE
        while not any(change["type"] == kind for change in self.changes()[after:]):
            assert time.monotonic() < deadline, f"nothing of type {kind} was asked for: {self.changes()[after:]}"
            time.sleep(0.05)

    def end(self) -> None:
        self._process.end()


@contextlib.contextmanager
def aws(directory: Path, *roots: Path) -> Iterator[Aws]:
    directory.mkdir(parents=True, exist_ok=True)
    provider = Aws(directory, *(roots or [REPOSITORY / "terraform"]))
    try:
        yield provider
    finally:
        provider.end()


class Root:
    """A copy of one of the roots of `terraform/`, with the modules beside it."""

    def __init__(self, name: str, directory: Path, provider: Aws) -> None:
        shutil.copytree(REPOSITORY / "terraform", directory, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
        self.path = directory / name
        self._env = CLEAN | provider.env

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> Ran:
        """`terraform` with these arguments, in the root, asking nothing."""
        ran = subprocess.run(
            [str(TERRAFORM), *arguments],
            cwd=self.path,
            env=self._env | {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0"} | (env or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        # A crash begins with what happened, and goes on with all of its threads.
        assert ran.returncode >= 0, f"Terraform was ended by signal {-ran.returncode}\n{ran.stdout[-2000:]}\n{ran.stderr[:4000]}"
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def init(self) -> "Root":
        self.run("init", "-backend=false", "-no-color").ok()
        return self

    def variables(self, **values) -> None:
        """Sets variables, in the file that Terraform reads by itself."""
        (self.path / "check.auto.tfvars.json").write_text(json.dumps(values))

    def plan(self) -> dict:
        """The plan, as Terraform shows it in JSON."""
        self.run("plan", "-out=plan", "-no-color").ok()
        return json.loads(self.run("show", "-json", "plan").ok().out)

    def apply(self) -> dict:
        """Applies, and answers the state as Terraform shows it in JSON."""
        self.run("apply", "-auto-approve", "-no-color").ok()
        return json.loads(self.run("show", "-json").ok().out)

    def outputs(self) -> dict:
        """Each output's value."""
        outputs = json.loads(self.run("output", "-json").ok().out)
        return {name: output["value"] for name, output in outputs.items()}

    def replace(self, file: str, text: str, by: str) -> None:
        """Makes a mistake in one of the files, for a check to find."""
        path = self.path / file
        before = path.read_text()
        assert text in before, f"{file} does not have: {text}"
        path.write_text(before.replace(text, by, 1))


def resources(plan_or_state: dict) -> Iterator[dict]:
    """Each resource of a plan or a state with its values, in all modules."""
    values = plan_or_state.get("planned_values") or plan_or_state["values"]
    modules = [values["root_module"]]
    while modules:
        module = modules.pop()
        modules += module.get("child_modules", [])
        yield from (resource for resource in module.get("resources", []) if resource["mode"] == "managed")


def checkov(framework: str, *arguments: str | Path) -> Ran:
    """Checkov's judgement: status 0 if nothing is left to say. Asks no server."""
    argv = [CHECKOV, "--framework", framework, "--compact", "--quiet", "--skip-download", *arguments]
    # A word of its own for "do not ask Prisma Cloud": it looks for its policies there otherwise.
    ran = subprocess.run(
        [str(word) for word in argv], env=CLEAN, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    return Ran(ran.returncode, ran.stdout, "")
