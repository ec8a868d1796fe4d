"""Servers made with the Python SDK that end and come back while the gateway runs: their sessions and processes are new, and
callers need do nothing about it."""

import json
import sys
from urllib.parse import urlsplit

import pytest

from harness.gateway import PEERS, Gateway, post, serve
from harness.process import Process, until

PROGRAM = [sys.executable, str(PEERS / "python_target.py")]
CONFIG = """
authorizer = "none"

[gateway]
listen = "127.0.0.1:0"

[[targets]]
name = "python"
"""


@pytest.mark.parametrize("era", ["legacy", "modern"])
@pytest.mark.parametrize("kind", ["stateful", "stateless"])
def test_a_server_over_http(kind: str, era: str) -> None:
    with Process([*PROGRAM, kind]) as first:
        url = json.loads(first.first_line("it served"))["url"]
        with serve(CONFIG + f'http.endpoint = "{url}"\nhttp.era = "{era}"') as gateway:
            assert join(gateway) == "a b"
            first.end()
            # At once, or after a few calls that found it so.
            said = join(gateway)
            assert said.startswith("target `python` ") and "could not be reached" in said, said
            with Process([*PROGRAM, kind, str(urlsplit(url).port)]) as second:
                second.first_line("it served again")
                until(lambda: join(gateway) == "a b", "it is asked again")


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_a_server_over_standard_streams(era: str) -> None:
    command = json.dumps([*PROGRAM, "stdio"])
    with serve(CONFIG + f'stdio.command = {command}\nstdio.era = "{era}"') as gateway:
        assert join(gateway) == "a b"
        (child,) = gateway.process.descendants()
        child.kill()
        # It was killed soon after its start, so the gateway takes a moment before it tries again.
        until(lambda: join(gateway) == "a b", "the server was started again")
        (successor,) = gateway.process.descendants()
        assert successor.pid != child.pid


def join(gateway: Gateway) -> str:
    asked = {"name": "python___join_words", "arguments": {"words": ["a", "b"]}}
    return result_text(post(gateway.endpoint, method="tools/call", **asked).json())


def result_text(answer: dict) -> str:
    """The text of a tool's result; of anything else the whole."""
    content = answer.get("result", {}).get("content")
    return content[0]["text"] if content else json.dumps(answer)
