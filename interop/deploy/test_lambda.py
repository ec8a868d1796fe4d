"""The gateway as a Lambda function: before the emulator of Lambda's Runtime API, and end to end in ministack, behind a REST API with a
Cognito authorizer and an HTTP API with a JWT authorizer, with the SDKs' clients."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from harness.account import REGION, Account
from harness.clients import CLIENTS, Client
from harness.cognito import M2mClient, Pool
from harness.function import create, emulated, event, http_api, package, publish, rest_api, rest_url
from harness.gateway import ROOT, causeway, sample
from harness.ministack import ministack
from harness.process import CLEAN

SUM = ("calculator___add_numbers", {"a": 2, "b": 3})
PYTHON = [client for client in CLIENTS if client.sdk == "python"]


@pytest.fixture(scope="module")
def calculator() -> Iterator[str]:
    with sample("calculator") as url:
        yield url


def config(pool: Pool, client: M2mClient, target: str, public: str, more: str = "", discovery: str | None = None) -> str:
    return f"""
    [gateway]
    public_url = "{public}/mcp"
    [authorizer.custom_jwt]
    discovery_url = "{discovery or pool.discovery_url}"
    allowed_clients = ["{client.id}"]
    allowed_scopes = ["tools/invoke"]
    [[targets]]
    name = "calculator"
    http.endpoint = "{target}"
    {more}
    """


@dataclass
class Deployed:
    """The account with the function, and who may call it."""

    account: Account
    pool: Pool
    client: M2mClient
    #: With another scope.
    other: M2mClient
    #: Of the REST API.
    rest: str
    #: Of the REST API of a function that cannot reach the issuer.
    apart: str
    #: The `Host` by which ministack knows the HTTP API.
    http: str
    #: Of the REST API whose function is a sample server.
    sample: str

    def token(self) -> str:
        return self.pool.token(self.client)


@pytest.fixture(scope="module")
def deployed(calculator: str) -> Iterator[Deployed]:
    with ministack({"LAMBDA_EXECUTOR": "local"}) as account:
        pool = Pool.create(account, "tools", ["invoke", "other"])
        client, other = pool.client("client", "tools/invoke"), pool.client("other", "tools/other")
        arn = account.client("cognito-idp").describe_user_pool(UserPoolId=pool.id)["UserPool"]["Arn"]
        issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{pool.id}"
        code = package()

        def function(name: str, text: str) -> str:
            return create(account, name, code, {"CAUSEWAY_CONFIG_TOML": text})

        def published(name: str, more: str = "", discovery: str | None = None) -> str:
            api = rest_api(account, name)
            text = config(pool, client, calculator, rest_url(account, api), more, discovery)
            return publish(account, api, function(name, text), arn, "tools/invoke")

        trusting = "[lambda]\ntrust_api_gateway_authorizer = true"
        # ministack runs no pool under AWS's name: nothing answers there.
        apart = published("apart", trusting, f"{issuer}/.well-known/openid-configuration")
        api = rest_api(account, "sample")
        served = publish(account, api, create(account, "sample", code, {}, "sample.calculator"), arn, "tools/invoke")
        behind = function("http", config(pool, client, calculator, "https://tools.example.com"))
        host = http_api(account, "http", behind, issuer, client.id)
        yield Deployed(account, pool, client, other, published("rest"), apart, host, served)


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_clients_call_through_a_rest_api(deployed: Deployed, client: Client) -> None:
    seen = client.run(f"{deployed.rest}/mcp", deployed.token(), SUM)
    assert seen.protocol == client.protocol
    assert seen.tools == ["calculator___add_numbers", "calculator___multiply_numbers"]
    assert [call["structured"] for call in seen.calls] == [{"result": 5}]


@pytest.mark.parametrize("client", PYTHON, ids=str)
def test_one_server_may_be_the_function(deployed: Deployed, client: Client) -> None:
    seen = client.run(f"{deployed.sample}/mcp", deployed.token(), ("add_numbers", {"a": 2, "b": 3}))
    assert (seen.protocol, [call["structured"] for call in seen.calls]) == (client.protocol, [{"result": 5}])


def test_the_authorizer_of_api_gateway_lets_nobody_else_in(deployed: Deployed) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}

    def status(url: str, token: str | None) -> int:
        headers = {"Accept": "application/json, text/event-stream"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        return httpx2.post(f"{url}/mcp", json=ping, headers=headers, trust_env=False).status_code

    good = deployed.token()
    for url in [deployed.rest, deployed.apart, deployed.sample]:
        assert status(url, good) == 200
        assert status(url, None) == 401
        assert status(url, good[:-20] + "A" * 20) == 401
        assert status(url, deployed.pool.token(deployed.other)) in [401, 403]


@pytest.mark.parametrize("client", PYTHON, ids=str)
def test_a_function_without_a_way_to_the_issuer_takes_api_gateways_word(deployed: Deployed, client: Client) -> None:
    seen = client.run(f"{deployed.apart}/mcp", deployed.token(), SUM)
    assert [call["structured"] for call in seen.calls] == [{"result": 5}]


def test_the_metadata_is_for_everyone(deployed: Deployed) -> None:
    url = f"{deployed.rest}/.well-known/oauth-protected-resource"
    metadata = httpx2.get(url, trust_env=False).raise_for_status().json()
    assert metadata["resource"] == f"{deployed.rest}/mcp" and metadata["scopes_supported"] == ["tools/invoke"]


def test_an_http_api_passes_on_json_too(deployed: Deployed) -> None:
    def ask(method: str, token: str | None, **params: object) -> httpx2.Response:
        headers = {"Host": deployed.http, "Accept": "application/json, text/event-stream"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return httpx2.post(f"{deployed.account.url}/mcp", json=body, headers=headers, trust_env=False)

    name, arguments = SUM
    called = ask("tools/call", deployed.token(), name=name, arguments=arguments)
    assert called.headers["content-type"] == "application/json", called.text
    assert "result" in called.json(), called.text
    assert called.json()["result"]["structuredContent"] == {"result": 5}
    assert ask("ping", None).status_code == 401


def test_commands_get_a_token_by_a_secret_and_call(deployed: Deployed) -> None:
    client = deployed.client
    kept = {"client_id": client.id, "client_secret": client.secret, "token_endpoint": deployed.pool.token_endpoint}
    name = deployed.account.client("secretsmanager").create_secret(Name="caller", SecretString=json.dumps(kept))["ARN"]
    with tempfile.TemporaryDirectory() as home:
        Path(home, "credentials").write_text("[dev]\naws_access_key_id = test\naws_secret_access_key = test\n")
        env = {"AWS_SHARED_CREDENTIALS_FILE": f"{home}/credentials", "AWS_CONFIG_FILE": f"{home}/config", "AWS_REGION": REGION}
        env |= {"AWS_ENDPOINT_URL": deployed.account.url, "HOME": home}
        token = recipe("get-token", env, secret=name, profile="dev").strip()
        assert token.count(".") == 2
        listed = recipe("test-api", env | {"AWS_PROFILE": "dev"}, secret=name, url=f"{deployed.rest}/mcp")
        assert "calculator___add_numbers" in listed and "calculator___multiply_numbers" in listed


def recipe(name: str, env: dict[str, str], **arguments: str) -> str:
    """What a recipe of the justfile prints: its one line, with what `just` would put in it."""
    lines = (ROOT / "justfile").read_text().splitlines()
    line = lines[lines.index(" ".join([f"{name}", *arguments]) + ":") + 1].strip().removeprefix("@")
    for variable, value in ({"causeway": causeway()} | arguments).items():
        line = line.replace(f"{{{{ {variable} }}}}", value)
    ran = subprocess.run(["sh", "-c", line], env=CLEAN | env, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def open_config(calculator: str) -> str:
    open_to_all = '[gateway]\nlisten = "0.0.0.0:8080"\nallow_unauthenticated = true\n'
    return f'authorizer = "none"\n[[targets]]\nname = "calculator"\nhttp.endpoint = "{calculator}"\n{open_to_all}'


@pytest.mark.parametrize("client", PYTHON, ids=str)
def test_the_runtime_api_of_cargo_lambda(open_config: str, client: Client, tmp_path: Path) -> None:
    with emulated(tmp_path, {"CAUSEWAY_CONFIG_TOML": open_config}) as function:
        seen = client.run(f"{function.url}/mcp", None, SUM)
        assert [call["structured"] for call in seen.calls] == [{"result": 5}]


def test_an_event_of_a_rest_api_at_the_runtime_api(open_config: str, tmp_path: Path) -> None:
    with emulated(tmp_path, {"CAUSEWAY_CONFIG_TOML": open_config}) as function:
        body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/list"})
        headers = {"Content-Type": ["application/json"], "Accept": ["application/json", "text/event-stream"]}
        context = {"stage": "prod", "path": "/prod/mcp", "httpMethod": "POST", "domainName": "a.example"}
        rest = event(
            tmp_path,
            resource="/mcp",
            path="/mcp",
            httpMethod="POST",
            headers={name: values[-1] for name, values in headers.items()},
            multiValueHeaders=headers,
            requestContext=context,
            body=body,
            isBase64Encoded=False,
        )
        answer = function.invoke(rest)
        assert (answer["statusCode"], answer["multiValueHeaders"]["content-type"]) == (200, ["application/json"])
        assert json.loads(answer["body"])["id"] == 7
