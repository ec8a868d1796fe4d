"""Toolsets as people's programs meet them: the SDKs' clients at two toolsets with issuers of their own (oidc-provider), which call
different clients the same; what is found by a client that has no token yet; names that fit the clients people use, judged here."""

import hashlib
import json
import re
import subprocess
from base64 import b32encode
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest

from harness.clients import CLIENTS, Client
from harness.gateway import Gateway, causeway, post, sample, serve, written
from harness.issuer import Issuer, rotating_issuer
from harness.process import CLEAN

HOUR = 3600
ADD = "calculator___add"
GREET = "hello___greet_user"
SERVER = "tools-of-example-corp"


@dataclass
class Two:
    """A gateway with two toolsets, and the issuer of each."""

    gateway: Gateway
    sums: Issuer
    words: Issuer

    def at(self, toolset: str) -> str:
        return f"{self.gateway.endpoint}/{toolset}"


@pytest.fixture(scope="module")
def two() -> Iterator[Two]:
    alice = {"id": "alice", "scope": "tools/use", "ttl": HOUR}
    with (
        rotating_issuer([alice | {"secret": "of-sums"}]) as sums,
        rotating_issuer([alice | {"secret": "of-words"}]) as words,
        sample("calculator") as calculator,
        sample("hello") as hello,
    ):
        config = f"""
            authorizer = "none"
            gateway.listen = "127.0.0.1:0"

            [[targets]]
            name = "calculator"
            http.endpoint = "{calculator}"
            tools.rename = {{ add_numbers = "add" }}
            tools.describe = {{ add_numbers = "Adds." }}

            [[targets]]
            name = "hello"
            http.endpoint = "{hello}"

            [[toolsets]]
            name = "sums"
            description = "Sums"
            tools.include = ["*___add"]
            [toolsets.authorizer.custom_jwt]
            discovery_url = "{sums.discovery_url}"
            allowed_clients = ["alice"]

            [[toolsets]]
            name = "words"
            tools.include = ["hello___*"]
            [toolsets.authorizer.custom_jwt]
            discovery_url = "{words.discovery_url}"
            allowed_clients = ["alice"]
        """
        with serve(config) as gateway:
            yield Two(gateway, sums, words)


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_each_toolset_shows_its_part_to_its_own_callers(two: Two, client: Client) -> None:
    seen = client.run(two.at("sums"), two.sums.token("alice"), (ADD, {"a": 40, "b": 2}))
    assert (seen.protocol, seen.tools) == (client.protocol, [ADD])
    assert (seen.calls[0]["isError"], float(seen.calls[0]["text"])) == (False, 42)
    seen = client.run(two.at("words"), two.words.token("alice"), (GREET, {"name": "Ada"}))
    assert (seen.protocol, seen.tools) == (client.protocol, [GREET])
    assert "Ada" in seen.calls[0]["text"]


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_the_gateway_itself_shows_everything(two: Two, client: Client) -> None:
    seen = client.run(two.gateway.endpoint, None)
    assert seen.tools == [ADD, "calculator___multiply_numbers", GREET]


def test_a_token_is_good_where_its_issuer_is_trusted(two: Two) -> None:
    tokens = {"sums": two.sums.token("alice"), "words": two.words.token("alice")}
    for toolset in tokens:
        statuses = {name: post(two.at(toolset), token).status_code for name, token in tokens.items()}
        assert statuses == {name: 200 if name == toolset else 401 for name in tokens}
        assert post(two.at(toolset)).status_code == 401
    assert post(two.at("nothing")).status_code == 404


def test_what_is_not_shown_is_not_called(two: Two) -> None:
    for tool in (GREET, "calculator___multiply_numbers", "calculator___add_numbers"):
        answer = post(two.at("sums"), two.sums.token("alice"), "tools/call", name=tool, arguments={}).json()
        assert answer["error"] == {"code": -32602, "message": f"Unknown tool: {tool}"}


def test_a_client_without_a_token_finds_the_issuer_of_the_toolset(two: Two) -> None:
    for toolset, issuer in (("sums", two.sums), ("words", two.words)):
        challenge = post(two.at(toolset)).headers["www-authenticate"]
        url = re.search(r'resource_metadata="([^"]+)"', challenge)[1]
        metadata = httpx2.get(url, trust_env=False).raise_for_status().json()
        assert (metadata["resource"], metadata["authorization_servers"]) == (two.at(toolset), [issuer.url])


def initialized(endpoint: str, token: str) -> httpx2.Response:
    about = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    return post(endpoint, token, "initialize", **about)


def test_a_session_opens_for_no_namesake(two: Two) -> None:
    """Both tokens say `sub: alice`; only one of the two has the session."""
    mine, others = two.sums.token("alice"), two.words.token("alice")
    opened = initialized(two.at("sums"), mine)
    assert opened.json()["result"]["serverInfo"]["description"] == "Sums"
    session = {"mcp-session-id": opened.headers["mcp-session-id"]}

    def ping(endpoint: str, token: str) -> int:
        headers = {"authorization": f"Bearer {token}"} | session
        body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        return httpx2.post(endpoint, headers=headers, json=body, trust_env=False).status_code

    assert ping(two.at("sums"), mine) == 200
    assert ping(two.at("words"), others) == 404
    assert ping(two.gateway.endpoint, mine) == 404


def names(shorten: bool) -> str:
    """A config with names that are too long for some clients."""
    return f"""
        authorizer = "none"
        gateway.listen = "127.0.0.1:0"

        [clients]
        used = ["vscode", "copilot-cli", "claude-code", "cursor", "amazon-q", "kiro"]
        server_name = "{SERVER}"
        shorten_names = {str(shorten).lower()}

        [[targets]]
        name = "cloudwatch-insights"
        stdio.command = ["{causeway()}", "sample", "cloudwatch-insights", "--stdio"]
    """


def fits(tool: str) -> bool:
    """By what users of these clients reported, not by the gateway's own table."""
    return (
        len(f"mcp__{SERVER}__{tool}") <= 64
        and len(f"mcp_{SERVER}"[:17] + f"_{tool}") <= 64
        and len(f"{SERVER}-{tool}") <= 64
        and len(SERVER + tool) < 60
        and len(f"{SERVER.replace('-', '')}___{tool}") <= 64
        and len(f"mcp_{SERVER.replace('-', '_')}_{tool}") <= 64
        and re.fullmatch(r"[a-zA-Z0-9_-]+", tool) is not None
    )


LONG = [f"cloudwatch-insights___{tool}" for tool in ("get_log_fields", "list_log_groups", "query_cloudwatch_insights")]


def test_long_names_are_found_and_said() -> None:
    with written(names(shorten=False)) as path:
        argv = [causeway(), "targets", "--config", path, "--json", "--strict"]
        ran = subprocess.run(argv, env=CLEAN, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1, ran.stderr
    warnings = json.loads(ran.stdout)[0]["warnings"]
    assert len(warnings) == 1, warnings
    named = set(re.findall(r"`([^`]+)` \(\d+ characters", warnings[0]))
    assert named == {tool for tool in LONG if not fits(tool)} and named


def test_short_names_fit_and_are_digests_of_the_long_ones() -> None:
    with serve(names(shorten=True)) as gateway:
        shown = [tool["name"] for tool in post(gateway.endpoint).json()["result"]["tools"]]
        assert len(shown) == len(LONG) and all(map(fits, shown)), shown
        for long, short in zip(LONG, shown, strict=True):
            if fits(long):
                assert short == long
                continue
            digest = b32encode(hashlib.sha256(long.encode()).digest()[:5]).decode().lower()
            assert short.startswith("cloudwatch-insights___") and short.endswith(f"_{digest}")
            # Known by both names: the answer is the same tool's.
            outcomes = [post(gateway.endpoint, None, "tools/call", name=name, arguments={"x": []}).json() for name in (long, short)]
            assert outcomes[0] == outcomes[1] and "Unknown tool" not in json.dumps(outcomes[0])
