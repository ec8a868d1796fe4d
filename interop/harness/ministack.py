"""AWS as ministack emulates it: Cognito, CloudWatch Logs, and signatures and policies of the users made in it judged. Only starts
it."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2

from harness.account import Account
from harness.process import Process, free_port, until

TRIES = 3


@contextmanager
def ministack(settings: dict[str, str] | None = None) -> Iterator[Account]:
    """Starts one, with nothing in it, that judges the signatures of users made in it, and their policies. `settings` are variables
    of its own."""
    with tempfile.TemporaryDirectory() as home, ExitStack() as started:
        # It takes no port 0, and somebody may have taken the one that was free.
        for _ in range(TRIES):
            port = free_port()
            url = f"http://127.0.0.1:{port}"
            process = started.enter_context(start(port, home, settings or {}))
            if comes_up(process, url):
                break
        assert not process.ended(), f"ministack ended:\n{process.log()}"
        yield Account(url)


def comes_up(process: Process, url: str) -> bool:
    """Whether it answers, and not somebody else who had the port first."""
    until(lambda: process.ended() or answers(url), "ministack answers")
    return not process.ended()


def start(port: int, home: str, more: dict[str, str]) -> Process:
    program = str(Path(sys.executable).parent / "ministack")
    settings = more | {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "AUTH": "true",
        "HOME": home,
    }
    return Process([program], settings, cwd=home)


def answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/_ministack/health", trust_env=False).status_code < 500
    except httpx2.TransportError:
        return False
