"""A FastMCP client behind `mcp-proxy-for-aws`, run by the Python that has both: prints what it saw as one line of JSON."""

import asyncio
import json
import os
import sys
from pathlib import Path

from fastmcp import Client
from fastmcp.client.transports import StdioTransport


async def main(endpoint: str, tool: str, arguments: str) -> None:
    proxy = str(Path(sys.executable).parent / "mcp-proxy-for-aws")
    asked = [endpoint, "--service", "bedrock-agentcore", "--region", os.environ["AWS_REGION"], "--disable-telemetry"]
    async with Client(StdioTransport(proxy, asked, env=dict(os.environ))) as client:
        tools = [tool.name for tool in await client.list_tools()]
        called = await client.call_tool(tool, json.loads(arguments))
        print(json.dumps({"tools": tools, "result": called.structured_content}))


asyncio.run(main(*sys.argv[1:]))
