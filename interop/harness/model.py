"""A double of a language model: it calls the one tool that it is told to, and then says that it is done. It stands where an
account would be needed; that the tool was called, and what came of it, it only passes on.

Source: OpenAI's Chat Completions API."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from harness.listener import Answer, Request, listening


class Model:
    """One that calls the first tool whose name ends with `tool`."""

    def __init__(self, tool: str, arguments: dict) -> None:
        self.tool, self.arguments = tool, arguments
        #: What it was asked, body by body.
        self.asked: list[dict] = []

    def answer(self, asked: dict) -> dict:
        self.asked.append(asked)
        results = [message for message in asked["messages"] if message["role"] == "tool"]
        names = [tool["function"]["name"] for tool in asked.get("tools", []) if "function" in tool]
        name = next((name for name in names if name.endswith(self.tool)), None)
        if results or name is None:
            return {"role": "assistant", "content": "done"}
        function = {"name": name, "arguments": json.dumps(self.arguments)}
        return {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": function}]}

    def results(self) -> list[str]:
        """What came of the calls."""
        last = self.asked[-1]["messages"] if self.asked else []
        return [json.dumps(message["content"]) for message in last if message["role"] == "tool"]


@contextmanager
def serving(model: Model) -> Iterator[str]:
    """The URL of its API."""

    def answer(request: Request) -> Answer:
        message = model.answer(json.loads(request.body))
        reason = "tool_calls" if "tool_calls" in message else "stop"
        choice = {"index": 0, "message": message, "finish_reason": reason}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        said = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}
        return Answer(200, json.dumps(said).encode(), {"content-type": "application/json"})

    with listening(answer) as url:
        yield f"{url}/v1"
