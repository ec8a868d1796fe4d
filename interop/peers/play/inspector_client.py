"""The Inspector's command line (`mcp-inspector --cli`), which makes one request and ends: plays what it can of a script as
script.py says, in the mode `legacy` or `modern`, with a process for each request. Reports no progress, for none is printed.
"""

import json
import os
import tempfile

import anyio

from harness.gateway import HERE
from harness.process import node
from script import ENDPOINT, HEADERS, MODE, play, say

VERSIONS = {"legacy": "2025-11-25", "modern": "2026-07-28"}
PROGRAM = [node(), str(HERE / "node_modules/.bin/mcp-inspector"), "--cli", ENDPOINT, "--transport", "http"]


class Player:
    def __init__(self, home: str) -> None:
        self.home = home

    async def list(self) -> dict:
        return {
            "tools": [tool["name"] for tool in (await self.ask("tools/list"))["tools"]],
            "prompts": [prompt["name"] for prompt in (await self.ask("prompts/list"))["prompts"]],
            "resources": [resource["uri"] for resource in (await self.ask("resources/list"))["resources"]],
            "templates": [one["uriTemplate"] for one in (await self.ask("resources/templates/list"))["resourceTemplates"]],
        }

    async def call(self, tool: str, arguments: dict) -> dict:
        return called(await self.ask("tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments)))

    async def read(self, uri: str) -> dict:
        return {"text": texts((await self.ask("resources/read", "--uri", uri))["contents"])}

    async def prompt(self, name: str, arguments: dict) -> dict:
        pairs = [f"{argument}={value}" for argument, value in arguments.items()]
        got = await self.ask("prompts/get", "--prompt-name", name, *(["--prompt-args", *pairs] if pairs else []))
        return {"text": texts([message["content"] for message in got["messages"]])}

    async def ask(self, method: str, *words: str) -> dict:
        headers = [f"{name}: {value}" for name, value in HEADERS.items()]
        argv = [*PROGRAM, "--protocol-era", MODE, "--header", *headers, "--method", method, *words]
        return await answer_of(argv, {"HOME": self.home})


async def answer_of(argv: list[str], env: dict[str, str]) -> dict:
    """What a process printed, as JSON. Its status is not 0 where a tool failed, which is an answer."""
    ran = await anyio.run_process(argv, env=os.environ | env, check=False)
    if not ran.stdout.strip():
        raise RuntimeError(ran.stderr.decode()[-1000:])
    return json.loads(ran.stdout)


def called(result: dict) -> dict:
    """The line of a call."""
    text, structured = texts(result["content"]), result.get("structuredContent")
    return {"isError": result.get("isError", False), "text": text, "structured": structured}


def texts(blocks: list[dict]) -> str:
    return "\n".join(block["text"] for block in blocks if "text" in block)


async def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        say(protocol=VERSIONS[MODE], server=None)
        await play(Player(home))


if __name__ == "__main__":
    anyio.run(main)
