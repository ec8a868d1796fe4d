"""What the Python clients of this directory share: they play a script of steps, one JSON line for each. Connects to nothing
and judges nothing.

    TOKEN=... python NAME.py ENDPOINT MODE STEPS-AS-JSON
    TOKEN=... COMMAND=ARGV-AS-JSON python NAME.py - MODE STEPS-AS-JSON      over standard streams, where the client can

The steps, and what the line of each says; `asked` are the messages of the questions that the client answered meanwhile:

    {"do": "list"}                                     tools, prompts, resources, templates: names, and URIs
    {"do": "call", "tool", "arguments", "reports"}     isError, text, structured, progress as [at, total], asked; a client that
                                                       gets its progress late waits for so many reports
    {"do": "read", "uri"}                              text, asked
    {"do": "prompt", "name", "arguments"}              text, asked
    {"do": "complete", "prompt" | "template", "argument", "value"}    values
    {"do": "cancel", "tool", "arguments", "counter", "counted"}
                                                       cancels the call at its first progress, then calls `counter` until it
                                                       answers the text `counted`: text
    {"do": "hear", "of": "tools" | a URI, "tool", "arguments"}        listens, and calls the tool until it hears: heard

A step that fails says `error`. The first line says `protocol` and `server`.
"""

import json
import os
import sys
from collections.abc import Awaitable, Callable

import anyio

#: For one step, in seconds.
DEADLINE = 30
#: How long a change may take before the client causes another one, in seconds: a legacy client cannot know from when on
#: it is told of changes.
PATIENCE = 3

ENDPOINT, MODE = sys.argv[1:3]
STEPS = json.loads(sys.argv[3])
HEADERS = {"Authorization": f"Bearer {os.environ['TOKEN']}"} if "TOKEN" in os.environ else {}
#: What starts a server on standard streams, and the variables that it gets.
COMMAND = json.loads(os.environ["COMMAND"]) if "COMMAND" in os.environ else None
ENV = {"TOKEN": os.environ["TOKEN"]} if "TOKEN" in os.environ else {}
REPLY = "Paris"

asked: list[str] = []


def say(**line: object) -> None:
    print(json.dumps(line), flush=True)


def fill(schema: dict) -> dict:
    """What a user writes into a form: only what is required."""
    return {name: value(name, schema["properties"][name]) for name in schema.get("required", [])}


def value(name: str, schema: dict) -> object:
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "email":
        return "someone@example.org"
    return {"boolean": True, "integer": 1, "number": 1}.get(schema.get("type"), name)


def words(blocks: list) -> str:
    """The texts of content blocks, of messages' contents or of a resource's contents."""
    return "\n".join(block.text for block in blocks if getattr(block, "text", None) is not None)


class News:
    """What the client was told, and a way to wait for it."""

    def __init__(self) -> None:
        self._heard: set[str] = set()
        self._changed = anyio.Event()

    def tell(self, what: str) -> None:
        self._heard.add(what)
        self._changed.set()
        self._changed = anyio.Event()

    async def of(self, what: str, cause: Callable[[], Awaitable[object]]) -> str:
        """Causes it until it is told."""
        self._heard.discard(what)
        while what not in self._heard:
            await cause()
            with anyio.move_on_after(PATIENCE):
                while what not in self._heard:
                    await self._changed.wait()
        return what


async def play(player: object) -> None:
    """Does each step with the method of its name."""
    for step in STEPS:
        asked.clear()
        try:
            with anyio.fail_after(DEADLINE):
                line = await getattr(player, step.pop("do"))(**step)
        except Exception as error:
            line = {"error": f"{type(error).__name__}: {error}"}
        say(**line, asked=list(asked))
