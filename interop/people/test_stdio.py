"""`causeway stdio` as clients start it: the SDKs' own clients for standard streams, through it, at a gateway that checks tokens;
and what becomes of it when the gateway goes away, when tokens end, and when its client goes away."""

import json
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from harness.gateway import Gateway, causeway, sample, serve, written
from harness.issuer import rotating_issuer
from harness.process import CLEAN, Process, running, until
from matrix.clients import CLIENTS, Client
from matrix.outcome import play
from matrix.script import FEATURES
from matrix.servers import behind_one_gateway

#: Those that can start a server; the inspector's are programs for people.
STARTING = [client for client in CLIENTS if not client.name.startswith("inspector")]


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with behind_one_gateway() as gateway:
        yield gateway


def bridge(url: str, *args: str) -> list[str]:
    return [causeway(), "stdio", "--url", url, *args]


@pytest.mark.parametrize("client", STARTING, ids=str)
def test_every_feature_over_the_bridge(gateway: Gateway, client: Client) -> None:
    # Some features are seen by what servers counted for the client of this name.
    named = replace(client, name=f"{client.name} over streams", cannot=cannot(client))
    with_token = bridge(gateway.endpoint, "--auth", "bearer", "--token-env", "TOKEN")
    outcome = play(named, gateway, with_token)
    assert not outcome.wrong(), outcome.line()
    assert outcome.protocol == client.protocol
    assert set(outcome.shown()) | set(named.cannot) == set(FEATURES)
    assert outcome.unable() == list(named.cannot)


def cannot(client: Client) -> tuple[str, ...]:
    """TypeScript's SDK handles a notification only after it has read all lines that came with it, and an answer at once: what
    progress comes in one piece with the answer finds nobody any more. Over HTTP it awaits each event."""
    return ("progress",) if client.name.startswith("typescript") else ()


@pytest.mark.parametrize("target", ["fixture-modern", "fixture-legacy"])
def test_progress_is_told_in_order_and_before_the_answer(gateway: Gateway, target: str) -> None:
    with Session(bridge(gateway.endpoint, "--auth", "bearer", "--token-env", "TOKEN"), {"TOKEN": gateway.token}) as session:
        session.begin()
        asked = {"name": f"{target}___test_tool_with_progress", "arguments": {}, "_meta": {"progressToken": "mine"}}
        answer = session.ask("tools/call", **asked)
        lines = [json.loads(line) for line in session.process.lines]
        told = [line["params"] for line in lines if line.get("method") == "notifications/progress"]
        assert [(one["progressToken"], one["progress"]) for one in told] == [("mine", 0), ("mine", 50), ("mine", 100)]
        assert lines[-1] == answer


class Session:
    """A legacy client that types: one line a message."""

    def __init__(self, argv: list[str], env: dict[str, str] | None = None) -> None:
        self.process = Process(argv, env)
        self._last = 0

    def ask(self, method: str, **params: object) -> dict:
        self._last += 1
        own = self._last
        self.process.write(json.dumps({"jsonrpc": "2.0", "id": own, "method": method, "params": params}))
        return self.process.wait_for(lambda: self._answer(own), f"it answered `{method}`")

    def _answer(self, own: int) -> dict | None:
        return next((line for line in map(json.loads, self.process.lines) if line.get("id") == own), None)

    def begin(self) -> dict:
        about = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "check", "version": "1"}}
        answer = self.ask("initialize", **about)
        self.process.write(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}))
        return answer

    def add(self, a: int, b: int, tool: str = "calculator___add_numbers") -> object:
        result = self.ask("tools/call", name=tool, arguments={"a": a, "b": b})
        return result.get("result", result).get("structuredContent", result)

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.end()


def config(issuer_url: str, calculator: str, listen: str) -> str:
    return f"""
[gateway]
listen = "{listen}"

[authorizer.custom_jwt]
discovery_url = "{issuer_url}"
allowed_clients = ["person"]

[[targets]]
name = "calculator"
http.endpoint = "{calculator}"
"""


PERSON = {"id": "person", "secret": "person-secret-0123456789", "scope": "gateway/call", "ttl": 3600}


def test_a_gateway_that_was_gone_for_a_while_is_there_again() -> None:
    """Its sessions are lost with its keys, and the client hears nothing of that."""
    with rotating_issuer([PERSON]) as issuer, sample("calculator") as calculator:
        text = config(issuer.discovery_url, calculator, "127.0.0.1:0")
        with serve(text) as first:
            url = first.endpoint
            argv = bridge(url, "--auth", "bearer", "--token-env", "TOKEN")
            with Session(argv, {"TOKEN": issuer.token("person")}) as session:
                session.begin()
                assert session.add(1, 2) == {"result": 3}
                first.process.end()
                # The first call may still find the connection of before, and see it break.
                until(lambda: "could not be reached" in json.dumps(session.add(1, 2)), "the gateway is gone")
                port = url.split(":")[2].removesuffix("/mcp")
                with serve(config(issuer.discovery_url, calculator, f"127.0.0.1:{port}")):
                    until(lambda: session.add(2, 2) == {"result": 4}, "calls get through again")
                    assert [tool["name"] for tool in session.ask("tools/list")["result"]["tools"]]


def test_tokens_are_fetched_anew_before_they_end() -> None:
    short = PERSON | {"ttl": 2}
    with rotating_issuer([short]) as issuer, sample("calculator") as calculator:
        with serve(config(issuer.discovery_url, calculator, "127.0.0.1:0")) as gateway:
            argv = bridge(gateway.endpoint, "--auth", "client-credentials", "--token-endpoint", issuer.token_endpoint)
            argv += ["--client-id", "person", "--client-secret-env", "SECRET"]
            with Session(argv, {"SECRET": short["secret"]}) as session:
                session.begin()
                since = psutil.Process(session.process.pid).create_time()
                calls = 0

                def long_enough() -> bool:
                    nonlocal calls
                    calls += 1
                    assert session.add(calls, 1) == {"result": calls + 1}
                    return psutil.time.time() - since > 6

                until(long_enough, "three lives of a token are over")
                assert short["secret"] not in session.process.log()


def test_a_changed_list_is_told_over_the_bridge(gateway: Gateway) -> None:
    argv = bridge(gateway.endpoint, "--auth", "bearer", "--token-env", "TOKEN")
    with Session(argv, {"TOKEN": gateway.token}) as session:
        assert session.begin()["result"]["capabilities"]["tools"]["listChanged"] is True
        told = {"method": "notifications/tools/list_changed"}

        def heard() -> bool:
            session.ask("tools/call", name="fixture-modern___test_trigger_tool_change", arguments={})
            return any(told.items() <= json.loads(line).items() for line in session.process.lines)

        until(heard, "the client was told")


@pytest.mark.parametrize("how", ["input ends", "SIGTERM", "the client is killed"])
def test_nothing_is_left_behind(how: str) -> None:
    """With targets of its own, which are its children."""
    program = json.dumps([causeway(), "sample", "calculator", "--stdio"])
    with_children = f'authorizer = "none"\n[[targets]]\nname = "calculator"\nstdio.command = {program}\n'
    with written(with_children) as path:
        argv = [causeway(), "stdio", "--config", path]
        if how == "the client is killed":
            # A client between this check and the bridge.
            argv = ["sh", "-c", '"$@"; true', "sh", *argv]
        session = Session(argv)
        session.begin()
        assert session.add(1, 2) == {"result": 3}
        family = session.process.descendants()
        assert family
        match how:
            case "input ends":
                session.process.end_input()
            case "SIGTERM":
                session.process.signal(signal.SIGTERM)
            case _:
                session.process.signal(signal.SIGKILL)
                session.process.end_input()
        session.process.wait()
        until(lambda: not any(running(one) for one in family), "its children have ended")


def test_standard_output_is_the_protocol_and_nothing_else(gateway: Gateway) -> None:
    """Also when something is to be said, and with a log that says everything."""
    lines = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}}},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]
    argv = bridge(gateway.endpoint, "--auth", "bearer", "--token-env", "TOKEN")
    env = CLEAN | {"TOKEN": gateway.token, "RUST_LOG": "trace"}
    typed = "".join(json.dumps(line) + "\n" for line in lines)
    ran = subprocess.run(argv, input=typed, env=env, capture_output=True, text=True, timeout=60, check=True)
    assert [json.loads(line)["id"] for line in ran.stdout.splitlines()] == [1, 2]
    assert ran.stderr
    assert gateway.token not in ran.stderr + ran.stdout
