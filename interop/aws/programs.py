"""The example programs of the crate `causeway-aws`: its code, asked by line from here. Judges no answer."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.process import Process


@dataclass
class Program:
    """One that runs, and answers each line with a line."""

    process: Process
    #: Lines read so far.
    read: int = 0

    def ask(self, question: object) -> dict:
        self.process.write(json.dumps(question))
        self.read += 1
        lines = self.process.lines
        return json.loads(self.process.wait_for(lambda: lines[self.read - 1] if len(lines) >= self.read else None, "an answer"))

    def value(self, question: object) -> object:
        """The answer, which must be no error."""
        answer = self.ask(question)
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def error(self, question: object) -> str:
        """The words of the answer, which must be an error."""
        return self.ask(question)["error"]


@contextmanager
def signer() -> Iterator[Program]:
    """`gateway/aws/examples/sign.rs`."""
    with Process([os.environ["CAUSEWAY_AWS_SIGN_BIN"]]) as process:
        yield Program(process)


@contextmanager
def asker(env: dict[str, str], **settings: str) -> Iterator[Program]:
    """`gateway/aws/examples/ask.rs` with this environment; `settings` are those of the crate's identity."""
    with Process([os.environ["CAUSEWAY_AWS_ASK_BIN"], json.dumps(settings)], env) as process:
        yield Program(process)
