"""A gateway in AgentCore's place that dies or hangs under a steady load, with the servers behind it standing by: what may be
asked twice is always answered, what may not is never carried out twice, and all is as before when it is back. Counted by a
server that both paths lead to."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import httpx2
import pytest

from harness.gateway import PEERS, Gateway, causeway, post, sample, serve, written
from harness.process import Process, free_port, until

WORKERS = 6
#: Answers that say enough.
MANY = 120

#: It says that it only reads, so it may be called twice; so may the calculator's.
LOOKS = "fixture___annotated_answer"
ADDS = "calculator___add_numbers"
#: It says nothing about itself.
ACTS = "fixture___test_simple_text"

#: AgentCore lists the tools of one target a page.
FIRST = """
authorizer = "none"

[gateway]
listen = "127.0.0.1:{port}"
list_page = "target"
"""

GATEWAY = """
authorizer = "none"

[gateway]
listen = "127.0.0.1:0"

[limits]
first_byte_seconds = 4
discovery_seconds = 2

[failover]
failures = 3
first_byte_seconds = 1

[[targets]]
name = "agentcore"
kind = "agentcore-gateway"
standby = ["fixture", "calculator"]
http.endpoint = "http://127.0.0.1:{port}/mcp"
"""


@dataclass
class Stage:
    """What runs: the gateway under test, and the one that it prefers to the servers themselves."""

    gateway: Gateway
    first: Process
    servers: str
    port: int

    def paths(self) -> dict[str, dict]:
        """What the gateway says of its paths, by their names."""
        ready = httpx2.get(self.gateway.endpoint.removesuffix("/mcp") + "/readyz", trust_env=False).json()
        return {path["name"]: path for path in ready["targets"][0]["paths"]}

    def is_up(self) -> bool:
        return self.paths()["agentcore"]["state"] == "up"

    def tools(self) -> list[str]:
        return sorted(tool["name"] for tool in post(self.gateway.endpoint).json()["result"]["tools"])

    def runs_of(self, tool: str) -> int:
        """How often the fixture began to work on a call of this tool, whoever sent it."""
        asked = {"name": "fixture___runs_of", "arguments": {"tool": tool.removeprefix("fixture___")}}
        answer = post(self.gateway.endpoint, method="tools/call", **asked).json()
        return answer["result"]["structuredContent"]["begun"]


@contextmanager
def first_gateway(port: int, servers: str) -> Iterator[Process]:
    """The preferred gateway, once it knows its tools."""
    with written(FIRST.format(port=port) + servers) as path, Process([causeway(), "serve", "--config", path]) as process:
        until(lambda: process.ended() or is_ready(port), "the first gateway is ready")
        assert not process.ended(), process.log()
        yield process


def is_ready(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


@contextmanager
def stage() -> Iterator[Stage]:
    with ExitStack() as started:
        fixture = started.enter_context(Process([os.environ["CAUSEWAY_FIXTURE_BIN"], "--listen", "127.0.0.1:0"]))
        urls = {
            "fixture": fixture.first_line("it served").removeprefix("listening on "),
            "calculator": started.enter_context(sample("calculator")),
        }
        tables = [f'[[targets]]\nname = "{name}"\nhttp.endpoint = "{url}"\n' for name, url in urls.items()]
        servers, port = "\n".join(tables), free_port()
        first = started.enter_context(first_gateway(port, servers))
        gateway = started.enter_context(serve(GATEWAY.format(port=port) + servers))
        yield Stage(gateway, first, servers, port)


@contextmanager
def steady_load(endpoint: str, mode: str) -> Iterator["Load"]:
    calls = [f"{LOOKS}={{}}", f"{ACTS}={{}}", f'{ADDS}={{"a": 40, "b": 2}}']
    argv = [sys.executable, str(PEERS / "steady_client.py"), endpoint, mode, str(WORKERS), *calls]
    with Process(argv) as process:
        yield Load(process)


@dataclass
class Load:
    """A client that calls without a pause."""

    process: Process

    def calls(self) -> list[dict]:
        return [line for line in map(json.loads, list(self.process.lines)) if "call" in line]

    def more(self, count: int = MANY) -> None:
        """Waits for that many further answers."""
        wanted = len(self.process.lines) + count
        self.process.wait_for(lambda: len(self.process.lines) >= wanted or None, f"{count} more answers")

    def until(self, condition: Callable[[], bool], what: str) -> None:
        until(lambda: self.process.ended() or condition(), what)
        assert not self.process.ended(), self.process.log()

    def finish(self) -> dict[str, int]:
        """Ends it once what it waits for is there; says how many answers came by which path."""
        self.process.end_input()
        last = self.process.wait_for(lambda: next((x for x in self.process.lines if '"paths"' in x), None), "it ended")
        return json.loads(last)["paths"]


MODES = ["legacy", "2026-07-28"]


@pytest.mark.parametrize("mode", MODES)
def test_the_first_path_is_killed_and_comes_back(mode: str) -> None:
    with stage() as on, steady_load(on.gateway.endpoint, mode) as load:
        names = on.tools()
        assert {LOOKS, ADDS, ACTS} <= set(names) and len(names) == len(set(names))
        load.more()
        before = on.paths()
        assert before["agentcore"]["served"] >= MANY and before["fixture"]["served"] == 0
        on.first.signal(signal.SIGKILL)
        load.more()
        load.until(lambda: not on.is_up(), "the first path is down")
        assert on.tools() == names
        load.more()
        with first_gateway(on.port, on.servers):
            load.until(on.is_up, "the first path is up again")
            served = on.paths()["agentcore"]["served"]
            load.until(lambda: on.paths()["agentcore"]["served"] >= served + MANY, "the first path serves again")
            judge(on, load, names, lost="broke off its answer")


@pytest.mark.parametrize("mode", MODES)
def test_the_first_path_hangs_and_goes_on(mode: str) -> None:
    with stage() as on, steady_load(on.gateway.endpoint, mode) as load:
        names = on.tools()
        load.more()
        on.first.signal(signal.SIGSTOP)
        try:
            load.until(lambda: not on.is_up(), "the first path is down")
            load.more()
            assert on.tools() == names
        finally:
            on.first.signal(signal.SIGCONT)
        load.until(on.is_up, "the first path is up again")
        served = on.paths()["agentcore"]["served"]
        load.until(lambda: on.paths()["agentcore"]["served"] >= served + MANY, "the first path serves again")
        judge(on, load, names, lost="did not answer within")


def judge(on: Stage, load: Load, names: list[str], lost: str) -> None:
    """Nothing that may be asked twice was lost, nothing else ran twice, and who may not know says so."""
    by_path = load.finish()
    calls = load.calls()
    failed = [call for call in calls if not call["ok"]]
    assert all(call["call"] == ACTS for call in failed), failed
    for call in failed:
        assert lost in call["text"] and "may or may not have been carried out" in call["text"], call
    assert len(failed) <= 2 * WORKERS, f"no more than those under way: {failed}"
    answered = sum(call["ok"] for call in calls if call["call"] == ACTS)
    runs = on.runs_of(ACTS)
    assert answered <= runs <= answered + len(failed), (answered, runs, len(failed))
    assert on.runs_of(LOOKS) >= sum(call["call"] == LOOKS for call in calls)
    assert all(call["text"] == "42" for call in calls if call["call"] == ADDS)
    assert on.tools() == names
    assert by_path["agentcore"] > 0 and by_path["fixture"] > 0 and by_path["calculator"] > 0, by_path
    # An answer that came without a path came from none: these are what failed, and what is no call.
    assert sum(by_path.values()) == len(calls) - len(failed), by_path
