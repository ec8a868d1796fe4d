"""AWS as moto emulates it: the second opinion beside ministack, with signatures judged. Knows nothing of the gateway."""

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from harness.account import Account
from harness.process import Process


class Moto(Account):
    """A running one, which answers every caller until `judge` is called."""

    def judge(self) -> None:
        """From now on every request needs a good signature of a user whose policy allows it."""
        answer = httpx2.post(
            f"{self.url}/moto-api/reset-auth", content="0", headers={"Content-Type": "text/plain"}, trust_env=False
        )
        answer.raise_for_status()


@contextmanager
def moto() -> Iterator[Moto]:
    """Starts one, with nothing in it."""
    program = str(Path(sys.executable).parent / "moto_server")
    with tempfile.TemporaryDirectory() as home, Process([program, "-H", "127.0.0.1", "-p", "0"], {"HOME": home}) as it:
        yield Moto(it.wait_for(lambda: address(it.errors + it.lines), "moto says where it listens"))


def address(lines: list[str]) -> str | None:
    found = (re.search(r"Running on (http://127\.0\.0\.1:\d+)", line) for line in lines)
    return next((match[1] for match in found if match), None)
