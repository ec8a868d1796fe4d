"""The ways from the suite to the fixture: which processes stand between them. Each is started on free ports and ended."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.gateway import serve
from harness.process import Process


@dataclass(frozen=True)
class Way:
    """How the suite reaches the fixture."""

    name: str
    #: The era that the fixture speaks.
    era: str
    #: Over what the gateway reaches it; absent without a gateway.
    transport: str | None = None
    #: Only scenarios that count for their revision hold the bar here.
    scored_only: bool = False

    @property
    def title(self) -> str:
        return self.name.replace("-", " ")


DIRECT = Way("direct", "both")
WAYS = [
    DIRECT,
    Way("legacy-http", "legacy", "http"),
    Way("modern-http", "modern", "http"),
    Way("stdio", "both", "stdio"),
    # A child process of this era is told once what its clients can do, before there is any: it does not see whether a client
    # knows the extension that some of the others ask for.
    Way("legacy-stdio", "legacy", "stdio", scored_only=True),
]


@contextmanager
def opened(way: Way, logs: Path) -> Iterator[str]:
    """The URL that the suite talks to. What the processes said is in `logs` at the end."""
    if way.transport is None:
        with fixture(way.era, logs) as url:
            yield url
    elif way.transport == "http":
        with fixture(way.era, logs) as url, gateway(f"http.endpoint = {json.dumps(url)}", logs) as endpoint:
            yield endpoint
    else:
        command = [program(), "--stdio", "--era", way.era]
        with gateway(f"stdio.command = {json.dumps(command)}", logs) as endpoint:
            yield endpoint


@contextmanager
def fixture(era: str, logs: Path) -> Iterator[str]:
    with Process([program(), "--listen", "127.0.0.1:0", "--era", era]) as process:
        try:
            yield process.first_line("it served").removeprefix("listening on ")
        finally:
            write(process, logs / "fixture.log")


@contextmanager
def gateway(target: str, logs: Path) -> Iterator[str]:
    """The gateway with one target, whose names the suite knows as they are."""
    config = f"""
        authorizer = "none"
        [gateway]
        listen = "127.0.0.1:0"
        names = "plain"
        [[targets]]
        name = "fixture"
        {target}
    """
    with serve(config) as running:
        try:
            yield running.endpoint
        finally:
            write(running.process, logs / "gateway.log")


def write(process: Process, log: Path) -> None:
    log.write_text("\n".join([*process.lines, *process.errors]))


def program() -> str:
    return os.environ["CAUSEWAY_FIXTURE_BIN"]
