"""The issuer of peers/rotating_issuer.mjs as a process. Knows nothing of the gateway."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2

from harness.gateway import HERE, PEERS
from harness.process import Process, node
from harness.tokens import fetch_token


@dataclass
class Issuer:
    """A running one."""

    url: str
    discovery_url: str
    secrets: dict[str, str]

    @property
    def token_endpoint(self) -> str:
        return f"{self.url}/oauth2/token"

    def token(self, client: str) -> str:
        """A new access token of this client."""
        return fetch_token(self.token_endpoint, client, self.secrets[client])

    def change_keys(self, how: str) -> list[str]:
        """`rotate`, `rotate-unannounced` or `drop`; gives the ids of the keys, the signing one first."""
        return httpx2.post(f"{self.url}/{how}", trust_env=False).raise_for_status().json()


@contextmanager
def rotating_issuer(clients: list[dict]) -> Iterator[Issuer]:
    """Starts one with these clients (`id`, `secret`, `scope`, `ttl` in seconds)."""
    argv = [node(), str(PEERS / "rotating_issuer.mjs"), json.dumps(clients)]
    with Process(argv, cwd=str(HERE)) as process:
        ready = json.loads(process.first_line("it served"))
        secrets = {client["id"]: client["secret"] for client in clients}
        yield Issuer(ready["issuer"], ready["discovery_url"], secrets)
