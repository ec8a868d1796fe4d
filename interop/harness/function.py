"""A Lambda function whose program is Causeway: in ministack, behind a REST API and an HTTP API, and before the emulator of the Runtime
API that cargo-lambda has. Judges no answer."""

import io
import json
import os
import socket
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.account import Account
from harness.gateway import causeway
from harness.process import CLEAN, Process, free_port, until
from harness.terraform import DEPLOY

CARGO_LAMBDA = DEPLOY / ".venv/bin/cargo-lambda"
STAGE = "prod"
#: In seconds: of a function, and of API Gateway for its answer.
TIMEOUT = 29


def package() -> bytes:
    """What is uploaded: the program as `bootstrap`."""
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as directory:
        program = Path(directory) / "bootstrap"
        # Of what a debugger needs: a build for tests is several times as large with it.
        subprocess.run(["strip", "-o", str(program), causeway()], check=True)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            entry = zipfile.ZipInfo("bootstrap")
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, program.read_bytes())
    return packed.getvalue()


def create(account: Account, name: str, code: bytes, env: dict[str, str], handler: str = "bootstrap") -> str:
    """A function in the account; gives its ARN."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = account.client("iam").create_role(RoleName=f"{name}-role", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    return account.client("lambda").create_function(
        FunctionName=name,
        Runtime="provided.al2023",
        Role=role,
        Handler=handler,
        Code={"ZipFile": code},
        Timeout=TIMEOUT,
        Environment={"Variables": env},
    )["FunctionArn"]


def rest_api(account: Account, name: str) -> str:
    """An empty REST API; gives its id."""
    return account.client("apigateway").create_rest_api(name=name, endpointConfiguration={"types": ["REGIONAL"]})["id"]


def publish(account: Account, api: str, function: str, pool_arn: str, scope: str) -> str:
    """Has the REST API pass on every request for `/mcp` and below to the function, for who has a token of the pool with the scope, and
    the metadata for everyone; gives its URL."""
    gateway = account.client("apigateway")
    authorizer = gateway.create_authorizer(
        restApiId=api,
        name="pool",
        type="COGNITO_USER_POOLS",
        providerARNs=[pool_arn],
        identitySource="method.request.header.Authorization",
    )["id"]
    root = next(resource["id"] for resource in gateway.get_resources(restApiId=api)["items"] if resource["path"] == "/")
    guarded = {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": authorizer, "authorizationScopes": [scope]}
    for part, who in [("mcp", guarded), (".well-known", {"authorizationType": "NONE"})]:
        resource = gateway.create_resource(restApiId=api, parentId=root, pathPart=part)["id"]
        below = gateway.create_resource(restApiId=api, parentId=resource, pathPart="{proxy+}")["id"]
        for each in [resource, below]:
            gateway.put_method(restApiId=api, resourceId=each, httpMethod="ANY", **who)
            gateway.put_integration(
                restApiId=api,
                resourceId=each,
                httpMethod="ANY",
                type="AWS_PROXY",
                integrationHttpMethod="POST",
                uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations",
            )
    gateway.create_deployment(restApiId=api, stageName=STAGE)
    return rest_url(account, api)


def rest_url(account: Account, api: str) -> str:
    """Where ministack serves a REST API."""
    return f"{account.url}/restapis/{api}/{STAGE}/_user_request_"


def http_api(account: Account, name: str, function: str, issuer: str, client: str) -> str:
    """An HTTP API that passes every request on to the function, for who has a token of the issuer's client; gives its `Host`."""
    gateway = account.client("apigatewayv2")
    api = gateway.create_api(Name=name, ProtocolType="HTTP")["ApiId"]
    integration = gateway.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=function, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    authorizer = gateway.create_authorizer(
        ApiId=api,
        Name="pool",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Audience": [client], "Issuer": issuer},
    )["AuthorizerId"]
    gateway.create_route(
        ApiId=api,
        RouteKey="$default",
        Target=f"integrations/{integration}",
        AuthorizationType="JWT",
        AuthorizerId=authorizer,
    )
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return f"{api}.execute-api.{account.url.removeprefix('http://')}"


@dataclass
class Emulated:
    """A function before cargo-lambda's Runtime API."""

    process: Process
    #: Where requests become events of an HTTP API.
    url: str
    _port: int
    _name: str

    def invoke(self, event: Path) -> dict:
        """What the function answers to the event in this file."""
        argv = [CARGO_LAMBDA, "lambda", "invoke", self._name, "--data-file", event, "--output-format", "json"]
        argv += ["--invoke-address", "127.0.0.1", "--invoke-port", self._port]
        words = [str(word) for word in argv]
        ran = subprocess.run(words, env=EMULATOR, capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return json.loads(ran.stdout)


EMULATOR = CLEAN | {"CARGO_LAMBDA_NO_UPDATE": "1"}


@contextmanager
def emulated(directory: Path, env: dict[str, str]) -> Iterator[Emulated]:
    """cargo-lambda's emulator of the Runtime API, and the program as a function that asks it for events."""
    port, name = free_port(), "causeway"
    watch = [CARGO_LAMBDA, "lambda", "watch", "--only-lambda-apis", "--invoke-address", "127.0.0.1", "--invoke-port", port]
    # It wants to stand in a package, though it builds nothing of it.
    (directory / "Cargo.toml").write_text('[package]\nname = "causeway"\nversion = "0.0.0"\n[[bin]]\nname = "causeway"\npath = "none.rs"\n')
    (directory / "none.rs").write_text("")
    with Process([str(word) for word in watch], EMULATOR, str(directory)) as emulator:
        until(lambda: emulator.ended() or listens(port), "the emulator answers")
        assert not emulator.ended(), emulator.log()
        of_lambda = {
            "AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{port}/.rt/{name}",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        }
        with Process([causeway()], of_lambda | env) as function:
            yield Emulated(function, f"http://127.0.0.1:{port}/lambda-url/{name}", port, name)


def listens(port: int) -> bool:
    """Whether somebody listens there. Every request would be an event for the function."""
    with socket.socket() as to:
        return to.connect_ex(("127.0.0.1", port)) == 0


def event(directory: Path, **members: object) -> Path:
    """A file with an event."""
    path = directory / f"event-{len(os.listdir(directory))}.json"
    path.write_text(json.dumps(members))
    return path
