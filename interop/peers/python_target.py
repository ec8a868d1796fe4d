"""An MCP server made with the Python SDK, to stand behind the gateway.

    python python_target.py stdio|stateful|stateless [PORT]

Over HTTP it takes a free port if it is told none, prints one line of JSON (`{"url": ...}`) once it serves, and ends with its
standard input. Its tools do nothing useful.
"""

import json
import os
import socket
import sys
import threading
from collections import Counter

import anyio
import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from starlette.types import ASGIApp

server = MCPServer("python-target")
arrival = anyio.Condition()
here: Counter[str] = Counter()
released: set[str] = set()


@server.tool()
def join_words(words: list[str], separator: str = " ") -> str:
    """Join words."""
    return separator.join(words)


@server.tool()
async def count_to(last: int, ctx: Context) -> int:
    """Count from 1, reporting each number as progress."""
    for number in range(1, last + 1):
        await ctx.report_progress(number, last, f"at {number}")
    return last


@server.tool()
async def count_together(party: str, of: int, name: str, last: int, ctx: Context) -> str:
    """Count from 1 with the caller's name in each progress message, once `of` callers of one party are here."""
    async with arrival:
        here[party] += 1
        arrival.notify_all()
        with anyio.fail_after(30):
            while here[party] < of:
                await arrival.wait()
    for number in range(1, last + 1):
        await ctx.report_progress(number, last, f"{name} at {number}")
    return name


@server.tool()
async def wait_for_release(key: str, ctx: Context) -> str:
    """Report progress once, then wait until `release` is called with the same key."""
    await ctx.report_progress(1, 2, "waiting")
    async with arrival:
        with anyio.fail_after(30):
            while key not in released:
                await arrival.wait()
    return key


@server.tool()
async def release(key: str) -> str:
    """End the waiting of `wait_for_release`."""
    async with arrival:
        released.add(key)
        arrival.notify_all()
    return key


@server.tool()
def refuse(reason: str) -> str:
    """Fail, always."""
    raise ToolError(reason)


def end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


def serve(app: ASGIApp, port: int = 0) -> None:
    """Serves until standard input ends, and says where."""
    listener = socket.create_server(("127.0.0.1", port))
    uvicorn_server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    threading.Thread(target=end_with_input, daemon=True).start()
    # The socket listens already: whoever connects from here on is answered.
    print(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"}), flush=True)
    uvicorn_server.run(sockets=[listener])


if __name__ == "__main__":
    if sys.argv[1] == "stdio":
        server.run("stdio")
    else:
        app = server.streamable_http_app(stateless_http=sys.argv[1] == "stateless")
        serve(app, port=int(sys.argv[2]) if sys.argv[2:] else 0)
