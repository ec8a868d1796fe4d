"""AWS as ministack emulates it: Cognito user pools and CloudWatch Logs, driven through boto3. Knows nothing of the gateway."""

import json
import socket
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import httpx2
from botocore.config import Config

from harness.process import Process, until

REGION = "us-east-1"
TRIES = 3
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}


@dataclass
class Ministack:
    """A running one."""

    url: str

    def client(self, service: str, key: str = KEYS["AWS_ACCESS_KEY_ID"], secret: str = KEYS["AWS_SECRET_ACCESS_KEY"]):
        """boto3's client of one service."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(proxies={}),
        )

    def environment(self) -> dict[str, str]:
        """What makes a program use it in place of AWS."""
        return KEYS | {"AWS_ENDPOINT_URL": self.url}

    def user(self, actions: list[str], resources: list[str]) -> dict[str, str]:
        """A new IAM user who may do this and nothing else, as variables for a program's environment."""
        iam = self.client("iam")
        name = f"user-{uuid.uuid4()}"
        iam.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="interop", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


@dataclass
class M2mClient:
    """A client of a user pool that gets tokens for itself."""

    id: str
    secret: str


@dataclass
class Pool:
    """A user pool with one resource server."""

    ministack: Ministack
    id: str

    @classmethod
    def create(cls, ministack: Ministack, name: str, scopes: list[str]) -> "Pool":
        """A new pool whose resource server `name` has these scopes: `name/scope` in a token."""
        cognito = ministack.client("cognito-idp")
        pool = cls(ministack, cognito.create_user_pool(PoolName=name)["UserPool"]["Id"])
        cognito.create_user_pool_domain(Domain=f"interop-{name}", UserPoolId=pool.id)
        cognito.create_resource_server(
            UserPoolId=pool.id,
            Identifier=name,
            Name=name,
            Scopes=[{"ScopeName": scope, "ScopeDescription": scope} for scope in scopes],
        )
        return pool

    def client(self, name: str, *scopes: str) -> M2mClient:
        """A new client that may ask for these scopes."""
        made = self.ministack.client("cognito-idp").create_user_pool_client(
            UserPoolId=self.id,
            ClientName=name,
            GenerateSecret=True,
            AllowedOAuthFlows=["client_credentials"],
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthScopes=list(scopes),
        )["UserPoolClient"]
        return M2mClient(made["ClientId"], made["ClientSecret"])

    @property
    def discovery_url(self) -> str:
        return f"{self.ministack.url}/{self.id}/.well-known/openid-configuration"

    @property
    def token_endpoint(self) -> str:
        return httpx2.get(self.discovery_url, trust_env=False).raise_for_status().json()["token_endpoint"]

    def token(self, client: M2mClient) -> str:
        """An access token, fetched as any program fetches one."""
        return fetch_token(self.token_endpoint, client.id, client.secret)


def fetch_token(endpoint: str, client_id: str, secret: str) -> str:
    """An access token for client_credentials."""
    form = {"grant_type": "client_credentials"}
    answer = httpx2.post(endpoint, auth=(client_id, secret), data=form, trust_env=False)
    return answer.raise_for_status().json()["access_token"]


def free_port() -> int:
    """A port that nobody has now; somebody may a moment later."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextmanager
def ministack() -> Iterator[Ministack]:
    """Starts one, with nothing in it, that checks access keys and policies, but no signatures."""
    with tempfile.TemporaryDirectory() as home, ExitStack() as started:
        # It takes no port 0, and somebody may have taken the one that was free.
        for _ in range(TRIES):
            port = free_port()
            url = f"http://127.0.0.1:{port}"
            process = started.enter_context(start(port, home))
            if comes_up(process, url):
                break
        assert not process.ended(), f"ministack ended:\n{process.log()}"
        yield Ministack(url)


def comes_up(process: Process, url: str) -> bool:
    """Whether it answers, and not somebody else who had the port first."""
    until(lambda: process.ended() or answers(url), "ministack answers")
    return not process.ended()


def start(port: int, home: str) -> Process:
    program = str(Path(sys.executable).parent / "ministack")
    settings = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "AUTH": "true",
        "HOME": home,
    }
    return Process([program], settings, cwd=home)


def answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/_ministack/health", trust_env=False).status_code < 500
    except httpx2.TransportError:
        return False
