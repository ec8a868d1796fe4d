"""The gateway as a process: `causeway dev` and `causeway serve`, and plain HTTP requests to it. Judges no answer."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from harness.process import Process, until

HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent
PEERS = HERE / "peers"


@dataclass
class Gateway:
    """A running gateway."""

    process: Process
    endpoint: str
    #: One that it accepts; absent if there is none at hand.
    token: str | None = None
    targets: list[dict] | None = None
    #: Where its dashboard, its metrics and its health are, if that is known.
    admin: str | None = None
    #: The file that it was started with; it is read again when it changes.
    config: Path | None = None


def causeway() -> str:
    """The program under test."""
    return os.environ["CAUSEWAY_BIN"]


@contextmanager
def dev(config: str | None = None, env: dict[str, str] | None = None) -> Iterator[Gateway]:
    """`causeway dev --json` on a free port, with the repository's config.toml or the text given."""
    with written(config) as path, tempfile.TemporaryDirectory() as home:
        argv = [causeway(), "dev", "--json", "--listen", "127.0.0.1:0", "--config", path]
        with Process(argv, {"HOME": home} | (env or {})) as process:
            ready = json.loads(process.first_line("it served"))
            yield Gateway(process, ready["endpoint"], ready["token"], ready["targets"], ready["admin"])


@contextmanager
def serve(config: str, env: dict[str, str] | None = None) -> Iterator[Gateway]:
    """`causeway serve` with this config, once it has listed all its targets."""
    with written(config) as path, Process([causeway(), "serve", "--config", path], env) as process:
        endpoint = process.wait_for(lambda: listening(process.errors), "it listened")
        ready = endpoint.removesuffix("/mcp") + "/readyz"
        until(lambda: httpx2.get(ready, trust_env=False).status_code == 200, "the gateway is ready")
        admin = said(process.errors, "dashboard, metrics and health on ")
        yield Gateway(process, endpoint, admin=admin, config=Path(path))


@contextmanager
def sample(name: str, *args: str, env: dict[str, str] | None = None, cwd: str | None = None) -> Iterator[str]:
    """A sample server on a free port; gives its URL."""
    argv = [causeway(), "sample", name, "--listen", "127.0.0.1:0", "--ready-json", "--exit-with-stdin", *args]
    with Process(argv, env, cwd) as process:
        yield json.loads(process.first_line("it served"))["url"]


@contextmanager
def written(config: str | None) -> Iterator[str]:
    """The path of a file with this text; without one, of the repository's own config.toml."""
    if config is None:
        yield str(ROOT / "config.toml")
        return
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "config.toml"
        path.write_text(config)
        yield str(path)


def listening(lines: list[str]) -> str | None:
    """The URL that a log of JSON lines says the gateway listens on."""
    return said(lines, "listening on ")


def said(lines: list[str], mark: str) -> str | None:
    """What the first message of a log of JSON lines says that starts with `mark`."""
    messages = (json.loads(line).get("message", "") for line in lines if line.startswith("{"))
    return next((message.removeprefix(mark) for message in messages if message.startswith(mark)), None)


def post(endpoint: str, token: str | None = None, method: str = "tools/list", **params: object) -> httpx2.Response:
    """One JSON-RPC request, as a program without any SDK sends it."""
    headers = {"Accept": "application/json, text/event-stream"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return httpx2.post(endpoint, headers=headers, json=body, timeout=60, trust_env=False)
