"""ContextForge before one server: `contextforge.py PORT URL DIRECTORY`.

One worker, its database in DIRECTORY, secrets made for this run, its limits of rates off: with them on, it answers a hundred calls a
minute. Once the server is registered with it, the file DIRECTORY/ready says the path of its endpoint, what stands before the names of
tools, and a token.
"""

import asyncio
import os
import secrets
import sys
from pathlib import Path

port, url, directory = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
USER = "bench@example.com"
NAME = "upstream"

os.chdir(directory)
os.environ.update(
    {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "DATABASE_URL": f"sqlite:///{directory}/contextforge.db",
        "JWT_SECRET_KEY": secrets.token_urlsafe(48),
        "AUTH_ENCRYPTION_SECRET": secrets.token_urlsafe(48),
        "BASIC_AUTH_PASSWORD": secrets.token_urlsafe(24),
        "PLATFORM_ADMIN_EMAIL": USER,
        "PLATFORM_ADMIN_PASSWORD": secrets.token_urlsafe(24) + "aA1!",
        "DEFAULT_USER_PASSWORD": secrets.token_urlsafe(24) + "aA1!",
        "RATE_LIMITING_ENABLED": "false",
        "TOOL_RATE_LIMIT": "1000000000",
        # The upstream is on this machine.
        "SSRF_ALLOW_LOCALHOST": "true",
        "SSRF_ALLOW_PRIVATE_NETWORKS": "true",
        "CACHE_TYPE": "memory",
        "LOG_LEVEL": "ERROR",
    }
)

import httpx  # noqa: E402
import uvicorn  # noqa: E402
from mcpgateway.main import app  # noqa: E402
from mcpgateway.utils.create_jwt_token import create_jwt_token  # noqa: E402


async def register() -> None:
    token = await create_jwt_token({"sub": USER, "is_admin": True, "token_use": "api"}, expires_in_minutes=24 * 60, teams=None)
    own = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=60, trust_env=False) as client:
        answer = await client.post(
            f"{own}/gateways", json={"name": NAME, "url": url, "transport": "STREAMABLEHTTP", "visibility": "public"}
        )
        if answer.is_error:
            raise SystemExit(f"the upstream cannot be registered: {answer.status_code} {answer.text}")
        tools = (await client.get(f"{own}/tools")).json()
    name = next(tool["name"] for tool in tools if tool["name"].endswith("small"))
    ready = directory / "ready"
    partial = directory / "ready.new"
    partial.write_text(f"/mcp/\n{name.removesuffix('small')}\n{token}\n")
    partial.rename(ready)


async def main() -> None:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", access_log=False))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        if serving.done():
            serving.result()
            raise SystemExit("it does not start")
        await asyncio.sleep(0.05)
    await register()
    await serving


asyncio.run(main())
