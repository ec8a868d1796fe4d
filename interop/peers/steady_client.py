"""A client made with the Python SDK that calls without a pause until it is told to end: some workers, each of which calls one
tool after the other. Prints a JSON line for each call.

    python steady_client.py ENDPOINT legacy|2026-07-28 WORKERS NAME=JSON-ARGUMENTS ...

Its standard input ends it. Keeps nothing and judges nothing: what the lines say is for whoever reads them.
"""

import itertools
import json
import sys
from collections import Counter

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

PATH = "x-causeway-path"


async def work(client: Client, calls: list[tuple[str, dict]], ending: anyio.Event) -> None:
    for name, arguments in itertools.cycle(calls):
        if ending.is_set():
            return
        try:
            result = await client.call_tool(name, arguments)
            texts = [block.text for block in result.content if block.type == "text"]
            line = {"call": name, "ok": not result.is_error, "text": "\n".join(texts)}
        except Exception as error:  # Whatever a call ends with is a line of its own.
            line = {"call": name, "ok": False, "text": repr(error)}
        print(json.dumps(line), flush=True)


async def main(endpoint: str, mode: str, workers: int, calls: list[tuple[str, dict]]) -> None:
    paths: Counter[str] = Counter()

    async def note(response: httpx2.Response) -> None:
        paths.update(filter(None, [response.headers.get(PATH)]))

    ending = anyio.Event()
    http = httpx2.AsyncClient(timeout=120, trust_env=False, event_hooks={"response": [note]})
    async with http, Client(streamable_http_client(endpoint, http_client=http), mode=mode) as client:
        async with anyio.create_task_group() as tasks:
            for at in range(workers):
                # They do not all call the same tool at the same time.
                tasks.start_soon(work, client, calls[at % len(calls) :] + calls[: at % len(calls)], ending)
            await anyio.to_thread.run_sync(sys.stdin.read)
            ending.set()
    print(json.dumps({"paths": paths}), flush=True)


if __name__ == "__main__":
    named = [one.partition("=") for one in sys.argv[4:]]
    anyio.run(main, sys.argv[1], sys.argv[2], int(sys.argv[3]), [(name, json.loads(text)) for name, _, text in named])
