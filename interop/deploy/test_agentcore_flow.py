"""The way of a call through what terraform/agentcore makes, with Causeway in the place of AgentCore: who is let in, which client gets
which token, and who is let in with that, are as Terraform gave them to AWS. The user pools are in ministack's Cognito."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from deploy.agentcore import Deployment, deployment
from deploy.agentcore_pools import Made, ids, made_alike
from deploy.agentcore_requests import requests

from harness.account import Account
from harness.gateway import Gateway, post, sample, serve
from harness.ministack import ministack
from harness.tokens import fetch_token

SERVER = "my-calculator"


@dataclass
class Flow:
    """All of it, running."""

    gateway: Gateway
    server: str
    callers: Made
    servers: Made
    aws: Account

    def token(self, pool: Made) -> str:
        return fetch_token(f"{self.aws.url}/oauth2/token", pool.program, pool.secret)


@pytest.fixture(scope="module")
def flow(tmp_path_factory) -> Iterator[Flow]:
    with ExitStack() as started:
        deployed = started.enter_context(deployment(tmp_path_factory.mktemp("flow")))
        deployed.apply()
        aws = started.enter_context(ministack())
        callers, servers = (made_alike(aws, deployed, name) for name in ["team-tools", SERVER])
        real = ids(deployed, "team-tools", callers) | ids(deployed, SERVER, servers)
        server = started.enter_context(sample("calculator", *demanded(deployed, real)))
        config = f"""
            [gateway]
            listen = "127.0.0.1:0"
            {authorizer(deployed, real)}
            [[targets]]
            name = "{SERVER}-target"
            http.endpoint = "{server}"
            {credential(deployed, real, aws)}
        """
        gateway = started.enter_context(serve(config, {"CLIENT_SECRET": servers.secret}))
        yield Flow(gateway, server, callers, servers, aws)


def sent(deployed: Deployment, operation: str, name: str) -> dict:
    """The request that makes what is called so."""
    of = {members.get("name") or members["agentRuntimeName"]: members for sent, members in requests(deployed) if sent == operation}
    return of[name]


def demanded(deployed: Deployment, real: dict[str, str]) -> list[str]:
    """Whom the Runtime lets in, as options of the sample servers."""
    runtime = sent(deployed, "CreateAgentRuntime", "my_calculator")["authorizerConfiguration"]["customJWTAuthorizer"]
    clients = [option for client in runtime["allowedClients"] for option in ("--jwt-allowed-clients", real[client])]
    return ["--jwt-discovery-url", real[runtime["discoveryUrl"]], *clients]


def authorizer(deployed: Deployment, real: dict[str, str]) -> str:
    """Whom the gateway lets in."""
    gateway = sent(deployed, "CreateGateway", "team-tools")["authorizerConfiguration"]["customJWTAuthorizer"]
    clients = [real[client] for client in gateway["allowedClients"]]
    return f"""
            [authorizer.custom_jwt]
            discovery_url = "{real[gateway["discoveryUrl"]]}"
            allowed_clients = {clients}
    """


def credential(deployed: Deployment, real: dict[str, str], aws: Account) -> str:
    """What the gateway shows the target."""
    provider = sent(deployed, "CreateOauth2CredentialProvider", f"{SERVER}-identity")
    client = provider["oauth2ProviderConfigInput"]["customOauth2ProviderConfig"]
    target = sent(deployed, "CreateGatewayTarget", f"{SERVER}-target")
    scopes = target["credentialProviderConfigurations"][0]["credentialProvider"]["oauthCredentialProvider"]["scopes"]
    assert client["oauthDiscovery"]["discoveryUrl"] in real
    return f"""
            [targets.credential.client_credentials]
            token_endpoint = "{aws.url}/oauth2/token"
            client_id = "{real[client["clientId"]]}"
            client_secret_env = "CLIENT_SECRET"
            scopes = {scopes}
    """


def test_a_call_goes_all_the_way(flow: Flow) -> None:
    called = post(flow.gateway.endpoint, flow.token(flow.callers), "tools/call", name=f"{SERVER}-target___add_numbers", arguments={"a": 40, "b": 2})
    assert called.json()["result"]["structuredContent"] == {"result": 42}


def test_a_token_of_one_pool_opens_nothing_of_another(flow: Flow) -> None:
    assert post(flow.gateway.endpoint, flow.token(flow.callers)).status_code == 200
    assert post(flow.gateway.endpoint, flow.token(flow.servers)).status_code in (401, 403)
    assert post(flow.server, flow.token(flow.servers)).status_code == 200
    assert post(flow.server, flow.token(flow.callers)).status_code in (401, 403)
    assert post(flow.gateway.endpoint).status_code == post(flow.server).status_code == 401
