"""Signatures of the gateway's code, judged by botocore's signer, ministack and moto. The requests are made up from a seed."""

import base64
import hashlib
import json
import random
from datetime import datetime, timezone
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from aws.programs import asker, signer
from harness.account import Account, may
from harness.ministack import ministack
from harness.moto import Moto, moto

REQUESTS = 400
WORDS = ["runtimes", "invocations", "mcp", "a b", "ä/ö", "日本", "x~y-z_.1", "!$'()*,;=", "@", "%", "+", "🚀", ""]
RUNTIME = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my_server-a1b2c3d4e5"
ACTIONS = ["secretsmanager:GetSecretValue", "ssm:GetParameter", "sts:AssumeRole"]


def segment(dice: random.Random) -> str:
    word = dice.choice([*WORDS, RUNTIME, ".", ".."])
    # As sent: encoded whole, encoded as browsers do, or not at all.
    return dice.choice([quote(word, safe=""), quote(word, safe="!$&'()*+,;=:@"), quote(word, safe="").lower(), "ሴ"])


def query(dice: random.Random) -> str:
    pairs = []
    for _ in range(dice.choice([0, 0, 1, 3])):
        name, value = quote(dice.choice(["a", "A", "qualifier", "ä b"])), quote(dice.choice(WORDS), safe="/:")
        pairs.append(dice.choice([f"{name}={value}", f"{name}=", name]))
    return "?" + "&".join(pairs) if pairs else dice.choice(["", "", "?a=1&a=0&a=", "?a=x+y&b=%2f"])


def request(seed: int) -> dict:
    """A request that the gateway could send, and some that it would not."""
    dice = random.Random(seed)
    path = "/" + "/".join(segment(dice) for _ in range(dice.choice([0, 1, 3, 5])))
    # Whether `/a/.` ends with a slash once it is resolved, signers do not agree. Nobody sends it.
    path += "/end" if path.endswith(".") else ""
    host = dice.choice(["https://a.example", "http://127.0.0.1:8080", "https://a.example:443", "http://[::1]:8000"])
    headers = [["content-type", "application/json"], ["accept", "application/json, text/event-stream"]]
    headers += dice.choice([[], [["mcp-session-id", "  s  1 "]], [["x-a", "2"], ["x-a", "1"]], [["user-agent", "x"]]])
    return {
        "method": dice.choice(["GET", "POST", "PUT", "DELETE"]),
        "url": host + path + query(dice),
        "headers": headers,
        "body": base64.b64encode(dice.choice([b"", b"{}", "ü".encode(), dice.randbytes(5000)])).decode(),
        "access_key": dice.choice(["AKIDEXAMPLE", "ASIAEXAMPLE"]),
        "secret_key": dice.choice(["wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "ü/+="]),
        "token": dice.choice([None, None, "IQoJb3JpZ2luX2VjEJr//////////wEa+/="]),
        "service": dice.choice(["bedrock-agentcore", "execute-api", "lambda"]),
        "region": dice.choice(["us-east-1", "eu-central-1", "cn-north-1"]),
        "now": dice.randrange(1_500_000_000, 2_000_000_000),
    }


def by_botocore(asked: dict, url: str) -> dict[str, str]:
    """The headers that botocore gives this request, sent to `url`."""
    body = base64.b64decode(asked["body"])
    again = AWSRequest(method=asked["method"], url=url, data=body)
    for name, value in asked["headers"]:
        again.headers.add_header(name, value)
    again.headers["X-Amz-Content-SHA256"] = hashlib.sha256(body).hexdigest()
    again.context["timestamp"] = datetime.fromtimestamp(asked["now"], timezone.utc).strftime(SIGV4_TIMESTAMP)
    credentials = Credentials(asked["access_key"], asked["secret_key"], asked["token"])
    auth = SigV4Auth(credentials, asked["service"], asked["region"])
    # `add_auth`, but at a time of ours.
    auth._modify_request_before_signing(again)
    signature = auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again)
    auth._inject_signature_to_request(again, signature)
    return {name.lower(): value for name, value in again.headers.items()}


def test_signatures_are_botocores() -> None:
    with signer() as program:
        for seed in range(REQUESTS):
            asked = request(seed)
            signed = program.ask(asked)
            ours, theirs = dict(signed["headers"]), by_botocore(asked, signed["url"])
            assert ours["authorization"] == theirs["authorization"], asked
            for name in ["x-amz-date", "x-amz-security-token", "x-amz-content-sha256"]:
                assert ours.get(name) == theirs.get(name), (name, asked)
            assert urlsplit(signed["url"]).path == urlsplit(asked["url"]).path, "a path is sent as it was given"


@pytest.fixture(scope="module")
def aws():
    with ministack() as running:
        keep(running)
        yield running


@pytest.fixture(scope="module")
def second():
    with moto() as running:
        keep(running)
        user = running.user(may(*ACTIONS))
        running.judge()
        yield running, user


def keep(cloud: Account) -> None:
    """A secret and a parameter to read."""
    secret = json.dumps({"client_secret": "hunter2"})
    cloud.client("secretsmanager").create_secret(Name="prod/key", SecretString=secret)
    cloud.client("ssm").put_parameter(Name="/prod/key", Value="hunter3", Type="SecureString")


def arns(cloud: Account) -> tuple[str, str]:
    secret = cloud.client("secretsmanager").describe_secret(SecretId="prod/key")["ARN"]
    return secret, cloud.client("ssm").get_parameter(Name="/prod/key")["Parameter"]["ARN"]


def test_ministack_lets_a_user_read(aws: Account) -> None:
    secret, parameter = arns(aws)
    user = aws.user(may(*ACTIONS))
    with asker(user) as program:
        assert program.value({"arn": {"arn": secret, "json_key": "client_secret"}}) == "hunter2"
        assert program.value({"arn": {"arn": parameter, "json_key": None}}) == "hunter3"
        assert program.value({"parameter": "/prod/key"}) == "hunter3"
        assert json.loads(program.value({"secret": "prod/key"})) == {"client_secret": "hunter2"}
        error = program.error({"secret": "prod/other"})
        assert "`ResourceNotFoundException`" in error and "`prod/other`" in error, error


def test_ministack_refuses_who_may_not(aws: Account) -> None:
    user = aws.user(may("ssm:GetParameter"))
    with asker(user) as program:
        assert "`AccessDeniedException`" in program.error({"secret": "prod/key"})
        assert program.value({"parameter": "/prod/key"}) == "hunter3"
    with asker(user | {"AWS_ACCESS_KEY_ID": "AKIANOBODY"}) as program:
        error = program.error({"parameter": "/prod/key"})
        assert "`UnrecognizedClientException`" in error or "`InvalidClientTokenId`" in error, error


def test_moto_lets_a_user_read(second: tuple[Moto, dict[str, str]]) -> None:
    with asker(second[1]) as program:
        assert json.loads(program.value({"secret": "prod/key"})) == {"client_secret": "hunter2"}
        assert program.value({"parameter": "/prod/key"}) == "hunter3"


def test_moto_refuses_a_wrong_secret(second: tuple[Moto, dict[str, str]]) -> None:
    with asker(second[1] | {"AWS_SECRET_ACCESS_KEY": "wrong"}) as program:
        error = program.error({"parameter": "/prod/key"})
        assert "`SignatureDoesNotMatch`" in error or "`InvalidSignatureException`" in error, error
        assert "wrong" not in error and "clock" in error, error
