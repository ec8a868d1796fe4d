"""`causeway doctor`: each fault made for real, and found with what to do about it."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from aws.doubles.control_plane import control_plane
from aws.doubles.runtime import ARN, runtime
from aws.doubles.signature import Identity
from aws.gateways import Maker, server
from harness.account import Account
from harness.cognito import Pool
from harness.command import Ended, run
from harness.gateway import sample, serve, written
from harness.ministack import ministack
from harness.tls import authority

PROBLEM, BAD_CONFIG = 1, 64
JWT = {
    "customJWTAuthorizer": {
        "discoveryUrl": "https://login.example.com/.well-known/openid-configuration",
        "allowedClients": ["a"],
    }
}


@pytest.fixture(scope="module")
def calculator() -> Iterator[str]:
    with sample("calculator") as url:
        yield url


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with ministack() as running:
        yield running


@contextmanager
def looked(config: str, env: dict[str, str] | None = None) -> Iterator[Ended]:
    with written(config) as path:
        yield run("doctor", "--config", path, "--json", "--timeout", "10", env=env)


def found(ended: Ended, subject: str, what: str) -> dict:
    """The one finding of this kind."""
    findings = [one for one in ended.json["findings"] if one["subject"] == subject and one["what"] == what]
    assert len(findings) == 1, ended.out
    return findings[0]


def target(name: str, endpoint: str, *more: str) -> str:
    return "\n".join(["[[targets]]", f'name = "{name}"', f'http.endpoint = "{endpoint}"', *more])


def open_to_all(*targets: str) -> str:
    return "\n".join(['authorizer = "none"', 'gateway.listen = "127.0.0.1:0"', *targets])


def test_what_works_is_said_to_work(calculator: str) -> None:
    with looked(open_to_all(target("calculator", calculator))) as ended:
        assert ended.status == 0 and ended.json["ok"]
        listed = found(ended, "target calculator", "list")
        assert listed["level"] == "ok" and "2 tools in" in listed["seen"] and "MCP 2026-07-28 (modern)" in listed["seen"]
        assert found(ended, "target calculator", "network")["level"] == "ok"
    with written(open_to_all(target("calculator", calculator))) as path:
        text = run("doctor", "--config", path).ok().out
        assert "everything is well" in text and "target calculator" in text


def test_a_server_is_looked_at_alone(calculator: str) -> None:
    assert "2 tools" in run("doctor", calculator).ok().out
    gone = run("doctor", "http://127.0.0.1:1/mcp")
    assert gone.status == PROBLEM and "check that the server runs" in gone.out
    page = run("doctor", calculator.replace("/mcp", "/nothing"), "--json")
    assert page.status == PROBLEM and found(page, "server", "list")["level"] == "problem"


def test_a_runtime_is_looked_at_by_its_arn(calculator: str) -> None:
    identity = Identity()
    with runtime(calculator, identity) as double:
        aws = double.environment() | double.control()
        well = run("doctor", ARN, env=aws | identity.environment())
        assert "2 tools" in well.out and "READY, version 3" in well.out
        stranger = run("doctor", ARN, env=aws | Identity("AKIDSTRANGER").environment())
        assert stranger.status == PROBLEM and ("AccessDenied" in stranger.out or "UnrecognizedClient" in stranger.out)


def test_each_target_is_judged_for_itself(calculator: str) -> None:
    config = open_to_all(
        target("calculator", calculator),
        target("gone", "http://127.0.0.1:1/mcp"),
        target("nameless", "http://no-such-host.invalid/mcp"),
    )
    with looked(config) as ended:
        assert ended.status == PROBLEM
        assert found(ended, "target calculator", "list")["level"] == "ok"
        gone = found(ended, "target gone", "network")
        assert gone["level"] == "problem" and "refused" in gone["seen"] and "firewalls" in gone["advice"]
        nameless = found(ended, "target nameless", "DNS")
        assert nameless["level"] == "problem" and "no-such-host.invalid" in nameless["seen"]


def test_mistakes_of_the_config_come_first() -> None:
    with looked('authorizer = "none"\n[[targets]]\nname = "a_b"\nhttp.endpoint = "nowhere"\n') as ended:
        assert ended.status == BAD_CONFIG and "2 mistakes" in ended.err and ended.out == ""


def test_an_address_is_free_or_ours_or_anothers(calculator: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = open_to_all(target("a", calculator)).replace("127.0.0.1:0", f"127.0.0.1:{port}")
        with looked(config) as ended:
            address = found(ended, "listen", "address")
            assert address["level"] == "warning" and "another program" in address["seen"]
    with serve(open_to_all(target("a", calculator))) as gateway:
        port = gateway.endpoint.removesuffix("/mcp").rsplit(":", 1)[1]
        config = open_to_all(target("a", calculator)).replace("127.0.0.1:0", f"127.0.0.1:{port}")
        with looked(config) as ended:
            assert "served by a gateway already" in found(ended, "listen", "address")["seen"]


def test_secrets_that_others_may_read_are_named(calculator: str, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("hunter2")
    shown = f'credential.api_key = {{ key_file = "{secret}", parameter_name = "X-Api-Key" }}'
    for mode, level in [(0o644, "warning"), (0o600, "ok")]:
        os.chmod(secret, mode)
        with written(open_to_all(target("a", calculator, shown))) as path:
            ended = run("doctor", "--config", path, "--json").ok()
            assert found(ended, str(Path(path).resolve()), "secret file")["level"] == level
            assert "hunter2" not in ended.out + ended.err


def test_certificates_are_judged(calculator: str) -> None:
    with authority() as trusted, trusted.front(calculator) as url:
        stranger = run("doctor", url, "--json")
        assert stranger.status == PROBLEM and found(stranger, "server", "TLS")["level"] == "problem"
        well = run("doctor", url, "--json", env=trusted.environment)
        seen = found(well, "server", "TLS")
        # It lives for a day.
        assert seen["level"] == "warning" and "certificate of 127.0.0.1" in seen["seen"] and "23 hours" in seen["seen"]
        assert well.status == 0


def test_the_issuer_is_asked() -> None:
    with ministack() as aws, sample("calculator") as url:
        pool = Pool.create(aws, "callers", ["invoke"])
        client = pool.client("caller", "callers/invoke")
        config = f"""
            gateway.listen = "127.0.0.1:0"
            [authorizer.custom_jwt]
            discovery_url = "{pool.discovery_url}"
            allowed_clients = ["{client.id}"]
            [[targets]]
            name = "a"
            http.endpoint = "{url}"
            [targets.credential.client_credentials]
            token_endpoint = "{pool.token_endpoint}"
            client_id = "{client.id}"
            client_secret_env = "S"
        """
        with looked(config, {"S": client.secret}) as ended:
            assert ended.status == 0, ended.out
            assert "2 keys (RS256, RS256)" in found(ended, "authorizer", "keys")["seen"]
            assert "the issuer gave a token" in found(ended, "target a", "credential")["seen"]
        with looked(config, {"S": "not-the-secret"}) as ended:
            refused = found(ended, "target a", "credential")
            assert refused["level"] == "problem" and "invalid_client" in refused["seen"]
            assert "not-the-secret" not in ended.out
        gone = config.replace(pool.discovery_url, "http://127.0.0.1:1/.well-known/openid-configuration")
        with looked(gone, {"S": client.secret}) as ended:
            assert found(ended, "authorizer", "network")["level"] == "problem"


def test_aws_says_who_we_are_and_what_we_may_read(calculator: str, account: Account) -> None:
    arn = account.client("secretsmanager").create_secret(Name="key", SecretString='{"key": "hunter2"}')["ARN"]
    kept = 'credential.api_key = {{ key_arn = "{}", key_json_key = "{}", parameter_name = "X-Key" }}'
    config = open_to_all(target("a", calculator, kept.format(arn, "key")), target("b", calculator, kept.format(arn, "none")))
    with looked(config, account.environment()) as ended:
        assert ended.status == PROBLEM and "hunter2" not in ended.out + ended.err
        assert "arn:aws:" in found(ended, "AWS", "identity")["seen"]
        levels = {one["level"] for one in ended.json["findings"] if one["what"] == "secret"}
        assert levels == {"ok", "problem"}
    nobody = {"AWS_PROFILE": "no-such-profile", "AWS_REGION": "us-east-1", "HOME": "/nonexistent"}
    with looked(config, nobody) as ended:
        credentials = found(ended, "AWS", "credentials")
        assert credentials["level"] == "problem" and "no-such-profile" in json.dumps(credentials)


def test_aws_says_how_a_runtime_is(account: Account) -> None:
    control = account.client("bedrock-agentcore-control")
    made = {"networkConfiguration": {"networkMode": "PUBLIC"}, "roleArn": "arn:aws:iam::123456789012:role/runtime"}
    image = {"containerConfiguration": {"containerUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/tools:1"}}

    def deployed(name: str, **more: object) -> str:
        runtime = control.create_agent_runtime(agentRuntimeName=name, agentRuntimeArtifact=image, **made, **more)
        return runtime["agentRuntimeArn"]

    ready = deployed("ready", protocolConfiguration={"serverProtocol": "MCP"})
    closed = deployed("closed", protocolConfiguration={"serverProtocol": "HTTP"}, authorizerConfiguration=JWT)
    targets = [
        '[[targets]]\nname = "ready"\nhttp = { runtime_arn = "%s" }\ncredential.sigv4 = {}' % ready,
        '[[targets]]\nname = "closed"\nhttp = { runtime_arn = "%s" }\ncredential.sigv4 = {}' % closed,
        '[[targets]]\nname = "none"\nhttp = { runtime_arn = "%s", qualifier = "beta" }\ncredential.sigv4 = {}' % ready,
        '[[targets]]\nname = "gone"\nhttp = { runtime_arn = "%s" }\ncredential.sigv4 = {}' % ready.replace("ready-", "gone-"),
    ]
    with looked(open_to_all(*targets), account.environment()) as ended:
        status = found(ended, "target ready", "status")
        assert (status["level"], status["seen"]) == ("ok", "READY, version 1")
        assert not [one for one in ended.json["findings"] if one["what"] in ("authorizer", "protocol") and "ready" in one["subject"]]
        assert "is deployed for HTTP" in found(ended, "target closed", "protocol")["seen"]
        wants = found(ended, "target closed", "authorizer")
        assert wants["level"] == "problem" and "login.example.com" in wants["seen"] and "a signature" in wants["seen"]
        for subject in ("target none", "target gone"):
            assert "finds nothing of this name" in found(ended, subject, "status")["seen"], subject
    with looked(open_to_all(targets[0]), {"AWS_ENDPOINT_URL": account.url, "HOME": "/nonexistent"}) as ended:
        assert not [one for one in ended.json["findings"] if one["what"] == "status"]


def test_aws_says_how_a_gateway_is(calculator: str) -> None:
    with control_plane() as plane:
        maker = Maker(plane)
        gateway = maker.gateway("tools", "CUSTOM_JWT", authorizerConfiguration=JWT)
        for name in "abcd":
            maker.target(gateway, name, server(f"https://{name}.example.com/mcp"))
        plane.move(gateway, calculator)
        signed = run("doctor", gateway, "--auth", "sigv4", "--json", env=plane.environment())
        assert found(signed, "server", "status")["seen"] == "READY"
        assert found(signed, "server", "targets")["seen"] == "4 targets, all READY"
        assert "login.example.com" in found(signed, "server", "authorizer")["seen"]
        plane.fail("ListGatewayTargets", "AccessDeniedException")
        token = plane.environment() | {"CAUSEWAY_TOKEN": "x"}
        shown = run("doctor", gateway, "--json", env=token)
        assert found(shown, "server", "targets")["level"] == "warning"
        assert not [one for one in shown.json["findings"] if one["what"] == "authorizer"]


def test_names_that_clients_refuse_are_told(calculator: str) -> None:
    name = "a-target-with-a-name-that-leaves-no-room-for-tools-at-all"
    served = 'clients.used = ["claude-code"]\n' + open_to_all(target(name, calculator))
    with looked(served) as ended:
        names = [one for one in ended.json["findings"] if one["subject"] == "lists"]
        assert ended.status == 0 and names[0]["level"] == "warning" and "add_numbers" in names[0]["seen"]
    with looked(open_to_all(target("short", calculator))) as ended:
        assert found(ended, "lists", "names")["level"] == "ok"


def test_a_region_that_is_none_is_doubted(calculator: str) -> None:
    config = 'aws.region = "us-esat-1"\n' + open_to_all(target("a", calculator))
    with looked(config) as ended:
        region = [one for one in ended.json["findings"] if one["what"] == "region"]
        assert region[0]["level"] == "warning" and "us-east-1" in region[0]["advice"]
    with written(config) as path:
        checked = run("check", "--config", path).ok()
        assert "warning: " in checked.err and "did you mean `us-east-1`?" in checked.err


class Late(BaseHTTPRequestHandler):
    """A server whose clock has stopped."""

    def do_GET(self) -> None:
        self.send_error(404)

    do_POST = do_GET

    def date_time_string(self, timestamp: float | None = None) -> str:
        return "Thu, 01 Jan 2026 00:00:00 GMT"

    def log_message(self, *_: object) -> None:
        pass


def test_a_clock_that_is_off_is_found() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Late) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        ended = run("doctor", f"http://127.0.0.1:{server.server_port}/mcp", "--json")
        server.shutdown()
        thread.join()
    clock = found(ended, "server", "clock")
    assert ended.status == PROBLEM and clock["level"] == "problem" and "ahead of the server's" in clock["seen"]
