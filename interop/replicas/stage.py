"""Two gateways of one configuration behind nginx, with a Redis and servers behind them; and clients that show no SDK what they see.
Judges nothing."""

import itertools
import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import httpx2

from harness.gateway import Gateway, sample, serve
from harness.nginx import nginx
from harness.process import Process, until
from harness.redis import Redis
from harness.token_endpoint import TokenEndpoint, token_endpoint

KEYS = {"CAUSEWAY_SESSION_KEY": "the key of all replicas, of 32 bytes and more"}
MODERN, LEGACY = "2026-07-28", "2025-11-25"
ABLE = {"elicitation": {"form": {}}}

CONFIG = """
authorizer = "none"

[gateway]
listen = "127.0.0.1:0"
list_page = 2

[admin]
listen = "127.0.0.1:0"

[sessions]
key_env = ["CAUSEWAY_SESSION_KEY"]

[state]
snapshot = false

[[targets]]
name = "fixture"
http.endpoint = "{fixture}"
http.era = "legacy"

[[targets]]
name = "calculator"
http.endpoint = "{calculator}"

[targets.credential.client_credentials]
token_endpoint = "{tokens}"
client_id = "gateway"
client_secret_env = "CLIENT_SECRET"
"""


@dataclass
class Stage:
    """What runs."""

    endpoint: str
    replicas: list[Gateway]
    tokens: TokenEndpoint
    fixture: str

    def metric(self, name: str, replica: int = 0, **labels: str) -> float:
        """The value of one sample; 0 if it is not there."""
        admin = self.replicas[replica].admin
        text = httpx2.get(f"{admin}/metrics", trust_env=False).raise_for_status().text
        wanted = name + ("{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}" if labels else "")
        found = [line.split()[-1] for line in text.splitlines() if line.rsplit(" ", 1)[0] == wanted]
        return float(found[0]) if found else 0

    def reload(self, old: str, new: str) -> None:
        """Has `new` stand in the place of `old` in the file of each replica, and waits until it is in effect in all."""
        generations = [self.metric("causeway_config_generation", at) for at in range(len(self.replicas))]
        for replica in self.replicas:
            text = replica.config.read_text()
            assert old in text
            written = replica.config.with_suffix(".new")
            written.write_text(text.replace(old, new))
            written.rename(replica.config)
        until(
            lambda: all(self.metric("causeway_config_generation", at) > was for at, was in enumerate(generations)),
            "the new configuration is in effect in all",
        )

    def runs_of(self, tool: str) -> int:
        """How often the fixture began to work on a call of this tool, whoever sent it."""
        answer = Client(self.fixture).opened().call("runs_of", tool=tool)
        return answer["result"]["structuredContent"]["begun"]


@contextmanager
def stage(redis: Redis | None = None, more: str = "", url: str | None = None, lifetime: int = 3600) -> Iterator[Stage]:
    """`more` is the rest of config.toml; `url` is what the gateways are told of the Redis."""
    env = KEYS | {"CLIENT_SECRET": "s"}
    if redis:
        env["CAUSEWAY_REDIS_URL"] = url or f"redis://127.0.0.1:{redis.port}"
    with ExitStack() as started:
        argv = [os.environ["CAUSEWAY_FIXTURE_BIN"], "--listen", "127.0.0.1:0", "--era", "legacy"]
        fixture = started.enter_context(Process(argv))
        url = fixture.first_line("it served").removeprefix("listening on ")
        tokens = started.enter_context(token_endpoint(lifetime))
        calculator = started.enter_context(sample("calculator"))
        config = CONFIG.format(fixture=url, calculator=calculator, tokens=tokens.url) + more
        # They start together, as those of a deployment do.
        replicas = [started.enter_context(serve(config, env)) for _ in range(2)]
        endpoint = started.enter_context(nginx([one.endpoint.removesuffix("/mcp") for one in replicas]))
        yield Stage(endpoint, replicas, tokens, url)


class Client:
    """A program without any SDK: legacy and without a session, until it is told otherwise."""

    def __init__(self, endpoint: str, modern: bool = False) -> None:
        self.endpoint, self.modern = endpoint, modern
        self.http = httpx2.Client(timeout=60, trust_env=False)
        self.headers = {"Accept": "application/json, text/event-stream"}
        self.ids = itertools.count(1)

    def opened(self) -> "Client":
        """The same with a session."""
        params = {"protocolVersion": LEGACY, "capabilities": ABLE, "clientInfo": {"name": "check", "version": "1"}}
        answer = self.request("initialize", **params)
        self.headers["Mcp-Session-Id"] = answer.headers["mcp-session-id"]
        self.headers["MCP-Protocol-Version"] = LEGACY
        return self

    def message(self, method: str, **params: object) -> tuple[dict, dict]:
        """A request, and the headers that go with it."""
        headers = dict(self.headers)
        if self.modern:
            meta = {
                "protocolVersion": MODERN,
                "clientInfo": {"name": "check", "version": "1"},
                "clientCapabilities": ABLE,
            }
            params["_meta"] = {f"io.modelcontextprotocol/{key}": value for key, value in meta.items()}
            headers |= {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
            if "name" in params:
                headers["Mcp-Name"] = str(params["name"])
        return {"jsonrpc": "2.0", "id": next(self.ids), "method": method, "params": params}, headers

    def request(self, method: str, **params: object) -> httpx2.Response:
        body, headers = self.message(method, **params)
        return self.http.post(self.endpoint, headers=headers, json=body)

    @contextmanager
    def stream(self, method: str, **params: object) -> Iterator[Iterator[dict]]:
        """The messages of an answer as they come."""
        body, headers = self.message(method, **params)
        with self.http.stream("POST", self.endpoint, headers=headers, json=body) as answer:
            yield messages(answer)

    def answer(self, question: dict, result: dict) -> int:
        """Answers what the server asked; gives the status."""
        body = {"jsonrpc": "2.0", "id": question["id"], "result": result}
        return self.http.post(self.endpoint, headers=self.headers, json=body).status_code

    def call(self, tool: str, /, **arguments: object) -> dict:
        """The last message of the answer to a call."""
        return last(self.request("tools/call", name=tool, arguments=arguments))


def messages(answer: httpx2.Response) -> Iterator[dict]:
    for line in answer.iter_lines():
        if line.startswith("data:") and line.removeprefix("data:").strip():
            yield json.loads(line.removeprefix("data:"))
        elif line.startswith("{"):
            yield json.loads(line)


def last(answer: httpx2.Response) -> dict:
    return list(messages(answer))[-1]


@dataclass
class Load:
    """Clients that call without a pause, each the next time as soon as it was answered, and look at what they are answered."""

    endpoint: str
    workers: int = 8
    outcomes: Counter = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> "Load":
        self.threads = [threading.Thread(target=self.work, args=(at,)) for at in range(self.workers)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def work(self, at: int) -> None:
        # Clients without a session, with one, and of the modern era.
        client = Client(self.endpoint, modern=at % 3 == 2)
        if at % 3 == 1:
            client.opened()
        for number in itertools.count():
            if self.ending.is_set():
                return
            outcome = self.one(client, number)
            with self.lock:
                self.outcomes[outcome] += 1

    def one(self, client: Client, number: int) -> str:
        """What came of one call."""
        try:
            answer = client.request("tools/call", name="calculator___add_numbers", arguments={"a": number, "b": 1})
        except httpx2.TransportError as error:
            return f"broken connection ({type(error).__name__})"
        if answer.status_code != 200:
            return f"HTTP {answer.status_code}"
        message = last(answer)
        if "error" in message:
            return f"error: {message['error']['message']}"
        text = message["result"]["content"][0]["text"]
        if message["result"].get("isError"):
            return f"tool error: {text}"
        if text != str(number + 1):
            with self.lock:
                self.wrong.append(text)
            return "wrong"
        return "answered"

    def count(self, outcome: str = "answered") -> int:
        with self.lock:
            return self.outcomes[outcome]

    def failed(self) -> dict[str, int]:
        """All that was not answered."""
        with self.lock:
            return {outcome: count for outcome, count in self.outcomes.items() if outcome != "answered"}
