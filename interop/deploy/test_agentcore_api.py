"""What is sent for AgentCore, against the model of AgentCore's control plane: members, types, enums, patterns, lengths."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from aws.doubles.model import Model, complaints
from deploy.agentcore import CLIENT_SECRET, Deployment, deployment
from deploy.agentcore_requests import requests

@pytest.fixture(scope="module")
def deployed(tmp_path_factory) -> Iterator[Deployment]:
    with deployment(tmp_path_factory.mktemp("api")) as one:
        one.apply()
        yield one


def judged(deployed: Deployment) -> list[str]:
    model = Model("bedrock-agentcore-control")
    return [
        complaint
        for operation, members in requests(deployed)
        for complaint in complaints(model.operation(operation).input_shape, members, operation)
    ]


def test_agentcore_takes_what_is_sent(deployed: Deployment) -> None:
    assert judged(deployed) == []
    made = [operation for operation, _ in requests(deployed)]
    assert {operation: made.count(operation) for operation in set(made)} == {
        "CreateAgentRuntime": 3,
        "CreateGateway": 1,
        "CreateGatewayTarget": 5,
        "CreateOauth2CredentialProvider": 3,
    }


def test_a_target_is_called_as_it_asks_for(deployed: Deployment) -> None:
    of = {members["name"]: members for operation, members in requests(deployed) if operation == "CreateGatewayTarget"}
    assert "credentialProviderConfigurations" not in of["open"]
    [signed] = of["hello-target"]["credentialProviderConfigurations"]
    assert signed == {
        "credentialProviderType": "GATEWAY_IAM_ROLE",
        "credentialProvider": {"iamCredentialProvider": {"service": "bedrock-agentcore", "region": "us-east-1"}},
    }
    for name, scope in [("my-calculator-target", "my-calculator-id/invoke"), ("orders", "orders/read")]:
        [shown] = of[name]["credentialProviderConfigurations"]
        assert shown["credentialProviderType"] == "OAUTH"
        oauth = shown["credentialProvider"]["oauthCredentialProvider"]
        assert oauth["scopes"] == [scope] and oauth["grantType"] == "CLIENT_CREDENTIALS"
    endpoint = of["my-calculator-target"]["targetConfiguration"]["mcp"]["mcpServer"]["endpoint"]
    assert endpoint.startswith("https://bedrock-agentcore.us-east-1.amazonaws.com/runtimes/arn%3Aaws%3A")
    assert endpoint.endswith("/invocations?qualifier=DEFAULT") and "/runtimes/arn:" not in endpoint


def test_each_credential_provider_has_its_own_pool_and_client(deployed: Deployment) -> None:
    providers = [members for operation, members in requests(deployed) if operation == "CreateOauth2CredentialProvider"]
    of = {it["name"]: it["oauth2ProviderConfigInput"]["customOauth2ProviderConfig"] for it in providers}
    runtimes = deployed.root.outputs()["runtimes"]
    for name in ["my-calculator", "cloudwatch-insights"]:
        config = of[f"{name}-identity"]
        assert config["clientId"] == runtimes[name]["client_id"] and config["clientSecret"]
        assert config["oauthDiscovery"] == {"discoveryUrl": runtimes[name]["discovery_url"]}
    assert of["team-tools-orders-identity"]["clientSecret"] == CLIENT_SECRET
    assert of["team-tools-orders-identity"]["oauthDiscovery"]["authorizationServerMetadata"] == {
        "issuer": "https://login.example.com",
        "tokenEndpoint": "https://login.example.com/oauth2/token",
        "authorizationEndpoint": "https://login.example.com/oauth2/token",
    }


def test_a_runtime_serves_mcp_and_lets_in_whom_it_should(deployed: Deployment) -> None:
    of = {members["agentRuntimeName"]: members for operation, members in requests(deployed) if operation == "CreateAgentRuntime"}
    assert {it["protocolConfiguration"]["serverProtocol"] for it in of.values()} == {"MCP"}
    assert "authorizerConfiguration" not in of["hello"]
    authorizer = of["my_calculator"]["authorizerConfiguration"]["customJWTAuthorizer"]
    runtime = deployed.root.outputs()["runtimes"]["my-calculator"]
    assert sorted(authorizer["allowedClients"]) == sorted([runtime["client_id"], runtime["user_client_id"]])
    assert authorizer["discoveryUrl"] == runtime["discovery_url"]
    assert of["cloudwatch_insights"]["networkConfiguration"] == {
        "networkMode": "VPC",
        "networkModeConfig": {"subnets": ["subnet-0123456789abcdef0"], "securityGroups": ["sg-0123456789abcdef0"]},
    }


@pytest.mark.parametrize(
    ("file", "text", "by", "said"),
    [
        ("../modules/runtime/main.tf", 'server_protocol = "MCP"', 'server_protocol = "MCPX"', "is none of"),
        ("locals.tf", 'replace(name, "-", "_")', "name", "does not match"),
        ("locals.tf", '"${name}-target"', '"${name}_target"', "does not match"),
        ("../modules/gateway/main.tf", '"DEBUG" : null', '"DEBUG" : "INFO"', "is none of"),
    ],
)
def test_a_mistake_is_found(tmp_path: Path, file: str, text: str, by: str, said: str) -> None:
    with deployment(tmp_path) as deployed:
        deployed.root.replace(file, text, by)
        deployed.apply()
        assert any(said in complaint for complaint in judged(deployed))
