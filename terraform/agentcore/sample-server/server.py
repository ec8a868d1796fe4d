"""A small MCP server as AgentCore Runtime wants it: streamable HTTP without state, on port 8000, at /mcp."""

import os

from mcp.server.mcpserver import MCPServer

server = MCPServer("calculator")


@server.tool()
def add_numbers(a: float, b: float) -> float:
    """Add two numbers."""
    return a + b


@server.tool()
def multiply_numbers(a: float, b: float) -> float:
    """Multiply two numbers."""
    return a * b


if __name__ == "__main__":
    # Whoever reaches it in the container is Runtime, which has judged the caller; by which name it is called does not matter.
    server.run("streamable-http", host="0.0.0.0", port=int(os.environ.get("PORT", "8000")), stateless_http=True, json_response=True)
