"""A program on a terminal of its own: what it shows there, and what a person types. Knows nothing of what the program does."""

import os
import pty
import select
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.process import CLEAN, DEADLINE


@dataclass
class Shown:
    """What came of a run."""

    status: int
    #: Everything that the terminal was sent, escape sequences included.
    text: str


#: What is waited for, and what is typed then (with its line end), or done; what is done may say what to type.
Step = tuple[str, str | Callable[[], object]]


def on_terminal(argv: list[str], typed: Sequence[Step], env: dict[str, str] | None = None) -> Shown:
    """Runs a program; takes each step once what it waits for has been shown after what the step before waited for."""
    ours, theirs = pty.openpty()
    everything = CLEAN | {"TERM": "xterm"} | (env or {})
    child = subprocess.Popen(argv, env=everything, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    try:
        return converse(child, ours, list(typed))
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
        os.close(ours)


def converse(child: subprocess.Popen, terminal: int, typed: list[Step]) -> Shown:
    text, seen = "", 0
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if typed and (at := text.find(typed[0][0], seen)) >= 0:
            seen = at + len(typed[0][0])
            answer = typed.pop(0)[1]
            if callable(answer):
                answer = answer()
            if isinstance(answer, str):
                os.write(terminal, answer.encode())
            continue
        piece = read(terminal)
        if piece is None:
            assert not typed, f"it ended before it asked `{typed[0][0]}`:\n{text}"
            return Shown(child.wait(DEADLINE), text)
        text += piece
    raise AssertionError(f"after {DEADLINE:.0f} s it still runs; waiting for {typed[:1]}:\n{text}")


def read(terminal: int) -> str | None:
    """What is there by now; nothing once the program has ended."""
    if not select.select([terminal], [], [], 0.5)[0]:
        return ""
    try:
        return os.read(terminal, 65536).decode(errors="replace") or None
    except OSError:
        # What Linux says of a terminal that nobody has open any more.
        return None
