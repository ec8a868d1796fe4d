"""The Python SDK's client (`mcp`): plays a script as script.py says, in the mode `legacy`, `auto` or `2026-07-28`."""

from contextlib import asynccontextmanager

import anyio
import httpx2
import mcp_types
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from script import COMMAND, ENDPOINT, ENV, HEADERS, MODE, REPLY, News, asked, fill, play, say, words


class Player:
    def __init__(self, client: Client, news: News) -> None:
        self.client, self.news = client, news

    async def list(self) -> dict:
        client = self.client
        tools = await pages(client.list_tools, "tools")
        prompts = await pages(client.list_prompts, "prompts")
        resources = await pages(client.list_resources, "resources")
        templates = await pages(client.list_resource_templates, "resource_templates")
        return {
            "tools": [tool.name for tool in tools],
            "prompts": [prompt.name for prompt in prompts],
            "resources": [str(resource.uri) for resource in resources],
            "templates": [template.uri_template for template in templates],
        }

    async def call(self, tool: str, arguments: dict, reports: int = 0) -> dict:
        progress = []

        async def on_progress(at: float, total: float | None, _: str | None) -> None:
            progress.append([at, total])

        result = await self.client.call_tool(tool, arguments, progress_callback=on_progress)
        structured = result.structured_content
        text = words(result.content)
        return {"isError": bool(result.is_error), "text": text, "structured": structured, "progress": progress}

    async def read(self, uri: str) -> dict:
        return {"text": words((await self.client.read_resource(uri)).contents)}

    async def prompt(self, name: str, arguments: dict) -> dict:
        got = await self.client.get_prompt(name, arguments)
        return {"text": words([message.content for message in got.messages])}

    async def complete(self, argument: str, value: str, prompt: str = "", template: str = "") -> dict:
        about = {"name": argument, "value": value}
        return {"values": (await self.client.complete(reference(prompt, template), about)).completion.values}

    async def cancel(self, tool: str, arguments: dict, counter: str, counted: str) -> dict:
        async with anyio.create_task_group() as group:

            async def cancel(*_: object) -> None:
                group.cancel_scope.cancel()

            await self.client.call_tool(tool, arguments, progress_callback=cancel)
        while (said := await self.call(counter, arguments))["text"] != counted:
            pass
        return {"text": said["text"]}

    async def hear(self, of: str, tool: str, arguments: dict) -> dict:
        async with listening(self.client, of, self.news):
            return {"heard": await self.news.of(of, lambda: self.client.call_tool(tool, arguments))}


def reference(prompt: str, template: str) -> mcp_types.PromptReference | mcp_types.ResourceTemplateReference:
    if prompt:
        return mcp_types.PromptReference(type="ref/prompt", name=prompt)
    return mcp_types.ResourceTemplateReference(type="ref/resource", uri=template)


@asynccontextmanager
async def listening(client: Client, of: str, news: News):
    """Listens for changes of the tools, or of the resource with this URI, in the way of the client's era."""
    if client.protocol_version < "2026":
        if of != "tools":
            await client.session.subscribe_resource(of)
        yield
        return
    filters = {"tools_list_changed": True} if of == "tools" else {"resource_subscriptions": [of]}
    async with client.listen(**filters) as subscription, anyio.create_task_group() as group:

        async def hear() -> None:
            async for _ in subscription:
                news.tell(of)

        group.start_soon(hear)
        yield
        group.cancel_scope.cancel()


async def pages(method, member: str) -> list:
    """Every entry of a list, page by page."""
    entries, cursor = [], None
    while True:
        page = await method(cursor=cursor)
        entries += getattr(page, member)
        cursor = page.next_cursor
        if cursor is None:
            return entries


async def elicit(_: object, params: mcp_types.ElicitRequestParams) -> mcp_types.ElicitResult:
    asked.append(params.message)
    if params.mode == "url":
        return mcp_types.ElicitResult(action="accept")
    return mcp_types.ElicitResult(action="accept", content=fill(params.requested_schema))


async def sample(_: object, params: mcp_types.CreateMessageRequestParams) -> mcp_types.CreateMessageResult:
    asked.append(words([message.content for message in params.messages]))
    content = mcp_types.TextContent(type="text", text=REPLY)
    return mcp_types.CreateMessageResult(role="assistant", content=content, model="none", stop_reason="endTurn")


async def roots(_: object) -> mcp_types.ListRootsResult:
    return mcp_types.ListRootsResult(roots=[mcp_types.Root(uri="file:///root")])


def over_streams():
    """The transport to a server that this client starts."""
    return stdio_client(StdioServerParameters(command=COMMAND[0], args=COMMAND[1:], env=ENV))


async def main() -> None:
    news = News()

    async def told(message: object) -> None:
        if isinstance(message, mcp_types.ToolListChangedNotification):
            news.tell("tools")
        elif isinstance(message, mcp_types.ResourceUpdatedNotification):
            news.tell(str(message.params.uri))

    answers = {"elicitation_callback": elicit, "sampling_callback": sample, "list_roots_callback": roots}
    async with httpx2.AsyncClient(headers=HEADERS, timeout=60) as http:
        transport = over_streams() if COMMAND else streamable_http_client(ENDPOINT, http_client=http)
        async with Client(transport, mode=MODE, message_handler=told, **answers) as client:
            say(protocol=client.protocol_version, server=client.server_info and client.server_info.name)
            await play(Player(client, news))


if __name__ == "__main__":
    anyio.run(main)
