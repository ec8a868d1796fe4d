"""An MCP server on standard streams whose names, titles and texts are as long as they may be and have nowhere to break, in scripts of
both directions, with HTML in between: for whoever shows them. Speaks MCP 2025-06-18, by hand, because SDKs would object."""

import json
import sys

LONG = "w" * 100
HTML = "</p></details><script>document.title = 'taken over'</script>"
TOOL = {
    "name": LONG,
    "title": "T" * 300,
    "description": f"{HTML}\n{'D' * 2000}\n\u202eturned round\n\u0645\u0631\u062d\u0628\u0627",
    "inputSchema": {
        "type": "object",
        "properties": {LONG: {"type": "string", "title": "L" * 200, "description": "H" * 900, "default": "V" * 500}},
    },
}
RESULT = {
    "content": [{"type": "text", "text": "R" * 5000}, {"type": "text", "text": HTML}],
    "structuredContent": {"K" * 300: "S" * 3000, "rows": [{"id": number, "name": "N" * 90} for number in range(300)]},
}


def answer(request: dict) -> dict:
    match request["method"]:
        case "initialize":
            server = {"name": "S" * 200, "version": "V" * 60}
            return {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": server}
        case "tools/list":
            return {"tools": [TOOL]}
        case "tools/call":
            return RESULT
    return {}


for line in sys.stdin:
    request = json.loads(line)
    if request.get("method") == "server/discover":
        error = {"code": -32601, "message": "Method not found"}
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error}), flush=True)
    elif "id" in request and "method" in request:
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": answer(request)}), flush=True)
