"""A token endpoint that counts what it is asked for. Lets everyone in: who may have a token is checked elsewhere."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class TokenEndpoint:
    """A running one."""

    url: str
    lifetime: int
    given: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def token_endpoint(lifetime: int = 3600) -> Iterator[TokenEndpoint]:
    """Its tokens live that many seconds."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            with endpoint.lock:
                token = f"token-{len(endpoint.given)}"
                endpoint.given.append(token)
            body = json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": endpoint.lifetime}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    endpoint = TokenEndpoint(f"http://127.0.0.1:{server.server_port}/token", lifetime)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
