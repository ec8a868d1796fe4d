"""Callers that are AWS principals, as AWS's own tools and foreign signers know to show it: botocore's signer and presigner,
AWS's proxy for MCP clients, curl. STS, in ministack, judges what wraps a presigned GetCallerIdentity."""

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness.account import REGION, Account, may
from harness.gateway import Gateway, causeway, sample, serve
from harness.ministack import ministack
from harness.process import CLEAN, Process

HERE = Path(__file__).resolve().parent
ALICE = Credentials("AKIAALICE", "alice's/secret+key")
GATEWAY_ID = "tools.example.com"
PREFIX = "causeway-aws-v1."
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
ADD = "calculator___add_numbers"

CONFIG = """
[gateway]
listen = "127.0.0.1:0"

[authorizer.aws_iam]
region = "us-east-1"

[[authorizer.aws_iam.access_keys]]
access_key_id = "AKIAALICE"
secret_access_key_env = "ALICE_SECRET_ACCESS_KEY"
principal = "arn:aws:iam::123456789012:user/alice"

[authorizer.aws_iam.caller_identity]
gateway_id = "tools.example.com"
allowed_principals = ["arn:aws:iam::000000000000:role/developers", "{user}"]
endpoint = "{sts}/"

[[targets]]
name = "calculator"
http.endpoint = "{calculator}"
"""


@pytest.fixture(scope="module")
def sts() -> Iterator[Account]:
    with ministack() as running:
        yield running


@pytest.fixture(scope="module")
def user(sts: Account) -> dict[str, str]:
    """An IAM user who may call, as variables of a program."""
    return sts.user(may("sts:*"))


@pytest.fixture(scope="module")
def gateway(sts: Account, user: dict[str, str]) -> Iterator[Gateway]:
    with sample("calculator") as calculator:
        filled = CONFIG.format(user=arn(sts, user), sts=sts.url, calculator=calculator)
        with serve(filled, {"ALICE_SECRET_ACCESS_KEY": ALICE.secret_key}) as running:
            yield running


def arn(sts: Account, keys: dict[str, str]) -> str:
    return sts.client("sts", **keys_of(keys)).get_caller_identity()["Arn"]


def keys_of(environment: dict[str, str]) -> dict[str, str]:
    return {"key": environment["AWS_ACCESS_KEY_ID"], "secret": environment["AWS_SECRET_ACCESS_KEY"]}


def signed(url: str, body: object, credentials=ALICE, service="bedrock-agentcore", **headers: str) -> httpx2.Response:
    """What comes of a request that botocore signed."""
    data = json.dumps(body, ensure_ascii=False).encode()
    head = {"content-type": "application/json", "accept": "application/json, text/event-stream"} | headers
    request = AWSRequest("POST", url, data=data, headers=head)
    SigV4Auth(credentials, service, REGION).add_auth(request)
    return httpx2.post(url, content=data, headers=dict(request.headers), trust_env=False)


def call(text: str) -> dict:
    params = {"name": ADD, "arguments": {"a": 2, "b": 40}, "_meta": {"note": text}}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


@pytest.mark.parametrize("text", ["plain", "a b+c%20d/e", "日本語 ünï", "\u2028", "x" * 100_000])
def test_what_botocore_signs_is_taken(gateway: Gateway, text: str) -> None:
    answer = signed(gateway.endpoint, call(text))
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"]["structuredContent"] == {"result": 42.0}


@pytest.mark.parametrize("query", ["", "?a=1", "?b=2&a=1", "?a=%2F&a=%20", "?a=b%2Bc&d=%C3%BC", "?x=a%3Ab%40c"])
def test_what_botocore_signs_with_a_query_is_taken(gateway: Gateway, query: str) -> None:
    assert signed(gateway.endpoint + query, LIST).status_code == 200


def test_headers_of_every_kind_are_covered(gateway: Gateway) -> None:
    headers = {"x-custom": "many   spaces", "mcp-protocol-version": "2025-11-25", "traceparent": "00-1-2-01"}
    assert signed(gateway.endpoint, LIST, **headers).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"credentials": Credentials("AKIAALICE", "guessed")},
        {"credentials": Credentials("AKIAMALLORY", ALICE.secret_key)},
        {"credentials": Credentials("AKIAALICE", ALICE.secret_key, "session-token")},
        {"service": "execute-api"},
    ],
    ids=["wrong secret", "unknown key", "session token", "other service"],
)
def test_other_signatures_are_refused(gateway: Gateway, change: dict) -> None:
    answer = signed(gateway.endpoint, LIST, **change)
    assert answer.status_code == 401
    assert answer.json() == {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {"code": -32001, "message": "Authentication error - Invalid credentials"},
    }


def test_what_changes_on_the_way_is_refused(gateway: Gateway) -> None:
    request = AWSRequest("POST", gateway.endpoint, data=json.dumps(LIST), headers={"content-type": "application/json"})
    SigV4Auth(ALICE, "bedrock-agentcore", REGION).add_auth(request)
    headers = dict(request.headers)

    def status(body: object, **changed: str) -> int:
        sent = json.dumps(body).encode()
        return httpx2.post(gateway.endpoint, content=sent, headers=headers | changed, trust_env=False).status_code

    assert status(LIST) == 200
    assert status(call("other")) == 401
    assert status(LIST, **{"x-amz-date": "20200101T000000Z"}) == 401
    assert status(LIST, **{"x-amz-target": "added"}) == 401
    assert status(LIST, **{"content-type": "application/json; charset=utf-8"}) == 401


def test_curl_signs_too(gateway: Gateway) -> None:
    signer = ["--aws-sigv4", f"aws:amz:{REGION}:bedrock-agentcore", "--user", f"AKIAALICE:{ALICE.secret_key}"]
    body = ["-H", "Content-Type: application/json", "-d", json.dumps(call("curl"))]
    ran = subprocess.run(["curl", "-s", *signer, *body, gateway.endpoint], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout)["result"]["structuredContent"] == {"result": 42.0}


def test_a_client_behind_the_proxy_of_aws_calls(gateway: Gateway, tmp_path: Path) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIAALICE", "AWS_SECRET_ACCESS_KEY": ALICE.secret_key, "AWS_REGION": REGION}
    python = HERE / ".venv" / "bin" / "python"
    ran = subprocess.run(
        [python, HERE / "behind_the_proxy.py", gateway.endpoint, ADD, json.dumps({"a": 2, "b": 40})],
        env=CLEAN | keys | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    seen = json.loads(ran.stdout)
    assert ADD in seen["tools"] and seen["result"] == {"result": 42.0}


KEPT = """
[gateway]
listen = "127.0.0.1:0"

[authorizer.aws_iam]
region = "us-east-1"

[[authorizer.aws_iam.access_keys]]
access_key_id = "AKIACAROL"
secret_access_key_arn = "{arn}"
secret_access_key_json_key = "SecretAccessKey"
principal = "arn:aws:iam::123456789012:user/carol"

[[targets]]
name = "calculator"
http.endpoint = "{calculator}"
"""


def test_a_secret_that_aws_keeps_and_that_changes(sts: Account) -> None:
    secrets = sts.client("secretsmanager")
    made = secrets.create_secret(Name="carol", SecretString=json.dumps({"SecretAccessKey": "first"}))
    with sample("calculator") as calculator:
        config = KEPT.format(arn=made["ARN"], calculator=calculator)
        with serve(config, sts.environment()) as gateway:
            carol = Credentials("AKIACAROL", "first")
            assert signed(gateway.endpoint, LIST, carol).status_code == 200
            secrets.put_secret_value(SecretId="carol", SecretString=json.dumps({"SecretAccessKey": "second"}))
            assert signed(gateway.endpoint, LIST, Credentials("AKIACAROL", "second")).status_code == 200
            assert signed(gateway.endpoint, LIST, carol).status_code == 401


def test_a_secret_that_aws_does_not_give(sts: Account) -> None:
    arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:nobody-AbCdEf"
    with sample("calculator") as calculator:
        with serve(KEPT.format(arn=arn, calculator=calculator), sts.environment()) as gateway:
            answer = signed(gateway.endpoint, LIST, Credentials("AKIACAROL", "first"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "secretsmanager" not in answer.text


DEV = """
[authorizer.aws_iam]
region = "eu-west-1"
service = "execute-api"
{keys}

[[targets]]
name = "calculator"
http.endpoint = "https://calculator.example.com/mcp"
dev.sample = "calculator"
"""
KEYS = """
[[authorizer.aws_iam.access_keys]]
access_key_id = "AKIABOB"
secret_access_key_env = "NOT_SET_ANYWHERE"
principal = "arn:aws:iam::123456789012:user/bob"
"""
IDENTITY = """
[authorizer.aws_iam.caller_identity]
gateway_id = "tools.example.com"
allowed_principals = ["arn:aws:iam::123456789012:role/developers"]
"""


@pytest.mark.parametrize("keys", [KEYS, IDENTITY], ids=["keys", "caller identity"])
def test_what_dev_prints_is_signed(keys: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(DEV.format(keys=keys))
    argv = [causeway(), "dev", "--listen", "127.0.0.1:0", "--config", str(path)]
    with Process(argv, {"HOME": str(tmp_path)}) as process:
        process.wait_for(lambda: "Ctrl-C stops all of it." in process.lines or None, "it served")
        text = "\n".join(process.lines)
        commands = [part for part in text.split("\n\n") if part.startswith("curl")]
        assert len(commands) == 2, text
        for command in commands:
            ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
            assert "result" in json.loads(ran.stdout), ran.stdout
        assert '"command": "uvx"' in text and '"AWS_REGION": "eu-west-1"' in text


# ------------------------------------------------------------------------------------------------ tokens of STS


def token(environment: dict[str, str], endpoint: str, gateway_id: str = GATEWAY_ID) -> str:
    """What `causeway token aws-iam` prints."""
    ran = subprocess.run(
        [causeway(), "token", "aws-iam", "--gateway-id", gateway_id, "--endpoint", f"{endpoint}/"],
        env=CLEAN | {"AWS_REGION": REGION} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.strip()


def with_token(gateway: Gateway, text: str) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {text}", "Accept": "application/json, text/event-stream"}
    return httpx2.post(gateway.endpoint, json=LIST, headers=headers, trust_env=False)


def test_whoever_sts_knows_and_the_list_allows_calls(gateway: Gateway, sts: Account, user: dict[str, str]) -> None:
    assert with_token(gateway, token(user, sts.url)).status_code == 200


def test_a_token_that_botocore_presigned_is_taken(gateway: Gateway, sts: Account, user: dict[str, str]) -> None:
    credentials = Credentials(user["AWS_ACCESS_KEY_ID"], user["AWS_SECRET_ACCESS_KEY"])
    url = f"{sts.url}/?Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest("GET", url, headers={"x-causeway-gateway-id": GATEWAY_ID})
    SigV4QueryAuth(credentials, "sts", REGION, expires=60).add_auth(request)
    wrapped = base64.urlsafe_b64encode(request.url.encode()).decode().rstrip("=")
    answer = with_token(gateway, PREFIX + wrapped)
    assert answer.status_code == 200, answer.text


def test_a_session_of_an_allowed_role_calls(gateway: Gateway, sts: Account) -> None:
    assert with_token(gateway, token(assumed(sts, "developers"), sts.url)).status_code == 200
    refused = with_token(gateway, token(assumed(sts, "visitors"), sts.url))
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == -32002


def assumed(sts: Account, role: str) -> dict[str, str]:
    """Temporary credentials of a new role, as variables of a program."""
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    sts.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=document)
    made = sts.client("sts").assume_role(RoleArn=f"arn:aws:iam::000000000000:role/{role}", RoleSessionName="alice")
    keys = made["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }


def test_tokens_that_are_not_good_are_refused(gateway: Gateway, sts: Account, user: dict[str, str]) -> None:
    assert with_token(gateway, token(user | {"AWS_SECRET_ACCESS_KEY": "guessed"}, sts.url)).status_code == 401
    assert with_token(gateway, token(user, sts.url, "another.example.com")).status_code == 401
    assert with_token(gateway, token(user, "http://127.0.0.1:1")).status_code == 401
    assert with_token(gateway, PREFIX + "e30").status_code == 401
    stranger = sts.user(may("sts:*"))
    assert with_token(gateway, token(stranger, sts.url)).status_code == 403


def test_without_credentials_the_command_says_what_to_set(tmp_path: Path) -> None:
    ran = subprocess.run(
        [causeway(), "token", "aws-iam", "--gateway-id", GATEWAY_ID],
        env=CLEAN | {"AWS_REGION": REGION, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1 and not ran.stdout
    assert "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`" in ran.stderr
