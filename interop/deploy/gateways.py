"""A gateway behind a load balancer, as config.toml has it, with an issuer and a server that are real; and what two replicas of it
must do alike. Knows nothing of where it is deployed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2

from harness.gateway import Gateway, post, sample
from harness.issuer import Issuer, rotating_issuer
from harness.process import until

URL = "https://gateway.example.com/mcp"
SECRET = "CALCULATOR_CLIENT_SECRET"
VALUE = "gateway-secret"
HOUR = 3600


@dataclass
class Surroundings:
    """What a gateway has around it, and the config.toml that says so."""

    config: str
    issuer: Issuer

    def token(self) -> str:
        return self.issuer.token("caller")


@contextmanager
def surroundings() -> Iterator[Surroundings]:
    clients = [
        {"id": "caller", "secret": "caller-secret", "scope": "gateway/invoke", "ttl": HOUR},
        {"id": "gateway", "secret": VALUE, "scope": "calculator/invoke", "ttl": HOUR},
    ]
    with rotating_issuer(clients) as issuer:
        demanded = ["--jwt-discovery-url", issuer.discovery_url, "--jwt-allowed-clients", "gateway"]
        with sample("calculator", *demanded) as calculator:
            yield Surroundings(config(issuer, calculator), issuer)


def config(issuer: Issuer, calculator: str) -> str:
    return f"""\
[gateway]
listen = "0.0.0.0:8080"
public_url = "{URL}"

[sessions]
key_env = ["CAUSEWAY_SESSION_KEY"]

[admin]
listen = "0.0.0.0:8081"
metrics = "anyone"

[authorizer.custom_jwt]
discovery_url = "{issuer.discovery_url}"
allowed_clients = ["caller"]

[[targets]]
name = "calculator"
http.endpoint = "{calculator}"

[targets.credential.client_credentials]
token_endpoint = "{issuer.token_endpoint}"
client_id = "gateway"
client_secret_env = "{SECRET}"
"""


def status(url: str, path: str) -> int:
    return httpx2.get(url.removesuffix("/mcp") + path, trust_env=False).status_code


def until_ready(gateway: Gateway, path: str) -> None:
    """Until the path of a health check answers 200; one that is not there will never."""
    until(lambda: status(gateway.endpoint, path) != 503, f"{path} answers otherwise than with 503")
    assert status(gateway.endpoint, path) == 200


def open_session(gateway: Gateway, token: str) -> str:
    """Begins a session, as clients before MCP 2026-07-28 do; gives its id."""
    params = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "check", "version": "1"}}
    answer = post(gateway.endpoint, token, "initialize", **params)
    assert answer.status_code == 200, answer.text
    return answer.headers["mcp-session-id"]


def knows(gateway: Gateway, token: str, session: str) -> bool:
    """Whether a replica takes a session for one that it can go on with."""
    headers = {
        "Accept": "application/json, text/event-stream",
        "Authorization": f"Bearer {token}",
        "MCP-Protocol-Version": "2025-06-18",
        "Mcp-Session-Id": session,
    }
    body = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    return httpx2.post(gateway.endpoint, headers=headers, json=body, trust_env=False).status_code == 200
