"""A client of an MCP endpoint made with the Python SDK: lists the tools, calls those named, prints one JSON line for each.

    TOKEN=... python python_client.py ENDPOINT legacy|auto|2026-07-28 [NAME=JSON-ARGUMENTS ...]

Keeps nothing and judges nothing: what the lines say is for whoever reads them.
"""

import json
import os
import sys

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


def say(**line: object) -> None:
    print(json.dumps(line), flush=True)


async def call(client: Client, name: str, arguments: dict) -> None:
    progress = []

    async def on_progress(at: float, total: float | None, message: str | None) -> None:
        progress.append([at, total, message])

    result = await client.call_tool(name, arguments, progress_callback=on_progress)
    texts = [block.text for block in result.content if block.type == "text"]
    say(
        call=name,
        arguments=arguments,
        isError=bool(result.is_error),
        text="\n".join(texts),
        structured=result.structured_content,
        progress=progress,
    )


async def list_tools(client: Client) -> None:
    cursor = None
    while True:
        page = await client.list_tools(cursor=cursor)
        for tool in page.tools:
            say(tool=tool.name)
        cursor = page.next_cursor
        if cursor is None:
            return


async def main(endpoint: str, mode: str, calls: list[str]) -> None:
    token = os.environ.get("TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        async with Client(streamable_http_client(endpoint, http_client=http), mode=mode) as client:
            say(protocol=client.protocol_version, server=client.server_info and client.server_info.name)
            await list_tools(client)
            for one in calls:
                name, _, arguments = one.partition("=")
                await call(client, name, json.loads(arguments or "{}"))


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], sys.argv[3:])
