"""The double of the control plane, seen by AWS's own client: it keeps what it was told, and refuses what AWS refuses."""

import pytest
from botocore.exceptions import ClientError

from aws.doubles.control_plane import ControlPlane, control_plane
from aws.doubles.signature import Identity

ROLE = "arn:aws:iam::123456789012:role/gateway"


@pytest.fixture
def plane():
    with control_plane() as running:
        yield running


def create(plane: ControlPlane, **changes: object) -> str:
    asked = {"name": "Shop", "roleArn": ROLE, "authorizerType": "NONE", "protocolType": "MCP"} | changes
    return plane.client().create_gateway(**asked)["gatewayId"]


def refusal(call, **arguments: object) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def test_keeps_a_gateway(plane: ControlPlane) -> None:
    settings = {"mcp": {"instructions": "Sells.", "sessionConfiguration": {"sessionTimeoutInSeconds": 900}}}
    gateway = create(plane, protocolConfiguration=settings)
    got = plane.client().get_gateway(gatewayIdentifier=gateway)
    assert (got["protocolConfiguration"], got["status"]) == (settings, "READY")
    assert got["gatewayArn"].endswith(f":gateway/{gateway}") and got["gatewayUrl"].endswith("/mcp")


def test_lists_targets_in_pages(plane: ControlPlane) -> None:
    gateway, client = create(plane), plane.client()
    for at in range(7):
        server = {"mcp": {"mcpServer": {"endpoint": f"https://server-{at}.example.com/mcp", "resourcePriority": at}}}
        client.create_gateway_target(gatewayIdentifier=gateway, name=f"server-{at}", targetConfiguration=server)
    pages = list(client.get_paginator("list_gateway_targets").paginate(gatewayIdentifier=gateway))
    assert [len(page["items"]) for page in pages] == [3, 3, 1]
    assert [item["resourcePriority"] for page in pages for item in page["items"]] == list(range(7))
    last = client.get_gateway_target(gatewayIdentifier=gateway, targetId=pages[-1]["items"][0]["targetId"])
    assert last["targetConfiguration"]["mcp"]["mcpServer"]["endpoint"] == "https://server-6.example.com/mcp"


def test_shows_no_secret(plane: ControlPlane) -> None:
    client = plane.client()
    discovery = {"discoveryUrl": "https://login.example.com/.well-known/openid-configuration"}
    config = {"customOauth2ProviderConfig": {"oauthDiscovery": discovery, "clientId": "id", "clientSecret": "hunter2"}}
    client.create_oauth2_credential_provider(
        name="oauth", credentialProviderVendor="CustomOauth2", oauth2ProviderConfigInput=config
    )
    client.create_api_key_credential_provider(name="key", apiKey="hunter2")
    got = [client.get_oauth2_credential_provider(name="oauth"), client.get_api_key_credential_provider(name="key")]
    assert "hunter2" not in str(got)
    assert [one["credentialProviderArn"].rsplit("/", 1)[1] for one in got] == ["oauth", "key"]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"name": "under_score"}, "CreateGateway.name"),
        ({"authorizerType": "PASSWORD"}, "CreateGateway.authorizerType"),
        ({"protocolConfiguration": {"mcp": {"sessionConfiguration": {"sessionTimeoutInSeconds": 5}}}}, "5 is less than 900"),
        ({"roleArn": "role"}, "CreateGateway.roleArn"),
    ],
    ids=["name", "authorizer", "timeout", "role"],
)
def test_refuses_what_the_model_does_not_allow(plane: ControlPlane, changes: dict, complaint: str) -> None:
    # Some of it botocore would not let out itself.
    client = plane.client(parameter_validation=False)
    asked = {"name": "Shop", "roleArn": ROLE, "authorizerType": "NONE"} | changes
    status, code, message = refusal(client.create_gateway, **asked)
    assert (status, code) == (400, "ValidationException") and complaint in message


def test_refuses_what_is_there_and_what_is_not(plane: ControlPlane) -> None:
    gateway, client = create(plane), plane.client()
    asked = {"name": "Shop", "roleArn": ROLE, "authorizerType": "NONE"}
    assert refusal(client.create_gateway, **asked)[:2] == (409, "ConflictException")
    missing = refusal(client.get_gateway, gatewayIdentifier="nothing-0123456789")
    assert missing[:2] == (404, "ResourceNotFoundException")
    missing = refusal(client.get_gateway_target, gatewayIdentifier=gateway, targetId="0123456789")
    assert missing[:2] == (404, "ResourceNotFoundException")
    missing = refusal(client.list_gateway_targets, gatewayIdentifier=gateway, nextToken="other")
    assert missing[:2] == (400, "ValidationException")


def test_fails_as_it_is_told(plane: ControlPlane) -> None:
    gateway, client = create(plane), plane.client()
    plane.fail("GetGateway", "ThrottlingException", "slower")
    plane.fail("CreateGateway", "ServiceQuotaExceededException")
    throttled = refusal(client.get_gateway, gatewayIdentifier=gateway)
    assert throttled == (429, "ThrottlingException", "slower")
    full = refusal(client.create_gateway, name="Other", roleArn=ROLE, authorizerType="NONE")
    assert full[:2] == (402, "ServiceQuotaExceededException")
    assert client.get_gateway(gatewayIdentifier=gateway)["gatewayId"] == gateway


@pytest.mark.parametrize(
    ("identity", "code"),
    [
        (Identity(secret_key="wrong"), "InvalidSignatureException"),
        (Identity(access_key="AKIDOTHER"), "UnrecognizedClientException"),
        (Identity(token="session"), "UnrecognizedClientException"),
    ],
    ids=["secret", "key", "token"],
)
def test_refuses_a_stranger(plane: ControlPlane, identity: Identity, code: str) -> None:
    gateway = create(plane)
    plane.identity, right = identity, plane.identity
    stranger = plane.client()
    plane.identity = right
    assert refusal(stranger.get_gateway, gatewayIdentifier=gateway)[:2] == (403, code)


def test_takes_temporary_credentials() -> None:
    with control_plane(identity=Identity(token="session")) as plane:
        assert create(plane)
