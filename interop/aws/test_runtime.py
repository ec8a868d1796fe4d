"""A real MCP server behind AgentCore Runtime, by its ARN: signed requests, sessions kept warm, errors of Runtime's own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from aws.doubles.runtime import ARN, Runtime, runtime
from aws.doubles.signature import Identity
from harness.gateway import Gateway, post, sample, serve
from harness.listener import Answer, Request, listening
from harness.process import until

ADD = "calculator___add_numbers"


@pytest.fixture(scope="module")
def calculator() -> Iterator[str]:
    with sample("calculator") as url:
        yield url


def config(arn: str = ARN, **sigv4: str) -> str:
    settings = ", ".join(f"{name} = {json.dumps(value)}" for name, value in sigv4.items())
    return f"""
authorizer = "none"
[gateway]
listen = "127.0.0.1:0"
[[targets]]
name = "calculator"
http.runtime_arn = "{arn}"
credential.sigv4 = {{ {settings} }}
"""


@contextmanager
def serving(double: Runtime, env: dict[str, str] | None = None, **sigv4: str) -> Iterator[Gateway]:
    env = double.identities[0].environment() if env is None else env
    with serve(config(**sigv4), double.environment() | env) as gateway:
        yield gateway


def add(gateway: Gateway) -> dict:
    """The answer to a call that adds 2 and 3."""
    return post(gateway.endpoint, method="tools/call", name=ADD, arguments={"a": 2, "b": 3}).json()


def added(gateway: Gateway) -> bool:
    return "5" in json.dumps(add(gateway)["result"]["content"])


def kind(answer: dict) -> str:
    return answer["result"]["_meta"]["causeway/error"]["kind"]


def test_a_server_is_reached_by_its_arn(calculator: str) -> None:
    with runtime(calculator, Identity(token="TOKEN")) as double, serving(double) as gateway:
        assert ADD in [tool["name"] for tool in post(gateway.endpoint).json()["result"]["tools"]]
        assert added(gateway)
        assert double.refused == []
        assert {meant.members["agentRuntimeArn"] for meant in double.asked} == {ARN}
        assert {meant.members["qualifier"] for meant in double.asked} == {"DEFAULT"}


def test_a_caller_stays_on_its_machine(calculator: str) -> None:
    with runtime(calculator) as double, serving(double) as gateway:
        double.asked.clear()
        assert added(gateway) and added(gateway) and added(gateway)
        first, *later = double.sessions
        assert len(set(later)) == 1 and later[0] is not None and first in (None, later[0])
        double.end_sessions()
        double.asked.clear()
        assert added(gateway)
        assert double.sessions == [later[0], None]
        double.asked.clear()
        assert added(gateway)
        assert double.sessions not in ([None], later[:1])
        assert double.refused == []


def test_what_runtime_did_not_take_is_asked_again(calculator: str) -> None:
    with runtime(calculator) as double, serving(double) as gateway:
        double.fail("ThrottlingException")
        double.fail("RetryableConflictException")
        double.fail_in_json_rpc(-32003, "Rate limit exceeded - Too many requests")
        assert added(gateway)
        for _ in range(4):
            double.fail("ThrottlingException")
        assert kind(add(gateway)) == "throttled"
        assert added(gateway)


def test_runtimes_errors_are_told_apart(calculator: str) -> None:
    with runtime(calculator) as double, serving(double) as gateway:
        for code, expected in [
            ("AccessDeniedException", "access_denied"),
            ("ServiceQuotaExceededException", "quota_exceeded"),
            ("RuntimeClientError", "server_failed"),
            ("InternalServerException", "runtime_failed"),
        ]:
            double.asked.clear()
            double.fail(code, "User: arn:aws:iam::123456789012:user/a may not")
            answer = add(gateway)
            assert kind(answer) == expected
            assert "user/a" not in json.dumps(answer)
        # So many errors one after the other, and the target counts as down for a moment.
        until(lambda: added(gateway), "it is asked again")


def test_a_runtime_that_is_not_there_is_named_to_the_operator(calculator: str) -> None:
    arn = ARN.replace("calculator-", "nobody-")
    with runtime(calculator) as double:
        env = double.environment() | double.identities[0].environment()
        with serve(config(arn), env) as gateway:
            log = "\n".join(gateway.process.errors)
            assert "check `http.runtime_arn`" in log and f"there is no runtime {arn}" in log, log


def test_a_wrong_secret_is_refused_and_not_shown(calculator: str) -> None:
    with runtime(calculator) as double:
        wrong = Identity(secret_key="not-the-secret-of-this-key").environment()
        with serving(double, wrong) as gateway:
            assert double.asked == [] and double.refused
            log = "\n".join(gateway.process.errors)
            assert "not-the-secret-of-this-key" not in log and "`bedrock-agentcore:InvokeAgentRuntime`" in log, log


def test_expired_credentials_are_read_again_once(calculator: str, tmp_path: Path) -> None:
    given = tmp_path / "given.json"

    def give(identity: Identity) -> None:
        keys = {"AccessKeyId": identity.access_key, "SecretAccessKey": identity.secret_key}
        given.write_text(json.dumps({"Version": 1, "SessionToken": identity.token} | keys))

    first, second = Identity("ASIAFIRST", "secret-1", "TOKEN1"), Identity("ASIASECOND", "secret-2", "TOKEN2")
    give(first)
    (tmp_path / "config").write_text(f"[profile work]\ncredential_process = cat {given}\n")
    home = {"HOME": str(tmp_path), "AWS_CONFIG_FILE": str(tmp_path / "config")}
    with runtime(calculator, first) as double, serving(double, home, profile="work") as gateway:
        assert added(gateway)
        # The first are over, whatever they were said to be, and there are others.
        double.identities = [second]
        give(second)
        assert added(gateway)
        assert double.keys[-1] == "ASIASECOND"
        assert len(double.refused) == 1


def test_a_role_is_assumed_anew_before_its_session_ends(calculator: str) -> None:
    given: list[Identity] = []
    with runtime(calculator) as double:

        def sts(request: Request) -> Answer:
            asked = parse_qs(request.body.decode())
            assert asked["RoleArn"] == ["arn:aws:iam::123456789012:role/caller"], asked
            assert (asked["ExternalId"], asked["RoleSessionName"]) == (["handshake"], ["gateway-1"]), asked
            number = len(given) + 1
            given.append(Identity(f"ASIAROLE{number}", f"secret-{number}", f"TOKEN{number}"))
            # Only the session that was given last is good.
            double.identities = given[-1:]
            return role_session(given[-1], seconds=4)

        with listening(sts) as url:
            caller = Identity("AKIDCALLER", "secret").environment()
            env = caller | {"AWS_ENDPOINT_URL_STS": url, "AWS_REGION": "eu-west-1"}
            role = {"role_arn": "arn:aws:iam::123456789012:role/caller", "external_id": "handshake"}
            with serving(double, env, session_name="gateway-1", **role) as gateway:
                until(lambda: added(gateway) and len(set(double.keys)) >= 3, "the role's session was renewed twice")


def role_session(identity: Identity, seconds: int) -> Answer:
    """STS's answer to AssumeRole."""
    end = f"{datetime.now(timezone.utc) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"
    keys = f"<AccessKeyId>{identity.access_key}</AccessKeyId><SecretAccessKey>{identity.secret_key}</SecretAccessKey>"
    credentials = f"{keys}<SessionToken>{identity.token}</SessionToken><Expiration>{end}</Expiration>"
    user = "<Arn>arn:aws:sts::123456789012:assumed-role/caller/gateway-1</Arn><AssumedRoleId>AROA:gateway-1</AssumedRoleId>"
    result = f"<Credentials>{credentials}</Credentials><AssumedRoleUser>{user}</AssumedRoleUser>"
    xml = (
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        f"<AssumeRoleResult>{result}</AssumeRoleResult>"
        "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></AssumeRoleResponse>"
    )
    return Answer(200, xml.encode(), {"content-type": "text/xml"})
