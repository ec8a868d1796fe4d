"""`causeway dev` as a person and as a script use it: every SDK client, the printed commands, and nothing left running."""

import json
import re
import signal
import subprocess
import sys
import tempfile

import httpx2
import pytest

from harness.clients import CLIENTS, Client
from harness.gateway import PEERS, ROOT, Gateway, causeway, dev, post
from harness.process import CLEAN, Process, running, until

TOOLS = [
    "calculator___add_numbers",
    "calculator___multiply_numbers",
    "hello___greet_user",
    "cloudwatch-insights___get_log_fields",
    "cloudwatch-insights___list_log_groups",
    "cloudwatch-insights___query_cloudwatch_insights",
]
QUERY = {"query": "filter level = 'ERROR' | stats count(*) as errors by @log", "log_groups": ["/shop/web", "/shop/payments"]}


@pytest.fixture(scope="module")
def gateway():
    with dev() as running_gateway:
        yield running_gateway


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_a_client_lists_and_calls_the_tools_of_all_servers(gateway: Gateway, client: Client) -> None:
    calls = [
        (TOOLS[0], {"a": 2, "b": 3}),
        (TOOLS[1], {"a": 2.5, "b": 4}),
        (TOOLS[2], {"name": "Alice"}),
        (TOOLS[-1], QUERY),
    ]
    seen = client.run(gateway.endpoint, gateway.token, *calls)
    assert seen.protocol == client.protocol
    assert seen.tools == TOOLS
    total, product, greeting, logs = seen.calls
    assert (total["isError"], float(total["text"])) == (False, 5)
    assert (product["isError"], float(product["text"])) == (False, 10)
    assert (greeting["isError"], greeting["text"]) == (False, "Hello, Alice! Nice to meet you.")
    assert not logs["isError"], logs["text"]
    rows = logs["structured"]["rows"]
    assert [row["@log"] for row in rows] == ["local:/shop/payments", "local:/shop/web"]
    assert all(row["errors"] > 0 for row in rows), rows


def test_what_is_set_wins_over_the_sample_logs() -> None:
    with dev(env={"ALLOWED_LOG_GROUPS": "/interop/app"}) as gateway:
        answer = CLIENTS[0].run(gateway.endpoint, gateway.token, (TOOLS[-1], {"query": "limit 1"})).calls[0]
    # With a group of CloudWatch that may be read, what is missing is the credentials.
    assert answer["isError"]
    assert "AWS_ACCESS_KEY_ID" in answer["text"] and "AWS_REGION" in answer["text"], answer["text"]


def test_a_caller_without_a_token_is_refused(gateway: Gateway) -> None:
    answer = post(gateway.endpoint)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == -32001
    metadata_url = re.search(r'resource_metadata="([^"]+)"', answer.headers["WWW-Authenticate"]).group(1)
    metadata = httpx2.get(metadata_url, trust_env=False).json()
    assert metadata["resource"] == gateway.endpoint


def test_the_servers_let_in_the_gateway_and_not_its_caller(gateway: Gateway) -> None:
    for target in gateway.targets:
        assert post(target["url"]).status_code == 401, target
        assert post(target["url"], gateway.token).status_code == 401, target


def test_the_printed_commands_work_as_printed() -> None:
    with tempfile.TemporaryDirectory() as home:
        with Process([causeway(), "dev", "--listen", "127.0.0.1:0"], {"HOME": home}, cwd=str(ROOT)) as process:
            process.wait_for(lambda: "Ctrl-C stops all of it." in process.lines or None, "it served")
            text = "\n".join(process.lines)
            listed, called, token = (json.loads(bash(command)) for command in curl_commands(text))
            assert [tool["name"] for tool in listed["result"]["tools"]] == TOOLS
            assert float(called["result"]["content"][0]["text"]) == 5
            assert called["id"] == 2
            server = mcp_json(text)["causeway"]
            scheme, _, printed_token = server["headers"]["Authorization"].partition(" ")
            assert scheme == "Bearer"
            for each in [printed_token, token["access_token"]]:
                assert CLIENTS[0].run(server["url"], each).tools == TOOLS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_no_process_is_left_behind(number: signal.Signals) -> None:
    server = f'stdio.command = [{json.dumps(sys.executable)}, {json.dumps(str(PEERS / "python_target.py"))}, "stdio"]'
    config = (ROOT / "config.toml").read_text() + f'\n[[targets]]\nname = "stdio"\n{server}\n'
    with dev(config) as gateway:
        family = gateway.process.descendants()
        assert len(family) >= 4, family
        gateway.process.signal(number)
        status = gateway.process.wait()
        assert status == (-number if number == signal.SIGKILL else 0), gateway.process.log()
        left = lambda: [one for one in family if running(one)]  # noqa: E731
        if number == signal.SIGKILL:
            until(lambda: not left(), "the children ended")
        # Told to end, the program ends after its children.
        assert left() == []


def bash(command: str) -> str:
    ran = subprocess.run(["bash", "-c", command], env=CLEAN, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def curl_commands(text: str) -> list[str]:
    """The commands of the text: from `curl` on, with the lines that a backslash continues."""
    return re.findall(r"^ *(curl (?:.*\\\n)*.*)$", text, re.MULTILINE)


def mcp_json(text: str) -> dict:
    """The one JSON object of the text that stands on lines of its own."""
    return json.loads(re.search(r"^\{$.*?^\}$", text, re.MULTILINE | re.DOTALL).group())
