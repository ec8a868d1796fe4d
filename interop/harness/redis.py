"""A Redis server of its own on a free port, which can be killed and come back, and hold still. Judges nothing."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.process import Process, free_port, until


@dataclass
class Redis:
    """A running one; it keeps nothing when it ends."""

    port: int
    directory: str
    options: list[str]
    process: Process | None = None

    def start(self, *options: str) -> None:
        """Starts it (again), with further options."""
        argv = [os.environ["REDIS_BIN"], "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.directory]
        argv += ["--save", "", "--appendonly", "no", "--daemonize", "no", *self.options, *options]
        self.process = Process(argv)
        until(self.answers, "Redis answers")

    def answers(self) -> bool:
        try:
            return bool(self.ask("PING"))
        except OSError:
            return False

    def ask(self, *words: str, password: str | None = None) -> str:
        """The raw answer to one command."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            if password:
                connection.sendall(f"AUTH {password}\r\n".encode())
                connection.recv(1000)
            connection.sendall(" ".join(words).encode() + b"\r\n")
            return connection.recv(65536).decode()

    def keys(self, kind: str) -> list[str]:
        """The keys of all that it holds of one kind: `string`, `hash`."""
        words = self.ask("SCAN", "0", "COUNT", "1000", "TYPE", kind).split("\r\n")
        return [word for word in words if word.startswith("causeway:")]

    def signal(self, number: int) -> None:
        self.process.signal(number)

    def end(self) -> None:
        if self.process:
            self.process.end()


@contextmanager
def redis(*options: str) -> Iterator[Redis]:
    """One that holds nothing yet."""
    with tempfile.TemporaryDirectory() as directory:
        server = Redis(free_port(), directory, list(options))
        try:
            server.start()
            yield server
        finally:
            server.end()
