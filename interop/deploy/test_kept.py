"""`causeway aws`: credential providers in a double of AgentCore's control plane that botocore's model judges, secrets in ministack's
Secrets Manager. And `causeway status` with both of a gateway's sides: what AWS says of it, and a gateway that really checks tokens."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from aws.doubles.control_plane import ControlPlane, control_plane
from aws.gateways import Maker
from harness.account import Account
from harness.cognito import Pool
from harness.command import Ended, run
from harness.gateway import sample, serve
from harness.ministack import ministack

DISCOVERY = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Example/.well-known/openid-configuration"
USAGE = 2


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with ministack() as running:
        yield running


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with control_plane() as running:
        yield running


def provider(plane: ControlPlane, *arguments: str, stdin: str | None = None, **env: str) -> Ended:
    return run("aws", "credential-provider", *arguments, env=plane.environment() | env, stdin=stdin)


def test_a_credential_provider_is_made_changed_shown_and_removed(plane: ControlPlane):
    client = ["--client-id", "4example", "--discovery-url", DISCOVERY]
    made = provider(plane, "create", "my-identity", *client, "--client-secret-file", "-", stdin="hunter2\n").ok()
    assert made.out.strip().endswith("/oauth2credentialprovider/my-identity")
    assert plane.secrets["my-identity"] == "hunter2"
    shown = provider(plane, "get", "my-identity").ok()
    assert DISCOVERY in shown.out and "4example" in shown.out and "hunter2" not in shown.out
    changed = [*client, "--client-secret-env", "CLIENT_SECRET"]
    provider(plane, "update", "my-identity", *changed, CLIENT_SECRET="hunter3").ok()
    assert plane.secrets["my-identity"] == "hunter3"
    for number in range(4):
        provider(plane, "create", f"other-{number}", *client, "--client-secret-file", "-", stdin="x").ok()
    listed = json.loads(provider(plane, "list", "--json").ok().out)
    assert [each["name"] for each in listed] == ["my-identity", *(f"other-{number}" for number in range(4))], "all pages"
    assert provider(plane, "delete", "my-identity").status == USAGE, "nobody can be asked"
    provider(plane, "delete", "my-identity", "--yes").ok()
    gone = provider(plane, "get", "my-identity")
    assert gone.status == 1 and "ResourceNotFoundException" in gone.err


def test_a_secret_that_aws_keeps_is_named_not_read(plane: ControlPlane):
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:orders-AbCdEf"
    endpoints = ["--issuer", "https://i.example", "--authorization-endpoint", "https://i.example/a"]
    client = ["--client-id", "4example", "--token-endpoint", "https://i.example/t", *endpoints, "--client-secret-arn", arn]
    assert provider(plane, "create", "kept", *client).status == USAGE, "which member?"
    provider(plane, "create", "kept", *client, "--client-secret-json-key", "client_secret").ok()
    shown = provider(plane, "get", "kept", "--json").ok().json
    assert shown["clientSecretArn"]["secretArn"] == arn and shown["clientSecretJsonKey"] == "client_secret"
    assert plane.secrets["kept"] is None


def test_no_secret_is_taken_from_the_command_line(plane: ControlPlane):
    told = provider(plane, "create", "--help").ok().out
    assert "--client-secret-env" in told and "--client-secret " not in told
    refused = provider(plane, "create", "x", "--client-id", "a", "--discovery-url", DISCOVERY)
    assert refused.status == USAGE and "say where the client's secret is" in refused.err


def test_a_servers_configuration_is_made_changed_shown_and_removed(account: Account):
    def secret(*arguments: str, stdin: str | None = None) -> Ended:
        return run("aws", "secret", *arguments, env=account.environment(), stdin=stdin)

    first, second = {"ALLOWED_LOG_GROUPS": "/aws/lambda/orders"}, {"ALLOWED_LOG_GROUPS": "/ecs/hunter2"}
    arn = secret("create", "insights", "--description", "Of the server", stdin=json.dumps(first)).ok().out.strip()
    manager = account.client("secretsmanager")
    assert json.loads(manager.get_secret_value(SecretId=arn)["SecretString"]) == first
    secret("update", arn, stdin=json.dumps(second)).ok()
    assert json.loads(manager.get_secret_value(SecretId="insights")["SecretString"]) == second
    shown = secret("get", "insights").ok().out
    assert arn in shown and "ALLOWED_LOG_GROUPS" in shown and "Of the server" in shown and "hunter2" not in shown
    assert json.loads(secret("get", "insights", "--show").ok().out) == second
    wrong = secret("update", "insights", stdin="hunter3")
    assert wrong.status == USAGE and "--text" in wrong.err and "hunter3" not in wrong.err
    secret("delete", "insights", "--yes").ok()
    assert "DeletedDate" in manager.describe_secret(SecretId="insights"), "it can be brought back"
    secret("create", "gone", "--text", stdin="hunter4").ok()
    secret("delete", "gone", "--now", "--yes").ok()
    assert secret("get", "gone").status == 1


class Deployed:
    """What a deployment leaves on this machine, with a gateway of ours in place of the one at AWS."""

    def __init__(self, path: Path, outputs: dict, credentials: dict) -> None:
        self.path = path
        home = path / ".causeway/tools"
        home.mkdir(parents=True)
        state = {"version": 1, "gateway": "tools", "region": "us-east-1", "root": "agentcore", "step": "finished", "made": True}
        state |= {"digest": "", "updated_at": 0, "files": [], "secrets": {"version": 0, "salt": "", "digest": ""}}
        (home / "state.json").write_text(json.dumps(state | {"outputs": outputs}))
        self.credentials = path / ".agentcore-credentials-tools.json"
        self.credentials.write_text(json.dumps(credentials))

    def status(self, *arguments: str, env: dict[str, str] | None = None) -> Ended:
        return run("status", "--gateway-name", "tools", *arguments, env=env, cwd=str(self.path))


def test_a_deployed_gateway_is_asked_with_a_new_token_and_without(account: Account, tmp_path: Path):
    pool = Pool.create(account, "deployed", ["invoke"])
    client = pool.client("deployed-client", "deployed/invoke")
    with sample("calculator") as calculator:
        config = f"""
            gateway.listen = "127.0.0.1:0"
            [authorizer.custom_jwt]
            discovery_url = "{pool.discovery_url}"
            allowed_clients = ["{client.id}"]
            [[targets]]
            name = "calculator"
            http.endpoint = "{calculator}"
            """
        with serve(config) as gateway:
            outputs = {"gateway_url": gateway.endpoint, "user_pool_id": pool.id, "client_id": client.id}
            credentials = {"gateway_url": gateway.endpoint, "user_pool_id": pool.id, "client_id": client.id}
            credentials |= {"client_secret": client.secret, "token_endpoint": pool.token_endpoint, "scope": "deployed/invoke"}
            deployed = Deployed(tmp_path / "desk", outputs, credentials)
            without = deployed.status("--offline", "--test-auth")
            assert without.status == 1 and "there is no access token" in without.out
            updated = deployed.status("--offline", "--update-token", "--test-auth", "--json").ok().json
            seen = {finding["what"]: finding["seen"] for finding in updated["findings"]}
            assert seen["let in"] == "it lists 2 tools for who has the credentials"
            assert seen["kept out"] == "without credentials it lets nobody in"
            token = json.loads(deployed.credentials.read_text())["access_token"]
            assert token.startswith("ey") and token not in json.dumps(updated)


def test_what_aws_says_of_it_is_said(plane: ControlPlane, tmp_path: Path):
    gateway = Maker(plane).gateway("tools", "AWS_IAM")
    arn = plane.client().get_gateway(gatewayIdentifier=gateway)["gatewayArn"]
    deployed = Deployed(tmp_path / "desk", {"gateway_arn": arn, "gateway_id": gateway}, {})
    findings = deployed.status("--json", env=plane.environment()).ok().json["findings"]
    seen = {finding["what"]: finding["seen"] for finding in findings}
    assert seen["status"] == "READY" and seen["targets"] == "0 targets, all READY"
    plane.fail("GetGateway", "AccessDeniedException", times=1)
    denied = deployed.status(env=plane.environment())
    assert denied.status == 0 and "allow `bedrock-agentcore:GetGateway`" in denied.out
