"""`causeway token` with real issuers: ministack's and moto's Cognito, secrets in moto, the issuer of `causeway dev`."""

import base64
import hmac
import json
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.account import REGION, Account
from harness.cognito import M2mClient, Pool
from harness.command import run
from harness.gateway import ROOT, causeway, dev, post, written
from harness.ministack import ministack
from harness.moto import moto
from harness.terminal import on_terminal

FAILED, USAGE = 1, 2
PASSWORD = "Correct-horse-1"


@pytest.fixture(scope="module")
def stack() -> Iterator[Account]:
    with ministack() as running:
        yield running


@pytest.fixture(scope="module")
def pool(stack: Account) -> Pool:
    return Pool.create(stack, "tools", ["invoke"])


@pytest.fixture(scope="module")
def client(pool: Pool) -> M2mClient:
    return pool.client("caller", "tools/invoke")


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with moto() as running:
        yield running


@dataclass
class Users:
    """A user pool of people, with `alice` in it."""

    account: Account
    pool: str
    client: str

    def arguments(self, *more: str) -> list[str]:
        return ["token", "password", "--region", REGION, "--client-id", self.client, "--username", "alice", *more]


@pytest.fixture(scope="module")
def users(account: Account) -> Users:
    cognito = account.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="people")["UserPool"]["Id"]
    made = cognito.create_user_pool_client(UserPoolId=pool, ClientName="cli", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])
    for name in ["alice", "bob"]:
        cognito.admin_create_user(UserPoolId=pool, Username=name, TemporaryPassword=PASSWORD)
    cognito.admin_set_user_password(UserPoolId=pool, Username="alice", Password=PASSWORD, Permanent=True)
    return Users(account, pool, made["UserPoolClient"]["ClientId"])


def claims(token: str) -> dict:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def issuer(pool: Pool, client: M2mClient) -> list[str]:
    return ["--token-endpoint", pool.token_endpoint, "--client-id", client.id, "--client-secret-env", "S"]


def test_client_credentials_are_told_and_not_shown(pool: Pool, client: M2mClient) -> None:
    asked = ["token", "client-credentials", *issuer(pool, client), "--scope", "tools/invoke"]
    told = run(*asked, env={"S": client.secret}).ok()
    assert "an access token" in told.out and client.id in told.out and "tools/invoke" in told.out
    assert "expires" in told.out and "eyJ…" in told.out
    assert "eyJ" not in told.out.replace("eyJ…", "") and client.secret not in told.out + told.err
    raw = run(*asked, "--raw", env={"S": client.secret}).ok()
    assert claims(raw.out.strip())["client_id"] == client.id and raw.out.count("\n") == 1
    as_json = run(*asked, "--json", env={"S": client.secret}).ok().json
    assert as_json["claims"]["scope"] == "tools/invoke" and as_json["expired"] is False and as_json["warnings"] == []
    wrong = run(*asked, env={"S": "not-the-secret"})
    assert wrong.status == FAILED and "invalid_client" in wrong.err and "not-the-secret" not in wrong.err
    assert run("token", "client-credentials").status == USAGE


def test_a_discovery_document_leads_there_as_well(pool: Pool, client: M2mClient, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(client.secret + "\n")
    asked = ["--discovery-url", pool.discovery_url, "--client-id", client.id, "--client-secret-file"]
    raw = run("token", "client-credentials", *asked, str(tmp_path / "secret"), "--client-secret-post", "--raw").ok()
    assert claims(raw.out)["client_id"] == client.id


def test_the_token_of_a_target_is_that_of_the_gateway(pool: Pool, client: M2mClient) -> None:
    config = f"""
        authorizer = "none"
        [[targets]]
        name = "orders"
        http.endpoint = "http://127.0.0.1:1/mcp"
        [targets.credential.client_credentials]
        token_endpoint = "{pool.token_endpoint}"
        client_id = "{client.id}"
        client_secret_env = "S"
    """
    with written(config) as path:
        asked = ["token", "client-credentials", "--config", path, "--raw", "--target"]
        assert claims(run(*asked, "orders", env={"S": client.secret}).ok().out)["client_id"] == client.id
        wrong = run(*asked, "order", env={"S": client.secret})
        assert wrong.status == USAGE and "did you mean `orders`?" in wrong.err
        assert run(*asked, "orders").status == 64


def test_a_user_gets_one_with_a_password(users: Users) -> None:
    env = users.account.environment()
    told = run(*users.arguments(), env=env | {"COGNITO_PASSWORD": PASSWORD}).ok()
    assert "alice" in told.out and PASSWORD not in told.out
    raw = run(*users.arguments("--raw", "--password-env", "P"), env=env | {"P": PASSWORD}).ok().out
    assert claims(raw)["username"] == "alice" and claims(raw)["client_id"] == users.client
    piped = run(*users.arguments("--raw", "--id-token", "--password-file", "-"), env=env, stdin=PASSWORD + "\n").ok().out
    assert claims(piped)["token_use"] == "id"
    told = run(*users.arguments("--id-token"), env=env | {"COGNITO_PASSWORD": PASSWORD}).ok().out
    assert "it is an ID token" in told


def test_a_password_is_typed_unseen(users: Users) -> None:
    argv = [causeway(), *users.arguments("--json")]
    shown = on_terminal(argv, [("Password of alice: ", PASSWORD + "\n")], users.account.environment())
    assert shown.status == 0 and '"username":"alice"' in shown.text and PASSWORD not in shown.text


def test_a_terminal_shows_again_what_is_typed_whatever_ended_the_question(users: Users) -> None:
    """Ctrl-C at the prompt, on a terminal that is the program's own; `stty` says how it is left."""
    shell = 'trap : INT; "$@"; echo "status $?"; stty -a'
    argv = ["setsid", "--ctty", "--wait", "sh", "-c", shell, "sh", causeway(), *users.arguments()]
    shown = on_terminal(argv, [("Password of alice: ", "\x03")], users.account.environment())
    assert "status 130" in shown.text, shown.text
    assert " echo " in shown.text and " -echo " not in shown.text, shown.text


def test_a_temporary_password_is_changed(users: Users) -> None:
    """As scripts make users: with COGNITO_TEMP_PASSWORD, to be changed to COGNITO_PASSWORD."""
    cognito = users.account.client("cognito-idp")
    for name in ["carol", "dave"]:
        cognito.admin_create_user(UserPoolId=users.pool, Username=name, TemporaryPassword="Temporary-horse-1")
    env = users.account.environment() | {"COGNITO_TEMP_PASSWORD": "Temporary-horse-1", "COGNITO_PASSWORD": PASSWORD}
    both = ["--password-env", "COGNITO_TEMP_PASSWORD", "--new-password-env", "COGNITO_PASSWORD"]
    carol = [word if word != "alice" else "carol" for word in users.arguments("--raw")]
    assert claims(run(*carol, *both, env=env).ok().out)["username"] == "carol"
    assert claims(run(*carol, env=env).ok().out)["username"] == "carol", "it holds from now on"
    dave = [causeway(), *(word if word != "alice" else "dave" for word in users.arguments("--json"))]
    typed = [
        ("Password of dave: ", "Temporary-horse-1\n"),
        ("New password: ", PASSWORD + "\n"),
        ("Once more: ", "Another-horse-1\n"),
        ("two different ones", ""),
        ("New password: ", PASSWORD + "\n"),
        ("Once more: ", PASSWORD + "\n"),
    ]
    shown = on_terminal(dave, typed, users.account.environment())
    assert shown.status == 0 and '"username":"dave"' in shown.text and "horse" not in shown.text, shown.text


def test_a_second_factor_is_asked_for(stack: Account) -> None:
    cognito = stack.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="careful")["UserPool"]["Id"]
    flows = ["ALLOW_USER_PASSWORD_AUTH"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="cli", GenerateSecret=True, ExplicitAuthFlows=flows
    )["UserPoolClient"]
    cognito.admin_create_user(UserPoolId=pool, Username="alice", TemporaryPassword=PASSWORD)
    cognito.admin_set_user_password(UserPoolId=pool, Username="alice", Password=PASSWORD, Permanent=True)
    asked = ["token", "password", "--user-pool-id", pool, "--client-id", client["ClientId"], "--username", "alice", "--raw"]
    asked += ["--client-secret-env", "S"]
    env = stack.environment() | {"COGNITO_PASSWORD": PASSWORD, "S": client["ClientSecret"]}
    token = run(*asked, env=env).ok().out.strip()
    secret = cognito.associate_software_token(AccessToken=token)["SecretCode"]
    cognito.verify_software_token(AccessToken=token, UserCode=totp(secret))
    app = {"Enabled": True, "PreferredMfa": True}
    cognito.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings=app)
    cognito.set_user_pool_mfa_config(
        UserPoolId=pool, SoftwareTokenMfaConfiguration={"Enabled": True}, MfaConfiguration="OPTIONAL"
    )
    without = run(*asked, env=env)
    assert without.status == FAILED and "--mfa-code-env" in without.err, without
    wrong = run(*asked, "--mfa-code-env", "CODE", env=env | {"CODE": "000000"})
    assert wrong.status == FAILED and "CodeMismatchException" in wrong.err, wrong
    code = totp(secret)
    right = run(*asked, "--mfa-code-env", "CODE", "--debug", env=env | {"CODE": code}).ok()
    assert claims(right.out)["username"] == "alice" and code not in right.err
    typed = [("Password of alice: ", PASSWORD + "\n"), ("Code of your authenticator app: ", lambda: totp(secret) + "\n")]
    del env["COGNITO_PASSWORD"]
    shown = on_terminal([causeway(), *asked[:-3], "--json", "--client-secret-env", "S"], typed, env)
    assert shown.status == 0 and '"username":"alice"' in shown.text, shown.text


def totp(secret: str) -> str:
    """The code of this moment (RFC 6238), as the app of a user counts it from the secret that the pool gave."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, int(time.time() // 30).to_bytes(8), "sha1")
    at = digest[-1] & 15
    return f"{int.from_bytes(digest[at : at + 4]) % 2**31 % 10**6:06}"


def test_whoever_gets_none_learns_why(users: Users) -> None:
    env = users.account.environment()
    wrong = run(*users.arguments(), env=env | {"COGNITO_PASSWORD": "Wrong-horse-2"})
    assert wrong.status == FAILED and "NotAuthorizedException" in wrong.err and "Wrong-horse" not in wrong.err
    bob = [word if word != "alice" else "bob" for word in users.arguments()]
    new = run(*bob, env=env | {"COGNITO_PASSWORD": PASSWORD})
    assert new.status == FAILED and "say where it is, with `--new-password-env NAME`" in new.err
    none = run(*users.arguments(), env=env)
    assert none.status == USAGE and "COGNITO_PASSWORD" in none.err


def test_a_client_with_a_secret_proves_it(stack: Account) -> None:
    cognito = stack.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="closed")["UserPool"]["Id"]
    flows = ["ALLOW_USER_PASSWORD_AUTH"]
    made = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="cli", GenerateSecret=True, ExplicitAuthFlows=flows
    )["UserPoolClient"]
    cognito.admin_create_user(UserPoolId=pool, Username="alice", TemporaryPassword=PASSWORD)
    cognito.admin_set_user_password(UserPoolId=pool, Username="alice", Password=PASSWORD, Permanent=True)
    asked = ["token", "password", "--user-pool-id", pool, "--client-id", made["ClientId"], "--username", "alice", "--raw"]
    env = stack.environment() | {"COGNITO_PASSWORD": PASSWORD, "S": made["ClientSecret"]}
    assert claims(run(*asked, "--client-secret-env", "S", env=env).ok().out)["username"] == "alice"
    refused = run(*asked, "--client-secret-env", "S", env=env | {"S": "not-the-secret"})
    assert refused.status == FAILED and "NotAuthorizedException" in refused.err and "not-the-secret" not in refused.err


def test_a_secret_describes_a_client(account: Account, pool: Pool, client: M2mClient) -> None:
    keeper = account.client("secretsmanager")
    described = {"client_id": client.id, "clientSecret": client.secret, "TOKEN_ENDPOINT": pool.token_endpoint}
    arn = keeper.create_secret(Name="my-api-secret", SecretString=json.dumps(described))["ARN"]
    env = account.environment()
    for name in [arn, "my-api-secret"]:
        assert claims(run("token", "secret", name, "--raw", env=env).ok().out)["client_id"] == client.id
    told = run("token", "secret", arn, "--scope", "tools/invoke", env=env).ok()
    assert "tools/invoke" in told.out and client.secret not in told.out + told.err
    parameter = "arn:aws:ssm:us-east-1:123456789012:parameter/api"
    account.client("ssm").put_parameter(Name="/api", Value=json.dumps(described), Type="SecureString")
    assert claims(run("token", "secret", parameter, "--raw", env=env).ok().out)["client_id"] == client.id
    key = ["--json-key", "clientSecret", "--token-endpoint", pool.token_endpoint, "--client-id", client.id]
    assert claims(run("token", "secret", arn, *key, "--raw", env=env).ok().out)["client_id"] == client.id
    gone = run("token", "secret", "no-such-secret", env=env)
    assert gone.status == FAILED and "ResourceNotFoundException" in gone.err
    plain = keeper.create_secret(Name="plain", SecretString="hunter2")["ARN"]
    odd = run("token", "secret", plain, env=env)
    assert odd.status == USAGE and "no JSON object" in odd.err and "hunter2" not in odd.err


def test_a_running_dev_is_found_and_forgotten(tmp_path: Path) -> None:
    env = {"XDG_RUNTIME_DIR": str(tmp_path)}
    assert "no `causeway dev` of yours runs here" in run("token", "dev", env=env).err
    # Two at once, which cannot both have the admin port of the file.
    config = (ROOT / "config.toml").read_text().replace("[admin]", '[admin]\nlisten = "127.0.0.1:0"')
    with dev(config, env=env) as gateway:
        (kept,) = (tmp_path / "causeway").iterdir()
        assert stat.S_IMODE(os.stat(kept).st_mode) == 0o600
        token = run("token", "dev", "--raw", "--endpoint", gateway.endpoint, env=env).ok().out.strip()
        assert post(gateway.endpoint, token).json()["result"]["tools"]
        assert claims(token)["token_use"] == "access"
        with dev(config, env=env) as other:
            several = run("token", "dev", env=env)
            assert several.status == USAGE and other.endpoint in several.err
    assert list((tmp_path / "causeway").iterdir()) == []


def test_a_person_of_dev_gets_one_as_well() -> None:
    env = {"COGNITO_USERNAME": "alice", "COGNITO_PASSWORD": PASSWORD, "COGNITO_TEMP_PASSWORD": "Temporary-horse-1"}
    with dev(env=env) as gateway:
        issuer = claims(gateway.token)["iss"]
        endpoint = issuer.removesuffix("/gateway_callers")
        asked = ["token", "password", "--endpoint", endpoint, "--client-id", "development-login"]
        token = run(*asked, "--raw", env=env).ok().out.strip()
        assert claims(token)["username"] == "alice"
        both = ["--password-env", "COGNITO_TEMP_PASSWORD", "--new-password-env", "NEW"]
        assert run(*asked, "--raw", *both, env=env | {"NEW": "Next-horse-2"}).ok().out
        assert run(*asked, "--raw", env=env | {"COGNITO_PASSWORD": "Next-horse-2"}).ok().out


def test_a_token_is_looked_into(pool: Pool, client: M2mClient) -> None:
    token = pool.token(client)
    for text in [token, f"Bearer {token}\n", f"Authorization: Bearer {token}"]:
        assert client.id in run("token", "inspect", stdin=text).ok().out
    assert client.id in run("token", "inspect", "--token-env", "T", env={"T": token}).ok().out
    opaque = run("token", "inspect", stdin="hunter2").ok().out
    assert "no JWT" in opaque and "hunter2" not in opaque
    assert run("token", "inspect", stdin="").status == USAGE
