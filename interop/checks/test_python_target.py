"""Servers made with the Python SDK behind the gateway: over standard streams, over HTTP with sessions, and without."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import anyio
import mcp
import pytest
from mcp.client.streamable_http import streamable_http_client

from harness.clients import CLIENTS, MODERN, Client, Seen
from harness.gateway import PEERS, Gateway, serve
from harness.process import Process

PROGRAM = [sys.executable, str(PEERS / "python_target.py")]
ERAS = ["auto", "modern", "legacy"]
HTTP = ["stateful", "stateless"]
TARGETS = [f"{kind}-{era}" for kind in ["stdio", *HTTP] for era in ERAS]
TOOLS = ["join_words", "count_to", "count_together", "wait_for_release", "release", "refuse"]


@pytest.fixture(scope="module")
def gateway():
    with ExitStack() as started:
        urls = {kind: start(started, kind) for kind in HTTP}
        tables = [table(target, urls) for target in TARGETS]
        config = "\n".join(['authorizer = "none"', '[gateway]\nlisten = "127.0.0.1:0"', *tables])
        yield started.enter_context(serve(config))


def start(started: ExitStack, kind: str) -> str:
    process = started.enter_context(Process([*PROGRAM, kind]))
    return json.loads(process.first_line("it served"))["url"]


def table(target: str, urls: dict[str, str]) -> str:
    """The config of one target."""
    kind, _, era = target.partition("-")
    if kind == "stdio":
        where = f'stdio.command = {json.dumps([*PROGRAM, "stdio"])}\nstdio.era = "{era}"'
    else:
        where = f'http.endpoint = "{urls[kind]}"\nhttp.era = "{era}"'
    return f'[[targets]]\nname = "{target}"\n{where}'


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_a_client_lists_and_calls_them_all(gateway: Gateway, client: Client) -> None:
    calls = [(f"{target}___join_words", {"words": ["a", "é", "😀"], "separator": target}) for target in TARGETS]
    seen = client.run(gateway.endpoint, None, *calls)
    assert seen.protocol == client.protocol
    assert seen.tools == [f"{target}___{tool}" for target in TARGETS for tool in TOOLS]
    for target, call in zip(TARGETS, seen.calls, strict=True):
        joined = target.join(["a", "é", "😀"])
        assert (call["isError"], call["text"], call["structured"]) == (False, joined, {"result": joined}), target


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_progress_reaches_the_client_that_asked(gateway: Gateway, client: Client) -> None:
    calls = [(f"{target}___count_to", {"last": 3}) for target in TARGETS]
    expected = [[number, 3, f"at {number}"] for number in [1, 2, 3]]
    for target, call in zip(TARGETS, client.run(gateway.endpoint, None, *calls).calls, strict=True):
        assert (call["text"], call["progress"]) == ("3", expected), target


@pytest.mark.parametrize("mode", ["legacy", MODERN])
def test_progress_arrives_while_the_call_runs(gateway: Gateway, mode: str) -> None:
    """The call ends only after its client has seen the progress: a gateway that holds it back waits forever."""

    async def main() -> None:
        async with mcp.Client(streamable_http_client(gateway.endpoint), mode=mode) as client:
            for target in TARGETS:
                key = {"key": f"{target} {mode}"}
                answered = anyio.Event()

                async def release(at: float, *_: object, target: str = target, key: dict = key) -> None:
                    await client.call_tool(f"{target}___release", key)
                    answered.set()

                result = await client.call_tool(f"{target}___wait_for_release", key, progress_callback=release)
                assert not result.is_error, (target, result.content)
                # The two answers come in any order, and a client that closes takes the later one with it.
                await answered.wait()

    anyio.run(main)


def test_progress_of_calls_at_once_does_not_mix(gateway: Gateway) -> None:
    """Clients of both eras, whose progress tokens are the same small numbers, are in one server at the same time."""

    def count(client: Client) -> Seen:
        about = {"of": len(CLIENTS), "name": str(client), "last": 5}
        calls = [(f"{target}___count_together", {"party": target} | about) for target in TARGETS]
        return client.run(gateway.endpoint, None, *calls)

    with ThreadPoolExecutor(len(CLIENTS)) as pool:
        for client, seen in zip(CLIENTS, pool.map(count, CLIENTS), strict=True):
            for target, call in zip(TARGETS, seen.calls, strict=True):
                expected = [[number, 5, f"{client} at {number}"] for number in range(1, 6)]
                assert (call["text"], call["progress"]) == (str(client), expected), target


@pytest.mark.parametrize("client", [CLIENTS[0], CLIENTS[2], CLIENTS[3], CLIENTS[6]], ids=str)
def test_a_tool_that_fails_is_a_result(gateway: Gateway, client: Client) -> None:
    calls = [(f"{target}___refuse", {"reason": "no paper"}) for target in TARGETS]
    for target, call in zip(TARGETS, client.run(gateway.endpoint, None, *calls).calls, strict=True):
        assert call["isError"] and "no paper" in call["text"], target
