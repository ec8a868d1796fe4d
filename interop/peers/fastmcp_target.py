"""An MCP server made with FastMCP, to stand behind the gateway over HTTP.

    python fastmcp_target.py

Takes a free port, prints one line of JSON (`{"url": ...}`) once it serves, and ends with its standard input. Its tools do
nothing useful.
"""

import json
import os
import socket
import sys
import threading

import anyio
import mcp_types
import uvicorn
from fastmcp import Context, FastMCP

server = FastMCP("fastmcp-target")
#: How the calls of `wait_until_cancelled` went.
calls: dict[str, str] = {}

NAME = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


@server.tool
def join_words(words: list[str], separator: str = " ") -> str:
    """Join words."""
    return separator.join(words)


@server.tool
async def count_to(last: int, ctx: Context) -> int:
    """Count from 1, reporting each number as progress."""
    for number in range(1, last + 1):
        await ctx.report_progress(number, last, f"at {number}")
    return last


@server.tool(output_schema=None)
async def greet_asked(ctx: Context):
    """Ask for a name in the way of the client's era, then greet."""
    if ctx.session.protocol_version < "2026":
        answer = await ctx.elicit("What is your name?", str)
        return f"Hello, {answer.data}!"
    if not ctx.input_responses:
        params = mcp_types.ElicitRequestFormParams(message="What is your name?", requested_schema=NAME)
        return mcp_types.InputRequiredResult(input_requests={"name": mcp_types.ElicitRequest(params=params)})
    return f"Hello, {ctx.input_responses['name'].content['name']}!"


@server.tool
async def wait_until_cancelled(key: str, ctx: Context) -> str:
    """Report progress once, then wait for ever."""
    calls[key] = "running"
    try:
        await ctx.report_progress(1, 2, "waiting")
        await anyio.sleep_forever()
    finally:
        calls[key] = "stopped"


@server.tool
def state_of(key: str) -> str:
    """How the call of `wait_until_cancelled` with this key went."""
    return calls.get(key, "unknown")


@server.prompt
def review(code: str) -> str:
    """A prompt with an argument."""
    return f"Please review `{code}`."


@server.resource("fastmcp://status")
def status() -> str:
    """A resource."""
    return "All is well."


@server.resource("fastmcp://items/{number}")
def item(number: str) -> str:
    """A resource of a template."""
    return f"This is item {number}."


def end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    uvicorn_server = uvicorn.Server(uvicorn.Config(server.http_app(), log_level="warning"))
    threading.Thread(target=end_with_input, daemon=True).start()
    # The socket listens already: whoever connects from here on is answered.
    print(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"}), flush=True)
    uvicorn_server.run(sockets=[listener])
