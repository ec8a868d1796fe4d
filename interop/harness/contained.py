"""A container's process as a manifest has it told to run: its arguments, its variables, its files, here without the container. What
listens on all addresses listens on loopback, on a port that the system chooses, so that checks run side by side. Judges nothing."""

import re
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.gateway import Gateway, causeway, listening, said
from harness.process import Process

EVERYWHERE = re.compile(r'"(?:0\.0\.0\.0|\[::\]):\d+"')


@contextmanager
def contained(
    arguments: list[str], env: Mapping[str, str], files: Mapping[str, str] | None = None
) -> Iterator[Gateway]:
    """Runs the gateway with these arguments and variables, and nothing else of this machine; `files` by their paths in the
    container."""
    with tempfile.TemporaryDirectory() as directory:
        places = {path: str(Path(directory) / path.lstrip("/")) for path in files or {}}
        for path, text in (files or {}).items():
            Path(places[path]).parent.mkdir(parents=True, exist_ok=True)
            Path(places[path]).write_text(on_loopback(text))
        argv = [causeway(), *(places.get(word, word) for word in arguments)]
        variables = {name: on_loopback(value) for name, value in env.items()}
        with Process(argv, variables, cwd=directory) as process:
            endpoint = process.wait_for(lambda: listening(process.errors), "it listened")
            yield Gateway(
                process, endpoint, admin=admin(process) if watched([*env.values(), *(files or {}).values()]) else None
            )


def watched(texts: list[str]) -> bool:
    """Whether one of them is a config.toml with an admin port."""
    return any("\n[admin]\n" in text for text in texts)


def admin(process: Process) -> str:
    return process.wait_for(
        lambda: said(process.errors, "dashboard, metrics and health on "), "it said where the admin port is"
    )


def on_loopback(text: str) -> str:
    return EVERYWHERE.sub('"127.0.0.1:0"', text)


def port(config: str, section: str) -> int:
    """The port of a section of config.toml."""
    return int(tomllib.loads(config)[section]["listen"].rsplit(":", 1)[1])
