"""fastmcp's proxy before one server: `fastmcp_proxy.py PORT URL`."""

import sys

from fastmcp.server import create_proxy

port, url = sys.argv[1:]
create_proxy(url, name="fastmcp").run(
    transport="http", host="127.0.0.1", port=int(port), path="/mcp", show_banner=False, log_level="error"
)
