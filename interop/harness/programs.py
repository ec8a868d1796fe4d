"""Clients that people use, as the programs that their makers give out: Claude Code and GitHub Copilot's command line, each with a
home of its own and nobody to talk to but this machine. And VS Code's parser. Judges nothing."""

import json
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.gateway import HERE
from harness.process import CLEAN, node

CLIENTS = HERE / "people/clients"
#: A start of these programs takes a second; a run that takes longer than this hangs. In seconds.
TIMEOUT = 120


def built(package: str, program: str) -> str:
    """The program for this system; npm calls systems by Node.js's names."""
    machine = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
    return str(CLIENTS / f"node_modules/{package}-{platform.system().lower()}-{machine}" / program)


@dataclass
class Program:
    """One of them."""

    path: str
    home: Path
    env: dict[str, str]

    def run(self, *args: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
        """Both outputs of a run that went well."""
        ran = subprocess.run(
            [self.path, *args],
            env=CLEAN | {"HOME": str(self.home)} | self.env | (env or {}),
            cwd=cwd or self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert ran.returncode == 0, f"{self.path} {args}:\n{ran.stdout}{ran.stderr}"
        return ran.stdout + ran.stderr


def claude(home: Path) -> Program:
    quiet = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1"}
    return Program(built("@anthropic-ai/claude-code", "claude"), home, quiet)


def copilot(home: Path) -> Program:
    return Program(built("@github/copilot", "copilot"), home, {"COPILOT_OFFLINE": "true", "COPILOT_AUTO_UPDATE": "false"})


def causeway(home: Path) -> Program:
    """The program under test, in the same home."""
    return Program(os.environ["CAUSEWAY_BIN"], home, {})


def read_by_vs_code(path: Path) -> dict:
    """`errors`, `value` and `comments` of a file."""
    read = subprocess.run([node(), str(CLIENTS / "jsonc.mjs"), str(path)], capture_output=True, text=True, check=True)
    return json.loads(read.stdout)
