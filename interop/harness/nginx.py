"""nginx before several gateways, one request to each in turn. Judges nothing."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from harness.process import Process, free_port, until

#: As a user would write it: no buffering, because answers may be streams; nothing is sent twice that may have been carried out,
#: which is nginx's own rule for POST.
CONFIG = """
worker_processes 1;
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  upstream gateways {{
{servers}
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://gateways;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 60s;
      proxy_connect_timeout 1s;
      client_max_body_size 6m;
      add_header X-Replica $upstream_addr always;
    }}
  }}
}}
"""


@contextmanager
def nginx(origins: list[str]) -> Iterator[str]:
    """Gives the URL of `/mcp` behind it. `origins` are `http://host:port`."""
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        servers = "\n".join(
            f"    server {origin.removeprefix('http://')} max_fails=1 fail_timeout=1s;" for origin in origins
        )
        path = Path(directory) / "nginx.conf"
        path.write_text(CONFIG.format(directory=directory, port=port, servers=servers))
        with Process(
            [os.environ["NGINX_BIN"], "-c", str(path), "-p", directory, "-e", f"{directory}/error.log"]
        ) as process:
            until(lambda: process.ended() or _answers(port), "nginx answers")
            assert not process.ended(), process.log()
            yield f"http://127.0.0.1:{port}/mcp"


def _answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False
