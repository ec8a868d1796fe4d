"""The official suite as a program: which scenarios a revision has, and what came out of a run. Judges no outcome."""

import json
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from harness.gateway import HERE
from harness.process import CLEAN, node

PROGRAM = HERE / "node_modules/@modelcontextprotocol/conformance"
REVISIONS = ["2025-11-25", "2026-07-28"]
#: A run that takes longer than this hangs. In seconds.
TIMEOUT = 400


@dataclass(frozen=True)
class Scenario:
    name: str
    #: Why it does not count for the revision; absent if it counts.
    unscored: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What one scenario's checks said."""

    passed: int = 0
    failed: int = 0
    warnings: int = 0
    #: Each check that failed or warned, with what it said.
    problems: list[tuple[str, str]] = field(default_factory=list)
    ran: bool = True

    @property
    def good(self) -> bool:
        return self.ran and self.failed == 0


NOT_RUN = Outcome(ran=False)


def version() -> str:
    return json.loads((PROGRAM / "package.json").read_text())["version"]


@cache
def scenarios(revision: str) -> list[Scenario]:
    """The server scenarios of a revision, those that count first, in the suite's order."""
    listed = call("list", "--requirements", revision).stdout
    counted = re.search(r"^Server scenarios.*?:\n((?:  - .*\n)+)", listed, re.M)
    found = [Scenario(name) for name in re.findall(r"- (\S+)", counted[1])]
    for reason, names in re.findall(r"^  (\S+) \(\d+\):\n((?:    - .*\n?)+)", listed, re.M):
        found += [Scenario(name, reason) for name in re.findall(r"- (\S+) \[server\]", names)]
    return found


def run(url: str, revision: str, directory: Path) -> dict[str, Outcome]:
    """Every scenario of the revision against the server at `url`; what it wrote stays in `directory`."""
    log = directory / "suite.log"
    directory.mkdir(parents=True)
    try:
        done = call("server", "--url", url, "--requirements", revision, "-o", str(directory), timeout=TIMEOUT)
        log.write_text(done.stdout + done.stderr)
    except subprocess.TimeoutExpired as late:
        log.write_text(f"{(late.stdout or b'').decode()}\nended after {TIMEOUT} s")
    outcomes = {}
    for checks in directory.glob("server-*/checks.json"):
        name = re.fullmatch(r"server-(.+?)-\d{4}-\d\d-\d\dT[\w-]+", checks.parent.name)[1]
        outcomes[name] = outcome(json.loads(checks.read_text()))
    return outcomes


def outcome(checks: list[dict]) -> Outcome:
    counts = Counter(check["status"] for check in checks)
    bad = [check for check in checks if check["status"] in ("FAILURE", "WARNING")]
    problems = [(check["id"], check.get("errorMessage") or "") for check in bad]
    return Outcome(counts["SUCCESS"], counts["FAILURE"], counts["WARNING"], problems)


def call(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess:
    argv = [node(), str(PROGRAM / "dist/index.js"), *arguments]
    return subprocess.run(argv, env=CLEAN, capture_output=True, text=True, timeout=timeout, check=False)
