"""Images, built by buildah from the Dockerfile with the programs in dist/, and containers of them, run by podman. Judges nothing."""

import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.gateway import ROOT
from harness.process import Process

#: What an orchestrator that trusts nobody allows a container: AgentCore Runtime, ECS and Kubernetes can all be told so.
CONFINED = ["--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--security-opt=no-new-privileges"]
#: Of a machine that may itself be a container: podman's own defaults ask for more than such a one has, and systemd for its timers.
MODEST = ["--runtime=runc", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024", "--no-healthcheck"]
EMULATOR = Path("/usr/bin/qemu-aarch64-static")


def tool(*argv: object) -> str:
    ran = subprocess.run([str(word) for word in argv], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode == 0, f"{' '.join(str(word) for word in argv)}:\n{ran.stdout}{ran.stderr}"
    return ran.stdout


@dataclass(frozen=True)
class Image:
    """One target of the Dockerfile for one architecture."""

    target: str
    architecture: str

    @property
    def name(self) -> str:
        return f"localhost/causeway-check/{self.target}:{self.architecture}"

    def build(self, context: Path = ROOT, file: Path = ROOT / "Dockerfile") -> "Image":
        """Builds it. Docker's format, because OCI's has no health check; files of no particular time, as for a release."""
        chosen = [f"--platform=linux/{self.architecture}", f"--target={self.target}"]
        chosen.append(f"--build-context=build={ROOT / 'dist' / self.architecture}")
        plain = ["--isolation=chroot", "--format=docker", "--timestamp=0", "--pull-never", "--no-cache"]
        tool("buildah", "build", *plain, *chosen, "-t", self.name, "-f", file, context)
        return self

    def about(self) -> dict:
        """What the image says of itself: `architecture`, and in `config` Docker's names."""
        return json.loads(tool("buildah", "inspect", "--type=image", self.name))["Docker"]

    def layers(self) -> list[str]:
        return self.about()["rootfs"]["diff_ids"]

    def files(self) -> dict[str, tarfile.TarInfo]:
        """Each file and directory in it."""
        with tempfile.TemporaryDirectory() as directory:
            archive = Path(directory) / "image.tar"
            tool("podman", "save", "--quiet", "-o", archive, self.name)
            found = {}
            with tarfile.open(archive) as image:
                for layer in json.load(image.extractfile("manifest.json"))[0]["Layers"]:
                    with tarfile.open(fileobj=image.extractfile(layer)) as files:
                        found |= {f"/{each.name.lstrip('./')}": each for each in files}
            return found

    @property
    def emulated(self) -> bool:
        return self.architecture != {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]

    def command(self, *arguments: str, options: tuple[str, ...] = ()) -> list[str]:
        """The command line that runs it, confined. The program of an image of the other architecture is given to an emulator."""
        entry = []
        if self.emulated:
            config = self.about()["config"]
            arguments = (*config["Entrypoint"], *(arguments or config["Cmd"] or ()))
            options += (f"--volume={EMULATOR}:/emulator:ro",)
            entry = ["--entrypoint=/emulator"]
        return ["podman", "run", "--rm", "--pull=never", *MODEST, *CONFINED, *options, *entry, self.name, *arguments]

    @contextmanager
    def running(self, *arguments: str, options: tuple[str, ...] = ()) -> Iterator[Process]:
        """A container of it, ended by SIGTERM as an orchestrator ends it."""
        # What podman needs of a shell: where its store is.
        environment = {name: os.environ[name] for name in ("HOME", "CONTAINERS_STORAGE_CONF") if name in os.environ}
        with Process(self.command(*arguments, options=options), environment) as process:
            yield process
