"""Where the gateway's credentials come from: the sources of AWS's default chain, each alone, and roles that STS gives out."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import parse_qs

import httpx2
import pytest

from aws.programs import asker
from harness.account import Account, may, policy
from harness.listener import Answer, Request, listening
from harness.ministack import ministack
from harness.moto import moto

FOUND = {"AccessKeyId": "ASIAFOUND", "SecretAccessKey": "hunter2", "Token": "TOKEN"}
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "hunter2"}


@pytest.fixture(scope="module")
def aws():
    with ministack() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """The environment of a machine whose AWS configuration is this text."""

    def of(config: str) -> dict[str, str]:
        (tmp_path / "config").write_text(config)
        missing = str(tmp_path / "none")
        files = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": missing}
        return files | {"HOME": str(tmp_path)}

    return of


def ending(seconds: int) -> dict[str, str]:
    """Credentials that end so long from now, as container and metadata service give them."""
    end = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    return FOUND | {"Expiration": f"{end:%Y-%m-%dT%H:%M:%SZ}", "Code": "Success"}


def json_answer(value: object) -> Answer:
    return Answer(200, json.dumps(value).encode(), {"content-type": "application/json"})


def test_the_environment_comes_first(home) -> None:
    env = home("[default]\nregion = eu-west-3\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\n") | KEYS
    with asker(env) as program:
        assert (program.value("key"), program.value("region")) == ("AKIAENV", "eu-west-3")
    with asker(env | {"AWS_REGION": "us-west-2"}) as program:
        assert program.value("region") == "us-west-2"


def test_a_named_profile_is_asked_alone(home) -> None:
    env = home("[profile work]\nregion = eu-west-3\naws_access_key_id = AKIAWORK\naws_secret_access_key = s\n") | KEYS
    with asker(env, profile="work") as program:
        assert (program.value("key"), program.value("region")) == ("AKIAWORK", "eu-west-3")
    with asker(env, profile="play") as program:
        error = program.error("key")
        assert "the AWS profile `play` gives no credentials" in error and "hunter2" not in error, error


def test_a_changed_profile_is_read_again(home) -> None:
    env = home("[default]\naws_access_key_id = AKIAOLD\naws_secret_access_key = s\n")
    with asker(env) as program:
        assert program.value("key") == "AKIAOLD"
        home("[default]\naws_access_key_id = AKIANEW\naws_secret_access_key = s\n")
        assert program.value("renewed") == {"newer": True, "key": "AKIANEW"}


def test_a_process_gives_credentials(home, tmp_path: Path) -> None:
    given = {"Version": 1, "AccessKeyId": "ASIAPROCESS", "SecretAccessKey": "s", "SessionToken": "t"}
    (tmp_path / "given.json").write_text(json.dumps(given))
    with asker(home(f"[default]\ncredential_process = cat {tmp_path}/given.json\n")) as program:
        assert program.value("key") == "ASIAPROCESS"


def test_sso_gives_credentials(home, tmp_path: Path) -> None:
    def portal(request: Request) -> Answer:
        assert request.target.startswith("/federation/credentials?") and "role_name=reader" in request.target
        assert request.headers["x-amz-sso_bearer_token"] == "SSOTOKEN"
        end = int(datetime.now(timezone.utc).timestamp() + 3600) * 1000
        role = {"accessKeyId": "ASIASSO", "secretAccessKey": "s", "sessionToken": "t", "expiration": end}
        return json_answer({"roleCredentials": role})

    cache = tmp_path / ".aws/sso/cache"
    cache.mkdir(parents=True)
    end = f"{datetime.now(timezone.utc) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    token = {"accessToken": "SSOTOKEN", "expiresAt": end, "startUrl": "https://sso.example/start", "region": "us-east-1"}
    # SHA-1 of the session's name, as `aws sso login` names the file.
    (cache / "d033e22ae348aeb5660fc2140aec35850c4da997.json").write_text(json.dumps(token))
    config = (
        "[profile work]\nsso_session = admin\nsso_account_id = 123456789012\nsso_role_name = reader\nregion = us-east-1\n"
        "[sso-session admin]\nsso_region = us-east-1\nsso_start_url = https://sso.example/start\n"
    )
    with listening(portal) as url:
        with asker(home(config) | {"AWS_ENDPOINT_URL_SSO": url}, profile="work") as program:
            assert program.value("key") == "ASIASSO"


def test_a_container_gives_credentials(home) -> None:
    def agent(request: Request) -> Answer:
        assert (request.target, request.headers["authorization"]) == ("/creds", "hunter2")
        return json_answer(ending(3600))

    with listening(agent) as url:
        env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/creds", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "hunter2"}
        with asker(home("") | env) as program:
            assert program.value("key") == "ASIAFOUND"


def test_the_metadata_service_gives_credentials_and_region(home) -> None:
    def metadata(request: Request) -> Answer:
        paths = {
            "/latest/api/token": Answer(200, b"T", {"x-aws-ec2-metadata-token-ttl-seconds": "600"}),
            "/latest/meta-data/placement/region": Answer(200, b"ap-south-1"),
            "/latest/meta-data/iam/security-credentials/": Answer(200, b"role"),
            "/latest/meta-data/iam/security-credentials/role": json_answer(ending(3600)),
        }
        return paths.get(request.target, Answer(404, b""))

    with listening(metadata) as url:
        env = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": url, "AWS_EC2_METADATA_DISABLED": "false"}
        with asker(home("") | env) as program:
            assert (program.value("key"), program.value("region")) == ("ASIAFOUND", "ap-south-1")


def test_a_machine_with_nothing_says_what_to_set(home) -> None:
    with asker(home("")) as program:
        error = program.error("key")
        assert error.startswith("there are no AWS credentials: set `AWS_ACCESS_KEY_ID`"), error
        assert program.error("region") == "there is no AWS region: set `AWS_REGION`, for example `us-east-1`"
        assert program.error({"parameter": "/x"}).endswith("there is no AWS region: set `AWS_REGION`, for example `us-east-1`")


def test_a_region_that_nobody_knows_is_not_asked_for_each_time(home) -> None:
    asked = []

    def metadata(request: Request) -> Answer:
        asked.append(request.target)
        return Answer(404, b"")

    questions = 20
    with listening(metadata) as url:
        env = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": url, "AWS_EC2_METADATA_DISABLED": "false"}
        with asker(home("") | env) as program:
            for _ in range(questions):
                assert "there is no AWS region" in program.error("region")
    assert 0 < len(asked) < questions


def role(aws: Account, name: str, actions: list[str]) -> str:
    """A new role that everybody may assume and that may do this; its ARN."""
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=policy(may(*actions)))
    return made


def test_a_role_is_assumed(aws: Account) -> None:
    aws.client("ssm").put_parameter(Name="/shared/key", Value="hunter3", Type="SecureString")
    reader = role(aws, "reader", ["ssm:GetParameter"])
    user = aws.user(may("sts:AssumeRole"))
    with asker(user) as program:
        assert "`AccessDeniedException`" in program.error({"parameter": "/shared/key"})
    forms = []

    def sts(request: Request) -> Answer:
        forms.append(parse_qs(request.body.decode()))
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        got = httpx2.post(aws.url + request.target, content=request.body, headers=headers, trust_env=False)
        return Answer(got.status_code, got.content, {"content-type": got.headers["content-type"]})

    with listening(sts) as url:
        env = user | {"AWS_ENDPOINT_URL_STS": url}
        with asker(env, role_arn=reader, session_name="gateway-1", external_id="secret-handshake") as program:
            assert program.value("key").startswith("ASIA")
            assert program.value({"parameter": "/shared/key"}) == "hunter3"
    asked = [(form["RoleArn"], form["RoleSessionName"], form["ExternalId"]) for form in forms]
    assert asked == [([reader], ["gateway-1"], ["secret-handshake"])]


def test_a_role_that_is_refused_is_named(aws: Account) -> None:
    arn = role(aws, "locked", ["ssm:GetParameter"])
    nobody = aws.user(may("ssm:GetParameter"))
    with asker(nobody, role_arn=arn) as program:
        error = program.error("key")
        assert f"the role `{arn}` cannot be assumed" in error and "AccessDenied" in error, error
        assert nobody["AWS_SECRET_ACCESS_KEY"] not in error


def test_web_identity_gives_credentials(tmp_path: Path, home) -> None:
    # A token as Kubernetes mounts one. moto reads none of it; what STS checks there is not the gateway's work.
    (tmp_path / "token").write_text("eyJhbGciOiJub25lIn0.eyJzdWIiOiJwb2QifQ.")
    arn = "arn:aws:iam::123456789012:role/pod"
    web = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ROLE_ARN": arn, "AWS_REGION": "us-east-1"}
    with moto() as second, asker(home("") | web | {"AWS_ENDPOINT_URL": second.url}) as program:
        assert program.value("key").startswith("ASIA")
