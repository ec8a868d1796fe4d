"""Secrets that AWS keeps, by ARN: client secrets, API keys and session keys in ministack's Secrets Manager and Parameter Store,
read when they are needed, again when they are refused, and served on while AWS is gone."""

import json
import os
import secrets
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import httpx2
import pytest

from harness.account import Account, may
from harness.cognito import M2mClient, Pool
from harness.gateway import Gateway, causeway, post, sample, serve, written
from harness.listener import Answer, Request, listening
from harness.ministack import ministack
from harness.process import CLEAN, until

ADD = "calculator___add_numbers"
PASSED = ("content-type", "accept", "mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name")


@pytest.fixture(scope="module")
def aws() -> Iterator[Account]:
    with ministack() as running:
        yield running


@pytest.fixture(scope="module")
def calculator() -> Iterator[str]:
    with sample("calculator") as url:
        yield url


@dataclass
class Door:
    """Before the calculator: lets in whoever shows the key."""

    server: str
    key: str
    url: str = ""
    #: Requests that showed another key, or none.
    refused: list[str | None] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        shown = request.headers.get("x-api-key")
        if shown != self.key:
            self.refused.append(shown)
            return Answer(401, b"")
        headers = {name: request.headers[name] for name in PASSED if name in request.headers}
        got = httpx2.request(request.method, self.server, content=request.body, headers=headers, trust_env=False)
        return Answer(got.status_code, got.content, {"content-type": got.headers.get("content-type", "")})


@contextmanager
def door(server: str, key: str) -> Iterator[Door]:
    before = Door(server, key)
    with listening(before.answer) as before.url:
        yield before


def config(target: str, more: str = "") -> str:
    return f"""
authorizer = "none"
[gateway]
listen = "127.0.0.1:0"
{more}
[[targets]]
name = "calculator"
{target}
"""


def by_key(door: Door, arn: str, more: str = "") -> str:
    key = f'key_arn = "{arn}", parameter_name = "X-Api-Key"'
    return config(f'http.endpoint = "{door.url}"\ncredential.api_key = {{ {key} }}', more)


def secret(aws: Account, value: str) -> str:
    """The ARN of a new secret."""
    return aws.client("secretsmanager").create_secret(Name=f"s-{uuid.uuid4()}", SecretString=value)["ARN"]


def parameter(aws: Account, value: str) -> str:
    """The ARN of a new parameter."""
    name = f"/causeway/{uuid.uuid4()}"
    ssm = aws.client("ssm")
    ssm.put_parameter(Name=name, Value=value, Type="SecureString")
    return ssm.get_parameter(Name=name)["Parameter"]["ARN"]


def change(aws: Account, arn: str, value: str) -> None:
    if ":ssm:" in arn:
        name = arn.split(":parameter", 1)[1]
        aws.client("ssm").put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)
    else:
        aws.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=value)


def add(gateway: Gateway) -> dict:
    return post(gateway.endpoint, method="tools/call", name=ADD, arguments={"a": 2, "b": 3}).json()


def added(gateway: Gateway) -> bool:
    answer = add(gateway)
    return "result" in answer and not answer["result"].get("isError") and "5" in json.dumps(answer["result"])


def log(gateway: Gateway) -> str:
    return "\n".join(gateway.process.errors)


@contextmanager
def behind_oauth(aws: Account, kept: Callable[[M2mClient], str], more: str = "") -> Iterator[tuple[Gateway, str, M2mClient]]:
    """A gateway before a target that wants tokens, for which it has a client whose secret AWS keeps; gives that one's ARN too."""
    pool = Pool.create(aws, f"p{uuid.uuid4().hex[:8]}", ["invoke"])
    client = pool.client("gateway")
    arn = secret(aws, kept(client))
    demanded = ["--jwt-discovery-url", pool.discovery_url, "--jwt-allowed-clients", client.id]
    with sample("calculator", *demanded) as url:
        oauth = f"""
http.endpoint = "{url}"
[targets.credential.client_credentials]
token_endpoint = "{pool.token_endpoint}"
client_id = "{client.id}"
client_secret_arn = "{arn}"
{more}
"""
        with serve(config(oauth), aws.environment()) as gateway:
            yield gateway, arn, client


def test_a_client_secret_is_a_member_of_a_json_secret(aws: Account) -> None:
    def kept(client: M2mClient) -> str:
        return json.dumps({"client_id": client.id, "client_secret": client.secret})

    with behind_oauth(aws, kept, 'client_secret_json_key = "client_secret"') as (gateway, _, client):
        assert added(gateway)
        assert client.secret not in log(gateway)


def test_a_client_secret_may_end_its_line(aws: Account) -> None:
    with behind_oauth(aws, lambda client: f"{client.secret}\n") as (gateway, *_):
        assert added(gateway)


def test_a_client_secret_that_is_refused_is_read_again(aws: Account) -> None:
    with behind_oauth(aws, lambda _: "not this one") as (gateway, arn, client):
        assert "invalid_client" in log(gateway), log(gateway)
        change(aws, arn, client.secret)
        until(lambda: added(gateway), "the new secret is used")


@pytest.mark.parametrize("kept", [secret, parameter])
def test_a_key_that_changes_is_read_again(aws: Account, calculator: str, kept) -> None:
    arn = kept(aws, "key-one")
    with door(calculator, "key-one") as before, serve(by_key(before, arn), aws.environment()) as gateway:
        assert added(gateway) and before.refused == []
        change(aws, arn, "key-two")
        before.key = "key-two"
        assert added(gateway)
        assert before.refused == ["key-one"]


def test_a_key_serves_on_while_aws_is_gone(calculator: str) -> None:
    with ExitStack() as running, ExitStack() as cloud:
        aws = cloud.enter_context(ministack())
        arn = parameter(aws, "key-one")
        before = running.enter_context(door(calculator, "key-one"))
        often = "[aws]\nsecret_refresh_seconds = 1"
        gateway = running.enter_context(serve(by_key(before, arn, often), aws.environment()))
        assert added(gateway)
        cloud.close()
        until(lambda: added(gateway) and "a secret could not be read" in log(gateway), "AWS is asked in vain")
        assert added(gateway) and before.refused == []


def kind(answer: dict) -> str:
    return answer["result"]["_meta"]["causeway/error"]["kind"]


def test_a_secret_that_is_not_there_is_named(aws: Account, calculator: str) -> None:
    arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:nobody-AbCdEf"
    with door(calculator, "key") as before, serve(by_key(before, arn), aws.environment()) as gateway:
        answer = add(gateway)
        assert "Unknown" in json.dumps(answer) or kind(answer) == "credential", answer
        assert f"the secret `{arn}` cannot be read" in log(gateway) and "ResourceNotFoundException" in log(gateway)
        assert before.refused == []


def test_a_user_who_may_not_read_it_is_told_so(aws: Account, calculator: str) -> None:
    arn = secret(aws, "key-one")
    nobody = aws.user(may("ssm:GetParameter"))
    with door(calculator, "key-one") as before, serve(by_key(before, arn), nobody) as gateway:
        assert "`AccessDeniedException`" in log(gateway) and arn in log(gateway), log(gateway)
        assert nobody["AWS_SECRET_ACCESS_KEY"] not in log(gateway)


def test_replicas_share_session_keys_that_change(aws: Account, calculator: str) -> None:
    arn = secret(aws, secrets.token_hex(32))
    target = f'http.endpoint = "{calculator}"'
    keys = f'[sessions]\nkey_arn = ["{arn}"]\n[aws]\nsecret_refresh_seconds = 1'
    with serve(config(target, keys), aws.environment()) as one, serve(config(target, keys), aws.environment()) as two:
        session = opened(one)
        assert knows(two, session)
        change(aws, arn, secrets.token_hex(32))
        with serve(config(target, keys), aws.environment()) as three:
            assert not knows(three, session)
            until(lambda: knows(three, opened(one)), "the first has the new key")
            assert knows(one, session), "what was sealed before opens still"


def opened(gateway: Gateway) -> str:
    """A new session."""
    client = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "interop", "version": "1"}}
    return post(gateway.endpoint, method="initialize", **client).headers["mcp-session-id"]


def knows(gateway: Gateway, session: str) -> bool:
    headers = {"Accept": "application/json", "Mcp-Session-Id": session, "Mcp-Protocol-Version": "2025-11-25"}
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    return httpx2.post(gateway.endpoint, headers=headers, json=body, trust_env=False).status_code == 200


def test_without_its_session_keys_the_gateway_does_not_start(aws: Account, calculator: str) -> None:
    arn = "arn:aws:ssm:us-east-1:000000000000:parameter/nobody"
    text = config(f'http.endpoint = "{calculator}"', f'[sessions]\nkey_arn = ["{arn}"]')
    with written(text) as path:
        env = CLEAN | aws.environment()
        ran = subprocess.run([causeway(), "serve", "--config", path], env=env, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert arn in ran.stderr and "ParameterNotFound" in ran.stderr, ran.stderr


def test_check_reads_no_secret() -> None:
    with listening(lambda request: pytest.fail("it was asked")) as url:
        arn = "arn:aws:ssm:us-east-1:000000000000:parameter/key"
        key = f'key_arn = "{arn}", parameter_name = "X-Api-Key"'
        target = f'http.endpoint = "{url}"\ncredential.api_key = {{ {key} }}'
        text = config(target, f'[sessions]\nkey_arn = ["{arn}"]')
        with written(text) as path:
            env = CLEAN | {"AWS_ENDPOINT_URL": url, "PATH": os.environ["PATH"]}
            ran = subprocess.run([causeway(), "check", "--config", path], env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
