"""A client of an MCP endpoint that logs its user in, made with the OAuth client of the Python SDK: it prints where the user is to
go, waits on loopback for the code, then lists the tools and calls those named, and does so once more with a refreshed token.

    python login_client.py ENDPOINT legacy|auto|2026-07-28 [NAME=JSON-ARGUMENTS ...]

CLIENT_ID_URL in the environment is the URL of a document about this client, and REDIRECT_PORT the port of its redirect URI. Judges
nothing: what the lines say is for whoever reads them.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata
from python_client import call, list_tools, say


class Memory:
    """What the SDK wants kept."""

    def __init__(self) -> None:
        self.tokens = None
        self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens) -> None:
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client) -> None:
        self.client = client


class Landing:
    """Where the browser comes back to."""

    def __init__(self) -> None:
        landing = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                landing.query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"You are back at the program.")

            def log_message(self, *_: object) -> None:
                pass

        self.query: dict[str, str] = {}
        self.server = HTTPServer(("127.0.0.1", int(os.environ.get("REDIRECT_PORT", "0"))), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/callback"

    async def go(self, url: str) -> None:
        say(open=url)

    async def come_back(self) -> AuthorizationCodeResult:
        while not self.query:
            await anyio.to_thread.run_sync(self.server.handle_request)
        back, self.query = self.query, {}
        if "code" not in back:
            say(refused=back)
            raise SystemExit(3)
        return AuthorizationCodeResult(code=back["code"], state=back.get("state"), iss=back.get("iss"))


async def visit(endpoint: str, mode: str, calls: list[str], provider: OAuthClientProvider) -> None:
    async with httpx2.AsyncClient(auth=provider, timeout=60, trust_env=False) as http:
        async with Client(streamable_http_client(endpoint, http_client=http), mode=mode) as client:
            say(protocol=client.protocol_version)
            await list_tools(client)
            for one in calls:
                name, _, arguments = one.partition("=")
                await call(client, name, json.loads(arguments or "{}"))


async def main(endpoint: str, mode: str, calls: list[str]) -> None:
    landing, memory = Landing(), Memory()
    metadata = OAuthClientMetadata(
        client_name="Interop (Python)", redirect_uris=[landing.url], token_endpoint_auth_method="none"
    )
    provider = OAuthClientProvider(
        server_url=endpoint,
        client_metadata=metadata,
        storage=memory,
        redirect_handler=landing.go,
        callback_handler=landing.come_back,
        client_metadata_url=os.environ.get("CLIENT_ID_URL"),
    )
    await visit(endpoint, mode, calls, provider)
    say(client_id=memory.client.client_id, registered=[str(uri) for uri in memory.client.redirect_uris or []])
    if memory.tokens.refresh_token:
        before = memory.tokens.access_token
        # As if its time were over.
        provider.context.token_expiry_time = 1
        await visit(endpoint, mode, calls, provider)
        say(refreshed=memory.tokens.access_token != before)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], sys.argv[3:])
