"""One command of the program under test, run to its end. Judges nothing."""

import json
import subprocess
from dataclasses import dataclass

from harness.gateway import causeway
from harness.process import CLEAN


@dataclass
class Ended:
    """What came of it."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        return json.loads(self.out)

    def ok(self) -> "Ended":
        """Itself, if it did what it should."""
        assert self.status == 0, f"status {self.status}\n{self.out}{self.err}"
        return self


def run(*arguments: str, env: dict[str, str] | None = None, stdin: str | None = None, cwd: str | None = None) -> Ended:
    """Runs `causeway` with these arguments."""
    given = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
    argv = [causeway(), *arguments]
    ran = subprocess.run(
        argv, env=CLEAN | (env or {}), cwd=cwd, capture_output=True, text=True, timeout=120, check=False, **given
    )
    return Ended(ran.returncode, ran.stdout, ran.stderr)
