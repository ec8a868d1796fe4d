"""Cognito, as ministack emulates it, on both sides of `causeway serve`: one pool for callers, one for the target."""

import httpx2
import pytest

from harness.clients import CLIENTS, Client
from harness.cognito import M2mClient, Pool
from harness.gateway import Gateway, post, sample, serve
from harness.ministack import ministack

TOOLS = ["calculator___add_numbers", "calculator___multiply_numbers"]


@pytest.fixture(scope="module")
def callers():
    with ministack() as aws:
        yield Pool.create(aws, "callers", ["invoke", "look"])


@pytest.fixture(scope="module")
def caller(callers: Pool) -> M2mClient:
    return callers.client("caller", "callers/invoke")


@pytest.fixture(scope="module")
def narrow(callers: Pool) -> M2mClient:
    """An allowed client without the scope that the gateway asks for."""
    return callers.client("narrow", "callers/look")


@pytest.fixture(scope="module")
def servers(callers: Pool) -> Pool:
    return Pool.create(callers.account, "servers", ["invoke"])


@pytest.fixture(scope="module")
def gateway(callers: Pool, caller: M2mClient, narrow: M2mClient, servers: Pool):
    outgoing = servers.client("gateway", "servers/invoke")
    demanded = ["--jwt-discovery-url", servers.discovery_url, "--jwt-allowed-clients", outgoing.id]
    with sample("calculator", *demanded, "--jwt-allowed-scopes", "servers/invoke") as calculator:
        config = f"""
            [gateway]
            listen = "127.0.0.1:0"

            [authorizer.custom_jwt]
            discovery_url = "{callers.discovery_url}"
            allowed_clients = ["{caller.id}", "{narrow.id}"]
            allowed_scopes = ["callers/invoke"]

            [[targets]]
            name = "calculator"
            http.endpoint = "{calculator}"

            [targets.credential.client_credentials]
            token_endpoint = "{servers.token_endpoint}"
            client_id = "{outgoing.id}"
            client_secret_env = "CALCULATOR_CLIENT_SECRET"
            scopes = ["servers/invoke"]
        """
        with serve(config, {"CALCULATOR_CLIENT_SECRET": outgoing.secret}) as running_gateway:
            yield running_gateway


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_a_client_lists_and_calls(gateway: Gateway, callers: Pool, caller: M2mClient, client: Client) -> None:
    seen = client.run(gateway.endpoint, callers.token(caller), (TOOLS[0], {"a": 40, "b": 2}))
    assert (seen.protocol, seen.tools) == (client.protocol, TOOLS)
    assert (seen.calls[0]["isError"], float(seen.calls[0]["text"])) == (False, 42)


def test_a_token_of_another_pool_is_refused(gateway: Gateway, servers: Pool) -> None:
    stranger = servers.client("stranger", "servers/invoke")
    refused(post(gateway.endpoint, servers.token(stranger)), 401, "invalid_token")


def test_a_token_of_another_client_is_refused(gateway: Gateway, callers: Pool) -> None:
    other = callers.client("other", "callers/invoke")
    refused(post(gateway.endpoint, callers.token(other)), 401, "invalid_token")


def test_a_token_without_the_scope_is_refused(gateway: Gateway, callers: Pool, narrow: M2mClient) -> None:
    answer = post(gateway.endpoint, callers.token(narrow))
    refused(answer, 403, "insufficient_scope")
    assert 'scope="callers/invoke"' in answer.headers["WWW-Authenticate"]


def test_a_forged_signature_is_refused(gateway: Gateway, callers: Pool, caller: M2mClient) -> None:
    head, body, signature = callers.token(caller).split(".")
    forged = ".".join([head, body, signature[::-1]])
    refused(post(gateway.endpoint, forged), 401, "invalid_token")


def test_the_issuer_is_the_one_of_its_tokens(gateway: Gateway, callers: Pool) -> None:
    # ministack's tokens name the real AWS URL, which is not where its documents are.
    metadata = httpx2.get(gateway.endpoint.replace("/mcp", "/.well-known/oauth-protected-resource"), trust_env=False)
    issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{callers.id}"
    assert metadata.json()["authorization_servers"] == [issuer]


def refused(answer, status: int, error: str) -> None:
    assert answer.status_code == status, answer.text
    assert f'error="{error}"' in answer.headers["WWW-Authenticate"]
