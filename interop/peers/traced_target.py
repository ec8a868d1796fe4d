"""An MCP server made with the Python SDK that says where a call stands in a trace, as it got to see it.

    python traced_target.py stdio|stateful|stateless
"""

import sys

from mcp.server.mcpserver import Context, MCPServer
from python_target import serve

server = MCPServer("traced-target")
NAMES = ("traceparent", "tracestate", "baggage")


@server.tool()
def trace(ctx: Context) -> dict[str, dict[str, str]]:
    """What of the trace came in `_meta`, and what in HTTP headers."""
    meta, headers = dict(ctx.request_context.meta or {}), dict(ctx.headers or {})
    of_meta = {name: meta[name] for name in NAMES if name in meta}
    return {"meta": of_meta, "headers": {name: headers[name] for name in (*NAMES, "x-request-id") if name in headers}}


if __name__ == "__main__":
    if sys.argv[1] == "stdio":
        server.run("stdio")
    else:
        serve(server.streamable_http_app(stateless_http=sys.argv[1] == "stateless"))
