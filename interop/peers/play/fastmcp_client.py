"""FastMCP's client (`fastmcp`): plays a script as script.py says, in the mode `legacy`, `auto` or `2026-07-28`."""

import asyncio
from contextlib import asynccontextmanager

import mcp_types
from fastmcp import Client
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport
from mcp.client.subscriptions import listen

from script import COMMAND, ENDPOINT, ENV, HEADERS, MODE, REPLY, News, asked, fill, play, say, words


class Player:
    def __init__(self, client: Client, news: News) -> None:
        self.client, self.news = client, news

    async def list(self) -> dict:
        return {
            "tools": [tool.name for tool in await self.client.list_tools()],
            "prompts": [prompt.name for prompt in await self.client.list_prompts()],
            "resources": [str(resource.uri) for resource in await self.client.list_resources()],
            "templates": [template.uri_template for template in await self.client.list_resource_templates()],
        }

    async def call(self, tool: str, arguments: dict, reports: int = 0) -> dict:
        progress = []

        async def on_progress(at: float, total: float | None, _: str | None) -> None:
            progress.append([at, total])

        result = await self.client.call_tool(tool, arguments, progress_handler=on_progress, raise_on_error=False)
        structured = result.structured_content
        text = words(result.content)
        return {"isError": bool(result.is_error), "text": text, "structured": structured, "progress": progress}

    async def read(self, uri: str) -> dict:
        return {"text": words(await self.client.read_resource(uri))}

    async def prompt(self, name: str, arguments: dict) -> dict:
        got = await self.client.get_prompt(name, arguments)
        return {"text": words([message.content for message in got.messages])}

    async def complete(self, argument: str, value: str, prompt: str = "", template: str = "") -> dict:
        if prompt:
            reference = mcp_types.PromptReference(type="ref/prompt", name=prompt)
        else:
            reference = mcp_types.ResourceTemplateReference(type="ref/resource", uri=template)
        return {"values": (await self.client.complete(reference, {"name": argument, "value": value})).values}

    async def cancel(self, tool: str, arguments: dict, counter: str, counted: str) -> dict:
        async def cancel(*_: object) -> None:
            running.cancel()

        running = asyncio.ensure_future(self.client.call_tool(tool, arguments, progress_handler=cancel))
        await asyncio.wait([running])
        assert running.cancelled(), "the call ended otherwise"
        while (said := await self.call(counter, arguments))["text"] != counted:
            pass
        return {"text": said["text"]}

    async def hear(self, of: str, tool: str, arguments: dict) -> dict:
        async with listening(self.client, of, self.news):
            return {"heard": await self.news.of(of, lambda: self.client.call_tool(tool, arguments))}


@asynccontextmanager
async def listening(client: Client, of: str, news: News):
    """Listens for changes of the tools, or of the resource with this URI, with the SDK's session that FastMCP stands on."""
    if client.protocol_version < "2026":
        if of != "tools":
            await client.session.subscribe_resource(of)
        yield
        return
    filters = {"tools_list_changed": True} if of == "tools" else {"resource_subscriptions": [of]}
    async with listen(client.session, **filters) as subscription:

        async def hear() -> None:
            async for _ in subscription:
                news.tell(of)

        hearing = asyncio.ensure_future(hear())
        yield
        hearing.cancel()


async def elicit(message: str, _: object, params: mcp_types.ElicitRequestParams, __: object) -> mcp_types.ElicitResult:
    asked.append(message)
    if params.mode == "url":
        return mcp_types.ElicitResult(action="accept")
    return mcp_types.ElicitResult(action="accept", content=fill(params.requested_schema))


async def sample(messages: list, _: object, __: object) -> str:
    asked.append(words([message.content for message in messages]))
    return REPLY


async def main() -> None:
    news = News()

    async def told(message: object) -> None:
        if isinstance(message, mcp_types.ToolListChangedNotification):
            news.tell("tools")
        elif isinstance(message, mcp_types.ResourceUpdatedNotification):
            news.tell(str(message.params.uri))

    if COMMAND:
        transport = StdioTransport(COMMAND[0], COMMAND[1:], env=ENV, keep_alive=False)
    else:
        transport = StreamableHttpTransport(ENDPOINT, headers=HEADERS)
    answers = {"elicitation_handler": elicit, "sampling_handler": sample, "roots": ["file:///root"]}
    async with Client(transport, mode=MODE, message_handler=told, **answers) as client:
        server = client.session.server_info
        say(protocol=client.protocol_version, server=server and server.name)
        await play(Player(client, news))


if __name__ == "__main__":
    asyncio.run(main())
