"""`causeway tools` and `causeway call` with real servers: of other SDKs, of both eras, behind a token, behind AgentCore Runtime."""

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from aws.doubles.control_plane import control_plane
from aws.doubles.runtime import ARN, runtime
from aws.doubles.signature import Identity
from aws.gateways import Maker
from harness.cognito import Pool
from harness.command import run
from harness.gateway import causeway, dev, sample
from harness.ministack import ministack
from harness.process import Process
from harness.terminal import on_terminal
from matrix.servers import everything, fixture, python

#: The statuses that scripts go by.
FAILED, USAGE, TOOL_FAILED, INTERRUPTED = 1, 2, 4, 130


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, str]]:
    with ExitStack() as started:
        yield {
            "python": python(started, "fastmcp_target.py"),
            "typescript": everything(started),
            "modern": fixture(started, "modern"),
            "legacy": fixture(started, "legacy"),
            "both": fixture(started, "both"),
            "waiting": python(started, "python_target.py", "stateful"),
            "sample": started.enter_context(sample("calculator")),
        }


@pytest.fixture(scope="module")
def calculator(servers: dict[str, str]) -> str:
    return servers["sample"]


@pytest.mark.parametrize("name", ["python", "typescript", "modern", "legacy", "both", "sample"])
def test_a_server_is_listed(servers: dict[str, str], name: str) -> None:
    listed = run("tools", servers[name], "--all", "--json").ok().json
    shown = run("tools", servers[name], "--all").ok().out
    assert listed["tools"]
    for kind in ["tools", "prompts", "resources", "resourceTemplates"]:
        for entry in listed[kind]:
            key = {"tools": "name", "prompts": "name", "resources": "uri", "resourceTemplates": "uriTemplate"}[kind]
            assert entry[key] in shown
    assert (listed["protocolVersion"] == "2026-07-28") == (name not in ["legacy", "typescript"])


def test_the_arguments_of_a_tool_are_explained(calculator: str) -> None:
    shown = run("tools", calculator, "--name", "add*").ok().out
    assert "1 tool with `add*` in the name" in shown and "multiply" not in shown
    assert "a  number  required" in shown and "read-only" in shown


def test_arguments_are_typed_by_the_schema(servers: dict[str, str]) -> None:
    assert run("call", servers["sample"], "add_numbers", "--arg", "a=40", "--arg", "b=2").ok().out == "42\n"
    whole = run("call", servers["sample"], "add_numbers", "--args-file", "-", stdin='{"a": 1.5, "b": 2}').ok()
    assert whole.out == "3.5\n"
    echoed = run("call", servers["typescript"], "echo", "--arg", "message=42").ok().out
    assert "42" in echoed
    result = run("call", servers["sample"], "add_numbers", "--args-json", '{"a":1,"b":2}', "--json").ok().json
    assert result["structuredContent"] == {"result": 3} and result["content"][0]["text"] == "3"


def test_a_mistake_is_said_before_anything_is_sent(calculator: str) -> None:
    with runtime(calculator) as double:
        env = double.environment() | double.identities[0].environment()
        wrong = run("call", ARN, "add_number", "--arg", "a=1", env=env)
        assert wrong.status == USAGE and "did you mean `add_numbers`?" in wrong.err
        wrong = run("call", ARN, "add_numbers", "--arg", "a=one", "--arg", "bb=2", env=env)
        assert wrong.status == USAGE
        for said in ["`a` takes a number, not `one`", "it takes no `bb`; did you mean `b`?", "`b` (number) is missing"]:
            assert said in wrong.err
        methods = [json.loads(meant.members["payload"])["method"] for meant in double.asked]
        assert "tools/list" in methods and "tools/call" not in methods
        # Unless that is what somebody wants.
        asked = run("call", ARN, "add_numbers", "--arg", "a=one", "--arg", "b=2", "--no-check", env=env)
        assert asked.status in [FAILED, TOOL_FAILED]


def test_a_tool_that_fails_has_a_status_of_its_own(servers: dict[str, str]) -> None:
    for name in ["modern", "legacy"]:
        failed = run("call", servers[name], "test_error_handling")
        assert (failed.status, failed.out) == (TOOL_FAILED, "This tool intentionally returns an error for testing\n")


def test_what_a_tool_gives_is_readable(servers: dict[str, str], tmp_path: Path) -> None:
    image = run("call", servers["modern"], "test_image_content").ok()
    assert image.out.startswith("[image image/png, ") and "--output" in image.out
    path = tmp_path / "it.png"
    run("call", servers["modern"], "test_image_content", "--output", str(path)).ok()
    assert path.read_bytes().startswith(b"\x89PNG")
    logged = run("call", servers["legacy"], "test_tool_with_logging").ok()
    assert "info" in logged.err and "Tool execution started" in logged.err
    assert run("call", servers["legacy"], "test_tool_with_logging", "--quiet").ok().err == ""


@pytest.mark.parametrize("name", ["modern", "legacy"])
def test_a_question_is_answered_on_a_terminal(servers: dict[str, str], name: str) -> None:
    argv = [causeway(), "call", servers[name], "test_elicitation", "--arg", "message=Who are you?"]
    typed = [("The tool asks: Who are you?", ""), ("): ", "Alice\n"), ("): ", "a@example.com\n"), ("Send this?", "y\n")]
    shown = on_terminal(argv, typed)
    assert shown.status == 0 and "action=accept" in shown.text and "Alice" in shown.text.split("Send this?")[1]
    declined = on_terminal(argv, [("): ", "Alice\n"), ("): ", "a@example.com\n"), ("Send this?", "d\n")])
    assert declined.status == 0 and "action=decline" in declined.text


@pytest.mark.parametrize("name", ["modern", "legacy"])
def test_a_question_without_a_terminal_is_an_error(servers: dict[str, str], name: str) -> None:
    refused = run("call", servers[name], "test_elicitation", "--arg", "message=x")
    assert refused.status in [FAILED, TOOL_FAILED]
    assert "elicitation" in (refused.out + refused.err).lower()


def test_progress_is_shown_on_a_terminal_and_nowhere_else(servers: dict[str, str]) -> None:
    argv = [causeway(), "call", servers["waiting"], "wait_for_release", "--arg", "key=k"]
    shown = on_terminal(argv, [("waiting", ""), (" 50%", lambda: run("call", servers["waiting"], "release", "-a", "key=k"))])
    assert shown.status == 0 and "█" in shown.text and shown.text.rstrip().endswith("k")
    assert run(*argv[1:]).ok().err == ""


def test_ctrl_c_ends_a_call(servers: dict[str, str]) -> None:
    with Process([causeway(), "call", servers["waiting"], "wait_for_release", "-a", "key=never", "--debug"]) as call:
        called = lambda: any('"method": "tools/call"' in line for line in call.errors) or None  # noqa: E731
        call.wait_for(called, "it called")
        call.signal(signal.SIGINT)
        assert call.wait() == INTERRUPTED


def test_colours_are_for_terminals(calculator: str) -> None:
    argv = [causeway(), "tools", calculator]
    colours = {"NO_COLOR": ""}
    assert "\x1b[1m" in on_terminal(argv, [], colours).text
    assert "\x1b[1m" not in on_terminal(argv, [], {"NO_COLOR": "1"}).text
    assert "\x1b[1m" not in on_terminal([*argv, "--color", "never"], [], colours).text
    assert "\x1b" not in run(*argv[1:], env=colours).ok().out
    assert "\x1b[1m" in run(*argv[1:], "--color", "always").ok().out


def test_a_runtime_is_called_by_its_arn_with_a_signature(calculator: str) -> None:
    identity = Identity(token="A-SESSION-TOKEN")
    with runtime(calculator, identity) as double:
        env = double.environment() | identity.environment()
        assert "add_numbers" in run("tools", ARN, env=env).ok().out
        assert run("call", ARN, "add_numbers", "--arg", "a=40", "--arg", "b=2", env=env).ok().out == "42\n"
        assert double.refused == []
        assert {meant.members["qualifier"] for meant in double.asked} == {"DEFAULT"}
        # All of a call is one client to Runtime, and stays on one machine.
        assert len(set(double.sessions[-1:])) == 1
        run("tools", ARN, "--qualifier", "prod", env=env).ok()
        run("tools", f"{ARN}/runtime-endpoint/test", env=env).ok()
        assert {meant.members["qualifier"] for meant in double.asked} == {"DEFAULT", "prod", "test"}
        stranger = double.environment() | Identity("AKIDSTRANGER").environment()
        refused = run("tools", ARN, env=stranger)
        assert refused.status == FAILED and "nobody has the access key" in refused.err


def test_a_gateway_is_called_by_its_id(calculator: str) -> None:
    with control_plane() as plane:
        maker = Maker(plane)
        gateway = maker.gateway("tools")
        plane.move(gateway, calculator)
        env = plane.environment() | plane.identity.environment() | {"AWS_REGION": plane.region}
        assert "add_numbers" in run("tools", gateway, env=env).ok().out
        wants = maker.gateway("closed", "CUSTOM_JWT", authorizerConfiguration=jwt())
        plane.move(wants, calculator)
        closed = run("tools", wants, env=env)
        assert closed.status == USAGE and "CAUSEWAY_TOKEN" in closed.err


def jwt() -> dict:
    url = "https://login.example.com/.well-known/openid-configuration"
    return {"customJWTAuthorizer": {"discoveryUrl": url, "allowedClients": ["a"]}}


def test_a_server_that_wants_a_token_gets_one() -> None:
    with ministack() as aws:
        pool = Pool.create(aws, "tools", ["invoke"])
        client = pool.client("caller", "tools/invoke")
        demanded = ["--jwt-discovery-url", pool.discovery_url, "--jwt-allowed-clients", client.id]
        with sample("calculator", *demanded) as url:
            bare = run("tools", url)
            assert bare.status == FAILED and "HTTP 401" in bare.err and "--auth bearer" in bare.err
            looked = run("doctor", url)
            assert looked.status == FAILED and "did not let us in" in looked.out and "--auth bearer" in looked.out
            fetched = ["--token-endpoint", pool.token_endpoint, "--client-id", client.id, "--client-secret-env", "S"]
            env = {"S": client.secret}
            assert "add_numbers" in run("tools", url, *fetched, "--scope", "tools/invoke", env=env).ok().out
            token = pool.token(client)
            assert "add_numbers" in run("tools", url, env={"CAUSEWAY_TOKEN": token}).ok().out
            assert "add_numbers" in run("tools", url, "--token-file", "-", stdin=f"{token}\n").ok().out
            stale = run("tools", url, env={"CAUSEWAY_TOKEN": "eyJhbGciOiJub25lIn0.e30."})
            assert stale.status == FAILED and "causeway token inspect" in stale.err
            wrong = run("tools", url, *fetched, env={"S": "wrong-secret-value"})
            assert wrong.status == FAILED and "invalid_client" in wrong.err and "wrong-secret" not in wrong.err


def test_the_gateway_of_dev_is_a_server_as_well(tmp_path: Path) -> None:
    with dev(env={"XDG_RUNTIME_DIR": str(tmp_path)}) as gateway:
        env = {"XDG_RUNTIME_DIR": str(tmp_path)}
        token = run("token", "dev", "--raw", env=env).ok().out.strip()
        sum_of = ["call", gateway.endpoint, "calculator___add_numbers", "-a", "a=40", "-a", "b=2"]
        assert run(*sum_of, env={"CAUSEWAY_TOKEN": token}).ok().out == "42\n"


def test_a_server_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    gone = run("tools", "http://127.0.0.1:1/mcp")
    assert gone.status == FAILED and "could not be reached" in gone.err
    assert run("tools", "127.0.0.1:1/mcp").status == USAGE
    assert "has no scheme" in run("tools", "127.0.0.1:1/mcp").err
