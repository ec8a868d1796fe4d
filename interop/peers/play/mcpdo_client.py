"""The Inspector's other command line (`mcpdo`), which keeps a connection between commands and lets each command be one process:
plays what it can of a script as script.py says, in the mode `legacy` or `modern`. A call that asks something ends its command
with the question; the answer is another command.
"""

import json
import secrets
import tempfile
from pathlib import Path

import anyio

from harness.gateway import HERE
from harness.process import node
from inspector_client import VERSIONS, answer_of, called, texts
from script import ENDPOINT, HEADERS, MODE, asked, fill, play, say

PROGRAM = [node(), str(HERE / "node_modules/.bin/mcpdo"), "--format", "json"]


class Player:
    def __init__(self, env: dict[str, str]) -> None:
        self.env = env

    async def list(self) -> dict:
        return {
            "tools": [tool["name"] for tool in (await self.ask("tools/list"))["tools"]],
            "prompts": [prompt["name"] for prompt in (await self.ask("prompts/list"))["prompts"]],
            "resources": [resource["uri"] for resource in (await self.ask("resources/list"))["resources"]],
            "templates": [one["uriTemplate"] for one in (await self.ask("resources/templates/list"))["resourceTemplates"]],
        }

    async def call(self, tool: str, arguments: dict) -> dict:
        return called(await self.ask("tools/call", tool, json.dumps(arguments)))

    async def read(self, uri: str) -> dict:
        return {"text": texts((await self.ask("resources/read", uri))["contents"])}

    async def prompt(self, name: str, arguments: dict) -> dict:
        pairs = [f"{argument}={value}" for argument, value in arguments.items()]
        got = await self.ask("prompts/get", name, *(["--prompt-args", *pairs] if pairs else []))
        return {"text": texts([message["content"] for message in got["messages"]])}

    async def complete(self, argument: str, value: str, prompt: str = "", template: str = "") -> dict:
        kind = ["--complete-ref-type", "ref/prompt" if prompt else "ref/resource"]
        about = ["--complete-ref", prompt or template, "--complete-arg-name", argument, "--complete-arg-value", value]
        return {"values": (await self.ask("prompts/complete", *kind, *about))["values"]}

    async def ask(self, *words: str) -> dict:
        """The answer to a request, once all is answered that it asks."""
        answer = await self.command("@gateway", *words)
        while question := answer.get("elicitationPending"):
            asked.append(question["message"])
            form = json.dumps(fill(question["requestedSchema"])) if question["mode"] == "form" else "--done"
            answer = await self.command("elicitation/respond", question["elicitationId"], form)
        return answer

    async def command(self, *words: str) -> dict:
        return await answer_of([*PROGRAM, *words], self.env)


async def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        gateway = {"type": "http", "url": ENDPOINT, "headers": HEADERS}
        servers = Path(home) / "servers.json"
        servers.write_text(json.dumps({"mcpServers": {"gateway": gateway}}))
        private = {"MCP_INSPECTOR_DAEMON_DIR": f"{home}/daemon", "MCP_INSPECTOR_DAEMON_TOKEN": secrets.token_urlsafe(32)}
        player = Player({"HOME": home, "MCP_INSPECTOR_SECRET_STORE": "memory"} | private)
        try:
            connected = await player.command("connect", "--config", str(servers), "--era", MODE, "gateway")
            say(protocol=VERSIONS[connected["protocolEra"]], server=None)
            await player.command("@gateway", "roots/set", "--roots-json", '[{"uri":"file:///root"}]')
            await play(player)
        finally:
            await player.command("daemon", "stop")


if __name__ == "__main__":
    anyio.run(main)
