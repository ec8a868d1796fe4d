"""`causeway import` from end to end: gateways made with AWS's own client in the double of the control plane, imported, checked,
served, and compared with the live gateway, which is another Causeway here."""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from aws.doubles.control_plane import ControlPlane, control_plane
from aws.doubles.runtime import ARN, runtime
from aws.doubles.signature import Identity
from aws.gateways import Maker, everything, open_to_all, role, runtime_url, server
from harness.account import ROOT, Account
from harness.clients import CLIENTS
from harness.cognito import M2mClient, Pool
from harness.gateway import PEERS, Gateway, causeway, sample, serve
from harness.ministack import ministack
from harness.process import CLEAN, Process
from harness.tls import Authority, authority

#: The status of a command that did what it should and found a difference.
DIFFERENT = 3
#: Without it nothing is written that lets in more than the live gateway does.
MORE = "--allow-more-callers"
KEY = "a-key-for-the-notes"
#: Who the gateway is to AWS.
OWN = Identity(ROOT, ROOT)


@pytest.fixture
def plane():
    with control_plane() as running:
        yield running


@pytest.fixture(scope="module")
def trusted():
    with authority() as made:
        yield made


def run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    """A command of the program under test."""
    argv = [causeway(), *arguments]
    return subprocess.run(argv, env=CLEAN | (env or {}), capture_output=True, text=True, timeout=120, check=False)


@contextmanager
def told(tools: dict[str, str], *key: str) -> Iterator[str]:
    """A server that has these tools; gives its URL."""
    argv = [sys.executable, str(PEERS / "told_target.py"), json.dumps(tools), *key]
    with Process(argv) as process:
        yield json.loads(process.first_line("it served"))["url"]


@contextmanager
def live(targets: dict[str, str], authorizer: str = "", env: dict[str, str] | None = None) -> Iterator[Gateway]:
    """A gateway that pages as AgentCore does, before these targets; without an authorizer it lets in anyone."""
    tables = [f'[[targets]]\nname = "{name}"\nhttp.endpoint = "{url}"\n' for name, url in targets.items()]
    head = '[gateway]\nlisten = "127.0.0.1:0"\nlist_page = "target"\n'
    anyone = "" if authorizer else 'authorizer = "none"\n'
    with serve(anyone + head + authorizer + "".join(tables), env) as gateway:
        yield gateway


# ---------------------------------------------------------------------------------------------------- what import writes


def test_what_is_guarded_there_is_not_let_in_unasked(plane: ControlPlane, tmp_path: Path) -> None:
    gateway, path = everything(plane), tmp_path / "config.toml"
    ran = run("import", gateway, "--output", str(path), env=plane.environment())
    assert (ran.returncode, ran.stdout, path.exists()) == (1, "", False)
    assert "policy-engine/shop-0123456789" in ran.stderr and MORE in ran.stderr
    assert "A resource policy says there who may call" in ran.stderr


def test_a_resource_policy_that_lets_everybody_call_is_no_guard(plane: ControlPlane) -> None:
    gateway = open_to_all(plane)
    Maker(plane).resource_policy(gateway, "Allow")
    ran = run("import", gateway, env=plane.environment())
    assert (ran.returncode, plane.asked.count("GetResourcePolicy")) == (0, 1), ran.stderr


def test_a_resource_policy_that_is_not_shown_may_be_a_guard(plane: ControlPlane) -> None:
    gateway = open_to_all(plane)
    plane.fail("GetResourcePolicy", "AccessDeniedException", "not yours")
    ran = run("import", gateway, env=plane.environment())
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "`GetResourcePolicy` was refused by AWS" in ran.stderr and "`bedrock-agentcore:GetResourcePolicy`" in ran.stderr


def test_a_gateway_of_every_kind_of_target_is_written(plane: ControlPlane, tmp_path: Path) -> None:
    gateway, path = everything(plane), tmp_path / "config.toml"
    ran = run("import", gateway, MORE, "--output", str(path), env=plane.environment())
    assert ran.returncode == DIFFERENT, ran.stderr
    assert ran.stderr.startswith("ATTENTION") and path.read_text().startswith("# ATTENTION")
    assert "8 of 18 targets" in ran.stderr and "target `function`: it is a Lambda function" in ran.stderr
    assert run("check", "--config", str(path)).returncode == 0
    text = path.read_text()
    assert gateway in text and "hunter2" not in text + ran.stderr
    assert "Rate limits hold there (`by-tool` by toolName)" in text and "4 rules change where" in text
    assert plane.asked.count("ListGatewayTargets") == 6 and plane.asked.count("GetGatewayTarget") == 18


def test_a_gateway_that_is_mirrored_whole(plane: ControlPlane) -> None:
    gateway = open_to_all(plane)
    ran = run("import", f"arn:aws:bedrock-agentcore:us-east-1:123456789012:gateway/{gateway}", env=plane.environment())
    assert (ran.returncode, "different" in ran.stderr) == (0, False), ran.stderr
    assert [target["name"] for target in tomllib.loads(ran.stdout)["targets"]] == ["time"]


def test_the_live_gateway_becomes_the_first_target(plane: ControlPlane, tmp_path: Path) -> None:
    gateway, path = everything(plane), tmp_path / "config.toml"
    refused = run("import", gateway, "--standby", "--output", str(path), env=plane.environment())
    assert refused.returncode == 1 and "target `mail`: it is shown a token of each user there" in refused.stderr
    run("import", gateway, "--standby", MORE, "--output", str(path), env=plane.environment())
    first = tomllib.loads(path.read_text())["targets"][0]
    assert (first["name"], first["kind"], first["standby"][0]) == ("Shop", "agentcore-gateway", "calculator")
    assert run("check", "--config", str(path)).returncode == 64, "a person has to say the client's secret"
    assert run("check", "--config", str(path), env={"SHOP_CLIENT_SECRET": "hunter2"}).returncode == 0


def test_no_file_is_replaced_unasked(plane: ControlPlane, tmp_path: Path) -> None:
    gateway, path = open_to_all(plane), tmp_path / "config.toml"
    path.write_text("mine")
    refused = run("import", gateway, "--output", str(path), env=plane.environment())
    assert (refused.returncode, path.read_text(), plane.asked[1:]) == (1, "mine", ["CreateGatewayTarget"])
    assert "--force" in refused.stderr
    forced = run("import", gateway, "--output", str(path), "--force", env=plane.environment())
    assert forced.returncode == 0 and "mine" not in path.read_text()


# ---------------------------------------------------------------------------------------------------- what goes wrong


def test_throttling_is_waited_out(plane: ControlPlane) -> None:
    gateway = open_to_all(plane)
    for operation in ["GetGateway", "GetResourcePolicy", "ListGatewayRules", "ListGatewayTargets", "GetGatewayTarget"]:
        plane.fail(operation, "ThrottlingException", times=2)
    assert run("import", gateway, env=plane.environment()).returncode == 0


def test_a_provider_that_is_not_shown_costs_its_target_only(plane: ControlPlane) -> None:
    gateway = everything(plane)
    plane.fail("GetApiKeyCredentialProvider", "AccessDeniedException", "not yours")
    ran = run("import", gateway, MORE, env=plane.environment())
    assert ran.returncode == DIFFERENT and "7 of 18 targets" in ran.stderr
    assert "`GetApiKeyCredentialProvider` was refused by AWS with `AccessDeniedException` (403 Forbidden): not yours" in ran.stderr


@pytest.mark.parametrize("operation", ["ListGatewayRateLimits", "ListGatewayRules"])
def test_a_list_that_is_not_shown_is_a_difference(plane: ControlPlane, operation: str) -> None:
    gateway = open_to_all(plane)
    plane.fail(operation, "AccessDeniedException", "not yours")
    ran = run("import", gateway, env=plane.environment())
    assert ran.returncode == DIFFERENT and f"could not be read (`{operation}` was refused by AWS" in ran.stderr


@pytest.mark.parametrize("operation", ["GetGateway", "ListGatewayTargets", "GetGatewayTarget"])
def test_a_refusal_is_said(plane: ControlPlane, tmp_path: Path, operation: str) -> None:
    gateway, path = open_to_all(plane), tmp_path / "config.toml"
    plane.fail(operation, "AccessDeniedException", "not yours")
    ran = run("import", gateway, "--output", str(path), env=plane.environment())
    assert (ran.returncode, ran.stdout, path.exists()) == (1, "", False)
    assert f"`{operation}` was refused by AWS with `AccessDeniedException`" in ran.stderr


def test_a_stranger_is_refused(plane: ControlPlane) -> None:
    stranger = plane.environment() | Identity(secret_key="wrong").environment()
    ran = run("import", open_to_all(plane), env=stranger)
    assert ran.returncode == 1 and "InvalidSignatureException" in ran.stderr


def test_temporary_credentials_do() -> None:
    with control_plane(identity=Identity(token="session")) as plane:
        assert run("import", open_to_all(plane), env=plane.environment()).returncode == 0


def test_a_gateway_that_is_not_there(plane: ControlPlane) -> None:
    ran = run("import", "nothing-0123456789", env=plane.environment())
    assert ran.returncode == 1 and "ResourceNotFoundException" in ran.stderr
    ran = run("import", "arn:aws:s3:::bucket", env=plane.environment())
    assert ran.returncode == 2 and "no ARN of an AgentCore Gateway" in ran.stderr


def test_the_gateway_of_another_account_is_not_taken_for_it(plane: ControlPlane) -> None:
    gateway = open_to_all(plane)
    ran = run("import", f"arn:aws:bedrock-agentcore:us-east-1:210987654321:gateway/{gateway}", env=plane.environment())
    assert ran.returncode == 1 and "the AWS credentials lead to" in ran.stderr


# ------------------------------------------------------------------------------------------------------------- served


@pytest.fixture(scope="module")
def aws():
    with ministack() as running:
        yield running


@dataclass
class Shop:
    """A live gateway and the import of it, which runs."""

    gateway: str
    live: Gateway
    local: Gateway
    config: str
    #: Of callers.
    token: str
    environment: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def shop(aws: Account, trusted: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with ExitStack() as running:
        start = running.enter_context
        plane = start(control_plane())
        make = Maker(plane)
        callers, servers = Pool.create(aws, "callers", ["invoke"]), Pool.create(aws, "servers", ["invoke"])
        caller, outgoing = callers.client("caller", "callers/invoke"), servers.client("gateway", "servers/invoke")
        demanded = ["--jwt-discovery-url", servers.discovery_url, "--jwt-allowed-clients", outgoing.id]
        urls = {
            "calculator": start(sample("calculator", *demanded)),
            "hello": start(sample("hello")),
            "notes": start(told({"note": "Notes.", "forget": "Forgets."}, f"X-Key={KEY}")),
            "time": start(told({"now": "Tells the time."})),
        }
        endpoints = {name: start(trusted.front(url)) for name, url in urls.items()}
        urls["machine"] = start(told({"reckon": "Reckons."}))
        machine = start(runtime(urls["machine"], OWN))
        endpoints["machine"] = runtime_url(ARN, "?qualifier=DEFAULT")
        live_gateway = start(serve(live_config(callers, caller, servers, outgoing, urls), secrets(outgoing)))
        gateway = create(make, aws, callers, caller, servers, outgoing, endpoints)
        plane.move(gateway, live_gateway.endpoint)
        # Secrets Manager and Cognito are ministack's, the control plane is the double's.
        environment = aws.environment() | trusted.environment
        environment |= {"AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL": plane.url} | machine.environment()
        plane.identity = OWN
        ran = run("import", gateway, env=environment)
        assert ran.returncode == 0, ran.stderr
        local = start(serve(ran.stdout.replace("127.0.0.1:8080", "127.0.0.1:0"), environment))
        yield Shop(gateway, live_gateway, local, ran.stdout, callers.token(caller), environment)


def secrets(outgoing: M2mClient) -> dict[str, str]:
    return {"CALCULATOR_CLIENT_SECRET": outgoing.secret, "NOTES_KEY": KEY}


def live_config(callers: Pool, caller: M2mClient, servers: Pool, outgoing: M2mClient, urls: dict[str, str]) -> str:
    """By hand, what `create` makes in AWS."""
    tables = [f'[[targets]]\nname = "{name}"\nhttp.endpoint = "{url}"\n' for name, url in urls.items()]
    credentials = {
        "calculator": f"""
            [targets.credential.client_credentials]
            discovery_url = "{servers.discovery_url}"
            client_id = "{outgoing.id}"
            client_secret_env = "CALCULATOR_CLIENT_SECRET"
            scopes = ["servers/invoke"]
        """,
        "notes": '[targets.credential.api_key]\nkey_env = "NOTES_KEY"\nparameter_name = "X-Key"\n',
    }
    head = f"""
        [gateway]
        listen = "127.0.0.1:0"
        list_page = "target"
        [authorizer.custom_jwt]
        discovery_url = "{callers.discovery_url}"
        allowed_clients = ["{caller.id}"]
        allowed_scopes = ["callers/invoke"]
    """
    return head + "".join(table + credentials.get(name, "") for name, table in zip(urls, tables))


def create(
    make: Maker, aws: Account, callers: Pool, caller: M2mClient, servers: Pool, outgoing: M2mClient, urls: dict[str, str]
) -> str:
    """The gateway, as its owner would create it in AWS."""

    def kept(name: str, secret: dict) -> str:
        text = json.dumps(secret)
        return aws.client("secretsmanager").create_secret(Name=name, SecretString=text)["ARN"]

    jwt = {"discoveryUrl": callers.discovery_url, "allowedClients": [caller.id], "allowedScopes": ["callers/invoke"]}
    gateway = make.gateway(
        "Shop",
        "CUSTOM_JWT",
        authorizerConfiguration={"customJWTAuthorizer": jwt},
        protocolConfiguration={"mcp": {"streamingConfiguration": {"enableResponseStreaming": True}}},
    )
    secret = {"secretId": kept("calculator", {"client_secret": outgoing.secret}), "jsonKey": "client_secret"}
    calculator = make.oauth(
        "calculator",
        {"discoveryUrl": servers.discovery_url},
        ["servers/invoke"],
        {"clientSecretConfig": secret, "clientSecretSource": "EXTERNAL"},
        {"clientId": outgoing.id},
    )
    key = {"secretId": kept("notes", {"key": KEY}), "jsonKey": "key"}
    notes = make.key(
        "notes",
        {"apiKeySecretConfig": key, "apiKeySecretSource": "EXTERNAL"},
        credentialLocation="HEADER",
        credentialParameterName="X-Key",
    )
    machine = role("bedrock-agentcore", region=ARN.split(":")[3])
    credentials = {"calculator": [calculator], "notes": [notes], "machine": [machine]}
    for name, url in urls.items():
        make.target(gateway, name, server(url), *credentials.get(name, []))
    return gateway


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_the_import_serves_what_the_live_gateway_does(shop: Shop, client) -> None:
    calls = [("calculator___add_numbers", {"a": 40, "b": 2})]
    calls += [(name, {"name": "here"}) for name in ("notes___note", "machine___reckon")]
    there, here = [client.run(gateway.endpoint, shop.token, *calls) for gateway in (shop.live, shop.local)]
    assert (there.tools, there.calls) == (here.tools, here.calls)
    assert len(here.tools) == 7 and [call["text"] for call in here.calls] == ["42", "here", "here"]


def test_the_import_refuses_whom_the_live_gateway_refuses(shop: Shop) -> None:
    with pytest.raises(AssertionError):
        CLIENTS[0].run(shop.local.endpoint, None)


def test_both_offer_the_same(shop: Shop, tmp_path: Path) -> None:
    token = shop.environment | {"TOKEN": shop.token}
    running = run("import", "--check", shop.gateway, "--local", shop.local.endpoint, "--bearer-env", "TOKEN", env=token)
    assert (running.returncode, running.stdout) == (0, ""), running.stderr
    path = tmp_path / "config.toml"
    path.write_text(shop.config)
    described = run("import", "--check", shop.gateway, "--config", str(path), "--bearer-env", "TOKEN", "--json", env=token)
    assert described.returncode == 0, described.stderr
    assert json.loads(described.stdout) == {"onlyLive": [], "onlyLocal": [], "changed": []}


def test_a_token_is_asked_for_by_name(shop: Shop) -> None:
    ran = run("import", "--check", shop.gateway, "--local", shop.local.endpoint, env=shop.environment)
    assert ran.returncode == 1 and "--bearer-env" in ran.stderr
    bad = shop.environment | {"TOKEN": "nonsense"}
    ran = run("import", "--check", shop.gateway, "--local", shop.local.endpoint, "--bearer-env", "TOKEN", env=bad)
    assert ran.returncode == 1 and "cannot be listed" in ran.stderr and "nonsense" not in ran.stderr


# ---------------------------------------------------------------------------------------------------------------- drift

TOOLS = {"same": "Stays.", "other": "Differs."}


@pytest.mark.parametrize(
    ("there", "expected", "as_json"),
    [
        (TOOLS, [], {}),
        (TOOLS | {"new": "Is new."}, ["+ tool tools___new"], {"onlyLive": ["tools___new"]}),
        ({"same": "Stays."}, ["- tool tools___other"], {"onlyLocal": ["tools___other"]}),
        (TOOLS | {"other": "Is different."}, ["~ tool tools___other: description"], {"changed": ["tools___other"]}),
    ],
    ids=["same", "added", "removed", "changed"],
)
def test_drift_is_found(plane: ControlPlane, trusted: Authority, there: dict, expected: list[str], as_json: dict) -> None:
    with told(TOOLS) as url, told(there) as moved, trusted.front(url) as front, live({"tools": moved}) as there_gateway:
        make = Maker(plane)
        gateway = make.gateway("Drifting")
        make.target(gateway, "tools", server(front))
        plane.move(gateway, there_gateway.endpoint)
        environment = plane.environment() | trusted.environment
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "config.toml")
            assert run("import", gateway, "--output", path, env=environment).returncode == 0
            ran = run("import", "--check", gateway, "--config", path, env=environment)
            assert (ran.returncode, ran.stdout.splitlines()) == (DIFFERENT if expected else 0, expected), ran.stderr
            ran = run("import", "--check", gateway, "--config", path, "--json", env=environment)
            drift = json.loads(ran.stdout)
            found = {kind: [item["key"] for item in items] for kind, items in drift.items() if items}
            assert (ran.returncode, found) == (DIFFERENT if expected else 0, as_json), ran.stderr


def test_a_gateway_that_cannot_be_listed_is_no_drift(plane: ControlPlane, trusted: Authority) -> None:
    with told(TOOLS) as url, live({"tools": url}) as running:
        gateway = Maker(plane).gateway("Gone")
        plane.move(gateway, "http://127.0.0.1:1/mcp")
        ran = run("import", "--check", gateway, "--local", running.endpoint, env=plane.environment())
        assert (ran.returncode, ran.stdout) == (1, "") and "the live gateway cannot be listed" in ran.stderr
        plane.move(gateway, running.endpoint)
        ran = run("import", "--check", gateway, "--local", "http://127.0.0.1:1/mcp", env=plane.environment())
        assert (ran.returncode, ran.stdout) == (1, "") and "the local gateway cannot be listed" in ran.stderr


def test_a_gateway_for_callers_that_sign_is_listed_with_a_signature(plane: ControlPlane) -> None:
    signers = f"""
        [authorizer.aws_iam]
        region = "{plane.region}"
        [[authorizer.aws_iam.access_keys]]
        access_key_id = "{plane.identity.access_key}"
        secret_access_key_env = "SECRET"
        principal = "arn:aws:iam::123456789012:user/caller"
    """
    secret = {"SECRET": plane.identity.secret_key}
    with told(TOOLS) as url, live({"tools": url}, signers, secret) as signed, live({"tools": url}) as local:
        gateway = Maker(plane).gateway("Signed", "AWS_IAM")
        plane.move(gateway, signed.endpoint)
        check = ["import", "--check", gateway, "--local", local.endpoint]
        ran = run(*check, env=plane.environment())
        assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr
    with told(TOOLS) as url, live({"tools": url}, signers, {"SECRET": "another"}) as signed, live({"tools": url}) as local:
        plane.move(gateway, signed.endpoint)
        ran = run("import", "--check", gateway, "--local", local.endpoint, env=plane.environment())
        assert ran.returncode == 1 and "the live gateway cannot be listed" in ran.stderr
