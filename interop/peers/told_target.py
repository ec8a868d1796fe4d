"""An MCP server made with the Python SDK that has the tools that it is told, to stand behind the gateway.

    python told_target.py '{"tool": "its description"}' [HEADER=VALUE]

It lets in who shows the header, if one is given; prints one line of JSON (`{"url": ...}`) once it serves, and ends with its
standard input. Its tools do nothing useful.
"""

import json
import sys

from mcp.server.mcpserver import MCPServer
from starlette.types import ASGIApp, Receive, Scope, Send

from python_target import serve


def told(name: str) -> str:
    """The tool's own name."""
    return name


def keyed(app: ASGIApp, name: str, value: str) -> ASGIApp:
    """`app` for those who show this header."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        shown = dict(scope.get("headers", []))
        if scope["type"] == "http" and shown.get(name.lower().encode()) != value.encode():
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await app(scope, receive, send)

    return guarded


if __name__ == "__main__":
    server = MCPServer("told-target")
    for tool, description in json.loads(sys.argv[1]).items():
        server.add_tool(told, name=tool, description=description)
    app = server.streamable_http_app(stateless_http=True)
    if sys.argv[2:]:
        app = keyed(app, *sys.argv[2].split("=", 1))
    serve(app)
